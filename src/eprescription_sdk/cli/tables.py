"""The assessment in a terminal: verdicts first, then who and why."""

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from eprescription_sdk.clock import PARIS
from eprescription_sdk.pilot.assessment import Assessment
from eprescription_sdk.pilot.questions import Reading
from eprescription_sdk.pilot.results import Criterion, CriterionResult, Verdict

_STYLES = {
    Verdict.MET: ("✔", "green"),
    Verdict.ATTESTED: ("✔", "green"),
    Verdict.NOT_MET: ("✘", "red"),
    Verdict.NOT_ASSESSABLE: ("?", "yellow"),
}


def show_assessment(out: Console, assessment: Assessment) -> None:
    """Print an assessment."""
    out.print(assessment_view(assessment))


def assessment_view(assessment: Assessment) -> Group:
    """An assessment as something to print, or to show again and again."""
    title = "Autoévaluation de la présérie"
    if assessment.simulation:
        title = f"SIMULATION · {title}"
    return Group(
        Text(f"\n{title}", style="bold"),
        Text(
            f"calculée localement le {assessment.cut_off.astimezone(PARIS):%d/%m/%Y à %H:%M}, heure"
            f" de Paris, règles {assessment.rule_version} ; document non officiel"
        ),
        _criteria(assessment),
        *_practitioners(assessment),
        _coverage(assessment),
        *_flips(assessment),
        *_rulings(assessment),
        *_official(assessment),
    )


def _coverage(assessment: Assessment) -> Text:
    coverage = assessment.coverage
    unknown = sum(use.unknown_faults for use in assessment.strict[Criterion.C3].operations)
    apart = sum(assessment.inputs.apart.values())
    parts = [
        f"Couverture : {coverage.traced} tracés pour {coverage.declared} déclarés,"
        f" {coverage.missing} manquants"
        if coverage.days
        else "Couverture : aucun volume déclaré",
        f"{apart} traces laissées de côté" if apart else "",
        f"{unknown} échecs de code inconnu" if unknown else "",
    ]
    return Text(" ; ".join(part for part in parts if part) + ".")


def _flips(assessment: Assessment) -> list[Text]:
    if not assessment.flips:
        return [Text("Aucune question ouverte ne change à elle seule un verdict.")]
    return [
        Text("Questions qui changeraient un verdict", style="bold"),
        *(
            Text(
                f"  {flip.question.name} → {flip.criterion.value} ({flip.bundle.label_fr}) :"
                f" {flip.before.label_fr} → {flip.after.label_fr}"
            )
            for flip in assessment.flips
        ),
    ]


def _rulings(assessment: Assessment) -> list[Text]:
    return [
        Text(
            f"{question.value} tranchée par la Cnam : {ruling.label_fr}"
            f" ({ruling.reference}, {ruling.day:%d/%m/%Y})"
        )
        for question, ruling in assessment.rulings.items()
    ]


def _official(assessment: Assessment) -> list[Text]:
    lines = []
    for each in assessment.official:
        what = " ".join(filter(None, (each.official.criterion, each.official.practitioner)))
        if each.agrees:
            gap = "comme nous, lecture " + " et ".join(one.label_fr for one in each.agrees)
        elif each.explanations:
            names = sorted({one.question.value for one in each.explanations})
            gap = f"écart que {' ou '.join(names)} expliquerait"
        else:
            gap = "écart qu'aucune question seule n'explique"
        lines.append(Text(f"Officiel, {what} : {each.official.figure} ; {gap}"))
    return lines


def _criteria(assessment: Assessment) -> Table:
    table = Table(expand=False)
    table.add_column("critère", overflow="fold")
    table.add_column("lecture stricte", overflow="fold")
    table.add_column("lecture favorable", overflow="fold")
    for criterion in Criterion:
        table.add_row(
            f"{criterion.value} {criterion.label_fr}",
            *(_cell(assessment.results(bundle)[criterion]) for bundle in Reading),
        )
    table.add_section()
    table.add_row("ensemble", *(_verdict(assessment.results(bundle).verdict) for bundle in Reading))
    return table


def _cell(result: CriterionResult) -> Text:
    cell = _verdict(result.verdict)
    if result.figure is not None:
        figure = result.figure
        cell.append(f"\n{figure.numerator}/{figure.denominator} = {figure.percent_fr}", "default")
    return cell


def _verdict(verdict: Verdict) -> Text:
    icon, style = _STYLES[verdict]
    return Text(f"{icon} {verdict.label_fr}", style=style)


def _practitioners(assessment: Assessment) -> list[Table | Text]:
    if not assessment.practitioners:
        return [
            Text(
                "Aucun praticien n'est installé à cette date ; la suite : eprescription pilot"
                " status."
            )
        ]
    table = Table(expand=False)
    table.add_column("praticien")
    table.add_column("C1 stricte", justify="right")
    table.add_column("C1 favorable", justify="right")
    of = {
        bundle: {
            each.label: each for each in assessment.results(bundle)[Criterion.C1].practitioners
        }
        for bundle in Reading
    }
    for one in assessment.practitioners:
        cells = []
        for bundle in Reading:
            result = of[bundle].get(one.label)
            figure = result.figure if result else None
            text = f"{figure.numerator}/{figure.denominator} {figure.percent_fr}" if figure else "—"
            style = _STYLES[result.verdict][1] if result and result.decides else "dim"
            cells.append(Text(text, style=style))
        table.add_row(one.label, *cells)
    # As lines of their own: beside the figures a narrow terminal would break every word.
    lines = [
        Text(f"{one.label} : {one.distance_fr[Reading.STRICT]}") for one in assessment.practitioners
    ]
    return [table, Text("Où ils en sont, en lecture stricte", style="bold"), *lines]

"""The assessment in a terminal: verdicts first, then who and why."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

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
    title = "Autoévaluation de la présérie"
    if assessment.simulation:
        title = f"SIMULATION · {title}"
    out.print(f"\n[bold]{title}[/bold]")
    out.print(
        f"calculée localement le {assessment.cut_off:%d/%m/%Y à %H:%M} UTC,"
        f" règles {assessment.rule_version} ; document non officiel"
    )
    out.print(_criteria(assessment))
    out.print(_practitioners(assessment))
    flips = [
        f"{flip.question.name} → {flip.criterion.value} ({flip.bundle.value}) :"
        f" {flip.before.label_fr} → {flip.after.label_fr}"
        for flip in assessment.flips
    ]
    if flips:
        out.print("[bold]Questions qui changeraient un verdict[/bold]")
        for flip in flips:
            out.print(f"  {flip}")
    else:
        out.print("Aucune question ouverte ne change à elle seule un verdict.")


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


def _practitioners(assessment: Assessment) -> Table:
    table = Table(expand=False)
    table.add_column("praticien")
    table.add_column("C1 stricte", justify="right")
    table.add_column("C1 favorable", justify="right")
    table.add_column("où il en est (lecture stricte)", overflow="fold")
    lines = {
        bundle: {
            each.label: each for each in assessment.results(bundle)[Criterion.C1].practitioners
        }
        for bundle in Reading
    }
    for one in assessment.practitioners:
        cells = []
        for bundle in Reading:
            result = lines[bundle].get(one.label)
            figure = result.figure if result else None
            text = f"{figure.numerator}/{figure.denominator} {figure.percent_fr}" if figure else "—"
            style = _STYLES[result.verdict][1] if result and result.decides else "dim"
            cells.append(Text(text, style=style))
        table.add_row(one.label, *cells, one.distance_fr[Reading.STRICT])
    return table

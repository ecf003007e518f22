"""The report: one self-contained HTML page in French, for the company and the Cnam.

The page is laid out in ``templates/report.html.j2``, its drawings are in ``charts``; here are
the words and figures that the page takes from an assessment. It computes no verdict, asks
nothing of the network, and holds no RPPS unless it is a named edition.
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from eprescription_sdk.clock import PARIS
from eprescription_sdk.errors import MissingExtra
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.model.trace import NonDigitalReason
from eprescription_sdk.pilot import charts
from eprescription_sdk.pilot.assessment import Assessment, TrendDay
from eprescription_sdk.pilot.checklist import ITEMS_FR as PREREQUISITES_FR
from eprescription_sdk.pilot.named import NamedEdition
from eprescription_sdk.pilot.nominal_use import OPERATIONS_FR
from eprescription_sdk.pilot.questions import Question, Reading
from eprescription_sdk.pilot.results import (
    Criterion,
    CriterionResult,
    Figure,
    PractitionerResult,
    Results,
    Verdict,
)
from eprescription_sdk.pilot.survey import ITEMS_FR as SURVEY_FR
from eprescription_sdk.pilot.wording import (
    APART_FR,
    MONTHS_FR,
    ORIGINS_FR,
    THRESHOLDS_FR,
    UNITS_FR,
    counted_fr,
)
from eprescription_sdk.traces.files import writing

if TYPE_CHECKING:
    from jinja2 import Template


@attrs.frozen
class Tone:
    """How a verdict looks and reads: never by colour alone.

    Args:
        key: names the colours and the icon of the page.
        word: in French.
    """

    key: str
    word: str


_DEPENDS = Tone("depends", "dépend de la lecture")

_OVERALL = {
    Verdict.MET: Tone("met", "Atteint sous toutes les lectures"),
    Verdict.NOT_MET: Tone("not_met", "Non atteint"),
    Verdict.NOT_ASSESSABLE: Tone("not_assessable", "Pas encore évaluable"),
}


@attrs.frozen(kw_only=True)
class CardLine:
    """One reading on a criterion's card.

    Args:
        label: which, in French.
        tone: of its verdict.
        figure: the main figure, in French.
        detail: what it is made of.
    """

    label: str
    tone: Tone
    figure: str
    detail: str


@attrs.frozen(kw_only=True)
class Card:
    """One criterion at a glance.

    Args:
        criterion: which.
        tone: of both bundles together.
        threshold: what is asked, in French.
        lines: one for each bundle, or a single one where both agree.
    """

    criterion: Criterion
    tone: Tone
    threshold: str
    lines: tuple[CardLine, ...]


def render_html(
    assessment: Assessment, *, name: str = "", edition: NamedEdition | None = None
) -> str:
    """The report as one HTML page.

    Args:
        assessment: what to show.
        name: of the pilot, for the heading.
        edition: names the practitioners; without it they are "PS 1", "PS 2"…

    Raises:
        MissingExtra: jinja2 or pygal is not installed.
    """
    return _template().render(
        a=assessment,
        name=name,
        bundles=tuple(Reading),
        criteria=Criterion,
        questions=tuple(Question),
        overall=_overall(assessment),
        cards=[_card(assessment, criterion) for criterion in Criterion],
        labels=[each.label for each in assessment.practitioners],
        names=_names(edition),
        edition=edition,
        drawn=_drawn(assessment),
        series=charts.TREND_FR,
        layers=charts.CALLS_FR,
        reasons=_reasons(assessment),
    )


def write_report(
    assessment: Assessment,
    path: str | Path,
    *,
    name: str = "",
    edition: NamedEdition | None = None,
) -> Path:
    """Write the report to a file, whole or not at all.

    Args:
        assessment: what to show.
        path: the file; an older one is replaced. Only its owner reads a named edition.
        name: of the pilot, for the heading.
        edition: names the practitioners; without it they are "PS 1", "PS 2"…

    Raises:
        MissingExtra: jinja2 or pygal is not installed.
        ConfigurationError: the file cannot be written.
    """
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    html = render_html(assessment, name=name, edition=edition)
    with writing(target):
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o666 if edition is None else 0o600)
        partial.write_text(html, encoding="utf-8")
        return partial.replace(target)


@cache
def _template() -> "Template":
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise MissingExtra("report") from None
    environment = Environment(
        loader=PackageLoader("eprescription_sdk.pilot"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters.update(
        day=_day, moment=_moment, sentence=_sentence, tone=_tone, summary=_summary, unit=_unit
    )
    environment.globals.update(
        of=_of,
        counted=counted_fr,
        apart_fr=APART_FR,
        operations_fr=OPERATIONS_FR,
        origins_fr=ORIGINS_FR,
        prerequisites_fr=PREREQUISITES_FR,
        survey_fr=SURVEY_FR,
    )
    return environment.get_template("report.html.j2")


def _finalize(value: Any) -> Any:
    """Every text that the page takes in: no RPPS, and French spacing.

    Reasons and titles are typed by people, who may put a number there.
    """
    if type(value) is not str:
        return value
    text = re.sub(
        r"(?<!\d)\d{11}(?!\d)",
        lambda found: found[0] if Rpps(found[0]).problem() else "(n° masqué)",
        value,
    )
    return re.sub(r" (?=[%:;?!»])|(?<=«) ", "\u00a0", text)


def _names(edition: NamedEdition | None) -> dict[str, Any]:
    """The RPPS by label, marked so that the masking lets them pass."""
    if edition is None:
        return {}
    from markupsafe import Markup

    # Digits alone, checked when they were read from the store.
    return {label: Markup(rpps) for label, rpps in edition.rpps.items()}  # noqa: S704


def _drawn(assessment: Assessment) -> dict[str, str]:
    """The charts, by name; those that have something to show."""
    c1, c2 = (
        [assessment.results(bundle)[criterion] for bundle in Reading]
        for criterion in (Criterion.C1, Criterion.C2)
    )
    labels = [each.label for each in assessment.practitioners]
    drawn = {}
    if labels:
        rows = [(label, _figure_of(c1[0], label), _figure_of(c1[1], label)) for label in labels]
        what = "Taux d'ordonnances numériques de chaque praticien"
        drawn["c1"] = charts.rates_svg(rows, threshold=50, what=what)
        rows = [("Ensemble", c2[0].figure, c2[1].figure)]
        rows += [(label, _figure_of(c2[0], label), _figure_of(c2[1], label)) for label in labels]
        what = "Part des ordonnances numériques créées qui sont enregistrées"
        drawn["c2"] = charts.rates_svg(rows, threshold=70, what=what)
    operations = assessment.strict[Criterion.C3].operations
    if any(use.calls for use in operations):
        drawn["operations"] = charts.operations_svg(
            [(OPERATIONS_FR[use.operation], use) for use in operations]
        )
    if assessment.trend:
        drawn["trend"] = charts.trend_svg(_every_day(assessment.trend))
    if reasons := _reasons(assessment):
        drawn["reasons"] = charts.reasons_svg(list(reasons.items()))
    return drawn


def _every_day(trend: Sequence[TrendDay]) -> list[TrendDay]:
    """The trend with its empty days, so that a week is as long as the next."""
    known = {each.day: each for each in trend}
    first, last = trend[0].day, trend[-1].day
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [
        known.get(day, TrendDay(day=day, registered=0, digital=0, total=0, missing=0))
        for day in days
    ]


def _figure_of(result: CriterionResult, label: str) -> Figure | None:
    found = _of(result.practitioners, label)
    return found.figure if found else None


def _reasons(assessment: Assessment) -> dict[NonDigitalReason, int]:
    """Paper documents of all practitioners by reason, the commonest first."""
    counted: Counter[NonDigitalReason] = Counter()
    for each in assessment.practitioners:
        counted.update(each.reasons)
    return dict(counted.most_common())


def _overall(assessment: Assessment) -> Tone:
    strict, lenient = assessment.strict.verdict, assessment.lenient.verdict
    if strict is lenient:
        return _OVERALL[strict]
    return Tone("depends", "Dépend de la lecture retenue")


def _tone(verdict: Verdict) -> Tone:
    return Tone(verdict.value, verdict.label_fr)


def _summary(results: Results) -> str:
    """What keeps a bundle from being met, in a few words."""
    parts = []
    for verdict in (Verdict.NOT_MET, Verdict.NOT_ASSESSABLE):
        which = [each.criterion.value for each in results.criteria if each.verdict is verdict]
        if which:
            plural = "s" if len(which) > 1 else ""
            parts.append(f"{verdict.label_fr}{plural} : {', '.join(which)}")
    return " ; ".join(parts) or "les cinq critères sont atteints ou attestés"


def _card(assessment: Assessment, criterion: Criterion) -> Card:
    lines = tuple(
        CardLine(label=bundle.label_fr, tone=_tone(result.verdict), figure=figure, detail=detail)
        for bundle in Reading
        for result in (assessment.results(bundle)[criterion],)
        for figure, detail in (_figure(result),)
    )
    first, second = lines
    if attrs.evolve(first, label=second.label) == second:
        lines = (attrs.evolve(first, label="toutes lectures"),)
    return Card(
        criterion=criterion,
        tone=first.tone if first.tone == second.tone else _DEPENDS,
        threshold=THRESHOLDS_FR[criterion],
        lines=lines,
    )


def _figure(result: CriterionResult) -> tuple[str, str]:
    """The main figure of a criterion and what it is made of."""
    match result.criterion:
        case Criterion.C1:
            deciding = [each for each in result.practitioners if each.decides]
            met = sum(each.verdict is Verdict.MET for each in deciding)
            return f"{met} PS sur {len(deciding)}", "à 50 % ou plus"
        case Criterion.C2:
            figure = result.figure
            if figure is None or not figure.denominator:
                return "—", "rien à compter"
            return figure.percent_fr, f"{figure.numerator} sur {figure.denominator} {_unit(figure)}"
        case Criterion.C3:
            works = sum(use.succeeded > 0 for use in result.operations)
            open_ones = _count(len(result.anomalies), "anomalie bloquante")
            return f"{works} sur 3", f"opérations réussies, {open_ones}"
        case Criterion.C4:
            return "1 document" if result.document else "—", result.document or "aucun document"
        case Criterion.C5:
            return _satisfaction(result)


def _satisfaction(result: CriterionResult) -> tuple[str, str]:
    marks = [each.satisfaction for each in result.practitioners if each.satisfaction is not None]
    remarks = sum(each.blocking_remarks for each in result.practitioners)
    if not marks:
        return "1 document" if result.document else "—", result.document or "aucune réponse"
    tenths = int(Fraction(sum(marks), len(marks)) * 10)
    answers = f"{_count(len(marks), 'réponse')} sur {len(result.practitioners)}"
    return f"{tenths // 10},{tenths % 10} / 5", f"{answers}, {_count(remarks, 'frein bloquant')}"


def _unit(figure: Figure) -> str:
    """What a figure counts, in as many words as it takes."""
    return UNITS_FR[figure.unit] + ("s" if figure.denominator > 1 else "")


def _count(number: int, what: str) -> str:
    """A number and its noun, in French: zero is singular, and every word takes the s."""
    plural = number > 1
    return f"{number or 'aucun' + ('e' if what.startswith('anomalie') else '')} " + (
        " ".join(f"{word}s" for word in what.split()) if plural else what
    )


def _of(practitioners: Sequence[PractitionerResult], label: str) -> PractitionerResult | None:
    """The result of one practitioner, by label."""
    return next((each for each in practitioners if each.label == label), None)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].removesuffix('.')}."


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else "—"


def _moment(moment: datetime) -> str:
    local = moment.astimezone(PARIS)
    return f"{local.day} {MONTHS_FR[local.month - 1]} {local.year} à {local:%H h %M}"

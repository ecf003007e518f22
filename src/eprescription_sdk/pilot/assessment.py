"""The assessment (*bilan calculé localement*): what it holds, how it is made, its JSON.

The counting is in ``criteria``, the reading of the store in ``facts``. Practitioners are
"PS 1", "PS 2"…; no RPPS and no prescription number is in an assessment.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from fractions import Fraction
from typing import Any

import attrs

from eprescription_sdk.clock import Clock, SystemClock, iso
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.model.trace import ChainLink
from eprescription_sdk.pilot.criteria import C1_THRESHOLD, C2_THRESHOLD, RULE_VERSION, evaluate
from eprescription_sdk.pilot.distance import way_fr
from eprescription_sdk.pilot.facts import DIGITAL, Facts, Kind, Practitioner
from eprescription_sdk.pilot.questions import LENIENT, STRICT, Question, Reading, Readings
from eprescription_sdk.pilot.results import Criterion, CriterionResult, Figure, Results, Verdict
from eprescription_sdk.pilot.rows import facts_of_store
from eprescription_sdk.storage import Store


@attrs.frozen(kw_only=True)
class Coverage:
    """What was traced against the volumes that the host declared, over the days declared.

    Args:
        days: how many days have a declared volume.
        declared: documents declared on them.
        traced: documents traced on them.
        missing: sum over the days of what was declared and not traced.
    """

    days: int
    declared: int
    traced: int
    missing: int


@attrs.frozen(kw_only=True)
class PractitionerSummary:
    """One practitioner of the pilot, whatever the readings, since their go-live.

    Args:
        label: such as "PS 1".
        go_live: the day of their installation.
        withdrawn_on: the day they left; None if they did not by the cut-off.
        withdrawn_reason: why.
        registered: digital documents registered.
        not_registered: digital documents that were not.
        uncertain: digital documents still uncertain.
        paper: paper documents, those that follow a failed digital one left out.
        coverage: against the declared volumes.
        distance_fr: the way to C1's goal in plain French, one sentence for each bundle.
    """

    label: str
    go_live: date
    withdrawn_on: date | None
    withdrawn_reason: str | None
    registered: int
    not_registered: int
    uncertain: int
    paper: int
    coverage: Coverage
    distance_fr: Mapping[Reading, str]


@attrs.frozen(kw_only=True)
class TrendDay:
    """What was prescribed on one Europe/Paris day, all practitioners together.

    Args:
        day: which.
        registered: digital documents registered.
        digital: digital documents, whatever became of them.
        total: digital and paper documents.
        missing: documents declared in volume and not traced.
    """

    day: date
    registered: int
    digital: int
    total: int
    missing: int


@attrs.frozen(kw_only=True)
class Flip:
    """One question that, answered the other way, changes one verdict.

    Args:
        bundle: the bundle that it is flipped in.
        question: which.
        criterion: whose verdict changes.
        before: the verdict in the bundle.
        after: the verdict once flipped.
    """

    bundle: Reading
    question: Question
    criterion: Criterion
    before: Verdict
    after: Verdict


@attrs.frozen(kw_only=True)
class Inputs:
    """What the assessment read.

    Args:
        traces: how many traces were recorded by the cut-off.
        counted: how many of them count.
        apart: how many do not, by reason: ``test_identity``, ``reconcile``, ``support``,
            ``probe``, ``sandbox``, ``qualification``, ``other_situation``, ``not_enrolled``.
        volumes: how many practitioner days have a declared volume.
        corrections: days of the recorded corrections.
        losses: traces that could not be recorded, by reason, as counted when this was made.
        heads: newest link of each segment of the chain at the cut-off.
    """

    traces: int
    counted: int
    apart: Mapping[str, int]
    volumes: int
    corrections: tuple[date, ...]
    losses: Mapping[str, int]
    heads: tuple[ChainLink, ...]


@attrs.frozen(kw_only=True)
class Assessment:
    """How a pilot stands at a cut-off.

    Args:
        rule_version: which edition of the counting rules was applied.
        cut_off: what was recorded up to this moment was read, UTC.
        opens_on: the first go-live; None while nobody is live.
        simulation: whether a stand-in of this SDK took part in any trace.
        inputs: what was read.
        rulings: questions that the Cnam has settled.
        strict: every other question against the company.
        lenient: every other question for the company.
        flips: which single question would change which verdict, from both bundles.
        practitioners: by label, withdrawn ones included.
        trend: day by day.
        distance_c2_fr: the way to C2's goal in plain French, one sentence for each bundle.
    """

    rule_version: str
    cut_off: datetime
    opens_on: date | None
    simulation: bool
    inputs: Inputs
    rulings: Mapping[Question, Reading]
    strict: Results
    lenient: Results
    flips: tuple[Flip, ...]
    practitioners: tuple[PractitionerSummary, ...]
    trend: tuple[TrendDay, ...]
    distance_c2_fr: Mapping[Reading, str]

    def results(self, bundle: Reading) -> Results:
        """The results of one bundle."""
        return self.strict if bundle is Reading.STRICT else self.lenient

    @property
    def coverage(self) -> Coverage:
        """Over all practitioners."""
        each = [practitioner.coverage for practitioner in self.practitioners]
        return Coverage(
            days=sum(one.days for one in each),
            declared=sum(one.declared for one in each),
            traced=sum(one.traced for one in each),
            missing=sum(one.missing for one in each),
        )


def assess(
    store: Store, *, key: bytes, at: datetime | None = None, clock: Clock | None = None
) -> Assessment:
    """How the pilot of a store stands (Cnam, présérie, p. 6).

    Args:
        store: the pilot's.
        key: the secret of the settings that the traces were recorded with.
        at: the cut-off, aware: only what was recorded up to it is read. Now, by default.
        clock: says what now is.

    Raises:
        InvalidInput: a row of the store cannot be read; the path names it.
        ConfigurationError: the key is not the one that the traces were recorded with.
    """
    cut_off = at or (clock or SystemClock()).now()
    return assess_facts(store.read(lambda tx: facts_of_store(tx, key, cut_off)))


def assess_facts(facts: Facts) -> Assessment:
    """How the pilot of these facts stands; the facts may come from an export.

    Raises:
        ConfigurationError: no trace is of an enrolled practitioner.
    """
    if facts.practitioners and facts.traces and facts.apart.get("not_enrolled") == facts.traces:
        raise ConfigurationError(
            "No trace is of an enrolled practitioner.",
            path="key",
            way_out="Give the key that the traces were recorded with.",
        )
    bundles = {
        Reading.STRICT: evaluate(facts, STRICT.ruled(facts.rulings)),
        Reading.LENIENT: evaluate(facts, LENIENT.ruled(facts.rulings)),
    }
    strict, lenient = bundles.values()
    return Assessment(
        rule_version=RULE_VERSION,
        cut_off=facts.cut_off,
        opens_on=min((one.go_live for one in facts.practitioners), default=None),
        simulation=facts.simulation,
        inputs=Inputs(
            traces=facts.traces,
            counted=facts.traces - sum(facts.apart.values()),
            apart=facts.apart,
            volumes=sum(len(one.volumes) for one in facts.practitioners),
            corrections=facts.corrections,
            losses=facts.losses,
            heads=facts.heads,
        ),
        rulings=facts.rulings,
        strict=strict,
        lenient=lenient,
        flips=tuple(_flips(facts, bundles)),
        practitioners=tuple(
            _summary(one, {bundle: results[Criterion.C1] for bundle, results in bundles.items()})
            for one in facts.practitioners
        ),
        trend=_trend(facts),
        distance_c2_fr={
            bundle: way_fr(results[Criterion.C2].figure or Figure(0, 0), C2_THRESHOLD)
            for bundle, results in bundles.items()
        },
    )


def _flips(facts: Facts, bundles: Mapping[Reading, Results]) -> Iterator[Flip]:
    for bundle, results in bundles.items():
        for question in Question:
            if question in facts.rulings:
                continue
            flipped = evaluate(facts, results.readings.flipped(question))
            for before, after in zip(results.criteria, flipped.criteria, strict=True):
                if before.verdict is not after.verdict:
                    yield Flip(
                        bundle=bundle,
                        question=question,
                        criterion=before.criterion,
                        before=before.verdict,
                        after=after.verdict,
                    )


def _summary(one: Practitioner, c1: Mapping[Reading, CriterionResult]) -> PractitionerSummary:
    kinds = one.since(date.min).documents
    declared = sum(one.volumes.values())
    missing = sum(map(one.missing, one.volumes))
    return PractitionerSummary(
        label=one.label,
        go_live=one.go_live,
        withdrawn_on=one.withdrawn_on,
        withdrawn_reason=one.withdrawn_reason,
        registered=kinds.get(Kind.REGISTERED, 0),
        not_registered=kinds.get(Kind.NOT_REGISTERED, 0) + kinds.get(Kind.CORRECTED, 0),
        uncertain=kinds.get(Kind.UNCERTAIN, 0),
        paper=kinds.get(Kind.PAPER, 0) + kinds.get(Kind.PAPER_OUTSIDE, 0),
        coverage=Coverage(
            days=len(one.volumes),
            declared=declared,
            traced=sum(map(one.traced, one.volumes)),
            missing=missing,
        ),
        distance_fr={bundle: _way_of(one, result) for bundle, result in c1.items()},
    )


def _way_of(one: Practitioner, c1: CriterionResult) -> str:
    if one.withdrawn_on is not None:
        return "Retiré de la présérie : ne décide plus du critère."
    (result,) = (each for each in c1.practitioners if each.label == one.label)
    if not result.decides:
        return "Pas encore utilisateur : aucune ordonnance numérique envoyée."
    return way_fr(result.figure or Figure(0, 0), C1_THRESHOLD)


def _trend(facts: Facts) -> tuple[TrendDay, ...]:
    registered: Counter[date] = Counter()
    digital: Counter[date] = Counter()
    total: Counter[date] = Counter()
    missing: Counter[date] = Counter()
    for one in facts.practitioners:
        for (day, kind), count in one.documents.items():
            total[day] += count
            digital[day] += count if kind & DIGITAL else 0
            registered[day] += count if kind == Kind.REGISTERED else 0
        for day in one.volumes:
            missing[day] += one.missing(day)
    return tuple(
        TrendDay(
            day=day,
            registered=registered[day],
            digital=digital[day],
            total=total[day],
            missing=missing[day],
        )
        for day in sorted({*total, *missing})
    )


def to_json(assessment: Assessment) -> dict[str, Any]:
    """An assessment as JSON-ready data, without RPPS or number.

    Rates are ``{"num", "den", "percent", "unit"}``; days and times are ISO 8601; enums are their
    values. ``overall`` holds the verdict of each bundle.
    """
    document: dict[str, Any] = _plain(assessment)
    overall = {bundle.value: assessment.results(bundle).verdict.value for bundle in Reading}
    return {"format": FORMAT, **document, "overall": overall}


FORMAT = "eprescription-sdk assessment 1"


def _plain(value: Any) -> Any:
    form = _FORMS.get(type(value))
    if form is not None:
        return form(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if attrs.has(type(value)):
        fields = attrs.fields(type(value))
        return {field.name: _plain(getattr(value, field.name)) for field in fields}
    return value


_FORMS: Mapping[type, Callable[[Any], Any]] = {
    datetime: iso,
    date: date.isoformat,
    Fraction: lambda value: {"num": value.numerator, "den": value.denominator},
    Figure: lambda value: {
        "num": value.numerator,
        "den": value.denominator,
        "percent": value.percent_fr,
        "unit": value.unit.value,
    },
    Readings: lambda value: _plain(value.answers),
    Results: lambda value: {
        "verdict": value.verdict.value,
        "readings": _plain(value.readings),
        "criteria": {each.criterion.value: _plain(each) for each in value.criteria},
    },
}

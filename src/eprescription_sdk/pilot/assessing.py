"""How an assessment is made: from a store or an export to facts, from facts to an assessment.

Pure given its inputs: the same rows, cut-off and fault table give the same assessment.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path

import attrs

from eprescription_sdk.clock import Clock, SystemClock
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.model.trace import NonDigitalReason
from eprescription_sdk.pilot.assessment import (
    Assessment,
    Coverage,
    Flip,
    Inputs,
    PractitionerSummary,
    TrendDay,
)
from eprescription_sdk.pilot.criteria import C1_THRESHOLD, C2_THRESHOLD, RULE_VERSION, evaluate
from eprescription_sdk.pilot.distance import way_fr
from eprescription_sdk.pilot.export import facts_of_export
from eprescription_sdk.pilot.facts import DIGITAL, Facts, Kind, Practitioner
from eprescription_sdk.pilot.official import compare
from eprescription_sdk.pilot.questions import LENIENT, STRICT, Question, Reading
from eprescription_sdk.pilot.results import Criterion, CriterionResult, Figure, Results
from eprescription_sdk.pilot.rows import facts_of_store
from eprescription_sdk.storage import Store


def assess(
    source: Store | Path | str,
    *,
    key: bytes | None = None,
    at: datetime | None = None,
    clock: Clock | None = None,
    known_faults: Collection[str] | None = None,
) -> Assessment:
    """How a pilot stands (Cnam, présérie, p. 6).

    Args:
        source: the pilot's store, or the folder of an export; whether the chains of an export
            hold is the business of ``verify_export``.
        key: the secret of the settings that the traces were recorded with; an export needs none.
        at: the cut-off, aware: only what was recorded up to it is read. By default now, or the
            cut-off of the export.
        clock: says what now is.
        known_faults: fault codes that the service profile names; a failure with another code is
            counted as unknown.

    Raises:
        InvalidInput: a row cannot be read (the path names it), or there is no export.
        ConfigurationError: the key is missing, or is not the one that the traces were recorded
            with; or the cut-off has no time zone.
    """
    if at is not None and at.tzinfo is None:
        raise ConfigurationError("The cut-off has no time zone.", path="at")
    if isinstance(source, (Path, str)):
        facts = facts_of_export(Path(source), at)
    elif key is None:
        raise ConfigurationError("To assess a store, its key is needed.", path="key")
    else:
        cut_off = at or (clock or SystemClock()).now()
        facts = source.read(lambda tx: facts_of_store(tx, key, cut_off))
    known = None if known_faults is None else frozenset(known_faults)
    return assess_facts(attrs.evolve(facts, known_faults=known))


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
        Reading.STRICT: evaluate(facts, STRICT.ruled(facts.journal.readings)),
        Reading.LENIENT: evaluate(facts, LENIENT.ruled(facts.journal.readings)),
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
            corrections=facts.journal.corrections,
            losses=facts.losses,
            heads=facts.heads,
            known_faults=None if facts.known_faults is None else tuple(sorted(facts.known_faults)),
        ),
        rulings=facts.journal.rulings,
        anomalies=facts.journal.anomalies,
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
        official=tuple(compare(facts)),
    )


def _flips(facts: Facts, bundles: Mapping[Reading, Results]) -> Iterator[Flip]:
    for bundle, results in bundles.items():
        for question in Question:
            if question in facts.journal.rulings:
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
    reasons: Counter[str] = Counter()
    for (_, reason), documents in one.reasons.items():
        reasons[reason] += documents
    missing = sum(map(one.missing, one.volumes))
    return PractitionerSummary(
        label=one.label,
        situation=one.situation,
        go_live=one.go_live,
        withdrawn_on=one.withdrawn_on,
        withdrawn_reason=one.withdrawn_reason,
        registered=kinds.get(Kind.REGISTERED, 0),
        not_registered=kinds.get(Kind.NOT_REGISTERED, 0) + kinds.get(Kind.CORRECTED, 0),
        uncertain=kinds.get(Kind.UNCERTAIN, 0),
        paper=kinds.get(Kind.PAPER, 0) + kinds.get(Kind.PAPER_OUTSIDE, 0),
        reasons={each: reasons[each.value] for each in NonDigitalReason if each.value in reasons},
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

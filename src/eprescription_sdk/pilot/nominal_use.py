"""C3: whether each operation can be used as it should.

Each operation succeeded at least once, over all practitioners, and no blocking anomaly of the
software is open. No question bears on it. Failures are counted by class and by fault code; a code
that the integrator's table does not name is one that nobody decided how to read.

Source: Cnam, présérie (March 2025), p. 6.
"""

from collections import Counter
from collections.abc import Mapping

from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.trace import FaultOrigin
from eprescription_sdk.pilot.facts import Facts, Use
from eprescription_sdk.pilot.results import (
    Criterion,
    CriterionResult,
    Failure,
    OperationUse,
    PractitionerResult,
    Verdict,
)
from eprescription_sdk.pilot.wording import counted_fr

OPERATIONS_FR = {
    Operation.CREATE: "créer",
    Operation.CONSULT: "consulter",
    Operation.SEARCH: "rechercher",
}


def c3(facts: Facts) -> CriterionResult:
    """Each operation succeeded at least once, and no blocking anomaly of the software is open."""
    open_ones = tuple(each.id for each in facts.journal.anomalies if each.breaks_c3)
    blocked = bool(open_ones)
    known = facts.known_faults
    each = tuple(
        PractitionerResult(
            label=one.label,
            verdict=_c3_verdict(operations := _operations([one.uses], known), blocked=blocked),
            decides=True,
            operations=operations,
        )
        for one in facts.practitioners
    )
    operations = _operations([one.uses for one in facts.practitioners], known)
    verdict = _c3_verdict(operations, blocked=blocked)
    never = [use for use in operations if not use.calls]
    failing = [use for use in operations if use.calls and not use.succeeded]
    if blocked:
        reason = counted_fr(
            len(open_ones),
            "anomalie bloquante du logiciel est ouverte",
            "anomalies bloquantes du logiciel sont ouvertes",
        )
    elif failing:
        reason = f"aucun appel réussi : {_names(failing)}"
    elif never:
        reason = f"jamais appelé : {_names(never)}"
    else:
        reason = "chaque opération a réussi, aucune anomalie bloquante du logiciel n'est ouverte"
    return CriterionResult(
        criterion=Criterion.C3,
        verdict=verdict,
        reason_fr=reason,
        practitioners=each,
        operations=operations,
        anomalies=open_ones,
    )


def _names(uses: list[OperationUse]) -> str:
    return ", ".join(OPERATIONS_FR[use.operation] for use in uses)


def _operations(
    uses: list[Mapping[Operation, Use]], known: frozenset[str] | None
) -> tuple[OperationUse, ...]:
    return tuple(
        _operation(operation, [use[operation] for use in uses if operation in use], known)
        for operation in Operation
    )


def _operation(operation: Operation, uses: list[Use], known: frozenset[str] | None) -> OperationUse:
    counted: Counter[tuple[FaultOrigin | None, str | None]] = Counter()
    for use in uses:
        counted.update(use.failures)
    failures = tuple(
        Failure(
            origin=origin,
            code=code,
            known=None if code is None or known is None else code in known,
            calls=calls,
        )
        for (origin, code), calls in sorted(counted.items(), key=_by_class)
    )
    return OperationUse(
        operation=operation,
        calls=sum(use.calls for use in uses),
        succeeded=sum(use.succeeded for use in uses),
        software_failures=sum(
            each.calls for each in failures if each.origin is FaultOrigin.SOFTWARE
        ),
        unknown_faults=sum(each.calls for each in failures if each.known is False),
        failures=failures,
    )


def _by_class(
    failure: tuple[tuple[FaultOrigin | None, str | None], int],
) -> tuple[str, str]:
    (origin, code), _ = failure
    return origin.value if origin else "", code or ""


def _c3_verdict(operations: tuple[OperationUse, ...], *, blocked: bool) -> Verdict:
    if blocked or any(use.calls and not use.succeeded for use in operations):
        return Verdict.NOT_MET
    if not all(use.calls for use in operations):
        return Verdict.NOT_ASSESSABLE
    return Verdict.MET

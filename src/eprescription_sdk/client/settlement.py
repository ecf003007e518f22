"""What is written when an answer is known: ledger entry and traces, in one transaction.

Each trace is under a savepoint of its own: one that fails is counted and undoes nothing.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from eprescription_sdk import ledger, telemetry
from eprescription_sdk.client.core import Core
from eprescription_sdk.ledger import DocumentGiven, Entry, State
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.identifiers import Finess, Rpps
from eprescription_sdk.model.outcomes import Attempt, AttemptResult, Cause
from eprescription_sdk.model.trace import (
    CallOutcome,
    CallTrace,
    FaultOrigin,
    Initiator,
    PrescriptionTrace,
    RegistrationState,
    Trace,
)
from eprescription_sdk.model.uuid7 import uuid7
from eprescription_sdk.storage import Tx
from eprescription_sdk.traces.record import lose

_REGISTRATION = {
    State.REGISTERED: RegistrationState.REGISTERED,
    State.NOT_REGISTERED: RegistrationState.NOT_REGISTERED,
    State.UNCERTAIN: RegistrationState.UNCERTAIN,
}


def settlement(
    core: Core,
    entry: Entry,
    state: State,
    *,
    attempts: Sequence[Attempt],
    call: CallTrace | None,
    cause: Cause | None = None,
    registered_at: datetime | None = None,
    last_send_at: datetime | None = None,
    document: DocumentGiven | None = None,
    goes_on: bool = False,
) -> Callable[[Tx], None]:
    """The unit of work that writes one answer down; its owner ``goes_on`` or is done with it."""
    now = core.clock.now()

    def work(tx: Tx) -> None:
        before = ledger.find(tx, number=entry.number)
        if before is not None and before.subject != entry.subject:
            # A minter gave this number twice: the other prescription's fate is not ours to write.
            return
        changed = ledger.settle(
            tx,
            entry.number,
            state,
            now=now,
            epoch=entry.epoch,
            cause=cause.value if cause else None,
            fault_code=_fault_code(attempts),
            registered_at=registered_at,
            last_send_at=last_send_at,
            # What waits for months is consulted often: only what may have settled it is kept.
            message_ids=[
                attempt.message_id
                for attempt in attempts
                if attempt.operation == Operation.CREATE.value
                or attempt.result is AttemptResult.FOUND
            ],
            document=document,
            goes_on=goes_on,
        )
        # A revision is a new truth: a state that stayed as it was makes none.
        if changed is not None:
            # A tombstone no longer knows whose it was.
            if not changed.purged:
                record(core, tx, lambda: prescription_trace(core, changed, now))
            if before is not None and before.state is State.NOT_REGISTERED:
                telemetry.count("registration_reopened", before.cause or "unknown")
                telemetry.event("registration.reopened", level=logging.WARNING, cause=before.cause)
        if call is not None:
            record(core, tx, lambda: call)

    return work


def record(core: Core, tx: Tx, make: Callable[[], Trace]) -> bool:
    """Make and record one trace; a failure is counted, and undoes nothing else."""
    if core.recorder.closed:
        return False
    try:
        with tx.savepoint():
            return core.recorder.record(tx, make())
    except Exception as error:  # noqa: BLE001  (law 3: whatever it is, it is only a trace)
        reason = type(error).__name__
        telemetry.count("trace_lost", reason)
        telemetry.event("trace.lost", level=logging.WARNING, reason=reason)
    try:
        with tx.savepoint():
            lose(tx, reason)
    except Exception as error:  # noqa: BLE001  (counting, too, undoes nothing)
        telemetry.count("loss_not_counted", type(error).__name__)
    return False


def _fault_code(attempts: Sequence[Attempt]) -> str | None:
    """The last fault that was met; consults that came after it say nothing of it."""
    return next((each.fault_code for each in reversed(attempts) if each.fault_code), None)


def common(
    core: Core, rpps: Rpps, situation: str, now: datetime, *, test_identity: bool = False
) -> dict[str, Any]:
    """What every trace of this client carries."""
    settings = core.settings
    return {
        "id": uuid7(now),
        "at": now,
        "rpps": rpps,
        "situation": situation,
        "finess": Finess(settings.finess),
        "software": settings.software_name,
        "version": settings.software_version,
        "module": settings.module,
        "instance": settings.instance,
        "environment": settings.environment.value,
        "simulation": core.simulation,
        "test_identity": test_identity,
    }


def prescription_trace(core: Core, entry: Entry, now: datetime) -> PrescriptionTrace:
    """The newest truth about a digital prescription."""
    return PrescriptionTrace(
        **common(core, entry.rpps, entry.situation, now, test_identity=entry.test_identity),
        subject=entry.subject,
        revision=entry.revision,
        issued_at=entry.issued_at,
        digital=True,
        families=entry.families,
        registration=_REGISTRATION[entry.state],
        number=entry.number,
        document_type=entry.document_type,
        corrects=entry.corrects,
        act=entry.act,
    )


def call_trace(
    core: Core,
    *,
    rpps: Rpps,
    situation: str,
    operation: Operation,
    initiator: Initiator,
    attempts: Sequence[Attempt],
    outcome: CallOutcome,
    duration: float,
    origin: FaultOrigin | None = None,
    subject: str | None = None,
    test_identity: bool = False,
) -> CallTrace:
    """One call, whatever its attempts; ``duration`` in seconds."""
    now = core.clock.now()
    return CallTrace(
        **common(core, rpps, situation, now, test_identity=test_identity),
        operation=operation,
        initiator=initiator,
        attempts=len(attempts),
        outcome=outcome,
        subject=subject,
        fault_code=None if outcome.succeeded else _fault_code(attempts),
        fault_origin=None if outcome.succeeded else origin,
        duration_ms=round(duration * 1000),
        message_id=attempts[-1].message_id if attempts else None,
    )

"""Settling later what a call left open: by consulting only, never by creating.

Only the practitioner who prescribed can ask the service, so ``reconcile`` settles what it has
credentials for; the rest waits, visibly.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import attrs

from eprescription_sdk import ledger, telemetry
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.doubt import Finding, settle_doubt
from eprescription_sdk.client.effects import Engine, Journal
from eprescription_sdk.client.exchange import LEASE_MARGIN, Line
from eprescription_sdk.client.settlement import call_trace, settlement
from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.ledger import Entry, State
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.identifiers import PrescriptionNumber, Rpps
from eprescription_sdk.model.outcomes import AttemptResult, Cause
from eprescription_sdk.model.trace import CallOutcome, FaultOrigin, Initiator
from eprescription_sdk.settings.service import DAY
from eprescription_sdk.storage import Tx


@attrs.frozen(kw_only=True)
class Reconciled:
    """What was found out about one open entry.

    Args:
        number: which.
        prescriber: who alone can ask the service.
        result: the field of ``Reconciliation`` that it counts in.
        done: entries looked at so far, this one included.
        total: entries that were open at the start.
    """

    number: PrescriptionNumber
    prescriber: Rpps
    result: str
    done: int
    total: int


@attrs.frozen(kw_only=True)
class Reconciliation:
    """What a reconciliation came to.

    Args:
        registered: entries found registered.
        not_registered: entries absent for good.
        open: entries that are still not known, or held by another process.
        waiting_for_credentials: entries of practitioners who were not there.
        correlation_id: of the call; its logs and spans carry the same.
    """

    registered: int = 0
    not_registered: int = 0
    open: int = 0
    waiting_for_credentials: int = 0
    correlation_id: str = attrs.field(default="", eq=False)


def reconcile(
    core: Core,
    practitioners: tuple[Practitioner, ...],
    *,
    correlation_id: str,
    seconds: float | None = None,
    progress: Callable[[Reconciled], None] | None = None,
) -> Engine[Reconciliation]:
    """Settle what can be settled now.

    Args:
        core: what the client shares.
        practitioners: whose credentials are at hand.
        correlation_id: of the call.
        seconds: for each entry; the profile's deadline by default.
        progress: is told of each entry, once it is written.
    """
    seconds = core.settings.profile.deadline if seconds is None else seconds
    if not 0 < seconds < DAY:
        raise InvalidInput("The time for each entry is a positive number.", path="seconds")
    everything = yield Journal(ledger.open_entries)
    by_rpps = {practitioner.rpps: practitioner for practitioner in practitioners}
    tally: Counter[str] = Counter()
    for done, entry in enumerate(everything, start=1):
        practitioner = by_rpps.get(entry.rpps)
        result = "waiting_for_credentials"
        if practitioner is not None:
            result = yield from _one(core, practitioner, entry, seconds, correlation_id)
        tally[result] += 1
        if progress is not None:
            progress(
                Reconciled(
                    number=entry.number,
                    prescriber=entry.rpps,
                    result=result,
                    done=done,
                    total=len(everything),
                )
            )
    waiting = tally["waiting_for_credentials"]
    telemetry.add("waiting_for_credentials", waiting, operation=Initiator.RECONCILE.value)
    return Reconciliation(**tally, correlation_id=correlation_id)


def _one(
    core: Core, practitioner: Practitioner, entry: Entry, seconds: float, correlation_id: str
) -> Engine[str]:
    def claim(tx: Tx) -> Entry | None:
        now = core.clock.now()
        lease = now + timedelta(seconds=seconds) + LEASE_MARGIN
        return ledger.claim(tx, entry.number, owner=core.owner, now=now, lease_until=lease)

    claimed: Entry | None = yield Journal(claim)
    if claimed is None:
        return "open"
    started = core.clock.monotonic()
    line = Line(
        core=core,
        practitioner=practitioner,
        ends=started + seconds,
        correlation_id=correlation_id,
    )
    finding = yield from settle_doubt(line, claimed, patient=False)
    state, word = _state(finding)
    call = None
    if line.attempts:
        last = line.attempts[-1]
        call = call_trace(
            core,
            rpps=claimed.rpps,
            situation=claimed.situation,
            operation=Operation.CONSULT,
            initiator=Initiator.RECONCILE,
            attempts=line.attempts,
            outcome=_OUTCOMES.get(last.result, CallOutcome.FAILED),
            duration=core.clock.monotonic() - started,
            origin=FaultOrigin.SERVICE,
            subject=claimed.subject,
            test_identity=claimed.test_identity,
        )
    yield Journal(
        settlement(
            core,
            claimed,
            state,
            attempts=line.attempts,
            call=call,
            cause=Cause.ABSENT if state is State.NOT_REGISTERED else None,
            registered_at=finding.registered_at or core.clock.now() if finding.registered else None,
            # Its owner died without telling the host: the patient may hold what the host
            # gives out while nobody knows.
            document=core.document if claimed.state is State.SENDING else None,
        )
    )
    return "waiting_for_credentials" if finding.waits_for_credentials else word


_OUTCOMES = {
    AttemptResult.FOUND: CallOutcome.FOUND,
    AttemptResult.ABSENT: CallOutcome.ABSENT,
}


def _state(finding: Finding) -> tuple[State, str]:
    if finding.registered is None:
        return State.UNCERTAIN, "open"
    if finding.registered:
        return State.REGISTERED, "registered"
    return State.NOT_REGISTERED, "not_registered"

"""How one ``create()`` ends: what its caller is told, and what is written of it.

It ends once: in an answer, in an interruption, or, for its caller, before that, when they leave
and the engine goes on behind. What leads there is in ``create``.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import attrs

from eprescription_sdk import ledger, telemetry
from eprescription_sdk.client.advice import not_registered
from eprescription_sdk.client.caller import Caller
from eprescription_sdk.client.classify import Verdict
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.doubt import Finding
from eprescription_sdk.client.effects import Engine, Settle
from eprescription_sdk.client.exchange import Line
from eprescription_sdk.client.outcomes import CALL_OUTCOMES, Outcomes
from eprescription_sdk.client.settlement import call_trace, settlement
from eprescription_sdk.ledger import DocumentGiven, Entry, State
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.outcomes import Attempt, Cause, Outcome
from eprescription_sdk.model.trace import CallTrace, FaultOrigin, Initiator
from eprescription_sdk.storage import Tx

Work = Callable[[Tx], Any]


@attrs.define(kw_only=True)
class Ending:
    """The end of one call.

    Args:
        core: what the client shares.
        line: the call's line to the service.
        caller: who waits for the answer.
        outcomes: what can be answered.
        initiator: on whose behalf.
    """

    core: Core
    line: Line
    caller: Caller
    outcomes: Outcomes
    initiator: Initiator
    _settled: bool = attrs.field(default=False, init=False)
    _told: int = attrs.field(default=0, init=False)
    """Attempts that the caller knew of when they stopped waiting."""

    # --- in an answer -----------------------------------------------------------------------

    def registered(self, entry: Entry, at: datetime | None) -> Engine[Outcome]:
        """It is there."""
        outcome = self.outcomes.registered(entry, at)
        yield self._settle(entry, State.REGISTERED, outcome, registered_at=outcome.registered_at)
        return outcome

    def not_registered(
        self,
        entry: Entry,
        cause: Cause,
        *,
        origin: FaultOrigin | None,
        verdict: Verdict | None = None,
        no_credential: bool = False,
    ) -> Engine[Outcome]:
        """It is not there, and why."""
        rule = verdict.rule if verdict else None
        outcome = self.outcomes.not_registered(
            cause,
            entry=entry,
            fault=verdict.fault if verdict else None,
            advice=not_registered(cause, rule=rule, no_credential=no_credential),
        )
        yield self._settle(entry, State.NOT_REGISTERED, outcome, origin=origin, cause=cause)
        return outcome

    def found(self, entry: Entry, finding: Finding, origin: FaultOrigin | None) -> Engine[Outcome]:
        """What consulting came to, perhaps that nobody knows yet."""
        if finding.registered:
            return (yield from self.registered(entry, finding.registered_at))
        if finding.registered is False:
            return (yield from self.not_registered(entry, Cause.ABSENT, origin=origin))
        outcome = self.outcomes.uncertain(entry, waits=finding.waits_for_credentials)
        if finding.waits_for_credentials:
            telemetry.add("waiting_for_credentials", operation=Operation.CREATE.value)
        yield self._settle(
            entry,
            State.UNCERTAIN,
            outcome,
            origin=origin,
            last_send_at=finding.last_send_at,
            document=self.core.document,
        )
        return outcome

    def measure(self, outcome: Outcome) -> None:
        """Count the call as its caller saw it."""
        word = CALL_OUTCOMES[type(outcome)].value
        telemetry.duration(Operation.CREATE.value, word, outcome.duration * 1000)

    def _settle(
        self,
        entry: Entry,
        state: State,
        outcome: Outcome,
        *,
        origin: FaultOrigin | None = None,
        cause: Cause | None = None,
        registered_at: datetime | None = None,
        last_send_at: datetime | None = None,
        document: DocumentGiven | None = None,
    ) -> Settle:
        # First: a caller who leaves after this gets the answer.
        self.caller.answered()
        self._settled = True
        attempts = self.line.attempts
        # The caller's call has its trace; what is asked behind them is no use of theirs.
        gone = self.caller.gone
        initiator = Initiator.RECONCILE if gone else self.initiator
        silent = gone and len(attempts) == self._told
        return Settle(
            settlement(
                self.core,
                entry,
                state,
                attempts=attempts,
                call=None if silent else self._trace(entry, outcome, origin, initiator),
                cause=cause,
                registered_at=registered_at,
                last_send_at=last_send_at,
                document=document,
            )
        )

    def _trace(
        self,
        entry: Entry,
        outcome: Outcome,
        origin: FaultOrigin | None,
        initiator: Initiator,
    ) -> CallTrace:
        return call_trace(
            self.core,
            rpps=entry.rpps,
            situation=entry.situation,
            operation=Operation.CREATE,
            initiator=initiator,
            attempts=self.line.attempts[self._told :],
            outcome=CALL_OUTCOMES[type(outcome)],
            duration=outcome.duration,
            origin=origin,
            subject=entry.subject,
            test_identity=entry.test_identity,
        )

    # --- before the answer ------------------------------------------------------------------

    def left(
        self,
        entry: Entry | None,
        *,
        followed: Entry | None,
        sent: bool,
        write: Callable[[Work], None],
    ) -> Outcome:
        """What a caller is told who waits no longer; the engine goes on behind.

        Args:
            entry: what this call sends or settles.
            followed: what its reference is bound to, while another call sends.
            sent: whether a create may have reached the service.
            write: hands work to the store.
        """
        outcome: Outcome
        if entry is None and followed is not None:
            outcome = self.outcomes.uncertain(followed)
            write(self.document_given(followed, self.core.document))
        elif entry is not None and sent:
            outcome = self.outcomes.uncertain(entry)
        else:
            outcome = self.outcomes.not_registered(Cause.NOT_SENT, entry=entry)
        if entry is not None:
            origin = self.line.origin or FaultOrigin.NETWORK
            call = self._trace(entry, outcome, origin, self.initiator)
            write(self._open(entry, sent, outcome.attempts, call=call, goes_on=sent))
        self._told = len(outcome.attempts)
        self.measure(outcome)
        return outcome

    def interrupted(self, entry: Entry | None) -> Work | None:
        """What to write when the driver is stopped in mid-call, once; None: nothing is open."""
        if entry is None or self._settled:
            return None
        self._settled = True
        return self._open(entry, self.caller.sent, tuple(self.line.attempts))

    def document_given(self, entry: Entry, document: DocumentGiven) -> Work:
        """What this caller's patient leaves with, though another call sends."""
        now = self.core.clock.now()
        return lambda tx: ledger.document_given(tx, entry.number, document, now=now)

    def _open(
        self,
        entry: Entry,
        sent: bool,  # noqa: FBT001
        attempts: Sequence[Attempt],
        *,
        call: CallTrace | None = None,
        goes_on: bool = False,
    ) -> Work:
        """Nobody knows yet what was sent; what never left is not there."""
        return settlement(
            self.core,
            entry,
            State.UNCERTAIN if sent else State.NOT_REGISTERED,
            attempts=attempts,
            call=call,
            cause=None if sent else Cause.NOT_SENT,
            document=self.core.document if sent else None,
            goes_on=goes_on,
        )

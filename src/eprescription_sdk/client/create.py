"""The life of one ``create()``: journal, send, settle (law 1).

A generator without I/O: it yields effects and returns the outcome. What comes before the first
byte is in ``preparing``, how it ends in ``ending``; a caller who stops waiting is told by
``leave``, and the engine goes on behind.
"""

import logging
from collections.abc import Callable
from functools import partial
from uuid import uuid4

import attrs

from eprescription_sdk import ledger, telemetry
from eprescription_sdk.client.advice import invalid
from eprescription_sdk.client.caller import Caller
from eprescription_sdk.client.classify import Verdict
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.doubt import Finding, settle_doubt
from eprescription_sdk.client.effects import Engine, Journal, Settle, Sleep
from eprescription_sdk.client.ending import Ending, Work
from eprescription_sdk.client.exchange import Line
from eprescription_sdk.client.outcomes import Outcomes
from eprescription_sdk.client.preparing import (
    freeze,
    open_entry,
    problems_of,
    refuse_other_content,
)
from eprescription_sdk.clock import full_jitter
from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.errors import CredentialUnavailable, InvalidInput
from eprescription_sdk.ledger import DocumentGiven, Entry, State
from eprescription_sdk.model.exchange import CreateAnswer, Operation
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.outcomes import AttemptResult, Cause, Outcome
from eprescription_sdk.model.prescription import Prescription
from eprescription_sdk.model.problems import Level
from eprescription_sdk.model.trace import FaultOrigin, Initiator
from eprescription_sdk.storage import Tx
from eprescription_sdk.traces.gate import Wall
from eprescription_sdk.wire.envelope import Fragment

_POLL = 0.05
"""How often a call looks what became of a reference that another call sends, in seconds."""


@attrs.define(kw_only=True)
class Create:
    """One call of ``create()``.

    Args:
        core: what the client shares.
        practitioner: who acts.
        prescription: what to register.
        initiator: on whose behalf.
        wait: seconds the prescriber may be kept waiting; None for the profile's deadline.
        correlation_id: of the call.
    """

    core: Core
    practitioner: Practitioner
    prescription: Prescription
    initiator: Initiator = Initiator.PRESCRIBER
    wait: float | None = None
    correlation_id: str = attrs.field(factory=lambda: str(uuid4()))
    _entry: Entry | None = attrs.field(default=None, init=False)
    _followed: Entry | None = attrs.field(default=None, init=False)
    _caller: Caller = attrs.field(init=False)
    _line: Line = attrs.field(init=False)
    _started: float = attrs.field(init=False)
    _outcomes: Outcomes = attrs.field(init=False)
    _ending: Ending = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        core = self.core
        self._started = core.clock.monotonic()
        self._caller = Caller(plain=core.document is DocumentGiven.PLAIN)
        self._line = Line(
            core=core,
            practitioner=self.practitioner,
            ends=self._started + core.settings.profile.deadline,
            correlation_id=self.correlation_id,
            caller=self._caller,
        )
        self._outcomes = Outcomes(core=core, line=self._line, started=self._started)
        self._ending = Ending(
            core=core,
            line=self._line,
            caller=self._caller,
            outcomes=self._outcomes,
            initiator=self.initiator,
        )

    @property
    def patience(self) -> float | None:
        """Seconds after which the caller leaves; None where the call ends before.

        Raises:
            InvalidInput: ``wait`` is no time.
        """
        if self.wait is None:
            return None
        if not self.wait > 0:
            raise InvalidInput("The time to wait is a positive number of seconds.", path="wait")
        return self.wait if self.wait < self.core.settings.profile.deadline else None

    def run(self) -> Engine[Outcome]:
        """The call, as effects.

        Raises:
            StoreError: the ledger cannot be written; nothing was sent.
            ReferenceConflict: the reference is bound to other content.
            ConfigurationError: minter or codec failed, or gave what breaks its rule; nothing
                was sent.
        """
        try:
            outcome = yield from self._run()
        except Exception as error:
            entry = self._entry
            if entry is None or not self._caller.sent:
                raise
            telemetry.event("create.failed", level=logging.WARNING, kind=type(error).__name__)
            # Once it may have been sent, whatever breaks, nobody knows what became of it.
            finding = Finding(registered=None)
            outcome = yield from self._ending.found(entry, finding, FaultOrigin.SOFTWARE)
        self._caller.answered()
        if not self._caller.gone:
            self._ending.measure(outcome)
        return outcome

    def _run(self) -> Engine[Outcome]:
        core = self.core
        problems = problems_of(self.prescription, self.practitioner)
        if any(problem.level is Level.ERROR for problem in problems):
            return self._outcomes.not_registered(
                Cause.INVALID, advice=invalid(problems), problems=problems
            )
        entry, body = freeze(core, self._line, self.prescription)
        # Known before it is journalled: whoever interrupts the journal leaves word too.
        self._entry = entry
        opened = yield Journal(lambda tx: open_entry(core, tx, entry))
        if isinstance(opened, Entry):
            self._followed = opened
            self._entry = None
            if self._caller.gone:
                # They were told to give plain paper.
                yield Settle(self._ending.document_given(opened, DocumentGiven.PLAIN))
            return (yield from self._follow(opened))
        if opened is Wall.OUTSIDE:
            self._entry = None
            return self._outcomes.not_registered(Cause.NOT_IN_PILOT)
        return (yield from self._send(entry, body))

    # --- sending ----------------------------------------------------------------------------

    def _send(self, entry: Entry, body: Fragment) -> Engine[Outcome]:
        profile, line = self.core.settings.profile, self._line
        turn = 0
        while True:
            turn += 1
            try:
                verdict = yield from line.exchange(Operation.CREATE, body, entry.number)
            except CredentialUnavailable:
                return (
                    yield from self._ending.not_registered(
                        entry, Cause.NOT_SENT, origin=FaultOrigin.USER, no_credential=True
                    )
                )
            match verdict.result:
                case AttemptResult.REGISTERED:
                    at = (
                        verdict.answer.registered_at
                        if isinstance(verdict.answer, CreateAnswer)
                        else None
                    )
                    return (yield from self._ending.registered(entry, at))
                case AttemptResult.REFUSED:
                    return (
                        yield from self._ending.not_registered(
                            entry, Cause.REFUSED, origin=verdict.origin, verdict=verdict
                        )
                    )
                case AttemptResult.IN_DOUBT:
                    return (yield from self._doubt(entry, body, verdict))
                case _:
                    pause = max(
                        full_jitter(turn, profile.backoff_base, profile.backoff_cap),
                        verdict.retry_after or 0,
                    )
                    hopeless = not verdict.again or turn >= profile.max_attempts
                    too_long = (verdict.retry_after or 0) > profile.retry_after_cap
                    if hopeless or too_long or pause >= line.left:
                        return (
                            yield from self._ending.not_registered(
                                entry, Cause.NOT_SENT, origin=verdict.origin
                            )
                        )
                    yield Sleep(pause)

    def _doubt(self, entry: Entry, body: Fragment, verdict: Verdict) -> Engine[Outcome]:
        telemetry.add("in_doubt", operation=Operation.CREATE.value)
        now = self.core.clock.now()
        profile, line = self.core.settings.profile, self._line
        if verdict.retry_after is not None:
            if verdict.retry_after > min(line.left, profile.retry_after_cap):
                finding = Finding(registered=None, last_send_at=now)
                return (yield from self._ending.found(entry, finding, verdict.origin))
            yield Sleep(verdict.retry_after)
        elif line.left <= 0:
            finding = Finding(registered=None, last_send_at=now)
            return (yield from self._ending.found(entry, finding, verdict.origin))
        finding = yield from settle_doubt(line, entry, sent_at=now, resend=body)
        return (yield from self._ending.found(entry, finding, verdict.origin))

    # --- a reference that is bound already --------------------------------------------------

    def _follow(self, entry: Entry) -> Engine[Outcome]:
        """The same reference again: same content, same outcome; never a second sending."""
        refuse_other_content(self.core, self.prescription, entry)
        clock = self.core.clock
        while True:
            self._followed = entry
            if entry.state is State.REGISTERED:
                return self._outcomes.registered(entry)
            if entry.state is State.NOT_REGISTERED:
                return self._outcomes.as_settled(entry)
            if entry.lease_until <= clock.now():
                claimed = yield Journal(partial(self._claim, number=entry.number))
                if claimed is not None:
                    # Its former owner may have sent it; from here on it is ours to settle.
                    self._caller.sent = True
                    self._entry = claimed
                    finding = yield from settle_doubt(self._line, claimed)
                    return (yield from self._ending.found(claimed, finding, None))
            if self._line.left <= 0:
                self._caller.answered()
                yield Settle(self._ending.document_given(entry, self.core.document))
                return self._outcomes.uncertain(entry)
            yield Sleep(min(_POLL, max(0.001, self._line.left)))
            entry = yield Journal(partial(ledger.find, number=entry.number))

    def _claim(self, tx: Tx, *, number: PrescriptionNumber) -> Entry | None:
        now = self.core.clock.now()
        return ledger.claim(
            tx, number, owner=self.core.owner, now=now, lease_until=self._line.lease(now)
        )

    # --- a caller who is gone ---------------------------------------------------------------

    def leave(self, write: Callable[[Work], None]) -> Outcome | None:
        """The caller waits no longer; the engine goes on behind.

        Args:
            write: hands work to the store.

        Returns:
            What the caller is told; None if the answer is known and about to come.
        """
        return self._caller.leave(partial(self._left, write))

    def _left(self, write: Callable[[Work], None], sent: bool) -> Outcome:  # noqa: FBT001
        return self._ending.left(self._entry, followed=self._followed, sent=sent, write=write)

    def interrupted(self) -> Work | None:
        """What to write when the driver is stopped in mid-call, once; None: nothing is open."""
        return self._ending.interrupted(self._entry)

"""The life of one ``create()``: validate, mint, encode, journal, send, settle (law 1).

A generator without I/O: it yields effects and returns the outcome. The number is minted once
and journalled before the first byte leaves; the payload is frozen with it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import attrs

from eprescription_sdk import ledger, telemetry
from eprescription_sdk.client.advice import REGISTERED, invalid, not_registered, uncertain
from eprescription_sdk.client.classify import Verdict
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.doubt import Finding, settle_doubt
from eprescription_sdk.client.effects import Engine, Journal, Settle, Sleep
from eprescription_sdk.client.exchange import Line
from eprescription_sdk.client.settlement import call_trace, settlement
from eprescription_sdk.clock import full_jitter, paris_day
from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.errors import (
    ConfigurationError,
    CredentialUnavailable,
    InvalidInput,
    ReferenceConflict,
)
from eprescription_sdk.ledger import DocumentGiven, Entry, State
from eprescription_sdk.model.exchange import CreateAnswer, Operation
from eprescription_sdk.model.faults import Fault
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.outcomes import (
    Advice,
    AttemptResult,
    Cause,
    NotRegistered,
    Outcome,
    Registered,
    Uncertain,
)
from eprescription_sdk.model.prescription import Prescription
from eprescription_sdk.model.problems import Level, Problem
from eprescription_sdk.model.trace import CallOutcome, FaultOrigin, Initiator
from eprescription_sdk.settings import Environment
from eprescription_sdk.storage import Tx
from eprescription_sdk.traces.gate import Wall, wall
from eprescription_sdk.wire.envelope import Fragment, prepare

LEASE_MARGIN = timedelta(seconds=5)
"""How long after its deadline a call that says nothing is taken for dead."""

_CALL_OUTCOMES: dict[type[Outcome], CallOutcome] = {
    Registered: CallOutcome.REGISTERED,
    NotRegistered: CallOutcome.NOT_REGISTERED,
    Uncertain: CallOutcome.UNCERTAIN,
}


@attrs.define(kw_only=True)
class Create:
    """One call of ``create()``.

    Args:
        core: what the client shares.
        practitioner: who acts.
        prescription: what to register.
        initiator: on whose behalf.
        wait: seconds the prescriber may be kept waiting; None for the profile's deadline.
    """

    core: Core
    practitioner: Practitioner
    prescription: Prescription
    initiator: Initiator = Initiator.PRESCRIBER
    wait: float | None = None
    _entry: Entry | None = attrs.field(default=None, init=False)
    _settled: bool = attrs.field(default=False, init=False)
    _line: Line = attrs.field(init=False)
    _started: float = attrs.field(init=False)

    def run(self) -> Engine[Outcome]:
        """The call, as effects.

        Raises:
            StoreError: the ledger cannot be written; nothing was sent.
            ReferenceConflict: the reference is bound to other content.
            InvalidInput: ``wait`` is no time.
            ConfigurationError: the minter gave a number that breaks its rule.
        """
        outcome = yield from self._run()
        telemetry.duration(
            Operation.CREATE.value, _CALL_OUTCOMES[type(outcome)].value, outcome.duration * 1000
        )
        return outcome

    def _run(self) -> Engine[Outcome]:
        core = self.core
        self._started = core.clock.monotonic()
        deadline = core.settings.profile.deadline
        if self.wait is not None and not self.wait > 0:
            raise InvalidInput("The time to wait is a positive number of seconds.", path="wait")
        seconds = deadline if self.wait is None else min(self.wait, deadline)
        self._line = Line(core=core, practitioner=self.practitioner, ends=self._started + seconds)
        problems = self._problems()
        if any(problem.level is Level.ERROR for problem in problems):
            return self._not_registered(Cause.INVALID, advice=invalid(problems), problems=problems)
        entry, body = self._prepare()
        # Known before it is journalled: whoever interrupts the journal leaves word too.
        self._entry = entry
        opened = yield Journal(lambda tx: self._open(tx, entry))
        if opened is Wall.OUTSIDE or isinstance(opened, Entry):
            self._entry = None
            if isinstance(opened, Entry):
                return (yield from self._follow(opened))
            return self._not_registered(Cause.NOT_IN_PILOT)
        outcome = yield from self._send(entry, body)
        return outcome

    # --- before sending ---------------------------------------------------------------------

    def _problems(self) -> tuple[Problem, ...]:
        problems = list(self.prescription.problems())
        prescriber = self.prescription.prescriber
        for path, agrees in (
            ("prescriber.rpps", prescriber.rpps == self.practitioner.rpps),
            (
                "prescriber.situation.id",
                prescriber.situation.id == self.practitioner.situation,
            ),
        ):
            if not agrees:
                problems.append(
                    Problem(
                        level=Level.ERROR,
                        code="RX-OTHER-PRESCRIBER",
                        path=path,
                        text="The prescription is not that of the practitioner who acts.",
                        text_fr="L'ordonnance n'est pas au nom du praticien authentifié.",
                    )
                )
        return tuple(problems)

    def _prepare(self) -> tuple[Entry, Fragment]:
        """Mint, encode and fingerprint; from here on the payload is frozen."""
        core, now = self.core, self.core.clock.now()
        prescription = attrs.evolve(self.prescription, issued_at=self.prescription.issued_at or now)
        number = core.minter.mint(prescription)
        if number.problem():
            raise ConfigurationError(
                "The minter gave a number that breaks the rule.",
                path="minter",
                way_out="A number has 1 to 64 digits and capital letters.",
            )
        body = core.codec.encode_create(prescription, number)
        kind = prescription.document_type
        if kind is None or prescription.issued_at is None:
            raise AssertionError("validation lets no such prescription through")
        ends = now + timedelta(seconds=self._line.left)
        self._line.creates_until = ends
        entry = Entry(
            number=number,
            subject=str(uuid4()),
            state=State.SENDING,
            reference=(
                core.keyed("reference", prescription.reference)
                if prescription.reference is not None
                else None
            ),
            fingerprint=core.keyed("content", core.codec.fingerprint(body)),
            rpps=prescription.prescriber.rpps,
            situation=prescription.prescriber.situation.id,
            families=prescription.families,
            document_type=kind,
            act=core.keyed("act", prescription.act) if prescription.act is not None else None,
            corrects=prescription.corrects,
            issued_at=prescription.issued_at,
            test_identity=prescription.patient.ins.oid.fictitious,
            owner=core.owner,
            epoch=1,
            lease_until=ends + LEASE_MARGIN,
            created_at=now,
            last_send_at=ends,
        )
        return entry, prepare(body)

    def _open(self, tx: Tx, entry: Entry) -> Wall | Entry | None:
        """Reference, walls, journal: in one transaction, durable before the first byte."""
        if entry.reference is not None:
            # First: what was sent is not undone by leaving the pilot.
            bound = ledger.find(tx, reference=entry.reference)
            if bound is not None:
                return bound
        if self.core.settings.environment is Environment.PRODUCTION:
            standing = wall(tx, entry.rpps, paris_day(entry.created_at))
            if standing is Wall.OUTSIDE:
                return standing
        ledger.journal(tx, entry)
        return None

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
                    yield from self._settle_not(
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
                    return (yield from self._settle_registered(entry, at))
                case AttemptResult.REFUSED:
                    return (
                        yield from self._settle_not(
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
                    if hopeless or pause >= line.left or pause > profile.retry_after_cap:
                        return (
                            yield from self._settle_not(
                                entry, Cause.NOT_SENT, origin=verdict.origin
                            )
                        )
                    yield Sleep(pause)

    def _doubt(self, entry: Entry, body: Fragment | None, verdict: Verdict) -> Engine[Outcome]:
        now = self.core.clock.now()
        doubted = attrs.evolve(entry, last_send_at=now)
        profile, line = self.core.settings.profile, self._line
        if verdict.retry_after is not None:
            if verdict.retry_after > min(line.left, profile.retry_after_cap):
                finding = Finding(registered=None, last_send_at=now)
                return (yield from self._settle_finding(entry, finding, verdict.origin))
            yield Sleep(verdict.retry_after)
        elif line.left <= 0:
            finding = Finding(registered=None, last_send_at=now)
            return (yield from self._settle_finding(entry, finding, verdict.origin))
        finding = yield from settle_doubt(line, doubted, resend=body)
        return (yield from self._settle_finding(entry, finding, verdict.origin))

    # --- a reference that is bound already --------------------------------------------------

    def _follow(self, entry: Entry) -> Engine[Outcome]:
        """The same reference again: same content, same outcome; never a second sending."""
        self._refuse_other_content(entry)
        clock = self.core.clock
        while True:
            if entry.state is State.REGISTERED:
                return self._registered(entry, entry.registered_at)
            if entry.state is State.NOT_REGISTERED:
                return self._as_settled(entry)
            now = clock.now()
            if entry.lease_until <= now:
                claimed = yield Journal(partial(self._claim, number=entry.number))
                if claimed is not None:
                    finding = yield from settle_doubt(self._line, claimed)
                    return (yield from self._settle_finding(claimed, finding, None))
            if self._line.left <= 0:
                return self._uncertain(entry, waits=False)
            yield Sleep(min(0.05, max(0.001, self._line.left)))
            entry = yield Journal(partial(ledger.find, number=entry.number))

    def _as_settled(self, entry: Entry) -> NotRegistered:
        """What another caller was told, as far as the ledger holds it."""
        cause, code = Cause(entry.cause), entry.fault_code
        if cause is not Cause.REFUSED or code is None:
            return self._not_registered(cause, entry=entry)
        rule = self.core.settings.profile.faults.get(code)
        return self._not_registered(
            cause,
            entry=entry,
            fault=Fault(code=code),
            advice=not_registered(cause, rule=rule),
        )

    def _claim(self, tx: Tx, *, number: PrescriptionNumber) -> Entry | None:
        now = self.core.clock.now()
        lease = now + timedelta(seconds=max(0.0, self._line.left)) + LEASE_MARGIN
        return ledger.claim(tx, number, owner=self.core.owner, now=now, lease_until=lease)

    def _refuse_other_content(self, entry: Entry) -> None:
        core = self.core
        same = attrs.evolve(
            self.prescription, issued_at=self.prescription.issued_at or entry.issued_at
        )
        body = core.codec.encode_create(same, entry.number)
        if core.keyed("content", core.codec.fingerprint(body)) != entry.fingerprint:
            raise ReferenceConflict(
                "This reference is bound to a prescription with other content.",
                path="reference",
                way_out="Give a new prescription a new reference.",
            )

    # --- settling ---------------------------------------------------------------------------

    def _settle_finding(
        self, entry: Entry, finding: Finding, origin: FaultOrigin | None
    ) -> Engine[Outcome]:
        if finding.registered:
            return (yield from self._settle_registered(entry, finding.registered_at))
        if finding.registered is False:
            return (yield from self._settle_not(entry, Cause.ABSENT, origin=origin))
        outcome = self._uncertain(entry, waits=finding.waits_for_credentials)
        yield self._settle(
            entry,
            State.UNCERTAIN,
            outcome,
            origin=origin,
            last_send_at=finding.last_send_at,
            document=self.core.document,
        )
        return outcome

    def _settle_registered(self, entry: Entry, at: datetime | None) -> Engine[Outcome]:
        outcome = self._registered(entry, at)
        yield self._settle(entry, State.REGISTERED, outcome, registered_at=outcome.registered_at)
        return outcome

    def _settle_not(
        self,
        entry: Entry,
        cause: Cause,
        *,
        origin: FaultOrigin | None,
        verdict: Verdict | None = None,
        no_credential: bool = False,
    ) -> Engine[Outcome]:
        rule = verdict.rule if verdict else None
        outcome = self._not_registered(
            cause,
            entry=entry,
            fault=verdict.fault if verdict else None,
            advice=not_registered(cause, rule=rule, no_credential=no_credential),
        )
        yield self._settle(entry, State.NOT_REGISTERED, outcome, origin=origin, cause=cause)
        return outcome

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
        self._settled = True
        attempts = self._line.attempts
        call = call_trace(
            self.core,
            rpps=entry.rpps,
            situation=entry.situation,
            operation=Operation.CREATE,
            initiator=self.initiator,
            attempts=attempts,
            outcome=_CALL_OUTCOMES[type(outcome)],
            duration=outcome.duration,
            origin=origin,
            subject=entry.subject,
            test_identity=entry.test_identity,
        )
        return Settle(
            settlement(
                self.core,
                entry,
                state,
                attempts=attempts,
                call=call,
                cause=cause,
                registered_at=registered_at,
                last_send_at=last_send_at,
                document=document,
            )
        )

    def interrupted(self) -> Callable[[Tx], None] | None:
        """What to write when the driver is stopped in mid-call; None when nothing is open."""
        if self._entry is None or self._settled:
            return None
        sent = self._line.sent
        return settlement(
            self.core,
            self._entry,
            State.UNCERTAIN if sent else State.NOT_REGISTERED,
            attempts=self._line.attempts,
            call=None,
            cause=None if sent else Cause.NOT_SENT,
            document=self.core.document if sent else None,
        )

    # --- outcomes ---------------------------------------------------------------------------

    def _facts(self, entry: Entry | None) -> dict[str, Any]:
        return {
            "attempts": tuple(self._line.attempts),
            "duration": self.core.clock.monotonic() - self._started,
            "simulation": self.core.simulation,
            "subject": entry.subject if entry else None,
        }

    def _registered(self, entry: Entry, at: datetime | None) -> Registered:
        return Registered(
            **self._facts(entry),
            number=entry.number,
            registered_at=at or self.core.clock.now(),
            advice=REGISTERED,
        )

    def _uncertain(self, entry: Entry, *, waits: bool) -> Uncertain:
        return Uncertain(
            **self._facts(entry),
            number=entry.number,
            advice=uncertain(self.core.policy),
            waits_for_credentials=waits,
        )

    def _not_registered(
        self,
        cause: Cause,
        *,
        entry: Entry | None = None,
        problems: tuple[Problem, ...] = (),
        fault: Fault | None = None,
        advice: Advice | None = None,
    ) -> NotRegistered:
        return NotRegistered(
            **self._facts(entry),
            cause=cause,
            number=entry.number if entry else None,
            problems=problems,
            fault=fault,
            advice=advice or not_registered(cause),
        )

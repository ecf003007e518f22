"""One attempt: assertion, envelope, send, verdict. Every attempt is a new message."""

import logging
from datetime import datetime, timedelta
from uuid import uuid4

import attrs

from eprescription_sdk import telemetry
from eprescription_sdk.client.breaker import Permit
from eprescription_sdk.client.caller import Caller
from eprescription_sdk.client.classify import Verdict, classify
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.effects import Authenticate, Engine, Send
from eprescription_sdk.client.foreign import foreign
from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.errors import CredentialUnavailable
from eprescription_sdk.model.exchange import HttpRequest, Operation
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.outcomes import Attempt, AttemptResult
from eprescription_sdk.model.trace import FaultOrigin
from eprescription_sdk.settings.service import FLOOR
from eprescription_sdk.wire import envelope

LEASE_MARGIN = timedelta(seconds=5)
"""How long after its deadline a call that says nothing is taken for dead."""

NOTHING_LEFT = (AttemptResult.NOT_SENT, AttemptResult.NOT_PROCESSED)
"""Of a create: the service cannot have registered anything."""

_CONCLUSIVE = (
    AttemptResult.REGISTERED,
    AttemptResult.REFUSED,
    AttemptResult.FOUND,
    AttemptResult.LISTED,
)
"""After these nothing more is asked. A further request that brings another answer may be one of
many: when a service has lost what all were sending, each of them asks whether it is there."""


@attrs.define(kw_only=True)
class Line:
    """A practitioner's line to the service, for the length of one call.

    Args:
        core: what the client shares.
        practitioner: who acts.
        ends: when the call must end, on the monotonic clock.
        correlation_id: of the call, for its events.
        caller: of a create; who waits for its answer.
    """

    core: Core
    practitioner: Practitioner
    ends: float
    correlation_id: str
    caller: Caller = attrs.field(factory=Caller)
    attempts: list[Attempt] = attrs.field(factory=list, init=False)
    creates_until: datetime | None = attrs.field(default=None, init=False)
    """The last moment, as journalled, at which a create may leave."""
    origin: FaultOrigin | None = attrs.field(default=None, init=False)
    """Where the last failure came from."""
    _begun: bool = attrs.field(default=False, init=False)

    @property
    def left(self) -> float:
        """Seconds left for the call."""
        return self.ends - self.core.clock.monotonic()

    def lease(self, now: datetime) -> datetime:
        """Until when nobody else touches what this call settles."""
        return now + timedelta(seconds=max(0.0, self.left)) + LEASE_MARGIN

    def exchange(
        self,
        operation: Operation,
        body: envelope.Fragment,
        number: PrescriptionNumber | None = None,
    ) -> Engine[Verdict]:
        """Send one request and judge what came back.

        Raises:
            CredentialUnavailable: nothing was sent.
            ConfigurationError: the codec failed; nothing was sent.
        """
        core, clock, profile = self.core, self.core.clock, self.core.settings.profile
        moment = clock.now()
        assertion = self.practitioner.cached(moment)
        if assertion is None:
            got = yield Authenticate(self.practitioner, moment)
            if isinstance(got, CredentialUnavailable):
                raise got
            # A PIN takes its time.
            assertion, moment = got, clock.now()
        if operation is Operation.CREATE and self._over(moment):
            return _too_late()
        try:
            security = envelope.prepare_assertion(assertion.xml)
        except Exception:  # noqa: BLE001  (whatever a provider gave, it is no assertion)
            raise CredentialUnavailable("The assertion is not well-formed XML.") from None
        with foreign("codec"):
            action = core.codec.action(operation)
            kind = envelope.content_type(action)
        if operation is Operation.CREATE and self.caller.barred:
            # Before the breaker is asked: what leaves nothing must not use up its probe.
            return _too_late()
        permit = self._permit()
        if permit is None:
            return Verdict(
                result=AttemptResult.NOT_SENT,
                detail="held back",
                origin=FaultOrigin.NETWORK,
                held=True,
            )
        message_id = f"uuid:{uuid4()}"
        request = HttpRequest(
            url=core.settings.service_url,
            headers={"Content-Type": kind},
            content=envelope.envelope(
                action=action,
                message_id=message_id,
                moment=moment,
                software=core.software,
                emitter=assertion.national_id,
                assertion=security,
                body=body,
            ),
            timeout=max(FLOOR, min(profile.attempt_timeout, self.left)),
            connect_timeout=max(FLOOR, min(profile.connect_timeout, self.left)),
            max_bytes=profile.max_reply_bytes,
        )
        sent_before = self.caller.sent
        if operation is Operation.CREATE and not self.caller.sending():
            return _too_late()
        started = clock.monotonic()
        resent = sum(attempt.operation == operation.value for attempt in self.attempts)
        if self.attempts:
            telemetry.add("retries", operation=operation.value)
        seen = yield Send(request, operation, len(self.attempts) + 1, resent)
        verdict = classify(
            operation, seen, codec=core.codec, profile=profile, now=clock.now(), number=number
        )
        self._report(permit, verdict)
        self.origin = verdict.origin
        if verdict.result in NOTHING_LEFT:
            self.caller.sent = sent_before
        self._learn(verdict)
        attempt = Attempt(
            operation=operation.value,
            message_id=message_id,
            at=moment,
            duration=clock.monotonic() - started,
            result=verdict.result,
            fault_code=verdict.fault.name if verdict.fault else None,
            detail=verdict.detail,
        )
        self.attempts.append(attempt)
        telemetry.event(
            "attempt.done",
            operation=attempt.operation,
            attempt=len(self.attempts),
            outcome=attempt.result.value,
            fault_code=attempt.fault_code,
            duration_ms=round(attempt.duration * 1000),
            message_id=message_id,
            correlation_id=self.correlation_id,
        )
        return verdict

    def _learn(self, verdict: Verdict) -> None:
        """What a fault says beyond its attempt."""
        if verdict.rule is not None and verdict.rule.credential:
            self.practitioner.forget()
        if verdict.fault is not None and not verdict.fault.known:
            # Its trace carries the code into criterion C3; here the host's own metrics learn it.
            telemetry.count("fault_unknown", verdict.fault.name or "none")

    def _permit(self) -> Permit | None:
        """Leave to make one more request; None where that would burden a service in need."""
        core, made = self.core, len(self.attempts)
        if not self._begun:
            self._begun = True
            core.budget.called()
        permit = core.breaker.admit(core.clock.monotonic())
        if permit is None:
            telemetry.count("request_held", "breaker")
        elif made and not permit.probe and not core.budget.take(again=made > 1):
            telemetry.count("request_held", "budget")
            return None
        return permit

    def _report(self, permit: Permit, verdict: Verdict) -> None:
        core = self.core
        if not verdict.down:
            core.breaker.answered()
            if self.attempts and not permit.probe and verdict.result in _CONCLUSIVE:
                core.budget.give_back()
        elif core.breaker.unanswered(permit, core.clock.monotonic()):
            telemetry.count("breaker_opened", verdict.result.value)
            telemetry.event("breaker.opened", level=logging.WARNING, outcome=verdict.result.value)

    def _over(self, moment: datetime) -> bool:
        """Whether a create must not leave any more.

        Past the time that was journalled, another process may have found it absent and freed
        its reference. Both clocks are asked: the monotonic one stands still while a machine
        sleeps, the other one may be set back.
        """
        ends = self.creates_until
        return self.left <= 0 or (ends is not None and moment > ends)


def _too_late() -> Verdict:
    return Verdict(result=AttemptResult.NOT_SENT, detail="too late", origin=FaultOrigin.USER)

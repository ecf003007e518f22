"""One attempt: assertion, envelope, send, verdict. Every attempt is a new message."""

from datetime import datetime
from uuid import uuid4

import attrs

from eprescription_sdk import telemetry
from eprescription_sdk.client.classify import Verdict, classify
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.effects import Authenticate, Engine, Send
from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.errors import CredentialUnavailable, InvalidInput
from eprescription_sdk.model.exchange import HttpRequest, Operation
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.outcomes import Attempt, AttemptResult
from eprescription_sdk.model.trace import FaultOrigin
from eprescription_sdk.wire import envelope

FLOOR = 0.05
"""The least time an attempt is given, in seconds."""

_NOTHING_LEFT = (AttemptResult.NOT_SENT, AttemptResult.NOT_PROCESSED)


@attrs.define(kw_only=True)
class Line:
    """A practitioner's line to the service, for the length of one call.

    Args:
        core: what the client shares.
        practitioner: who acts.
        ends: when the call must end, on the monotonic clock.
    """

    core: Core
    practitioner: Practitioner
    ends: float
    attempts: list[Attempt] = attrs.field(factory=list, init=False)
    creates_until: datetime | None = attrs.field(default=None, init=False)
    """The last moment, as journalled, at which a create may leave."""
    sent: bool = attrs.field(default=False, init=False)
    """Whether a create may have reached the service."""

    @property
    def left(self) -> float:
        """Seconds left for the call."""
        return self.ends - self.core.clock.monotonic()

    def exchange(
        self,
        operation: Operation,
        body: envelope.Fragment,
        number: PrescriptionNumber | None = None,
    ) -> Engine[Verdict]:
        """Send one request and judge what came back.

        Raises:
            CredentialUnavailable: nothing was sent.
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
        if operation is Operation.CREATE and self._too_late(moment):
            return Verdict(
                result=AttemptResult.NOT_SENT, detail="too late", origin=FaultOrigin.USER
            )
        try:
            security = envelope.prepare_assertion(assertion.xml)
        except (InvalidInput, UnicodeDecodeError):
            raise CredentialUnavailable("The assertion is not well-formed XML.") from None
        action = core.codec.action(operation)
        message_id = f"uuid:{uuid4()}"
        request = HttpRequest(
            url=core.settings.service_url,
            headers={"Content-Type": envelope.content_type(action)},
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
        sent_before = self.sent
        self.sent = self.sent or operation is Operation.CREATE
        started = clock.monotonic()
        seen = yield Send(request, operation, len(self.attempts) + 1)
        verdict = classify(
            operation, seen, codec=core.codec, profile=profile, now=clock.now(), number=number
        )
        if verdict.result in _NOTHING_LEFT:
            self.sent = sent_before
        if verdict.rule is not None and verdict.rule.credential:
            self.practitioner.forget()
        attempt = Attempt(
            operation=operation.value,
            message_id=message_id,
            at=moment,
            duration=clock.monotonic() - started,
            result=verdict.result,
            fault_code=verdict.fault.code if verdict.fault else None,
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
        )
        return verdict

    def _too_late(self, moment: datetime) -> bool:
        """Whether a create must not leave any more.

        Past the time that was journalled, another process may have found it absent and freed
        its reference. Both clocks are asked: the monotonic one stands still while a machine
        sleeps, the other one may be set back.
        """
        ends = self.creates_until
        return self.left <= 0 or (ends is not None and moment > ends)

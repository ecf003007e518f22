"""An engine driven by hand: no socket, a clock that moves when told, and a real store.

Each test says what is answered to each request, and sees every effect that the engine asks for.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import attrs

import eprescription_sdk as ep
from eprescription_sdk import ledger
from eprescription_sdk.client.core import Core, make_core, store_of
from eprescription_sdk.client.create import Create
from eprescription_sdk.client.effects import (
    Authenticate,
    Effect,
    Engine,
    Journal,
    Send,
    Settle,
    Sleep,
)
from eprescription_sdk.client.exchange import Line
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import CredentialUnavailable, Delivery
from eprescription_sdk.ledger import Entry
from eprescription_sdk.model.exchange import (
    Assertion,
    HttpReply,
    HttpRequest,
    StoredPrescription,
)
from eprescription_sdk.model.identifiers import PrescriptionNumber, Rpps
from eprescription_sdk.testing import (
    SAMPLE_FINESS,
    SAMPLE_RPPS,
    SAMPLE_SITUATION,
    sample_prescription,
)
from eprescription_sdk.wire.reference_body import ReferenceCodec
from tests.client.harness import start_pilot, traces

R = TypeVar("R")

NOW = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)
SAID = datetime(2026, 3, 16, 9, 29, 59, tzinfo=UTC)
"""When the service says that it registered."""

Answer = Callable[["Hand", HttpRequest], HttpReply | ep.TransportFailure]


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


class Clock(SystemClock):
    """Both its times stand still between two moves; ``slept`` is known to one of them alone."""

    def __init__(self) -> None:
        self._passed = 0.0
        self.slept = 0.0

    def now(self) -> datetime:
        return after(self._passed + self.slept)

    def monotonic(self) -> float:
        return 1000.0 + self._passed

    def move(self, seconds: float) -> None:
        self._passed += seconds


class Codec(ReferenceCodec):
    """The reference codec, save that a test says what the service holds."""

    def __init__(self) -> None:
        self.stored: StoredPrescription | None = None
        self.frozen = ""

    def fingerprint(self, body: bytes) -> str:
        self.frozen = super().fingerprint(body)
        return self.frozen

    def decode_consult(self, body: bytes) -> StoredPrescription | None:
        return self.stored


class Card:
    """A source of assertions that is there until a test says otherwise."""

    def __init__(self) -> None:
        self.gone = False
        self.xml = b'<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>'

    def assertion(self, now: datetime) -> Assertion:
        if self.gone:
            raise CredentialUnavailable("No card.")
        return Assertion(
            xml=self.xml,
            not_on_or_after=now + timedelta(hours=1),
            national_id=f"8{SAMPLE_RPPS.value}",
        )


@attrs.define(kw_only=True)
class Hand:
    """Carries out what an engine asks for, and keeps what it was.

    Args:
        core: of the calls.
        clock: its clock.
        codec: its codec.
        who: acts.
        card: their assertions.
        asked: every effect, in a word or two.
        requests: what was sent.
        pin: seconds that an assertion takes.
        answers: to the requests that are still to come.
    """

    core: Core
    clock: Clock
    codec: Codec
    who: ep.Practitioner
    card: Card
    asked: list[Any] = attrs.Factory(list)
    requests: list[HttpRequest] = attrs.Factory(list)
    pin: float = 0.0
    answers: list[Answer] = attrs.Factory(list)

    def create(self, prescription: ep.Prescription | None = None, **options: Any) -> Create:
        return Create(
            core=self.core,
            practitioner=self.who,
            prescription=prescription or prescribed(),
            correlation_id="corr",
            **options,
        )

    def line(self, seconds: float = 25.0) -> Line:
        return Line(
            core=self.core,
            practitioner=self.who,
            ends=self.clock.monotonic() + seconds,
            correlation_id="corr",
        )

    def run(self, engine: Engine[R], *answers: Answer) -> R:
        """Run an engine to its end; each request has its answer, and no answer is left over."""
        self.answers = list(answers)
        result: Any = None
        while True:
            try:
                effect = engine.send(result)
            except StopIteration as stop:
                assert not self.answers, "fewer requests than answers"
                value: R = stop.value
                return value
            result = self.do(effect)

    def do(self, effect: Effect) -> Any:
        match effect:
            case Journal(work):
                self.asked.append("journal")
                return self.core.store.write(work)
            case Settle(work):
                self.asked.append("settle")
                self.core.store.write(work)
            case Sleep(seconds):
                self.asked.append(("sleep", round(seconds, 6)))
                self.clock.move(seconds)
            case Authenticate(practitioner, now):
                self.asked.append(("authenticate", now))
                self.clock.move(self.pin)
                try:
                    return practitioner.assertion(now)
                except CredentialUnavailable as error:
                    return error
            case Send(request, operation, attempt, resent):
                self.asked.append(("send", operation.value, attempt, resent))
                self.requests.append(request)
                return self.answers.pop(0)(self, request)
        return None

    def entry(self, number: PrescriptionNumber | None) -> Entry | None:
        assert number is not None
        found: Entry | None = self.core.store.write(partial(ledger.find, number=number))
        return found

    def entries(self) -> int:
        return int(
            self.core.store.write(lambda tx: tx.execute("SELECT count(*) FROM ledger"))[0][0]
        )

    def traces(self) -> list[dict[str, Any]]:
        """What was recorded, without the id of each."""
        return [
            {name: value for name, value in each.items() if name != "id"}
            for each in traces(self.core.store)
        ]

    def sent(self) -> list[str]:
        """The operations that were sent."""
        return [each[1] for each in self.asked if each[0] == "send"]

    def slept(self) -> list[float]:
        return [each[1] for each in self.asked if each[0] == "sleep"]


class Begun:
    """An engine that a test stops before an effect, to see what happens meanwhile."""

    def __init__(self, hand: Hand, engine: Engine[Any], *answers: Answer) -> None:
        self._hand = hand
        self.engine = engine
        hand.answers = list(answers)
        self.effect: Effect = engine.send(None)

    def until(self, kind: type[Effect]) -> "Begun":
        """Go on to before the next effect of a kind."""
        while not isinstance(self.effect, kind):
            self.step()
        return self

    def step(self) -> None:
        self.effect = self.engine.send(self._hand.do(self.effect))

    def finish(self) -> Any:
        """Go on to the end, and give what the engine came to."""
        try:
            while True:
                self.step()
        except StopIteration as stop:
            return stop.value


def prescribed(**changes: Any) -> ep.Prescription:
    """The same prescription each time."""
    return attrs.evolve(sample_prescription(), issued_at=NOW - timedelta(minutes=1), **changes)


@contextmanager
def by_hand(folder: Path, *, pilot: bool = True, **changes: Any) -> Iterator[Hand]:
    """A core of its own; ``changes`` are those of the settings."""
    settings = ep.Settings(
        **{
            "environment": ep.Environment.SANDBOX,
            "service_url": "https://service.example/create",
            "software_name": "exemple",
            "software_version": "1.0",
            "authorisation": "SIMULATION-0000",
            "instance": "6b8c1d6e-7d43-4b63-9f3a-3c4a0f6a6d11",
            "module": "exemple-ordonnance",
            "finess": SAMPLE_FINESS.value,
            "store": folder / "store.db",
            "key": b"k" * 32,
            "uncertain_policy": ep.UncertainPolicy.HOLD,
            **changes,
        }
    )
    clock, codec, card = Clock(), Codec(), Card()
    from eprescription_sdk.reference import FakeMinter, SpecimenCode

    core = make_core(
        settings,
        minter=FakeMinter(),
        codec=codec,
        code2d=SpecimenCode(),
        clock=clock,
        store=store_of(settings),
    )
    if pilot:
        core.store.write(start_pilot)
    who = ep.Practitioner(
        rpps=SAMPLE_RPPS,
        national_id=f"8{SAMPLE_RPPS.value}",
        situation=SAMPLE_SITUATION,
        assertions=card,
    )
    try:
        yield Hand(core=core, clock=clock, codec=codec, who=who, card=card)
    finally:
        core.store.close()


# --- what is answered --------------------------------------------------------------------------

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_REF = "urn:eprescription-sdk:reference:1"


def envelope(body: str) -> bytes:
    return f'<s:Envelope xmlns:s="{_SOAP}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def number_of(request: HttpRequest) -> str:
    found = re.search(rb"<ref:Numero>(.*?)</ref:Numero>", request.content)
    assert found is not None
    return found.group(1).decode()


def took(seconds: float, answer: Answer) -> Answer:
    """The same answer, later."""

    def late(hand: Hand, request: HttpRequest) -> HttpReply | ep.TransportFailure:
        hand.clock.move(seconds)
        return answer(hand, request)

    return late


def accepted(_: Hand, request: HttpRequest) -> HttpReply:
    body = (
        f'<r:CreerResponse xmlns:r="{_REF}"><r:CodeCR>00</r:CodeCR>'
        f"<r:Numero>{number_of(request)}</r:Numero>"
        f"<r:EnregistreeLe>{SAID.isoformat()}</r:EnregistreeLe></r:CreerResponse>"
    )
    return HttpReply(status=200, headers={}, content=envelope(body))


def failed(delivery: Delivery) -> Answer:
    return lambda _, __: ep.TransportFailure("ConnectError", delivery=delivery)


lost = failed(Delivery.UNKNOWN)
unreached = failed(Delivery.NOT_SENT)


def fault(code: str, *, sender: bool = False, retry_after: float | None = None) -> Answer:
    side = "Sender" if sender else "Receiver"
    body = (
        f"<s:Fault><s:Code><s:Value>s:{side}</s:Value></s:Code>"
        '<s:Reason><s:Text xml:lang="fr">Texte</s:Text></s:Reason>'
        f'<s:Detail><x:Erreur xmlns:x="urn:siram" severite="erreur" code="{code}"/></s:Detail>'
        "</s:Fault>"
    )
    return lambda _, __: HttpReply(status=500, headers=_pause(retry_after), content=envelope(body))


def unavailable(retry_after: float | None = None) -> Answer:
    return lambda _, __: HttpReply(status=503, headers=_pause(retry_after), content=b"")


def _pause(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"retry-after": f"{seconds:.0f}"}


def _consulted(_: Hand, __: HttpRequest) -> HttpReply:
    return HttpReply(status=200, headers={}, content=envelope("<a/>"))


def absent(hand: Hand, request: HttpRequest) -> HttpReply:
    hand.codec.stored = None
    return _consulted(hand, request)


def holds(
    fingerprint: str | None = "", prescriber: Rpps = SAMPLE_RPPS, registered_at: datetime = SAID
) -> Answer:
    """The service has it: by default with the content that was frozen."""

    def answer(hand: Hand, request: HttpRequest) -> HttpReply:
        hand.codec.stored = StoredPrescription(
            number=PrescriptionNumber(number_of(request)),
            prescriber=prescriber,
            registered_at=registered_at,
            fingerprint=hand.codec.frozen if fingerprint == "" else fingerprint,
        )
        return _consulted(hand, request)

    return answer


found = holds()

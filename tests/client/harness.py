"""One handle on both clients, so that a scenario is written once (law 10)."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, Protocol

import attrs

import eprescription_sdk as ep
from eprescription_sdk import ledger
from eprescription_sdk.clock import SimulatedClock
from eprescription_sdk.credentials.key_file import Billing, KeyFileAssertion
from eprescription_sdk.ledger import DuplicateRisk, Entry, Settlement, State
from eprescription_sdk.model.identifiers import PrescriptionNumber, Rpps
from eprescription_sdk.ports import AssertionProvider
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.testing import SAMPLE_RPPS, SAMPLE_SITUATION, sandbox_settings
from eprescription_sdk.traces.gate import Enrolment, Phase, enrol, set_phase
from eprescription_sdk.traces.record import losses

OTHER_RPPS = Rpps("99900063480")
"""A second fictitious practitioner."""

SCALE = 0.1
"""A test's second is a tenth of the usual one."""

QUICK = ep.ServiceProfile(
    connect_timeout=0.6,
    attempt_timeout=0.6,
    deadline=2.0,
    in_flight_horizon=12.0,
    backoff_base=0.02,
    backoff_cap=0.2,
    retry_after_cap=1.0,
    # Its pauses are short against its deadline: in life a call asks less often.
    retry_burst=50,
    max_reply_bytes=64 * 1024,
)
"""Durations for tests, wide enough for a busy machine."""


def brief(seconds: float, profile: ep.ServiceProfile = QUICK) -> ep.ServiceProfile:
    """A profile whose calls end after so many seconds, and go on behind nobody."""
    shortest = min(profile.attempt_timeout, seconds)
    return attrs.evolve(
        profile,
        deadline=seconds,
        attempt_timeout=shortest,
        connect_timeout=min(profile.connect_timeout, shortest),
    )


LATER = timedelta(minutes=10)
"""Past every lease and every in-flight horizon of ``QUICK``."""


@cache
def card() -> tuple[bytes, bytes]:
    """One fictitious card for all tests: making its key takes time."""
    return Sandbox().issue_card("CARTE FICTIVE")


@cache
def provider(rpps: Rpps = SAMPLE_RPPS) -> KeyFileAssertion:
    certificate, private_key = card()
    return KeyFileAssertion(
        certificate=certificate,
        private_key=private_key,
        national_id=f"8{rpps.value}",
        billing=Billing(billing_id="331234567", specialty="01", sector="SA07"),
    )


def practitioner(
    rpps: Rpps = SAMPLE_RPPS, assertions: AssertionProvider | None = None
) -> ep.Practitioner:
    return ep.Practitioner(
        rpps=rpps,
        national_id=f"8{rpps.value}",
        situation=SAMPLE_SITUATION,
        assertions=assertions or provider(rpps),
    )


class Side(Protocol):
    """What a scenario may do with a client, whichever it is."""

    @property
    def client(self) -> ep.Client | ep.AsyncClient: ...
    def create(
        self,
        prescription: ep.Prescription,
        *,
        who: ep.Practitioner | None = None,
        wait: float | None = None,
    ) -> ep.Outcome: ...
    def consult(self, number: PrescriptionNumber) -> ep.StoredPrescription: ...
    def search(self, query: ep.SearchQuery) -> list[ep.Summary]: ...
    def paper(self, **what: Any) -> bool: ...
    def arrive(self, who: ep.Practitioner) -> None: ...
    def reconcile(
        self, *credentials: ep.Practitioner, seconds: float | None = None
    ) -> ep.Reconciliation: ...
    def wait_until(self, true: Callable[[], bool]) -> None: ...
    def close(self) -> None: ...


class Blocking:
    """``Client``."""

    def __init__(self, settings: ep.Settings, who: ep.Practitioner, **ports: Any) -> None:
        self.client = ep.Client(settings, **ports)
        self._who = who

    @cached_property
    def _acting(self) -> ep.Acting:
        return self.client.acting_as(self._who)

    def create(
        self,
        prescription: ep.Prescription,
        *,
        who: ep.Practitioner | None = None,
        wait: float | None = None,
    ) -> ep.Outcome:
        acting = self.client.acting_as(who) if who else self._acting
        return acting.create(prescription, wait=wait)

    def consult(self, number: PrescriptionNumber) -> ep.StoredPrescription:
        return self._acting.consult(number)

    def search(self, query: ep.SearchQuery) -> list[ep.Summary]:
        return list(self._acting.search(query))

    def paper(self, **what: Any) -> bool:
        return self._acting.record_non_digital(**what)

    def arrive(self, who: ep.Practitioner) -> None:
        self.client.acting_as(who)

    def reconcile(
        self, *credentials: ep.Practitioner, seconds: float | None = None
    ) -> ep.Reconciliation:
        return self.client.reconcile(credentials=credentials, seconds=seconds)

    def wait_until(self, true: Callable[[], bool]) -> None:
        eventually(true)

    def close(self) -> None:
        self.client.close()


class Asynchronous:
    """``AsyncClient``, on an event loop of its own."""

    def __init__(self, settings: ep.Settings, who: ep.Practitioner, **ports: Any) -> None:
        self._runner = asyncio.Runner()
        self._closed = False
        self._who = who

        async def make() -> ep.AsyncClient:
            return ep.AsyncClient(settings, **ports)

        self.client = self._runner.run(make())

    @cached_property
    def _acting(self) -> ep.AsyncActing:
        return self.client.acting_as(self._who)

    def create(
        self,
        prescription: ep.Prescription,
        *,
        who: ep.Practitioner | None = None,
        wait: float | None = None,
    ) -> ep.Outcome:
        async def call() -> ep.Outcome:
            acting = self.client.acting_as(who) if who else self._acting
            return await acting.create(prescription, wait=wait)

        return self._runner.run(call())

    def consult(self, number: PrescriptionNumber) -> ep.StoredPrescription:
        async def call() -> ep.StoredPrescription:
            return await self._acting.consult(number)

        return self._runner.run(call())

    def search(self, query: ep.SearchQuery) -> list[ep.Summary]:
        async def call() -> list[ep.Summary]:
            return [summary async for summary in self._acting.search(query)]

        return self._runner.run(call())

    def paper(self, **what: Any) -> bool:
        async def call() -> bool:
            return await self._acting.record_non_digital(**what)

        return self._runner.run(call())

    def arrive(self, who: ep.Practitioner) -> None:
        async def call() -> None:
            self.client.acting_as(who)

        self._runner.run(call())

    def reconcile(
        self, *credentials: ep.Practitioner, seconds: float | None = None
    ) -> ep.Reconciliation:
        async def call() -> ep.Reconciliation:
            return await self.client.reconcile(credentials=credentials, seconds=seconds)

        return self._runner.run(call())

    def wait_until(self, true: Callable[[], bool]) -> None:
        async def wait() -> None:
            ends = time.monotonic() + 30
            while not true():
                assert time.monotonic() < ends, "it never came true"
                await asyncio.sleep(0.01)

        self._runner.run(wait())

    def close(self) -> None:
        async def call() -> None:
            await self.client.close()

        if not self._closed:
            self._closed = True
            self._runner.run(call())
            self._runner.close()


SIDES: dict[str, type[Blocking] | type[Asynchronous]] = {
    "sync": Blocking,
    "async": Asynchronous,
}


def eventually(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for what another thread does."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it never came true"
        time.sleep(0.01)


@attrs.define(kw_only=True)
class World:
    """A client against a sandbox, with one clock for both."""

    side: Side
    sandbox: Sandbox
    clock: SimulatedClock
    settings: ep.Settings
    who: ep.Practitioner

    @property
    def store(self) -> Store:
        return self.side.client.store

    def entry(self, number: PrescriptionNumber | None) -> Entry:
        """The ledger's entry, behind every settlement handed over so far."""
        assert number is not None
        found: Entry | None = self.store.write(partial(ledger.find, number=number))
        assert found is not None
        return found

    def entries(self) -> list[tuple[str, str]]:
        """Number and state of every entry."""
        rows = self.store.write(lambda tx: tx.execute("SELECT number, state FROM ledger"))
        return [(number, state) for number, state in rows]

    def only_entry(self) -> Entry:
        ((number, _),) = self.entries()
        return self.entry(PrescriptionNumber(number))

    def idle(self) -> None:
        """Wait until nothing goes on behind the callers."""
        behind = self.side.client._behind  # noqa: SLF001  (nobody else can see it)
        self.side.wait_until(lambda: behind.idle)

    def feed(self) -> list[Settlement]:
        self.store.write(lambda _: None)
        return list(self.side.client.settlements())

    def risks(self) -> tuple[DuplicateRisk, ...]:
        self.store.write(lambda _: None)
        return self.side.client.duplicate_risks()

    def losses(self) -> dict[str, int]:
        return self.store.write(losses)

    def holding(self, mark: str) -> int:
        """How many registrations of the sandbox hold a marked content."""
        return sum(mark.encode() in kept.document for kept in self.sandbox.registrations)

    def quiet(self) -> None:
        """Wait until the sandbox holds no request any more."""
        eventually(lambda: all(call.answered is not None for call in self.sandbox.calls))

    def later(self) -> None:
        """Let leases and in-flight horizons pass; first, what is in flight lands."""
        self.quiet()
        self.clock.advance(LATER)

    def agrees(self) -> None:
        """Law 1: no number twice, and the ledger says of each what the sandbox holds."""
        for number, state in self.entries():
            held = self.sandbox.count(number)
            assert held <= 1, "a number is registered twice"
            if state == State.REGISTERED.value:
                assert held == 1
            elif state == State.NOT_REGISTERED.value:
                assert held == 0


@contextmanager
def world(
    folder: Path,
    side: str = "sync",
    *,
    unique: bool = False,
    trusted_unique: bool | None = None,
    environment: ep.Environment = ep.Environment.SANDBOX,
    policy: ep.UncertainPolicy = ep.UncertainPolicy.HOLD,
    profile: ep.ServiceProfile = QUICK,
    who: ep.Practitioner | None = None,
    pilot: bool = False,
    place: str | None = None,
    **ports: Any,
) -> Iterator[World]:
    """A running sandbox and a client on it.

    Args:
        folder: for the store.
        side: ``sync`` or ``async``.
        unique: whether the sandbox refuses a second prescription with the same number.
        trusted_unique: whether the profile says so; as the sandbox does by default.
        environment: what the calls count as.
        policy: what happens to an uncertain document.
        profile: durations.
        who: acts by default.
        pilot: start a pilot with the sample practitioner live.
        place: where the store is, as settings say it; by default a file in the folder.
        ports: of the client.
    """
    clock = SimulatedClock(datetime.now(UTC))
    trusted = unique if trusted_unique is None else trusted_unique
    if who is None:
        who = practitioner()
        # The card has signed already: short waits are not spent on that.
        who.assertion(clock.now())
    running = Sandbox(
        unique_by_number=unique,
        clock=clock,
        scale=SCALE,
        verify_assertions=False,
        time_tolerance=LATER.total_seconds() * 2,
    )
    with running as sandbox:
        settings = sandbox_settings(
            sandbox,
            folder / "store.db",
            environment=environment,
            profile=attrs.evolve(profile, unique_by_number=trusted),
            uncertain_policy=policy,
        )
        if place is not None:
            settings = attrs.evolve(settings, store=place)
        if environment is not ep.Environment.SANDBOX:
            ports = {**stand_ins(), **ports}
        made = SIDES[side](settings, who, clock=clock, **ports)
        try:
            if pilot:
                made.client.store.write(start_pilot)
            yield World(side=made, sandbox=sandbox, clock=clock, settings=settings, who=who)
        finally:
            made.close()


def stand_ins() -> dict[str, Any]:
    """The ports that must be given outside the sandbox."""
    from eprescription_sdk.reference import FakeMinter, SpecimenCode
    from eprescription_sdk.wire.reference_body import ReferenceCodec

    return {"minter": FakeMinter(), "codec": ReferenceCodec(), "code2d": SpecimenCode()}


def start_pilot(tx: Tx, *, phase: Phase = Phase.RUNNING, go_live: date = date(2020, 1, 1)) -> None:
    """A pilot with the sample practitioner enrolled."""
    set_phase(tx, phase, module="exemple-ordonnance")
    enrol(tx, Enrolment(rpps=SAMPLE_RPPS, label=1, situation=SAMPLE_SITUATION, go_live=go_live))


def mark() -> str:
    """A word that no other content holds."""
    return f"marque{secrets.token_hex(6)}"


def traces(store: Store) -> list[dict[str, Any]]:
    """The recorded traces' bodies, oldest first."""
    import json

    rows = store.write(lambda tx: tx.execute("SELECT body FROM traces ORDER BY seq"))
    return [json.loads(body) for (body,) in rows]

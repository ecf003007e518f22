"""What the comparisons of ``create()`` are played with: clients, a practitioner, their pilot."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from secrets import token_bytes
from typing import TypeVar
from uuid import uuid4

import attrs

import eprescription_sdk as ep
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.storage import Tx
from eprescription_sdk.storage.base import Row, Scalar, SessionLock
from eprescription_sdk.testing import (
    SAMPLE_FINESS,
    SAMPLE_RPPS,
    SAMPLE_SITUATION,
    sandbox_practitioner,
)
from eprescription_sdk.traces.gate import Enrolment, Phase, enrol, set_phase
from eprescription_sdk.transport import HttpxTransport

T = TypeVar("T")


def practitioner() -> ep.Practitioner:
    """A fictitious practitioner whose card has signed: the assertion is cached."""
    who = sandbox_practitioner(Sandbox())
    who.assertion(datetime.now(UTC))
    return who


def settings(url: str, store: Path) -> ep.Settings:
    """With the durations of every day."""
    return ep.Settings(
        environment=ep.Environment.SANDBOX,
        service_url=url,
        software_name="exemple",
        software_version="1.0",
        authorisation="SIMULATION-0000",
        instance=str(uuid4()),
        module="exemple-ordonnance",
        finess=SAMPLE_FINESS.value,
        store=store,
        key=token_bytes(32),
    )


def start_pilot(tx: Tx) -> None:
    """From here on the practitioner's calls are traced."""
    set_phase(tx, Phase.RUNNING, module="exemple-ordonnance")
    start = date(2020, 1, 1)
    enrol(tx, Enrolment(rpps=SAMPLE_RPPS, label=1, situation=SAMPLE_SITUATION, go_live=start))


def rows(tx: Tx) -> tuple[int, int]:
    """How many ledger entries are registered, and how many traces there are."""
    entries = tx.execute("SELECT count(*) FROM ledger WHERE state = 'registered'")
    return entries[0][0], tx.execute("SELECT count(*) FROM traces")[0][0]


class CountingTransport:
    """Keeps the last request that passes, and counts them."""

    def __init__(self, carrier: ep.ports.Transport) -> None:
        self._carrier = carrier
        self.last: ep.HttpRequest | None = None
        self.count = 0

    def send(self, request: ep.HttpRequest) -> ep.HttpReply:
        """Pass it on."""
        self.last = request
        self.count += 1
        return self._carrier.send(request)

    def close(self) -> None:
        """Pass it on."""
        self._carrier.close()


def request_of(prescription: ep.Prescription, url: str, store: Path) -> ep.HttpRequest:
    """What a create of a prescription sends."""
    carrier = CountingTransport(HttpxTransport())
    with ep.Client(settings(url, store), store=NoStore(), transport=carrier) as client:
        client.acting_as(practitioner()).create(prescription)
    assert carrier.last is not None
    return carrier.last


@attrs.frozen
class _Nothing:
    """A transaction on nothing: every statement finds nothing and keeps nothing."""

    clock_offset = timedelta(0)
    for_share = ""

    def execute(self, _sql: str, _parameters: Sequence[Scalar] = ()) -> list[Row]:
        return []

    def iterate(self, _sql: str, _parameters: Sequence[Scalar] = ()) -> Iterator[Row]:
        return iter(())

    def savepoint(self) -> AbstractContextManager[None]:
        return nullcontext()


class NoStore:
    """Runs the work at once, on nothing; what a create costs without its store."""

    path = None

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Run it in the caller's thread."""
        future: Future[T] = Future()
        future.set_result(work(_Nothing()))
        return future

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run it."""
        return work(_Nothing())

    def read(self, work: Callable[[Tx], T]) -> T:
        """Run it."""
        return work(_Nothing())

    def session_lock(self) -> SessionLock:
        """None is needed where nothing is kept."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to give back."""

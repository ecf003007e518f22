"""An outage: two hundred callers at once, the service down, then back (law 1, law 3).

The load on the service is never above 1.1 times what callers offer, and all is settled soon
after its return.
"""

import asyncio
import time
from bisect import bisect
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.ledger import State
from eprescription_sdk.model.exchange import HttpReply, HttpRequest
from eprescription_sdk.model.outcomes import Cause, NextStep
from eprescription_sdk.sandbox import (
    DropBeforeCommit,
    Fault,
    FaultCode,
    Operation,
    Unavailable,
)
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.transport import AsyncHttpxTransport, HttpxTransport
from tests.client.harness import LATER, QUICK, SIDES, World, eventually, world

CALLERS = 200
DOWN = attrs.evolve(QUICK, deadline=2.0, breaker_pause=0.6, retry_burst=5)


class _Counting(HttpxTransport):
    """Counts the requests that set out, whatever becomes of them."""

    def __init__(self, load: list[float]) -> None:
        super().__init__()
        self._load = load

    def send(self, request: HttpRequest) -> HttpReply:
        self._load.append(time.monotonic())
        return super().send(request)


class _AsyncCounting(AsyncHttpxTransport):
    def __init__(self, load: list[float]) -> None:
        super().__init__()
        self._load = load

    async def send(self, request: HttpRequest) -> HttpReply:
        self._load.append(time.monotonic())
        return await super().send(request)


@attrs.define
class _Meter:
    """When callers made their calls, and when requests set out."""

    offered: list[float] = attrs.Factory(list)
    load: list[float] = attrs.Factory(list)

    def call(self) -> ep.Prescription:
        self.offered.append(time.monotonic())
        return sample_prescription()

    def never_above(self, ratio: float) -> None:
        """Neither in the end nor at any moment before; all callers call at once."""
        offered = sorted(self.offered)
        for requests, moment in enumerate(sorted(self.load), start=1):
            called = max(CALLERS, bisect(offered, moment))
            assert requests <= ratio * called, (requests, len(self.load))


def _all_create(
    stage: World, side: str, meter: _Meter, *, rounds: int, processes: int = 4
) -> list[ep.Outcome]:
    """Two hundred callers, over some clients on one store; each tries a few times."""
    if side == "sync":
        clients = [
            ep.Client(stage.settings, transport=_Counting(meter.load), clock=stage.clock)
            for _ in range(processes)
        ]

        def calls(n: int) -> list[ep.Outcome]:
            doctor = clients[n % processes].acting_as(stage.who)
            return [doctor.create(meter.call()) for _ in range(rounds)]

        with ThreadPoolExecutor(CALLERS) as threads:
            found = [each for some in threads.map(calls, range(CALLERS)) for each in some]
        for client in clients:
            client.close()
        return found

    async def everybody() -> list[ep.Outcome]:
        clients = [
            ep.AsyncClient(stage.settings, transport=_AsyncCounting(meter.load), clock=stage.clock)
            for _ in range(processes)
        ]

        async def calls(n: int) -> list[ep.Outcome]:
            doctor = clients[n % processes].acting_as(stage.who)
            return [await doctor.create(meter.call()) for _ in range(rounds)]

        told = await asyncio.gather(*(calls(n) for n in range(CALLERS)))
        for client in clients:
            await client.close()
        return [each for some in told for each in some]

    return asyncio.run(everybody())


@contextmanager
def _unavailable(stage: World) -> Iterator[None]:
    """It takes requests and answers 503: every create is in doubt."""
    for operation in (Operation.CREATE, Operation.CONSULT):
        stage.sandbox.script(operation, Unavailable(), times=10_000)
    yield
    stage.sandbox._scripts._entries.clear()  # noqa: SLF001  (it is back)


OUTAGES: dict[str, Any] = {
    "refuses connections": lambda stage: stage.sandbox.refusing_connections(),
    "answers 503": _unavailable,
}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("how", OUTAGES)
def test_an_outage_is_not_made_worse(how: str, side: str, tmp_path: Path) -> None:
    meter = _Meter()
    with world(tmp_path, profile=DOWN) as stage:
        with OUTAGES[how](stage):
            found = _all_create(stage, side, meter, rounds=2)
        meter.never_above(1.1)
        # Each caller has an answer to act on; those who were held back sent nothing.
        assert {type(outcome) for outcome in found} <= {ep.NotRegistered, ep.Uncertain}
        for outcome in found:
            if isinstance(outcome, ep.NotRegistered):
                assert outcome.cause is Cause.NOT_SENT
                assert outcome.advice.step is NextStep.PRINT_PLAIN
        _settled_soon(stage)
        # And the service is used again at once.
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)


AMONG_CALLS: dict[str, Fault] = {
    "loses what is sent": DropBeforeCommit(),
    "says that it is unavailable": FaultCode("sdkref_unavailable"),
}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("how", AMONG_CALLS)
def test_a_service_that_is_back_while_all_still_wait(how: str, side: str, tmp_path: Path) -> None:
    """All are in doubt at once, or told to come again; nothing but the budget restrains them."""
    meter = _Meter()
    with world(tmp_path, profile=attrs.evolve(DOWN, breaker_failures=10_000)) as stage:
        lasting = how == "says that it is unavailable"
        stage.sandbox.script(
            Operation.CREATE, AMONG_CALLS[how], times=10_000 if lasting else CALLERS
        )
        found = _all_create(stage, side, meter, rounds=1, processes=1)
        assert len(found) == CALLERS
        meter.never_above(1.1)
        stage.sandbox._scripts._entries.clear()  # noqa: SLF001  (it is back)
        _settled_soon(stage)


def _settled_soon(stage: World) -> None:
    back = time.monotonic()
    stage.clock.advance(LATER)
    eventually(lambda: stage.side.reconcile(stage.who).open == 0, seconds=60)
    assert _open(stage) == 0
    assert time.monotonic() - back < 60
    stage.agrees()


def _open(stage: World) -> int:
    states = [state for _, state in stage.entries()]
    return sum(State(state) in (State.SENDING, State.UNCERTAIN) for state in states)


def test_held_back_consults_and_searches_say_unreachable(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, profile=attrs.evolve(DOWN, breaker_pause=60.0)) as stage:
        with stage.sandbox.refusing_connections():
            for _ in range(DOWN.breaker_failures):
                stage.side.create(sample_prescription())
        assert stage.sandbox.calls == []
        with pytest.raises(ep.ServiceUnreachable):
            stage.side.consult(ep.PrescriptionNumber("SIM1"))
        with pytest.raises(ep.ServiceUnreachable):
            stage.side.search(ep.SearchQuery(prescriber=stage.who.rpps))
        started = time.monotonic()
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.NotRegistered)
        assert outcome.attempts == ()
        assert "papier" in outcome.advice.text_fr
        assert time.monotonic() - started < 1.5
        assert stage.sandbox.calls == []


def test_a_probe_brings_the_service_back(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, profile=attrs.evolve(DOWN, breaker_pause=0.2)) as stage:
        with stage.sandbox.refusing_connections():
            for _ in range(DOWN.breaker_failures):
                stage.side.create(sample_prescription())
        time.sleep(0.25)
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)
        assert not stage.side.client._core.breaker.open  # noqa: SLF001

"""A create cancelled at any of its awaits leaves a ledger that is true (law 1, law 2)."""

import asyncio
import ssl
import types
from collections.abc import Coroutine, Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import eprescription_sdk as ep
from eprescription_sdk.client.driver import AsyncDriver
from eprescription_sdk.client.effects import Authenticate, Effect, Journal, Send, Settle, Sleep
from eprescription_sdk.ledger import State
from eprescription_sdk.sandbox import AnswerAfter, CommitThenDrop, FaultCode, Operation
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.transport import AsyncHttpxTransport
from tests.client.harness import World, mark, practitioner, world


class _Watched(AsyncDriver):
    """The real driver, which reports each effect when it begins and when it is done."""

    def __init__(self, inner: AsyncDriver) -> None:
        self.__dict__ = inner.__dict__
        self.effects: list[type[Effect]] = []
        self.begun = asyncio.Event()
        self.stop_at: int | None = None
        self.before = True

    async def _carry_out(self, effect: Effect) -> Any:
        self.effects.append(type(effect))
        here = len(self.effects) - 1 == self.stop_at
        if here and self.before:
            self.begun.set()
            await asyncio.sleep(0)
        result = await super()._carry_out(effect)
        if here and not self.before:
            self.begun.set()
            await asyncio.sleep(60)
        return result


async def _cancelled(
    stage: World, prescription: ep.Prescription, stop_at: int, *, before: bool
) -> list[type[Effect]]:
    """Cancel a create as its n-th effect begins, or is done; the effects it got to."""
    async with ep.AsyncClient(stage.settings, clock=stage.clock) as client:
        watched = _Watched(client._driver)  # noqa: SLF001  (to know where the call stands)
        watched.stop_at, watched.before = stop_at, before
        client._driver = watched  # noqa: SLF001
        task = asyncio.ensure_future(client.acting_as(practitioner()).create(prescription))
        waiting = asyncio.ensure_future(watched.begun.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not task.done():
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return watched.effects


PLAIN_RUN = [Journal, Authenticate, Send, Settle]
DOUBTFUL_RUN = [Journal, Authenticate, Send, Send, Settle]
RETRIED_RUN = [Journal, Authenticate, Send, Sleep, Send, Settle]

RUNS = [
    *((PLAIN_RUN, None, n) for n in range(4)),
    *((DOUBTFUL_RUN, CommitThenDrop(), n) for n in range(2, 5)),
    *((RETRIED_RUN, FaultCode("sdkref_unavailable"), n) for n in range(2, 6)),
    (PLAIN_RUN, AnswerAfter(3), 2),
]


@pytest.mark.parametrize("before", [True, False], ids=["begun", "done"])
@pytest.mark.parametrize(("run", "fault", "stop_at"), RUNS)
def test_cancelled_at_every_await(
    run: list[type[Effect]], fault: Any, stop_at: int, before: bool, tmp_path: Path
) -> None:
    content = mark()
    with world(tmp_path) as stage:
        if fault is not None:
            stage.sandbox.script(Operation.CREATE, fault)
        prescription = sample_prescription(text=content, reference="réf")
        effects = asyncio.run(_cancelled(stage, prescription, stop_at, before=before))
        assert effects[: stop_at + 1] == run[: stop_at + 1]

        stage.quiet()
        entry = stage.only_entry()
        # Where nothing was handed to the transport, the reference is free at once.
        if Send not in effects:
            assert entry.state is State.NOT_REGISTERED
            assert entry.cause == "not_sent"
        else:
            assert entry.state is not State.SENDING
        stage.later()
        stage.side.reconcile(stage.who)
        assert stage.only_entry().state in (State.REGISTERED, State.NOT_REGISTERED)
        stage.agrees()
        again = stage.side.create(prescription)
        assert isinstance(again, ep.Registered)
        assert stage.holding(content) == 1


@types.coroutine
def _cancelled_when_it_suspends(
    work: Coroutine[Any, Any, Any], time: int
) -> Generator[Any, Any, None]:
    """Run work in this task, and cancel the task as it suspends for the n-th time."""
    awaiting, seen, resume = work.__await__(), -1, partial(work.send, None)
    while True:
        try:
            future = resume()
        except StopIteration:
            return
        seen += 1
        if seen == time:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        try:
            yield future
            resume = partial(awaiting.send, None)
        except BaseException as error:  # noqa: BLE001  (whatever it is, it goes in)
            resume = partial(awaiting.throw, error)


async def _runs_out(stage: World, prescription: ep.Prescription, time: int) -> bool:
    """One create, cancelled as it suspends for the n-th time; whether it never got there."""
    transport = AsyncHttpxTransport(_TRUST)
    async with ep.AsyncClient(stage.settings, clock=stage.clock, transport=transport) as client:
        create = client.acting_as(practitioner()).create(prescription)
        try:
            await _cancelled_when_it_suspends(create, time)
        except asyncio.CancelledError:
            return False
        return True


_TRUST = ssl.create_default_context()


@pytest.mark.parametrize("fault", [None, CommitThenDrop(), FaultCode("sdkref_unavailable")])
def test_cancelled_wherever_it_suspends(fault: Any, tmp_path: Path) -> None:
    """Not only between effects: in the midst of connecting, writing, reading, too."""
    with world(tmp_path) as stage:
        asked: dict[str, ep.Prescription] = {}
        runs_out = False
        while not runs_out:
            content = mark()
            asked[content] = sample_prescription(text=content, reference=content)
            if fault is not None:
                stage.sandbox.script(Operation.CREATE, fault)
            runs_out = asyncio.run(_runs_out(stage, asked[content], len(asked) - 1))
            stage.sandbox._scripts._entries.clear()  # noqa: SLF001  (what was not used)
            assert State.SENDING.value not in dict(stage.entries()).values()
        assert len(asked) > 6
        stage.later()
        stage.side.reconcile(stage.who)
        assert set(dict(stage.entries()).values()) <= {"registered", "not_registered"}
        stage.agrees()
        for content, prescription in asked.items():
            assert isinstance(stage.side.create(prescription), ep.Registered)
            assert stage.holding(content) == 1


def test_cancelled_while_nothing_has_left_frees_the_reference(tmp_path: Path) -> None:
    """In the pause after "not processed": what was sent is known not to exist."""
    with world(tmp_path) as stage:
        stage.sandbox.script(Operation.CREATE, FaultCode("sdkref_unavailable"))
        asyncio.run(_cancelled(stage, sample_prescription(), 3, before=True))
        entry = stage.only_entry()
        assert (entry.state, entry.cause) == (State.NOT_REGISTERED, "not_sent")


def test_a_cancelled_create_under_the_plain_policy_is_a_duplicate_risk(tmp_path: Path) -> None:
    with world(tmp_path, policy=ep.UncertainPolicy.PLAIN) as stage:
        stage.sandbox.script(Operation.CREATE, AnswerAfter(3))
        asyncio.run(_cancelled(stage, sample_prescription(), 2, before=True))
        stage.later()
        if stage.only_entry().state is State.UNCERTAIN:
            stage.side.reconcile(stage.who)
        entry = stage.only_entry()
        if entry.state is State.REGISTERED:
            assert [risk.number for risk in stage.risks()] == [entry.number]


class _Interrupting:
    """A transport that is interrupted by Ctrl-C while it waits for the answer."""

    def __init__(self) -> None:
        from eprescription_sdk.transport import HttpxTransport

        self.inner = HttpxTransport()
        self.armed = True

    def send(self, request: Any) -> Any:
        reply = self.inner.send(request)
        if self.armed:
            self.armed = False
            raise KeyboardInterrupt
        return reply

    def close(self) -> None:
        self.inner.close()


def test_an_interrupted_blocking_create_leaves_word(tmp_path: Path) -> None:
    with world(tmp_path, transport=_Interrupting()) as stage:
        with pytest.raises(KeyboardInterrupt):
            stage.side.create(sample_prescription())
        assert stage.only_entry().state is State.UNCERTAIN
        stage.side.reconcile(stage.who)
        assert stage.only_entry().state is State.REGISTERED

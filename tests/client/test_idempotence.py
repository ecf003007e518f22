"""One reference, one registration: calls, threads, tasks, and owners that died (law 1)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.ledger import State
from eprescription_sdk.model.outcomes import Cause, NextStep
from eprescription_sdk.sandbox import AnswerAfter, CommitThenDrop, FaultCode, Operation
from eprescription_sdk.testing import sample_prescription
from tests.client.harness import (
    OTHER_RPPS,
    QUICK,
    World,
    mark,
    practitioner,
    world,
)

WRITTEN = datetime(2025, 3, 17, 9, 30, tzinfo=UTC)


def bound(text: str = "1 par jour", reference: str = "réf") -> ep.Prescription:
    return attrs.evolve(sample_prescription(text=text, reference=reference), issued_at=WRITTEN)


def creates(stage: World) -> int:
    return sum(call.operation is Operation.CREATE for call in stage.sandbox.calls)


def test_the_same_again_is_the_same_outcome_without_sending(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        first = stage.side.create(bound())
        again = stage.side.create(bound())
        assert isinstance(first, ep.Registered)
        assert isinstance(again, ep.Registered)
        assert (again.number, again.subject) == (first.number, first.subject)
        assert again.registered_at == first.registered_at
        assert again.attempts == ()
        assert len(stage.sandbox.calls) == 1


def test_a_time_of_issue_that_was_left_open_does_not_change_the_content(
    side: str, tmp_path: Path
) -> None:
    with world(tmp_path, side) as stage:
        open_time = attrs.evolve(bound(), issued_at=None)
        first = stage.side.create(open_time)
        stage.clock.advance(timedelta(minutes=3))
        again = stage.side.create(open_time)
        assert isinstance(first, ep.Registered)
        assert isinstance(again, ep.Registered)
        assert again.number == first.number


@pytest.mark.parametrize(
    "other",
    [
        lambda p: attrs.evolve(p, lines=sample_prescription(text="autre").lines),
        lambda p: attrs.evolve(p, issued_at=WRITTEN + timedelta(seconds=1)),
        lambda p: attrs.evolve(p, patient=attrs.evolve(p.patient, given_name="Alix")),
        lambda p: attrs.evolve(p, execution_reading=ep.ExecutionReading.OPPOSED),
    ],
)
def test_other_content_under_a_bound_reference_is_refused(
    other: Callable[[ep.Prescription], ep.Prescription], side: str, tmp_path: Path
) -> None:
    with world(tmp_path, side) as stage:
        stage.side.create(bound())
        with pytest.raises(ep.ReferenceConflict):
            stage.side.create(other(bound()))
        assert len(stage.sandbox.calls) == 1


def test_another_practitioner_cannot_take_a_reference(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        stage.side.create(bound())
        theirs = attrs.evolve(sample_prescription(rpps=OTHER_RPPS, reference="réf"))
        with pytest.raises(ep.ReferenceConflict):
            stage.side.create(theirs, who=practitioner(OTHER_RPPS))


def test_without_a_reference_each_call_is_a_prescription(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        free = attrs.evolve(bound(), reference=None)
        numbers = {stage.side.create(free).number for _ in range(2)}
        assert len(numbers) == 2


def test_after_a_refusal_the_reference_is_free_and_gets_a_new_number(
    side: str, tmp_path: Path
) -> None:
    with world(tmp_path, side) as stage:
        stage.sandbox.script(Operation.CREATE, FaultCode("sdkref_invalid", sender=True))
        refused = stage.side.create(bound())
        assert isinstance(refused, ep.NotRegistered)
        corrected = attrs.evolve(bound("corrigée"), corrects=refused.number)
        registered = stage.side.create(corrected)
        assert isinstance(registered, ep.Registered)
        assert registered.number != refused.number
        assert stage.entry(registered.number).corrects == refused.number


def test_eight_threads_with_one_reference_register_once(tmp_path: Path) -> None:
    content = mark()
    with world(tmp_path) as stage, ThreadPoolExecutor(8) as threads:
        stage.sandbox.script(Operation.CREATE, AnswerAfter(3))
        found = list(threads.map(lambda _: stage.side.create(bound(content)), range(8)))
        assert {type(outcome) for outcome in found} == {ep.Registered}
        assert len({outcome.number for outcome in found}) == 1
        assert stage.holding(content) == creates(stage) == 1


def test_eight_tasks_with_one_reference_register_once(tmp_path: Path) -> None:
    content = mark()
    with world(tmp_path) as stage:
        stage.sandbox.script(Operation.CREATE, AnswerAfter(3))

        async def all_at_once() -> list[ep.Outcome]:
            async with ep.AsyncClient(stage.settings, clock=stage.clock) as client:
                doctor = client.acting_as(stage.who)
                return await asyncio.gather(*(doctor.create(bound(content)) for _ in range(8)))

        found = asyncio.run(all_at_once())
        assert {type(outcome) for outcome in found} == {ep.Registered}
        assert stage.holding(content) == creates(stage) == 1


def test_those_who_wait_are_told_why_it_was_refused(tmp_path: Path) -> None:
    quoting = FaultCode("sdkref_invalid", sender=True)
    with world(tmp_path) as stage, ThreadPoolExecutor(2) as threads:
        slow = _SlowRefusal(stage)
        first = threads.submit(slow.create)
        slow.wait_until_sent()
        stage.sandbox.script(Operation.CREATE, quoting)
        second = threads.submit(lambda: stage.side.create(bound()))
        for future in (first, second):
            outcome = future.result()
            assert isinstance(outcome, ep.NotRegistered)
            assert outcome.cause is Cause.REFUSED
            assert outcome.fault is not None
            assert outcome.fault.code == "sdkref_invalid"
            assert outcome.advice.step is NextStep.CORRECT
        assert creates(stage) == 1


class _SlowRefusal:
    """A create that is refused after a while: what waits meanwhile learns it from the ledger."""

    def __init__(self, stage: World) -> None:
        import threading

        from eprescription_sdk.model.exchange import HttpReply, HttpRequest
        from eprescription_sdk.transport import HttpxTransport

        self.reached, inner = threading.Event(), HttpxTransport()
        reached = self.reached

        class Holding:
            def send(self, request: HttpRequest) -> HttpReply:
                import time

                reached.set()
                time.sleep(0.3)
                return inner.send(request)

            def close(self) -> None:
                inner.close()

        self._client = ep.Client(stage.settings, transport=Holding(), clock=stage.clock)
        self._who = stage.who

    def create(self) -> ep.Outcome:
        with self._client:
            return self._client.acting_as(self._who).create(bound())

    def wait_until_sent(self) -> None:
        assert self.reached.wait(5)


@pytest.mark.parametrize("committed", [True, False])
def test_a_dead_owners_entry_is_taken_over_by_consulting(
    committed: bool, side: str, tmp_path: Path
) -> None:
    patient = attrs.evolve(QUICK, in_flight_horizon=60.0)
    with world(tmp_path, side, profile=patient) as stage:
        content = bound(mark())
        number = dead_owner(stage, content, committed=committed)
        before = creates(stage)
        # Its lease still runs: nobody touches it.
        waiting = stage.side.create(content, wait=0.5)
        assert isinstance(waiting, ep.Uncertain)
        assert stage.entry(number).state is State.SENDING
        assert stage.sandbox.calls[before:] == []

        stage.clock.advance(timedelta(seconds=10))
        taken = stage.side.create(content, wait=0.8)
        assert taken.number == number
        assert isinstance(taken, ep.Registered if committed else ep.Uncertain)
        assert creates(stage) == before
        if not committed:
            stage.later()
            absent = stage.side.create(content, wait=1.0)
            assert isinstance(absent, ep.NotRegistered)
            assert absent.cause is Cause.ABSENT
            # Now the reference is free: a second number, the first was never registered.
            fresh = stage.side.create(content)
            assert isinstance(fresh, ep.Registered)
            assert fresh.number != number
        stage.agrees()


def dead_owner(
    stage: World, prescription: ep.Prescription, *, committed: bool
) -> ep.PrescriptionNumber:
    """The entry of an owner that died, before or after the service had its request."""
    from eprescription_sdk.client.create import Create
    from eprescription_sdk.client.effects import Authenticate, Journal, Send

    call = Create(
        core=stage.side.client._core,  # noqa: SLF001  (its engine, driven by hand until it dies)
        practitioner=stage.who,
        prescription=prescription,
    )
    engine, result = call.run(), None
    while True:
        effect = engine.send(result)
        match effect:
            case Journal(work):
                result = stage.store.write(work)
            case Authenticate(who, now):
                result = who.assertion(now)
            case Send(request):
                if committed:
                    from eprescription_sdk.transport import HttpxTransport

                    stage.sandbox.script(Operation.CREATE, CommitThenDrop())
                    with pytest.raises(ep.TransportFailure):
                        HttpxTransport().send(request)
                break
            case _:
                pytest.fail("nothing else comes before the first sending")
    engine.close()
    return stage.only_entry().number

"""Processes and machines on one store, each with a clock of its own (law 1)."""

import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.ledger import State
from eprescription_sdk.sandbox import AnswerAfter, CommitLate, Operation
from eprescription_sdk.testing import sample_prescription
from tests.client.child import Kill
from tests.client.harness import QUICK, World, eventually, mark, world
from tests.client.nursery import Nursery, creates, reconciles

PATIENT = attrs.evolve(QUICK, attempt_timeout=3.0, deadline=6.0, in_flight_horizon=20.0)
BEFORE_SENDING = Kill(effect=2, when="before")
UNANSWERED = Kill(effect=2, when="within", received=0)
ANSWERED = Kill(effect=2, when="within", received=1)
TEN_MINUTES = 600.0


def bound(text: str) -> ep.Prescription:
    prescription = sample_prescription(text=text, reference="réf")
    return attrs.evolve(prescription, issued_at=datetime(2025, 3, 17, 9, 30, tzinfo=UTC))


def sent(stage: World) -> int:
    return sum(call.operation is Operation.CREATE for call in stage.sandbox.calls)


def test_two_processes_with_one_reference_send_once(
    side: str, place: str, children: Nursery, others: Nursery, tmp_path: Path
) -> None:
    content = mark()
    with world(tmp_path, side, place=place) as stage:
        stage.sandbox.script(Operation.CREATE, AnswerAfter(6))
        task = creates(stage, bound(content), wait=20.0, side=side)
        children.begin(task)
        others.begin(task)
        told = [children.told(), others.told()]
        ours = stage.side.create(bound(content))
        assert isinstance(ours, ep.Registered)
        assert told == [{"outcome": "Registered", "number": ours.number.value}] * 2
        assert stage.holding(content) == sent(stage) == 1


@pytest.mark.parametrize("committed", [True, False])
def test_a_dead_process_is_succeeded_by_consulting(
    committed: bool, side: str, place: str, children: Nursery, tmp_path: Path
) -> None:
    """Who comes with the same reference waits for the lease, then asks; it never sends."""
    content = mark()
    with world(tmp_path, side, place=place, profile=attrs.evolve(QUICK, deadline=1.0)) as stage:
        kill = ANSWERED if committed else BEFORE_SENDING
        assert children.do(creates(stage, bound(content), kill=kill)) == {"killed": signal.SIGKILL}
        held = stage.only_entry()
        assert held.state is State.SENDING
        before = sent(stage)
        assert before == committed
        waiting = stage.side.create(bound(content))
        assert isinstance(waiting, ep.Uncertain)
        assert stage.entry(held.number).epoch == 1

        stage.clock.move_to(held.lease_until + timedelta(seconds=0.1))
        told = children.do(creates(stage, bound(content), side=side))
        # What may still be on its way is not absent yet.
        found = "Registered" if committed else "Uncertain"
        assert told == {"outcome": found, "number": held.number.value}
        assert stage.entry(held.number).epoch > 1
        assert sent(stage) == before
        stage.agrees()


# --- clocks that disagree -------------------------------------------------------------------


@pytest.mark.parametrize("skew", [TEN_MINUTES, -TEN_MINUTES])
def test_a_wrong_clock_takes_nobodys_lease(
    skew: float, side: str, shared: str, children: Nursery, tmp_path: Path
) -> None:
    """The request is on its way: who thinks that its time is over would call it absent."""
    content = mark()
    with world(tmp_path, side, place=shared, profile=PATIENT) as stage:
        stage.sandbox.script(Operation.CREATE, CommitLate(20))
        told: list[ep.Outcome] = []
        here = threading.Thread(target=lambda: told.append(stage.side.create(bound(content))))
        here.start()
        eventually(lambda: sent(stage) == 1)
        there = children.do(creates(stage, bound(content), skew=skew))
        here.join()
        assert isinstance(told[0], ep.Registered)
        assert there == {"outcome": "Registered", "number": told[0].number.value}
        assert stage.entry(told[0].number).epoch == 1
        assert stage.holding(content) == sent(stage) == 1


@pytest.mark.parametrize("skew", [TEN_MINUTES, -TEN_MINUTES])
def test_a_wrong_clock_neither_shortens_nor_stretches_the_horizon(
    skew: float, side: str, shared: str, children: Nursery, tmp_path: Path
) -> None:
    """A machine whose clock is wrong sends, and dies; others settle in due time."""
    content = mark()
    with world(tmp_path, side, place=shared, profile=PATIENT) as stage:
        stage.sandbox.script(Operation.CREATE, CommitLate(20))
        task = creates(stage, bound(content), kill=UNANSWERED, skew=skew, side=side)
        assert children.do(task) == {"killed": signal.SIGKILL}
        eventually(lambda: sent(stage) == 1)
        # Its lease still runs, and then its horizon.
        assert stage.side.reconcile(stage.who) == ep.Reconciliation(open=1)
        stage.clock.advance(timedelta(seconds=12))
        result = stage.side.reconcile(stage.who, seconds=0.5)
        assert result in (ep.Reconciliation(open=1), ep.Reconciliation(registered=1))
        stage.quiet()
        stage.clock.advance(timedelta(seconds=15))
        if result.open:
            assert stage.side.reconcile(stage.who) == ep.Reconciliation(registered=1)
        stage.agrees()


@pytest.mark.parametrize("skew", [TEN_MINUTES, -TEN_MINUTES])
def test_who_settles_with_a_wrong_clock_keeps_the_horizon_too(
    skew: float, side: str, shared: str, children: Nursery, tmp_path: Path
) -> None:
    with world(tmp_path, side, place=shared, profile=attrs.evolve(PATIENT, deadline=3.0)) as stage:
        task = creates(stage, bound(mark()), kill=BEFORE_SENDING)
        assert children.do(task) == {"killed": signal.SIGKILL}
        entry = stage.only_entry()
        stage.clock.move_to(entry.lease_until + timedelta(seconds=0.1))
        early = children.do(reconciles(stage, seconds=0.6, skew=skew, side=side))
        assert early["open"] == 1
        horizon = timedelta(seconds=stage.settings.profile.in_flight_horizon + 0.1)
        stage.clock.move_to(entry.last_send_at + horizon)
        late = children.do(reconciles(stage, seconds=0.6, skew=skew, side=side))
        assert late["not_registered"] == 1
        stage.agrees()

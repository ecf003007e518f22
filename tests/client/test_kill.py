"""``kill -9`` at any instant of a create (law 1).

A child process is killed at each effect boundary, in the middle of its transactions, and after
so many bytes of an answer; then a new process reconciles with the practitioner's credentials.
Never is a number, or a content, registered twice, and past the horizon the ledger says what the
sandbox holds.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.ledger import State
from eprescription_sdk.sandbox import (
    AnswerAfter,
    CommitLate,
    CommitThenDrop,
    DropBeforeCommit,
    Fault,
    FaultCode,
    Operation,
    ResetMidBody,
)
from eprescription_sdk.testing import sample_prescription
from tests.client.child import Kill
from tests.client.harness import SIDES, World, mark, world
from tests.client.nursery import START, Nursery, creates, reconciles

CHARACTERS = [
    pytest.param(False, id="accepts-duplicates"),
    pytest.param(True, id="refuses-duplicates"),
]
RUNS: dict[Fault | None, int] = {
    None: 4,  # journal, authenticate, send, settle
    CommitThenDrop(): 5,  # ... and consult
    FaultCode("sdkref_unavailable"): 6,  # ... and sleep, and send again
}
"""How many effects a create has, by what strikes it."""
FAULTS = (*RUNS, AnswerAfter(4), CommitLate(4), DropBeforeCommit(), ResetMidBody())
WHEN = ("before", "within", "after")
ANSWER = 1000
"""An answer to a create has somewhat more bytes."""
SETTLED = {State.REGISTERED.value, State.NOT_REGISTERED.value}


class Killing:
    """Kills processes in a world, and has what each left behind settled by another one."""

    def __init__(self, stage: World, children: Nursery, seed: int) -> None:
        self.stage = stage
        self.children = children
        self.chance = random.Random(seed)  # noqa: S311  (a test that can be played again)
        self.kills = 0
        self.contents: dict[str, str] = {}
        self._known: set[str] = set()

    def strike(self, fault: Fault | None, kill: Kill) -> bool:
        """One create that dies, and one reconciliation; whether it did die."""
        stage, word = self.stage, mark()
        self.contents[word] = f"réf {len(self.contents)}"
        if fault is not None:
            stage.sandbox.script(Operation.CREATE, fault)
        seen, side = len(stage.sandbox.calls), self.chance.choice(sorted(SIDES))
        prescription = _frozen(word, self.contents[word])
        told = self.children.do(creates(stage, prescription, kill=kill, side=side))
        killed = told == {"killed": signal.SIGKILL}
        self.kills += killed
        if killed and (kill.effect, WHEN.index(kill.when)) < (2, WHEN.index("within")):
            assert len(stage.sandbox.calls) == seen, "it sent before its time"
        stage.sandbox._scripts._entries.clear()  # noqa: SLF001  (what was not used)
        stage.later()
        self._settle(word)
        return killed

    def _settle(self, word: str) -> None:
        stage = self.stage
        held = len(stage.sandbox.registrations)
        side = self.chance.choice(sorted(SIDES))
        # Time enough on a busy machine: that the service answers is the condition.
        told = self.children.do(reconciles(stage, seconds=10.0, side=side))
        assert (told["open"], told["waiting_for_credentials"]) == (0, 0)
        assert len(stage.sandbox.registrations) == held, "reconcile created something"
        assert stage.holding(word) <= 1, "a content is registered twice"
        states = dict(stage.entries())
        assert set(states.values()) <= SETTLED
        # Nothing that was sent is without a record.
        assert stage.sandbox.calls == [] or stage.sandbox.calls[-1].number in states
        for number in states.keys() - self._known:
            assert stage.sandbox.count(number) == (states[number] == State.REGISTERED.value)
        self._known |= states.keys()

    def over(self) -> None:
        """The host starts again and asks with the same references: each is registered once."""
        stage = self.stage
        assert {call.number for call in stage.sandbox.calls} <= self._known
        for word, reference in self.contents.items():
            assert isinstance(stage.side.create(_frozen(word, reference)), ep.Registered)
            assert stage.holding(word) == 1
        stage.agrees()


def _frozen(word: str, reference: str) -> ep.Prescription:
    prescription = sample_prescription(text=word, reference=reference)
    return attrs.evolve(prescription, issued_at=datetime(2025, 3, 17, 9, 30, tzinfo=UTC))


@pytest.mark.parametrize("unique", CHARACTERS)
def test_killed_at_every_boundary(unique: bool, children: Nursery, tmp_path: Path) -> None:
    with world(tmp_path, unique=unique) as stage:
        killing = Killing(stage, children, seed=20250317)
        for fault, effects in RUNS.items():
            for effect in range(effects):
                for when in WHEN:
                    received = killing.chance.randrange(ANSWER)
                    kill = Kill(effect=effect, when=when, received=received)
                    assert killing.strike(fault, kill), (fault, kill)
        assert killing.kills >= 45
        killing.over()


def _killed_at_random(killing: Killing, kills: int) -> None:
    chance = killing.chance
    while killing.kills < kills:
        received = chance.randrange(ANSWER)
        kill = Kill(effect=chance.randrange(6), when=chance.choice(WHEN), received=received)
        killing.strike(chance.choice(FAULTS), kill)
    killing.over()


@pytest.mark.parametrize("unique", CHARACTERS)
def test_killed_at_bytes_of_the_answer(unique: bool, children: Nursery, tmp_path: Path) -> None:
    with world(tmp_path, unique=unique) as stage:
        killing = Killing(stage, children, seed=20250318)
        for received in (0, 1, *(killing.chance.randrange(ANSWER) for _ in range(4))):
            # Of the first answer, and of the one to the consult that comes after a lost one.
            assert killing.strike(None, Kill(effect=2, when="within", received=received))
            fault = CommitThenDrop()
            assert killing.strike(fault, Kill(effect=3, when="within", received=received))
        killing.over()


@pytest.mark.parametrize("unique", CHARACTERS)
def test_killed_on_a_shared_store(
    unique: bool, shared: str, children: Nursery, tmp_path: Path
) -> None:
    with world(tmp_path, unique=unique, place=shared) as stage:
        _killed_at_random(Killing(stage, children, seed=20250319), 12)


@pytest.mark.soak
@pytest.mark.parametrize("unique", CHARACTERS)
def test_killed_a_thousand_times(
    unique: bool, place: str, children: Nursery, tmp_path: Path
) -> None:
    """Two thousand kills on each engine."""
    with world(tmp_path, unique=unique, place=place) as stage:
        _killed_at_random(Killing(stage, children, seed=20250320), 1000)


@pytest.mark.soak
def test_killed_by_the_clock_a_hundred_times(children: Nursery, tmp_path: Path) -> None:
    """Killed from outside, after a random time: in the middle of anything."""
    with world(tmp_path) as stage:
        killing = Killing(stage, children, seed=20250321)
        for _ in range(100):
            word = mark()
            killing.contents[word] = f"réf {len(killing.contents)}"
            child = subprocess.Popen(
                [sys.executable, "-c", START], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True, start_new_session=True,
            )  # fmt: skip
            assert child.stdin is not None
            task = creates(stage, _frozen(word, killing.contents[word]))
            child.stdin.write(json.dumps(task) + "\n")
            child.stdin.flush()
            timer = threading.Timer(
                killing.chance.uniform(0.5, 1.2),
                lambda pid=child.pid: os.killpg(pid, signal.SIGKILL),
            )
            timer.start()
            child.wait()
            timer.join()
            child.communicate()
            stage.later()
            killing._settle(word)  # noqa: SLF001
        killing.over()

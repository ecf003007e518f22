"""``kill -9`` at any instant of a create (law 1).

A child process is killed at each effect boundary, in the middle of its transactions, and at
random; then the parent reconciles with the practitioner's credentials. Never is a number, or a
content, registered twice, and past the horizon the ledger says what the sandbox holds.
"""

import json
import os
import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.ledger import State
from eprescription_sdk.sandbox import AnswerAfter, CommitLate, CommitThenDrop, Fault, Operation
from eprescription_sdk.testing import sample_prescription
from tests.client.child import POINTS
from tests.client.harness import World, child_command, child_task, mark, world

FAULTS: tuple[Fault | None, ...] = (None, CommitThenDrop(), AnswerAfter(4), CommitLate(4))
SENT_FROM = POINTS.index("after sending")


class Nursery:
    """One warm process that forks a child for each task."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            child_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def do(self, task: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        self._process.communicate(timeout=10)


@contextmanager
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    try:
        yield made
    finally:
        made.close()


def _all_settled(stage: World, contents: dict[str, str]) -> None:
    """Reconcile, and hold what the ledger says against the sandbox."""
    stage.later()
    for word in contents:
        assert stage.holding(word) <= 1, "a content is registered twice"
    before = len(stage.sandbox.registrations)
    result = stage.side.reconcile(stage.who)
    assert (result.open, result.waiting_for_credentials) == (0, 0)
    assert len(stage.sandbox.registrations) == before
    known = dict(stage.entries())
    assert set(known.values()) <= {State.REGISTERED.value, State.NOT_REGISTERED.value}
    # Nothing that was sent is without a record.
    assert {call.number for call in stage.sandbox.calls} <= set(known)
    stage.agrees()
    # The host starts again and asks with the same references: each is registered just once.
    for word, reference in contents.items():
        outcome = stage.side.create(_frozen(word, reference))
        assert isinstance(outcome, ep.Registered)
        assert stage.holding(word) == 1


def test_killed_at_every_boundary(side: str, tmp_path: Path) -> None:
    contents: dict[str, str] = {}
    with world(tmp_path, side) as stage, nursery() as children:
        for point in POINTS:
            for fault in FAULTS[:2] if side == "sync" else FAULTS[2:3]:
                word = mark()
                contents[word] = f"réf {len(contents)}"
                sent = len(stage.sandbox.calls)
                if fault is not None and POINTS.index(point) >= SENT_FROM:
                    stage.sandbox.script(Operation.CREATE, fault)
                prescription = _frozen(word, contents[word])
                told = children.do(child_task(stage, prescription, kill=point))
                if point == "never":
                    assert told["outcome"] == "Registered"
                else:
                    assert told == {"killed": signal.SIGKILL}
                if POINTS.index(point) < SENT_FROM:
                    assert len(stage.sandbox.calls) == sent
        _all_settled(stage, contents)


def _frozen(word: str, reference: str) -> ep.Prescription:
    prescription = sample_prescription(text=word, reference=reference)
    return attrs.evolve(prescription, issued_at=datetime(2025, 3, 17, 9, 30, tzinfo=UTC))


def _killed_at_random(stage: World, kills: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (a test that can be played again)
    contents: dict[str, str] = {}
    with nursery() as children:
        for _ in range(kills):
            word = mark()
            contents[word] = f"réf {len(contents)}"
            fault = chance.choice(FAULTS)
            point = chance.choice(POINTS)
            if fault is not None and POINTS.index(point) >= SENT_FROM:
                stage.sandbox.script(Operation.CREATE, fault)
            children.do(child_task(stage, _frozen(word, contents[word]), kill=point))
        _all_settled(stage, contents)


def _killed_by_the_clock(stage: World, kills: int, seed: int) -> None:
    """Killed from outside, after a random time: in the middle of anything."""
    chance = random.Random(seed)  # noqa: S311
    contents: dict[str, str] = {}
    for _ in range(kills):
        word = mark()
        contents[word] = f"réf {len(contents)}"
        child = subprocess.Popen(
            child_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        assert child.stdin is not None
        child.stdin.write(json.dumps(child_task(stage, _frozen(word, contents[word]))) + "\n")
        child.stdin.flush()
        timer = threading.Timer(
            chance.uniform(0.5, 1.2), lambda pid=child.pid: os.killpg(pid, signal.SIGKILL)
        )
        timer.start()
        child.wait()
        timer.join()
        child.communicate()
    _all_settled(stage, contents)


@pytest.mark.soak
def test_killed_four_hundred_times(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        _killed_at_random(stage, 400, seed=20250317)


@pytest.mark.soak
def test_killed_by_the_clock_a_hundred_times(tmp_path: Path) -> None:
    with world(tmp_path) as stage:
        _killed_by_the_clock(stage, 100, seed=20250318)

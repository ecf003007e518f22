"""Every acknowledged trace is there, and the chains hold, though writers are killed at random."""

import random
import signal
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from eprescription_sdk.model.trace import ChainLink
from eprescription_sdk.storage import Store
from eprescription_sdk.traces import chain, closing
from tests.processes import Child, child
from tests.traces.samples import open_pilot, rows

if TYPE_CHECKING:
    from collections.abc import Callable

PROCESSES, KILLS = 8, 8


class Writing:
    """Eight processes that record; one that is killed is replaced by another.

    Args:
        place: the store.
        stack: ends them.
    """

    def __init__(self, place: str, stack: ExitStack) -> None:
        self._start: Callable[[], Child] = lambda: stack.enter_context(
            child("tests.traces.children", "record_for_ever", place)
        )
        self.acknowledged: set[str] = set()
        self.kills = 0
        self.spoke: set[int] = set()
        self.processes = [self._begin() for _ in range(PROCESSES)]

    def _begin(self) -> Child:
        process = self._start()
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        return process

    def _listen(self, process: Child) -> None:
        try:
            # A killed process may leave half a line.
            while len(line := process.line()) == 36:
                self.acknowledged.add(line)
                self.spoke.add(process.pid)
        except ValueError:
            pass  # It was ended, and its pipe closed.

    def done(self, traces: int) -> bool:
        all_spoke = len(self.spoke) >= PROCESSES and self.kills >= KILLS
        return len(self.acknowledged) >= traces and all_spoke

    def kill_one(self) -> None:
        index = random.randrange(PROCESSES)  # noqa: S311
        self.processes[index].signal(signal.SIGKILL)
        self.kills += 1
        self.processes[index] = self._begin()


def breaks(store: Store) -> list[chain.Break]:
    segments = store.read(lambda tx: tx.execute("SELECT id, previous FROM segments"))
    found = rows(store, "segment, position, hash, body", "ORDER BY segment, position")
    heads = {head.segment: head for head in store.read(closing.heads)}
    links = [(ChainLink(segment=s, position=p, hash=h), body) for s, p, h, body in found]
    return list(chain.breaks([(row[0], row[1]) for row in segments], links, heads))


def play(store: Store, place: str, traces: int) -> None:
    open_pilot(store)
    ends = time.monotonic() + 60 + traces / 20
    with ExitStack() as stack:
        writing = Writing(place, stack)
        while not writing.done(traces):
            assert time.monotonic() < ends, "too slow"
            time.sleep(random.uniform(0, 0.01))  # noqa: S311
            # Processes start slowly: the kills are spread over what is written.
            if len(writing.acknowledged) * KILLS > writing.kills * traces:
                writing.kill_one()
        for process in writing.processes:
            process.signal(signal.SIGKILL)
    assert writing.kills
    there = {row[0] for row in rows(store, "id")}
    assert writing.acknowledged <= there
    # What was killed between its commit and its word may be there too.
    assert len(there) < len(writing.acknowledged) + (writing.kills + PROCESSES) * 20
    assert not breaks(store)
    assert store.read(lambda tx: tx.execute("SELECT count(*) FROM segments"))[0][0] >= PROCESSES


def test_what_was_acknowledged_is_there_and_the_chains_hold(either: Store, place: str) -> None:
    play(either, place, 2_000)


@pytest.mark.soak
def test_the_same_ten_times_over(either: Store, place: str) -> None:
    play(either, place, 20_000)

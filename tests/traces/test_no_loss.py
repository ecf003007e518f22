"""Every acknowledged trace arrives, once by its id, and the chains hold.

Whoever records and ships is killed at random, and the collector fails a fifth of all requests,
drops answers and is restarted.
"""

import random
import signal
import threading
import time
from contextlib import ExitStack

import pytest

from eprescription_sdk.storage import Store
from eprescription_sdk.traces import outbox
from eprescription_sdk.traces.outbox import Shipping
from eprescription_sdk.traces.retention import verify_store
from tests.nursery import Forked, Nursery
from tests.traces.collector import Collector
from tests.traces.samples import open_pilot, rows

PROCESSES = 8


class Writing:
    """Eight processes that record and ship; one that is killed is replaced by another.

    Args:
        nursery: they come from.
        work: its arguments.
        stack: ends them.
    """

    def __init__(self, nursery: Nursery, work: tuple[str, ...], stack: ExitStack) -> None:
        self._nursery, self._work, self._stack = nursery, work, stack
        self._enough = False
        self.acknowledged: set[str] = set()
        self.kills = 0
        self.processes = [self._begin() for _ in range(PROCESSES)]

    def _begin(self) -> Forked:
        process = self._stack.enter_context(self._nursery.forked(*self._work))
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        if self._enough:
            process.tell("enough")
        return process

    def _listen(self, process: Forked) -> None:
        while line := process.line():
            self.acknowledged.add(line)

    def kill_one(self) -> None:
        index = random.randrange(PROCESSES)  # noqa: S311
        self.processes[index].signal(signal.SIGKILL)
        self.kills += 1
        self.processes[index] = self._begin()

    def enough(self) -> None:
        """From now on they only ship."""
        self._enough = True
        for process in self.processes:
            process.tell("enough")


def waiting(store: Store) -> int:
    counts = store.read(outbox.counts)
    return counts[Shipping.PENDING] + counts[Shipping.CLAIMED]


def play(store: Store, place: str, nursery: Nursery, traces: int) -> None:
    open_pilot(store)
    ends = time.monotonic() + 60 + traces / 20
    with Collector(fails=0.2) as collector, ExitStack() as stack:
        writing = Writing(nursery, ("record_much_and_ship", place, collector.url), stack)
        enough = False
        # Kills and restarts go on while they write, and while they only ship.
        while not enough or waiting(store):
            assert time.monotonic() < ends, "too slow"
            time.sleep(random.uniform(0.1, 0.8))  # noqa: S311
            writing.kill_one()
            if writing.kills % 5 == 0:
                collector.restart()
            if not enough and len(writing.acknowledged) >= traces:
                enough = True
                writing.enough()
        for process in writing.processes:
            process.signal(signal.SIGKILL)
    there = dict(rows(store, "id, hash"))
    assert writing.kills >= 5
    assert collector.failures > collector.requests / 10
    assert traces <= len(writing.acknowledged)
    assert writing.acknowledged <= set(there)
    # What was killed between its commit and its word is there too, and arrives like the rest.
    assert set(collector.arrivals) == set(there)
    assert store.read(outbox.counts)[Shipping.SHIPPED] == len(there)
    # Some came twice: with the same id, the same words and the same link of the chain.
    assert max(collector.arrivals.values()) > 1
    for trace, contents in collector.contents.items():
        (content,) = contents
        assert there[trace].encode() in content
    assert store.read(verify_store) == ()
    # Some were killed before their first trace; most wrote.
    assert store.read(lambda tx: tx.execute("SELECT count(*) FROM segments"))[0][0] > PROCESSES // 2


def test_what_was_acknowledged_arrives_and_the_chains_hold(
    either: Store, place: str, nursery: Nursery
) -> None:
    play(either, place, nursery, 2_000)


@pytest.mark.soak
def test_the_same_ten_times_over(either: Store, place: str, nursery: Nursery) -> None:
    play(either, place, nursery, 20_000)

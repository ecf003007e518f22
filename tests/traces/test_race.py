"""Recording against closing, again and again: no row appears once CLOSING is written (law 6)."""

import threading
import time

import pytest

from eprescription_sdk.storage import Store
from eprescription_sdk.traces.gate import Phase
from eprescription_sdk.traces.record import Recorder
from tests.stores import opened
from tests.traces.samples import KEY, open_pilot, record, rows, set_phase

WRITERS = 3


class Writers:
    """Threads that record without end, each through a store, and so a connection, of its own."""

    def __init__(self, place: str) -> None:
        self.stores = [opened(place) for _ in range(WRITERS)]
        self.tries = [0] * WRITERS
        self.recorded = [0] * WRITERS
        self.failures: list[BaseException] = []
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(index,)) for index in range(WRITERS)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, index: int) -> None:
        store = self.stores[index]
        recorder = Recorder(KEY, store.path)
        try:
            while not self._over.is_set():
                self.recorded[index] += len(record(store, 1, recorder))
                self.tries[index] += 1
        except BaseException as error:  # noqa: BLE001
            self.failures.append(error)

    def wait_for(self, counts: list[int], more: int) -> None:
        """Until each of them has come so much further."""
        goal = [count + more for count in counts]
        ends = time.monotonic() + 30
        while any(count < least for count, least in zip(counts, goal, strict=True)):
            assert not self.failures
            assert time.monotonic() < ends, "a writer is stuck"
            time.sleep(0.001)

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        for store in self.stores:
            store.close()


def play(store: Store, place: str, rounds: int) -> None:
    open_pilot(store)
    writers = Writers(place)
    try:
        for _ in range(rounds):
            set_phase(store, Phase.RUNNING)
            writers.wait_for(writers.recorded, 1)
            # They write at this very moment.
            set_phase(store, Phase.CLOSING)
            at_closing = rows(store)
            # One try was under way, the next began after.
            writers.wait_for(writers.tries, 2)
            assert rows(store) == at_closing
    finally:
        writers.end()
    assert rows(store) == [(sum(writers.recorded),)]


def test_no_row_appears_behind_a_closing(either: Store, place: str) -> None:
    play(either, place, 50)


@pytest.mark.soak
def test_no_row_appears_behind_any_of_many_closings(either: Store, place: str) -> None:
    play(either, place, 5_000)

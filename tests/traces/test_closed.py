"""Closed is closed, provably (law 6): eight processes that create, record and ship at full speed.

What is held for one process, and what the receipt says, is in ``test_closing``.
"""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread

import pytest

from eprescription_sdk.errors import ClosingPending
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.storage import Store, kernel
from eprescription_sdk.traces import closing, gate, outbox
from eprescription_sdk.traces.closing import Receipt
from eprescription_sdk.traces.gate import Phase
from tests.nursery import Forked, Nursery
from tests.traces.collector import Collector
from tests.traces.samples import (
    MODULE,
    enrolment,
    open_pilot,
    platform_settings,
    rows,
    set_phase,
)

PROCESSES = 8


@pytest.fixture(scope="module")
def service() -> Iterator[Sandbox]:
    """The téléservice of all repetitions."""
    with Sandbox(verify_assertions=False) as running:
        yield running


@pytest.fixture(scope="module")
def card(service: Sandbox) -> list[str]:
    return [text.decode() for text in service.issue_card("CARTE FICTIVE")]


@pytest.fixture
def collector(request: pytest.FixtureRequest) -> Iterator[Collector]:
    """In a good mood, unless asked otherwise."""
    with Collector(fails=getattr(request, "param", 0.0)) as listening:
        yield listening


@pytest.fixture
def told(
    service: Sandbox, card: list[str], collector: Collector, place: str, tmp_path: Path
) -> Path:
    """The file that tells the processes where to work."""
    file = tmp_path / "told.json"
    file.write_text(json.dumps([platform_settings(service, place, collector.url), card]))
    return file


class Crowd:
    """The processes, and what they say.

    Args:
        store: theirs.
        collector: they ship to.
        processes: that work on it.
    """

    def __init__(self, store: Store, collector: Collector, processes: list[Forked]) -> None:
        self.store = store
        self.collector = collector
        self.processes = processes
        self.said: dict[int, list[str]] = {}
        for process in self.processes:
            Thread(target=self._listen, args=(process,), daemon=True).start()

    def _listen(self, process: Forked) -> None:
        while line := process.line():
            self.said.setdefault(process.pid, []).append(line)

    def wait(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        ends = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < ends, "it did not come to pass in time"
            time.sleep(0.01)

    def next_words(self, count: int = 1) -> set[str]:
        """What the living say from now on: some may be in the middle of their next word."""
        self.said = {}
        living = [process.pid for process in self.processes if process.lives]
        self.wait(lambda: all(len(self.said.get(pid, ())) > count for pid in living))
        return {word for words in self.said.values() for word in words[1:]}

    def stop_one_in_mid_send(self) -> Forked:
        """Freeze a process that has claimed traces and not yet written back what came of them."""
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            claims = self._claims()
            for process in self.processes:
                if process.pid not in claims:
                    continue
                process.signal(signal.SIGSTOP)
                time.sleep(0.02)
                # Not if it was frozen in the middle of a transaction: that is another story.
                if process.pid in self._claims() and not self._writes(process):
                    return process
                process.signal(signal.SIGCONT)
        raise AssertionError("none was caught in mid-send")

    def _claims(self) -> set[int]:
        return {int(owner.split(":")[1]) for owner in self.store.read(outbox.holders)}

    def _writes(self, process: Forked) -> bool:
        """Whether it is amid a transaction; a server ends whoever is silent there."""
        if self.store.path is None:
            return False
        names = kernel.writers(Path(f"{self.store.path}-shm"), byte=120)
        return any(name.endswith(f":{process.pid}") for name in names)

    def state(self) -> tuple[object, ...]:
        """All that a trace would change."""
        return self.collector.socket_count, rows(self.store), self.store.read(outbox.counts)


def close(store: Store, *, timeout: float, force: bool = False) -> Receipt:
    return closing.close(
        store,
        shipper=None,
        unsettled=lambda _: (),
        module=MODULE,
        now=lambda: datetime.now(UTC),
        timeout=timeout,
        force=force,
    )


def closing_pending(store: Store) -> ClosingPending:
    """What closing says that cannot be done yet."""
    with pytest.raises(ClosingPending) as caught:
        close(store, timeout=0.3)
    return caught.value


@pytest.fixture
def crowd(store: Store, collector: Collector, told: Path, nursery: Nursery) -> Iterator[Crowd]:
    """Eight processes amid their work, in a pilot that can be closed."""
    open_pilot(store)
    store.write(lambda tx: gate.enrol(tx, enrolment(go_live=date(2020, 1, 1))))
    with ExitStack() as stack:
        processes = [
            stack.enter_context(nursery.forked("prescribe_and_ship", str(told)))
            for _ in range(PROCESSES)
        ]
        crowd = Crowd(store, collector, processes)
        assert crowd.next_words() == {"Registered recorded"}
        crowd.wait(lambda: collector.requests > 0)
        set_phase(store, Phase.ASSESSED)
        yield crowd


ENDS = (signal.SIGCONT, signal.SIGKILL)
"""What becomes of the stopped one, in turn."""


def play(crowd: Crowd, then: signal.Signals, silence: float) -> None:
    store, collector = crowd.store, crowd.collector
    stopped = crowd.stop_one_in_mid_send()
    named = f"{socket.gethostname()}:{stopped.pid}"
    ends = time.monotonic() + 60
    # On a busy machine, others may be amid a request for a moment more.
    while (pending := closing_pending(store)).holders != (named,):
        assert named in pending.holders
        assert time.monotonic() < ends
    assert str(stopped.pid) in str(pending)
    assert store.read(gate.phase) is Phase.CLOSING

    stopped.signal(then)
    receipt = close(store, timeout=60)
    before = crowd.state()
    time.sleep(silence)
    # Care goes on, at once and for everybody; nothing else does.
    assert crowd.next_words(2) == {"Registered nothing"}
    assert crowd.state() == before

    assert receipt.holds()
    assert not receipt.forced
    assert receipt.counts == {
        state.value: count for state, count in store.read(outbox.counts).items()
    }
    shipped = {row[0] for row in rows(store, "id", "WHERE state = 'shipped'")}
    assert shipped <= set(collector.arrivals) <= shipped | set(receipt.unconfirmed)
    assert close(store, timeout=1) == receipt


@pytest.mark.parametrize("turn", range(5))
def test_closing_waits_for_a_stopped_sender_and_then_silence_falls(crowd: Crowd, turn: int) -> None:
    play(crowd, ENDS[turn % 2], 0.1)


@pytest.mark.soak
@pytest.mark.parametrize("turn", range(100))
@pytest.mark.parametrize("collector", [0.2], indirect=True, ids=["limping"])
def test_the_same_a_hundred_times_over_before_a_moody_collector(crowd: Crowd, turn: int) -> None:
    play(crowd, ENDS[turn % 2], 2)


def test_a_forced_closing_lists_what_is_not_confirmed(crowd: Crowd) -> None:
    store, collector = crowd.store, crowd.collector
    stopped = crowd.stop_one_in_mid_send()
    receipt = close(store, timeout=0.5, force=True)
    assert receipt.forced
    claimed = {row[0] for row in rows(store, "id", "WHERE state = 'claimed'")}
    assert set(receipt.unconfirmed) == claimed
    assert claimed
    requests, recorded, arrived = collector.requests, rows(store), set(collector.arrivals)
    # Woken up, it may finish the one request that was under way, and no other.
    stopped.signal(signal.SIGCONT)
    assert crowd.next_words(2) <= {"Registered nothing"}
    assert collector.requests <= requests + 1
    assert set(collector.arrivals) - arrived <= claimed
    assert rows(store) == recorded
    assert close(store, timeout=1) == receipt

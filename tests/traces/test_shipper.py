"""Shipping to the sandbox's collector: at least once, whatever happens on the way."""

import json
import os
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from eprescription_sdk import telemetry
from eprescription_sdk.clock import SimulatedClock, SystemClock
from eprescription_sdk.errors import Delivery, InvalidInput, TransportFailure
from eprescription_sdk.model.exchange import HttpReply, HttpRequest
from eprescription_sdk.model.trace import CallTrace, ChainLink, Trace
from eprescription_sdk.sandbox import (
    AnswerAfter,
    CommitThenDrop,
    DropBeforeCommit,
    Fault,
    Operation,
    Refuse,
    Sandbox,
    Unavailable,
)
from eprescription_sdk.storage import Store
from eprescription_sdk.traces import outbox
from eprescription_sdk.traces.gate import Phase
from eprescription_sdk.traces.outbox import Shipping
from eprescription_sdk.traces.shipper import Shipment, Shipper
from eprescription_sdk.traces.sinks import Encoded
from eprescription_sdk.traces.tde import TdeProfile
from eprescription_sdk.transport import HttpxTransport
from tests.processes import child
from tests.traces.samples import AT, embedded, marker, record, rows, set_phase

Make = Callable[..., Shipper]


@pytest.fixture
def make(running: Store, sandbox: Sandbox) -> Iterator[Make]:
    made: list[Shipper] = []

    def make(
        profile: TdeProfile | None = None, receipt: str | None = None, url: str | None = None
    ) -> Shipper:
        shipper = Shipper(
            running,
            profile or TdeProfile(),
            HttpxTransport(),
            collector_url=url or sandbox.collector_url,
            clock=SystemClock(),
            receipt=receipt,
        )
        made.append(shipper)
        return shipper

    yield make
    for shipper in made:
        shipper.stop()


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not come to pass in time"
        time.sleep(0.01)


def counts(store: Store) -> dict[Shipping, int]:
    return {state: count for state, count in store.read(outbox.counts).items() if count}


def test_a_batch_arrives_with_its_links(running: Store, sandbox: Sandbox, make: Make) -> None:
    ids = record(running, 3)
    assert make().ship_once() == Shipment(sent=3)
    assert list(sandbox.collector.traces) == ids
    assert counts(running) == {Shipping.SHIPPED: 3}
    shipped = rows(running, "hash, shipped_at", "ORDER BY seq")
    for trace, (hash_, shipped_at) in zip(sandbox.collector.traces.values(), shipped, strict=True):
        assert hash_ in str(trace["entity"])
        assert shipped_at


def test_a_drain_ships_more_than_one_batch(running: Store, sandbox: Sandbox, make: Make) -> None:
    ids = record(running, 120)
    assert make().drain(20) == 120
    assert set(sandbox.collector.traces) == set(ids)
    assert make().drain(20) == 0


@pytest.mark.parametrize(
    ("fault", "received"),
    [
        (Unavailable(retry_after=1), 6),
        (Refuse(429), 6),
        (Refuse(401), 6),
        (Refuse(500), 6),
        (DropBeforeCommit(), 6),
        (CommitThenDrop(), 6),
    ],
)
def test_what_fails_is_sent_again_and_counted_once(
    running: Store, sandbox: Sandbox, make: Make, fault: Fault, received: int
) -> None:
    ids = record(running, 5)
    sandbox.script(Operation.TRACE, fault)
    assert make().drain(20) == 5
    assert set(sandbox.collector.traces) == set(ids)
    assert sandbox.collector.received == received
    assert counts(running) == {Shipping.SHIPPED: 5}


def test_what_went_before_a_failure_is_counted_too(
    running: Store, sandbox: Sandbox, make: Make
) -> None:
    record(running, 5)
    shipper = make()
    assert shipper.ship_once() == Shipment(sent=5)
    record(running, 5)
    with sandbox.refusing_connections():
        assert shipper.ship_once() == Shipment(failed=5)
    assert shipper.drain(20) == 5


def test_what_the_collector_refuses_is_quarantined_until_replayed(
    running: Store, sandbox: Sandbox, make: Make
) -> None:
    ids = record(running, 3)
    sandbox.script(Operation.TRACE, Refuse(400))
    shipper = make()
    assert shipper.drain(20) == 2
    assert list(sandbox.collector.traces) == ids[1:]
    assert rows(running, "state, reason", "ORDER BY seq LIMIT 1") == [("quarantined", "HTTP 400")]
    assert shipper.drain(5) == 0
    assert running.write(outbox.replay) == 1
    assert shipper.drain(20) == 1
    assert set(sandbox.collector.traces) == set(ids)


@pytest.mark.parametrize("error", [InvalidInput("It cannot be told."), KeyError("a bug")])
def test_what_a_profile_cannot_express_holds_nobody_up(
    running: Store, sandbox: Sandbox, make: Make, error: Exception
) -> None:
    ids = record(running, 3)

    class Picky(TdeProfile):
        def encode(self, trace: Trace, link: ChainLink) -> bytes:
            assert isinstance(trace, CallTrace)
            if trace.id == ids[1]:
                raise error
            return super().encode(trace, link)

    assert make(Picky()).drain(20) == 2
    assert set(sandbox.collector.traces) == {ids[0], ids[2]}
    ((state, reason),) = rows(running, "state, reason", "WHERE seq = 2")
    assert state == "quarantined"
    assert reason


def test_a_reason_names_nobody_whatever_a_port_says(
    running: Store, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shown by commands, counted by telemetry and told in the receipt."""
    counted: list[tuple[str, str, int]] = []
    monkeypatch.setattr(telemetry, "count", lambda *each: counted.append(each))
    record(running, 1)

    class Chatty(TdeProfile):
        def encode(self, trace: Trace, link: ChainLink) -> bytes:
            raise InvalidInput(f"No {trace.rpps.value} here. " + "x" * 1000)

    assert make(Chatty()).ship_once() == Shipment(quarantined=1)
    ((reason,),) = rows(running, "reason")
    assert reason.startswith("No … here. x")
    assert len(reason) == 200
    assert counted == [("trace_quarantined", reason, 1)]


@pytest.mark.parametrize("identity", [None, "no JSON", "[]"])
def test_a_trace_whose_identity_was_purged_or_damaged_is_quarantined(
    running: Store, sandbox: Sandbox, make: Make, identity: str | None
) -> None:
    record(running, 2)
    running.write(
        lambda tx: tx.execute("UPDATE traces SET identity = ? WHERE seq = 1", (identity,))
    )
    assert make().drain(20) == 1
    assert counts(running) == {Shipping.QUARANTINED: 1, Shipping.SHIPPED: 1}


def test_a_foreign_transport_may_fail_in_any_way(running: Store) -> None:
    class Broken:
        sends = 0

        def send(self, request: HttpRequest) -> HttpReply:
            self.sends += 1
            if self.sends == 2:
                raise ZeroDivisionError
            return HttpReply(status=201, headers={}, content=b"")

        def close(self) -> None:
            pass

    record(running, 3)
    shipper = Shipper(
        running, TdeProfile(), Broken(), collector_url="http://unused", clock=SystemClock()
    )
    assert shipper.ship_once() == Shipment(sent=2, failed=1)
    # What went is written down; the whole drain counts all of it.
    assert counts(running) == {Shipping.SHIPPED: 2, Shipping.PENDING: 1}
    assert shipper.drain(10) == 1


def test_a_drain_ends_in_time(running: Store, sandbox: Sandbox, make: Make) -> None:
    record(running, 2)
    shipper = make()
    with sandbox.refusing_connections():
        started = time.monotonic()
        assert shipper.drain(1.0) == 0
        assert time.monotonic() - started < 2
    assert counts(running) == {Shipping.PENDING: 2}


def test_the_thread_ships_what_comes(running: Store, sandbox: Sandbox, make: Make) -> None:
    shipper = make()
    shipper.start()
    shipper.start()
    first = record(running, 3)
    until(lambda: set(sandbox.collector.traces) == set(first))
    second = record(running, 3)
    until(lambda: set(sandbox.collector.traces) == {*first, *second})


class Limping:
    """A sink that takes four traces and fails at the two after them, again and again."""

    batch = 1

    def __init__(self) -> None:
        self.asked: list[float] = []

    def send(self, traces: Sequence[Encoded]) -> str | None:
        self.asked.append(time.monotonic())
        if len(self.asked) % 6 in (5, 0):
            raise TransportFailure("not now", delivery=Delivery.UNKNOWN)
        return None

    def close(self) -> None:
        pass


def test_pauses_do_not_grow_while_something_arrives(running: Store) -> None:
    """A collector that fails a third of all requests is slower by that, not by minutes."""
    record(running, 60)
    sink = Limping()
    shipper = Shipper(running, TdeProfile(), sink=sink, clock=SystemClock())
    shipper.start()
    until(lambda: counts(running) == {Shipping.SHIPPED: 60})
    shipper.stop()
    # And it has some peace after each failure.
    ends = [sink.asked[n] - sink.asked[n - 1] for n in range(6, len(sink.asked), 6)]
    assert sum(ends) > 0.1


def test_stopping_interrupts_a_pause(running: Store, sandbox: Sandbox, make: Make) -> None:
    record(running, 1)
    shipper = make()
    with sandbox.refusing_connections():
        shipper.start()
        time.sleep(1.5)  # By now it pauses for long.
        started = time.monotonic()
        shipper.stop()
        assert time.monotonic() - started < 1
    assert counts(running) == {Shipping.PENDING: 1}


def test_stopping_awaits_the_request_under_way(
    running: Store, sandbox: Sandbox, make: Make
) -> None:
    record(running, 3)
    sandbox.script(Operation.TRACE, AnswerAfter(10))  # half a second
    shipper = make()
    shipper.start()
    until(lambda: sandbox.collector.received == 1)
    shipper.stop()
    assert counts(running) == {Shipping.SHIPPED: 1, Shipping.PENDING: 2}


def test_a_forked_child_ships_by_a_thread_of_its_own(
    running: Store, sandbox: Sandbox, make: Make
) -> None:
    shipper = make()
    record(running, 1)
    assert shipper.ship_once().sent == 1
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            shipper.start()
            record(running, 2)
            until(lambda: counts(running) == {Shipping.SHIPPED: 3})
            shipper.stop()
            running.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len(sandbox.collector.traces) == 3


def test_two_shippers_in_two_processes_share_the_work(
    running: Store, place: str, sandbox: Sandbox
) -> None:
    ids = record(running, 400)
    arguments = ("tests.traces.children", "ship", place, sandbox.collector_url)
    with child(*arguments) as first, child(*arguments) as second:
        for process in (first, second):
            assert process.line() == "ready"
        for process in (first, second):
            process.tell("go")
        sent = [int(process.rest()) for process in (first, second)]
    assert sum(sent) == 400
    assert min(sent) > 0
    # Nobody sent what the other had claimed.
    assert sandbox.collector.received == 400
    assert set(sandbox.collector.traces) == set(ids)


def test_a_killed_shipper_leaves_its_claims_to_others(
    running: Store, place: str, sandbox: Sandbox, make: Make
) -> None:
    ids = record(running, 10)
    sandbox.script(Operation.TRACE, AnswerAfter(30))
    with child("tests.traces.children", "ship", place, sandbox.collector_url) as other:
        other.line()
        other.tell("go")
        until(lambda: sandbox.collector.received == 1)
    assert counts(running) == {Shipping.CLAIMED: 10}
    # Its lease runs out.
    running.write(lambda tx: tx.execute("UPDATE traces SET lease_until = '2000'"))
    assert make().drain(20) == 10
    assert set(sandbox.collector.traces) == set(ids)


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_machine_whose_clock_is_ahead_takes_no_claims_from_others(
    running: Store, sandbox: Sandbox, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(running, 2)
    sandbox.script(Operation.TRACE, AnswerAfter(20))  # a second
    busy = make()
    busy.start()
    until(lambda: sandbox.collector.received == 1)
    real, ahead = time.time, timedelta(hours=1)
    with monkeypatch.context() as machine:
        machine.setattr(time, "time", lambda: real() + ahead.total_seconds())
        other = Shipper(
            running,
            TdeProfile(),
            HttpxTransport(),
            collector_url=sandbox.collector_url,
            clock=SimulatedClock(datetime.now(UTC) + ahead),
        )
        assert other.ship_once() == Shipment()
        other.stop()
    until(lambda: counts(running) == {Shipping.SHIPPED: 2})
    assert sandbox.collector.received == 2


# --- flush ----------------------------------------------------------------------------------


def test_a_flush_ends_when_what_was_recorded_is_gone(
    running: Store, sandbox: Sandbox, make: Make
) -> None:
    ids = record(running, 60)
    shipper = make()
    sandbox.script(Operation.TRACE, Unavailable(retry_after=1))
    assert shipper.flush(20)
    assert set(sandbox.collector.traces) == set(ids)
    assert shipper.flush(0)


def test_a_flush_that_runs_out_of_time_says_so(
    running: Store, sandbox: Sandbox, make: Make
) -> None:
    record(running, 2)
    with sandbox.refusing_connections():
        started = time.monotonic()
        assert not make().flush(0.5)
        assert time.monotonic() - started < 2
    assert counts(running) == {Shipping.PENDING: 2}


def test_a_flush_waits_for_what_others_hold(running: Store, sandbox: Sandbox, make: Make) -> None:
    record(running, 3)
    sandbox.script(Operation.TRACE, AnswerAfter(10))  # half a second
    busy = make()
    busy.start()
    until(lambda: sandbox.collector.received == 1)
    assert make().flush(20)
    assert counts(running) == {Shipping.SHIPPED: 3}


def test_a_flush_does_not_wait_for_quarantine_nor_after_the_closing(
    running: Store, sandbox: Sandbox, make: Make
) -> None:
    record(running, 2)
    sandbox.script(Operation.TRACE, Refuse(400))
    assert make().flush(20)
    assert counts(running) == {Shipping.QUARANTINED: 1, Shipping.SHIPPED: 1}
    record(running, 1)
    set_phase(running, Phase.CLOSED)
    started = time.monotonic()
    assert not make().flush(20)
    assert time.monotonic() - started < 2


# --- what is told ---------------------------------------------------------------------------


def test_whoever_asks_is_told_of_each_batch(running: Store, make: Make) -> None:
    record(running, 60)
    told: list[Shipment] = []
    assert make().drain(20, progress=told.append) == 60
    assert told == [Shipment(sent=50), Shipment(sent=10), Shipment()]
    record(running, 1)
    shipper = make()
    shipper.start(progress=told.append)
    until(lambda: Shipment(sent=1) in told)
    assert shipper.running
    shipper.stop()
    assert not shipper.running


def test_what_left_and_what_was_refused_is_counted(
    running: Store, sandbox: Sandbox, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[str, str, int]] = []
    monkeypatch.setattr(telemetry, "count", lambda *each: counted.append(each))
    record(running, 4)
    sandbox.script(Operation.TRACE, Refuse(400), times=2)
    assert make().ship_once() == Shipment(sent=2, quarantined=2)
    assert counted == [
        ("trace_shipped", TdeProfile().name, 2),
        ("trace_quarantined", "HTTP 400", 2),
    ]


# --- days without a collector ---------------------------------------------------------------


@embedded
@pytest.mark.parametrize("count", [1000, pytest.param(50_000, marks=pytest.mark.soak)])
def test_a_collector_dead_for_days_costs_neither_traces_nor_memory(
    running: Store, count: int
) -> None:
    clock = SimulatedClock(AT)

    class Mortal:
        """Dead for a week of the clock; then it takes everything."""

        arrived: ClassVar[list[str]] = []
        tried = 0

        def send(self, request: HttpRequest) -> HttpReply:
            self.tried += 1
            if clock.now() < AT + timedelta(days=7):
                kind = Delivery.NOT_SENT if self.tried % 2 else Delivery.UNKNOWN
                raise TransportFailure("Nobody there.", delivery=kind)
            self.arrived.append(json.loads(request.content)["id"])
            return HttpReply(status=201, headers={}, content=b"")

        def close(self) -> None:
            pass

    collector = Mortal()
    shipper = Shipper(running, TdeProfile(), collector, collector_url="http://unused", clock=clock)
    ids = record(running, count)
    tracemalloc.start()
    while clock.now() < AT + timedelta(days=7):
        # Some tries hours apart, and now and then a sender that died with its claims.
        assert shipper.ship_once().sent == 0
        if collector.tried % 10 == 0:
            running.write(
                lambda tx: outbox.claim(
                    tx, owner="dead", now=clock.now(), lease_until=clock.now(), limit=50
                )
            )
        clock.advance(timedelta(hours=6))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # One batch, however many wait.
    assert most < 1_000_000
    assert shipper.drain(600) == count
    assert collector.arrived == ids
    assert counts(running) == {Shipping.SHIPPED: count}


# --- closed ---------------------------------------------------------------------------------


def test_nothing_leaves_while_somebody_closes(running: Store, sandbox: Sandbox, make: Make) -> None:
    record(running, 1)
    with running.session_lock().exclusive(1):
        assert make().ship_once() == Shipment(blocked=True)
    assert not sandbox.collector.received


@embedded
def test_nothing_leaves_a_restored_store(running: Store, sandbox: Sandbox, make: Make) -> None:
    record(running, 1)
    assert make(receipt="pinned").ship_once() == Shipment()
    shipper = make()
    marker(running).write_text("{}")
    assert shipper.ship_once() == Shipment()
    assert shipper.drain(1) == 0
    assert not sandbox.collector.received


@pytest.mark.parametrize("phase", [Phase.CLOSING, Phase.CLOSED, Phase.ABANDONED])
def test_a_sender_in_mid_batch_sends_no_more_once_the_phase_forbids_it(
    running: Store, phase: Phase
) -> None:
    """What happens to it is played by the transport: the change comes with the first answer."""

    class Meanwhile:
        sends = 0

        def send(self, request: HttpRequest) -> HttpReply:
            self.sends += 1
            set_phase(running, phase)
            return HttpReply(status=201, headers={}, content=b"")

        def close(self) -> None:
            pass

    record(running, 5)
    transport = Meanwhile()
    Shipper(
        running, TdeProfile(), transport, collector_url="http://unused", clock=SystemClock()
    ).ship_once()
    assert transport.sends == 1
    assert counts(running) == {Shipping.SHIPPED: 1, Shipping.PENDING: 4}


def test_a_sender_whose_lease_is_over_sends_no_more(running: Store) -> None:
    class Slow(SystemClock):
        late = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.late

    class Stopped:
        sends = 0

        def send(self, request: HttpRequest) -> HttpReply:
            self.sends += 1
            clock.late = 3600
            return HttpReply(status=201, headers={}, content=b"")

        def close(self) -> None:
            pass

    record(running, 5)
    clock, transport = Slow(), Stopped()
    Shipper(
        running, TdeProfile(), transport, collector_url="http://unused", clock=clock
    ).ship_once()
    assert transport.sends == 1
    assert counts(running) == {Shipping.SHIPPED: 1, Shipping.PENDING: 4}


@embedded
def test_the_thread_ends_once_closed(running: Store, make: Make) -> None:
    shipper = make()
    shipper.start()
    thread = shipper._thread  # noqa: SLF001
    assert thread is not None
    set_phase(running, Phase.CLOSED)
    marker(running).write_text("{}")
    thread.join(5)
    assert not thread.is_alive()

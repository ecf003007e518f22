"""Batches over HTTP: where the profile says so, and nobody is refused for another's fault."""

import json
from collections.abc import Sequence

import pytest

from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import ConfigurationError, TransportFailure
from eprescription_sdk.model.exchange import HttpReply, HttpRequest
from eprescription_sdk.model.trace import ChainLink, Trace
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.outbox import refusals
from eprescription_sdk.traces.shipper import Shipment, Shipper
from eprescription_sdk.traces.sinks import Encoded, HttpSink
from eprescription_sdk.traces.tde import TdeProfile
from tests.traces.samples import record, rows


class Batched(TdeProfile):
    """The public format, several traces a request."""

    batch = 4

    def join(self, contents: Sequence[bytes]) -> bytes:
        return b"[" + b",".join(contents) + b"]"


class Collector:
    """A transport that answers by itself; it refuses every request that holds a certain id."""

    def __init__(self, refused: str = "", status: int = 422) -> None:
        self.refused = refused
        self.status = status
        self.requests: list[HttpRequest] = []
        self.taken: list[str] = []
        self.closed = False

    def send(self, request: HttpRequest) -> HttpReply:
        self.requests.append(request)
        document = json.loads(request.content)
        ids = [each["id"] for each in (document if isinstance(document, list) else [document])]
        if self.refused in ids:
            return HttpReply(status=self.status, headers={}, content=b"")
        self.taken += ids
        return HttpReply(status=200, headers={}, content=b"")

    def close(self) -> None:
        self.closed = True


def ship(store: Store, collector: Collector, profile: TdeProfile) -> Shipment:
    shipper = Shipper(
        store, profile, collector, collector_url="http://collector/", clock=SystemClock()
    )
    done = shipper.ship_once()
    shipper.stop()
    assert collector.closed
    return done


def test_one_at_a_time_unless_the_profile_says_otherwise(running: Store) -> None:
    ids = record(running, 3)
    collector = Collector()
    assert ship(running, collector, TdeProfile()) == Shipment(sent=3)
    assert [request.url for request in collector.requests] == ["http://collector/AuditEvent"] * 3
    assert collector.taken == ids


def test_batches_where_the_profile_says_so(running: Store) -> None:
    ids = record(running, 10)
    collector = Collector()
    assert ship(running, collector, Batched()) == Shipment(sent=10)
    assert [len(json.loads(request.content)) for request in collector.requests] == [4, 4, 2]
    assert collector.taken == ids


def test_one_that_is_refused_takes_nobody_with_it(running: Store) -> None:
    ids = record(running, 10)
    collector = Collector(refused=ids[5])
    assert ship(running, collector, Batched()) == Shipment(sent=9, quarantined=1)
    assert collector.taken == [one for one in ids if one != ids[5]]
    assert rows(running, "id", "WHERE state = 'quarantined'") == [(ids[5],)]
    assert running.read(refusals) == {"HTTP 422": 1}


def test_what_may_be_otherwise_next_time_is_tried_again(running: Store) -> None:
    ids = record(running, 10)
    collector = Collector(refused=ids[5], status=503)
    assert ship(running, collector, Batched()) == Shipment(sent=6, failed=4)


def test_one_that_always_fails_holds_nobody_up(running: Store) -> None:
    """A collector that stumbles over one trace says 500 for it, again and again."""
    ids = record(running, 10)
    collector = Collector(refused=ids[5], status=500)
    shipper = Shipper(
        running, Batched(), collector, collector_url="http://collector", clock=SystemClock()
    )
    assert shipper.ship_once() == Shipment(sent=6, failed=4)
    # Now each goes alone.
    assert shipper.ship_once() == Shipment(sent=3, failed=1)
    assert set(collector.taken) == {*ids} - {ids[5]}
    more = record(running, 8)
    assert shipper.ship_once() == Shipment(sent=8, failed=1)
    collector.refused = ""
    assert shipper.ship_once() == Shipment(sent=1)
    assert set(collector.taken) == {*ids, *more}
    # And batches again.
    record(running, 4)
    collector.requests.clear()
    assert shipper.ship_once() == Shipment(sent=4)
    assert len(collector.requests) == 1


def test_a_sink_that_takes_none_is_asked_twice_and_left_alone(running: Store) -> None:
    record(running, 30)

    class Down(Collector):
        def send(self, request: HttpRequest) -> HttpReply:
            self.requests.append(request)
            return HttpReply(status=503, headers={}, content=b"")

    collector = Down()
    assert ship(running, collector, TdeProfile()) == Shipment(failed=30)
    assert len(collector.requests) == 2


def test_a_profile_that_fails_on_one_leaves_the_batch_whole(running: Store) -> None:
    ids = record(running, 4)

    class Picky(Batched):
        def encode(self, trace: Trace, link: ChainLink) -> bytes:
            if trace.id == ids[1]:
                raise ZeroDivisionError
            return super().encode(trace, link)

    collector = Collector()
    assert ship(running, collector, Picky()) == Shipment(sent=3, quarantined=1)
    assert len(collector.requests) == 1
    assert running.read(refusals) == {"The profile failed: ZeroDivisionError.": 1}


@pytest.mark.parametrize("status", [401, 403, 404, 405, 407, 408, 425, 429, 500, 503])
def test_these_statuses_are_not_for_ever(status: int) -> None:
    collector = Collector(refused="a", status=status)
    sink = HttpSink(collector, "http://collector", TdeProfile())
    link = ChainLink(segment="s", position=1, hash="h")
    with pytest.raises(TransportFailure):
        sink.send([Encoded(link=link, content=b'{"id":"a"}')])


def test_a_shipper_needs_somewhere_to_ship_to(running: Store) -> None:
    with pytest.raises(ConfigurationError):
        Shipper(running, TdeProfile(), clock=SystemClock())

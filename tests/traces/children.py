"""What other processes do: ``python -m tests.traces.children NAME PLACE …``."""

import contextlib
import sys
import time
from collections.abc import Callable

from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import StoreError
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.record import Recorder
from eprescription_sdk.traces.shipper import Shipper
from eprescription_sdk.traces.tde import TdeProfile
from eprescription_sdk.transport import HttpxTransport
from tests.processes import say
from tests.stores import opened
from tests.traces.samples import KEY, record


def record_and_ship(place: str, collector: str) -> None:
    """Record without end, ship in the background, and say what was recorded last.

    Traces go on being offered for ever, closed or not.
    """
    store = opened(place)
    recorder = Recorder(KEY, store.path)
    shipper = make_shipper(store, collector)
    shipper.start()
    say("started")
    while True:
        with contextlib.suppress(StoreError):
            say("recorded" if record(store, 5, recorder) else "nothing")
        time.sleep(0.02)


def record_for_ever(place: str) -> None:
    """Record in handfuls as fast as it goes, until killed; say each that is acknowledged."""
    store = opened(place)
    recorder = Recorder(KEY, store.path)
    while True:
        for trace in record(store, 10, recorder):
            say(trace)


def ship(place: str, collector: str) -> None:
    """Ship until nothing waits; say how many were sent."""
    store = opened(place)
    shipper = make_shipper(store, collector)
    say("ready")
    sys.stdin.readline()
    say(shipper.drain(20))
    shipper.stop()
    store.close()


def make_shipper(store: Store, collector: str) -> Shipper:
    return Shipper(
        store, TdeProfile(), HttpxTransport(), collector_url=collector, clock=SystemClock()
    )


if __name__ == "__main__":
    work: dict[str, Callable[..., None]] = {
        "record_and_ship": record_and_ship,
        "record_for_ever": record_for_ever,
        "ship": ship,
    }
    work[sys.argv[1]](*sys.argv[2:])

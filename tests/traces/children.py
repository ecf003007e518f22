"""What other processes do; see ``tests.nursery`` and ``python -m tests.traces.children NAME …``."""

import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import eprescription_sdk as ep
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import StoreError
from eprescription_sdk.storage import Store
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.traces import shipper as shipping
from eprescription_sdk.traces.record import Recorder
from eprescription_sdk.traces.shipper import Shipper
from eprescription_sdk.traces.tde import TdeProfile
from eprescription_sdk.transport import HttpxTransport
from tests.processes import say
from tests.stores import opened
from tests.traces.samples import KEY, practitioner, record


def prescribe_and_ship(told: str) -> None:
    """Create, record and ship as fast as it goes, whatever the phase, until killed.

    Each round says what came of it: of the create, and of the paper record beside it.
    """
    settings, card = json.loads(Path(told).read_text(encoding="utf-8"))
    client = ep.Client(
        ep.Settings.from_mapping(settings),
        minter=ep.reference.FakeMinter(),
        codec=ep.ReferenceCodec(),
        code2d=ep.reference.SpecimenCode(),
    )
    doctor = client.acting_as(practitioner(*card))
    shipper = client.shipper

    def ship() -> None:
        while True:
            # A store that is held up, or a collector that is gone: again.
            with contextlib.suppress(Exception):
                shipper.ship_once()
            time.sleep(0.005)

    threading.Thread(target=ship, daemon=True).start()
    while True:
        with contextlib.suppress(StoreError):
            outcome = doctor.create(sample_prescription(), wait=10)
            recorded = doctor.record_non_digital(
                families={ep.Family.IMAGING}, reason=ep.NonDigitalReason.OUT_OF_PERIMETER
            )
            say(f"{type(outcome).__name__} {'recorded' if recorded else 'nothing'}")


def record_much_and_ship(place: str, collector: str) -> None:
    """Record in handfuls as fast as it goes, until told that it is enough; ship until killed.

    Each trace is said once it is acknowledged.
    """
    # Whoever is killed holds its claims until they run out: not for minutes here.
    for name, value in (("LEASE", timedelta(seconds=2)), ("TIMEOUT", 1.0), ("IDLE_SECONDS", 0.05)):
        setattr(shipping, name, value)
    store = opened(place)
    recorder = Recorder(KEY, store.path)
    make_shipper(store, collector).start()
    enough = threading.Event()

    def listen() -> None:
        sys.stdin.readline()
        enough.set()

    threading.Thread(target=listen, daemon=True).start()
    while not enough.is_set():
        # What a busy store did not take was not acknowledged either.
        with contextlib.suppress(StoreError):
            for trace in record(store, 25, recorder):
                say(trace)
    signal.pause()


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


WORK: dict[str, Callable[..., None]] = {
    "prescribe_and_ship": prescribe_and_ship,
    "record_much_and_ship": record_much_and_ship,
    "ship": ship,
}

if __name__ == "__main__":
    WORK[sys.argv[1]](*sys.argv[2:])

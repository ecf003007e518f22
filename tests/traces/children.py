"""What other processes do: ``python -m tests.traces.children NAME FILE …``."""

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import StoreError
from eprescription_sdk.storage import SqliteStore
from eprescription_sdk.storage.locks import FileLock
from eprescription_sdk.traces.record import Recorder
from eprescription_sdk.traces.shipper import Shipper
from eprescription_sdk.traces.tde import TdeProfile
from eprescription_sdk.transport import HttpxTransport
from tests.processes import say
from tests.traces.samples import KEY, record


def hold(store: str) -> None:
    """Hold the sender lock until killed."""
    with FileLock(Path(store)).shared():
        say("held")
        time.sleep(60)


def hold_and_fork(store: str) -> None:
    """The same, with a child that lives on."""
    with FileLock(Path(store)).shared():
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        say(f"held\n{pid}")
        time.sleep(60)


def record_and_ship(path: str, collector: str) -> None:
    """Record as fast as it goes, ship in the background, and say what was recorded last.

    Traces go on being offered for ever, closed or not.
    """
    store = SqliteStore(Path(path))
    recorder = Recorder(KEY, store.path)
    shipper = make_shipper(store, collector)
    shipper.start()
    say("started")
    while True:
        with contextlib.suppress(StoreError):
            say("recorded" if record(store, 5, recorder) else "nothing")
        time.sleep(0.002)


def ship(path: str, collector: str) -> None:
    """Ship until nothing waits; say how many were sent."""
    store = SqliteStore(Path(path))
    shipper = make_shipper(store, collector)
    say("ready")
    sys.stdin.readline()
    say(shipper.drain(20))
    shipper.stop()
    store.close()


def make_shipper(store: SqliteStore, collector: str) -> Shipper:
    return Shipper(
        store, TdeProfile(), HttpxTransport(), collector_url=collector, clock=SystemClock()
    )


if __name__ == "__main__":
    work: dict[str, Callable[..., None]] = {
        "hold": hold,
        "hold_and_fork": hold_and_fork,
        "record_and_ship": record_and_ship,
        "ship": ship,
    }
    work[sys.argv[1]](*sys.argv[2:])

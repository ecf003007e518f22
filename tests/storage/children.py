"""What other processes do to a store: ``python -m tests.storage.children NAME PLACE …``."""

import os
import sys
import time
from collections.abc import Callable

from eprescription_sdk.storage import Store, Tx
from tests.processes import say
from tests.stores import opened

COUNT = "INSERT INTO losses VALUES (?, 1)"


def insert(tx: Tx, reason: str) -> None:
    tx.execute(COUNT, (reason,))


def write_rows(store: Store, name: str, count: str) -> None:
    """Write rows one by one, and say each only when it is durable."""
    for number in range(int(count)):
        store.write(lambda tx, number=number: insert(tx, f"{name}-{number}"))  # type: ignore[misc]
        say(f"{name}-{number}")
    store.close()


def write_for_ever(store: Store, name: str) -> None:
    """Write in batches until killed; say what is acknowledged."""
    number = 0
    while True:
        batch = range(number, number := number + 20)
        futures = [
            (each, store.submit(lambda tx, each=each: insert(tx, f"{name}-{each}")))  # type: ignore[misc]
            for each in batch
        ]
        for each, future in futures:
            future.result()
            say(f"{name}-{each}")


def hold(store: Store, seconds: str) -> None:
    """Keep a write transaction open."""

    def work(tx: Tx) -> None:
        insert(tx, "holder")
        say("held")
        time.sleep(float(seconds))

    store.write(work)
    store.close()
    say("let go")


def lock(store: Store) -> None:
    """Hold the session lock until killed."""
    with store.session_lock().shared():
        say("held")
        time.sleep(60)


def lock_and_fork(store: Store) -> None:
    """The same, with a child that lives on."""
    with store.session_lock().shared():
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        say(f"held\n{pid}")
        time.sleep(60)


if __name__ == "__main__":
    name, place, *arguments = sys.argv[1:]
    work: dict[str, Callable[..., None]] = {
        "rows": write_rows,
        "ever": write_for_ever,
        "hold": hold,
        "lock": lock,
        "lock_and_fork": lock_and_fork,
    }
    work[name](opened(place), *arguments)

"""What other processes do to a store: ``python -m tests.storage.children NAME FILE …``."""

import sys
import time
from pathlib import Path

import apsw

from eprescription_sdk.storage import SqliteStore, Tx

COUNT = "INSERT INTO losses VALUES (?, 1)"


def insert(tx: Tx, reason: str) -> None:
    tx.execute(COUNT, (reason,))


def write_rows(store: SqliteStore, name: str, count: str) -> None:
    """Write rows one by one, and say each only when it is durable."""
    for number in range(int(count)):
        store.write(lambda tx, number=number: insert(tx, f"{name}-{number}"))  # type: ignore[misc]
        print(f"{name}-{number}")
    store.close()


def write_for_ever(store: SqliteStore, name: str) -> None:
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
            print(f"{name}-{each}")


def hold(store: SqliteStore, seconds: str) -> None:
    """Keep a write transaction open."""
    store.close()
    connection = apsw.Connection(str(store.path))
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(COUNT, ("holder",))
    print("held")
    time.sleep(float(seconds))
    connection.execute("COMMIT")
    connection.close()
    print("let go")


if __name__ == "__main__":
    name, file, *arguments = sys.argv[1:]
    {"rows": write_rows, "ever": write_for_ever, "hold": hold}[name](
        SqliteStore(Path(file)), *arguments
    )

"""Chained traces against a bare loop: rows a second, from 8 and from 32 threads.

Ours records whole traces, gate, chain and all, each acknowledged once it is on disk. The other
side is apsw alone: as many threads, each with a connection, inserting a row of the same size and
committing it, FULL and in WAL mode as well. Run with ``python -m benchmarks.traces``.
"""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import apsw

from benchmarks.table import Row, show
from eprescription_sdk.storage import SqliteStore
from eprescription_sdk.traces.body import to_body
from eprescription_sdk.traces.record import Recorder
from tests.traces.samples import KEY, call, open_pilot, rows

ROWS = 2_000
ROUNDS = 11
BUDGETS = {8: 1.2, 32: 1.8}


def chained(folder: Path, threads: int) -> float:
    """Rows a second of the library's own recording."""
    store = SqliteStore(folder / "ours.db")
    open_pilot(store)
    recorder = Recorder(KEY, store.path)
    before: int = rows(store)[0][0]
    made = [[call() for _ in range(ROWS // threads)] for _ in range(threads)]

    def work(index: int) -> None:
        for trace in made[index]:
            assert store.write(lambda tx, trace=trace: recorder.record(tx, trace))  # type: ignore[misc]

    speed = _timed(work, threads)
    assert rows(store)[0][0] - before == ROWS // threads * threads
    store.close()
    return speed


def bare(folder: Path, threads: int) -> float:
    """Rows a second of a loop that commits row by row."""
    path = str(folder / "bare.db")
    body, _ = to_body(call(), KEY)
    connections = [_connection(path) for _ in range(threads)]

    def work(index: int) -> None:
        for _ in range(ROWS // threads):
            connections[index].execute("INSERT INTO rows (body) VALUES (?)", (body,))

    speed = _timed(work, threads)
    for connection in connections:
        connection.close()
    return speed


def _patient(_calls: int) -> bool:
    time.sleep(random.uniform(0.0002, 0.002))  # noqa: S311  (jitter)
    return True


def _connection(path: str) -> apsw.Connection:
    connection = apsw.Connection(path)
    # The kindest waiting for the other side, too: SQLite's own starves writers for seconds.
    connection.set_busy_handler(_patient)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.execute("CREATE TABLE IF NOT EXISTS rows (seq INTEGER PRIMARY KEY, body TEXT)")
    return connection


def _timed(work: Callable[[int], None], threads: int) -> float:
    running = [threading.Thread(target=work, args=(index,)) for index in range(threads)]
    started = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return ROWS // threads * threads / (time.perf_counter() - started)


def measure(threads: int) -> tuple[float, float]:
    """Rows a second of both sides: medians of rounds that take turns."""
    ours: list[float] = []
    theirs: list[float] = []
    with TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            ours.append(chained(Path(folder), threads))
            theirs.append(bare(Path(folder), threads))
    return median(ours), median(theirs)


def main() -> None:
    """Measure, and show the rows."""
    for threads, budget in BUDGETS.items():
        ours, theirs = measure(threads)
        print(f"{threads} threads: {ours:.0f} traces a second, {theirs:.0f} bare rows")
        what = f"chained FULL traces / bare apsw row by row, {threads} threads: rows a second"
        show([Row(what=what, measured=ours / theirs, budget=budget, least=True)])


if __name__ == "__main__":
    main()

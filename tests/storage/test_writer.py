"""The writer thread: batches, endings, forks."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eprescription_sdk.errors import StoreUnavailable
from eprescription_sdk.storage import Store, Tx, writer
from tests.storage.children import insert

if TYPE_CHECKING:
    from concurrent.futures import Future

Unit = Callable[[Tx], Any]

NO_TX: Any = None
"""The units of a recording session do nothing with it."""


class Recording:
    """A session that notes what becomes of it."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.opened = 0
        self.closed = 0
        self.fails: Exception | None = None
        self.fails_to_close = False
        self.gate = threading.Event()
        self.gate.set()

    def connect(self) -> "Recording":
        self.opened += 1
        return self

    def run(self, batch: list[Unit]) -> list[tuple[Any, BaseException | None]]:
        self.gate.wait(10)
        self.batches.append(len(batch))
        if self.fails is not None:
            raise self.fails
        return [(work(NO_TX), None) for work in batch]

    def close(self) -> None:
        self.closed += 1
        if self.fails_to_close:
            raise OSError


@pytest.fixture
def session() -> Recording:
    return Recording()


@pytest.fixture
def running(session: Recording) -> Iterator[writer.Writer]:
    running = writer.Writer(session.connect, "test-writer")
    yield running
    session.gate.set()
    running.stop()


def nothing(_: Tx) -> None:
    return None


def test_what_waits_together_is_committed_together(
    session: Recording, running: writer.Writer
) -> None:
    session.gate.clear()
    first = running.submit(nothing)
    while running._waiting:  # noqa: SLF001
        pass
    rest = [running.submit(nothing) for _ in range(writer.MAX_BATCH + 1)]
    session.gate.set()
    for future in (first, *rest):
        future.result(10)
    assert session.batches == [1, writer.MAX_BATCH, 1]
    assert session.opened == 1


def test_whoever_was_just_answered_is_waited_for_a_moment(
    session: Recording, running: writer.Writer
) -> None:
    """Else each other batch is of the first to come back, alone, and costs as much."""

    def write() -> None:
        for _ in range(50):
            running.submit(lambda _: time.sleep(0.0001)).result(10)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(session.batches) == 400
    assert len(session.batches) < 100
    # Who writes alone waits for nobody.
    started = time.perf_counter()
    for _ in range(100):
        running.submit(nothing).result(10)
    assert time.perf_counter() - started < 100 * writer.MOMENT


def test_stopping_finishes_what_waits(session: Recording, running: writer.Writer) -> None:
    futures = [running.submit(nothing) for _ in range(2000)]
    running.stop()
    assert all(future.done() for future in futures)
    assert session.closed == 1
    running.submit(nothing).result(10)
    assert session.opened == 2


def test_stopping_ends_although_others_go_on_submitting(running: writer.Writer) -> None:
    over = threading.Event()

    def submit() -> None:
        while not over.is_set():
            running.submit(nothing)

    threads = [threading.Thread(target=submit) for _ in range(3)]
    for thread in threads:
        thread.start()
    stopper = threading.Thread(target=running.stop)
    stopper.start()
    stopper.join(10)
    ended = not stopper.is_alive()
    over.set()
    for thread in (*threads, stopper):
        thread.join()
    assert ended


def test_a_session_that_failed_is_not_used_again(
    session: Recording, running: writer.Writer
) -> None:
    session.fails = KeyError("whole batch")
    session.fails_to_close = True
    with pytest.raises(KeyError, match="whole batch"):
        running.submit(nothing).result(10)
    session.fails = None
    running.submit(nothing).result(10)
    assert (session.opened, session.closed) == (2, 1)


def test_a_connection_that_cannot_be_made_fails_its_callers_only(session: Recording) -> None:
    tries = iter((StoreUnavailable("gone"), None))

    def connect() -> Recording:
        if error := next(tries):
            raise error
        return session

    running = writer.Writer(connect, "test-writer")
    with pytest.raises(StoreUnavailable, match="gone"):
        running.submit(nothing).result(10)
    running.submit(nothing).result(10)
    running.stop()


def test_a_cancelled_future_disturbs_nobody(session: Recording, running: writer.Writer) -> None:
    session.gate.clear()
    running.submit(nothing)
    cancelled, other = running.submit(nothing), running.submit(nothing)
    assert cancelled.cancel()
    session.gate.set()
    other.result(10)


def test_no_thread_to_be_had_is_an_error_of_the_store(
    running: writer.Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(StoreUnavailable, match="thread"):
            running.submit(nothing)
    running.submit(nothing).result(10)


# --- forks ----------------------------------------------------------------------------------


@contextmanager
def forked(work: Callable[[], None]) -> Iterator[None]:
    """Do some work in a forked child while the block runs; it must end well, and in time."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            threading.Timer(15, os._exit, (3,)).start()
            work()
            status = 0
        finally:
            os._exit(status)
    try:
        yield
    finally:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.fixture
def store(either: Store) -> Store:
    return either


def count(store: Store) -> int:
    rows = store.read(lambda tx: tx.execute("SELECT count(*) FROM losses"))
    number: int = rows[0][0]
    return number


def writes(store: Store, name: str, number: int) -> list["Future[None]"]:
    return [
        store.submit(lambda tx, each=each: insert(tx, f"{name}-{each}"))  # type: ignore[misc]
        for each in range(number)
    ]


def wait(futures: list["Future[None]"]) -> None:
    for future in futures:
        future.result(10)


def test_parent_and_child_go_on_after_a_fork(store: Store) -> None:
    pending = writes(store, "before", 300)

    def in_child() -> None:
        # What waited before the fork is done: both may rely on it.
        wait(pending)
        assert count(store) >= 300
        wait(writes(store, "child", 300))
        store.close()

    with forked(in_child):
        wait(pending)
        wait(writes(store, "parent", 300))
    assert count(store) == 900


def test_the_writer_is_gone_while_forking(store: Store) -> None:
    """Later releases of Python warn about any thread then, and warnings are errors here."""
    store.write(nothing)

    def in_child() -> None:
        names = [thread.name for thread in threading.enumerate()]
        assert "eprescription-writer" not in names
        store.write(nothing)

    with forked(in_child):
        pass
    store.write(nothing)


# These have threads of their own beside the writer's.
amid_threads = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@amid_threads
def test_a_fork_amid_writes_of_other_threads_comes_through(store: Store) -> None:
    over = threading.Event()
    written: list[int] = []

    def write(name: str) -> None:
        number = 0
        while not over.is_set():
            store.write(partial(insert, reason=f"{name}-{number}"))
            number += 1
        written.append(number)

    def in_child() -> None:
        store.write(lambda tx: insert(tx, f"child-{os.getpid()}"))
        store.close()

    threads = [threading.Thread(target=write, args=(str(index),)) for index in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        with forked(in_child):
            pass
    over.set()
    for thread in threads:
        thread.join()
    assert count(store) == sum(written) + 5


@amid_threads
def test_two_threads_may_fork_at_once(store: Store) -> None:
    store.write(nothing)
    failures: list[BaseException] = []

    def fork() -> None:
        try:
            for _ in range(5):
                with forked(lambda: store.write(nothing)):
                    store.write(nothing)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=fork, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert not failures


@amid_threads
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_fork_waits_for_reads_under_way(store: Store) -> None:
    """A child with an open connection of its parent believes in locks that it does not hold."""
    store.write(nothing)
    reading, over = threading.Event(), threading.Event()

    def look(tx: Tx) -> None:
        tx.execute("SELECT count(*) FROM losses")
        reading.set()
        over.wait(5)

    reader = threading.Thread(target=store.read, args=(look,))
    reader.start()
    assert reading.wait(5)
    threading.Timer(0.2, over.set).start()

    def in_child() -> None:
        for name in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):
                assert name.readlink() != store.path

    with forked(in_child):
        pass
    reader.join()

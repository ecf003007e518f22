"""The session lock of each engine, within a process, across processes and across forks."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from eprescription_sdk.errors import StoreUnavailable
from eprescription_sdk.storage import SqliteStore, Store, kernel
from tests.processes import child


def test_senders_share_it_and_a_closer_waits(either: Store) -> None:
    lock = either.session_lock()
    with lock.shared() as first, lock.shared() as second, lock.exclusive(0) as alone:
        assert (first, second, alone) == (True, True, False)
    with lock.exclusive(0) as alone, lock.shared() as sender, lock.exclusive(0) as other:
        assert (alone, sender, other) == (True, False, False)


def test_waiting_for_it_is_bounded(either: Store) -> None:
    lock = either.session_lock()
    with lock.shared():
        started = time.monotonic()
        with lock.exclusive(0.3) as alone:
            assert not alone
        assert 0.3 <= time.monotonic() - started < 2


def test_a_lock_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    in_its_place = tmp_path / "store.db.senders"
    in_its_place.mkdir()
    lock = SqliteStore(tmp_path / "store.db").session_lock()
    with pytest.raises(StoreUnavailable) as caught, lock.shared():
        pass
    assert caught.value.path == str(in_its_place)


def test_the_kernel_gives_it_back_when_its_holder_is_killed(either: Store, place: str) -> None:
    lock = either.session_lock()
    with child("tests.storage.children", "lock", place) as holder:
        assert holder.line() == "held"
        with lock.exclusive(0.1) as alone:
            assert not alone
        holder.signal(signal.SIGKILL)
        with lock.exclusive(5) as alone:
            assert alone


def test_a_forked_child_does_not_keep_its_parents_lock(either: Store) -> None:
    lock = either.session_lock()
    ready, over = os.pipe(), os.pipe()
    with lock.shared():
        pid = os.fork()
        if pid == 0:
            os.write(ready[1], b".")
            os.read(over[0], 1)
            os._exit(0)
        os.read(ready[0], 1)
        with lock.exclusive(0) as alone:
            assert not alone
    with lock.exclusive(0.5) as alone:
        assert alone
    os.write(over[1], b".")
    os.waitpid(pid, 0)
    for descriptor in (*ready, *over):
        os.close(descriptor)


def test_a_killed_parent_frees_it_although_its_child_lives(either: Store, place: str) -> None:
    lock = either.session_lock()
    with child("tests.storage.children", "lock_and_fork", place) as holder:
        assert holder.line() == "held"
        grandchild = int(holder.line())
        try:
            holder.signal(signal.SIGKILL)
            with lock.exclusive(5) as alone:
                assert alone
        finally:
            os.kill(grandchild, signal.SIGKILL)


# --- who holds it ---------------------------------------------------------------------------


def test_those_who_share_it_are_named(either: Store, place: str) -> None:
    lock = either.session_lock()
    assert lock.holders() == ()
    with (
        child("tests.storage.children", "lock", place) as first,
        child("tests.storage.children", "lock", place) as second,
    ):
        assert (first.line(), second.line()) == ("held", "held")
        expected = {f"{socket.gethostname()}:{process.pid}" for process in (first, second)}
        assert set(lock.holders()) == expected
        # Who only waits for it holds nothing.
        with lock.exclusive(0) as alone:
            assert not alone
            assert set(lock.holders()) == expected
    # A server learns a moment later that they are gone.
    with lock.exclusive(20) as alone:
        assert alone
    with lock.shared():
        assert lock.holders() == (f"{socket.gethostname()}:{os.getpid()}",)


def test_a_kernel_that_names_nobody_is_not_guessed_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another system, or locks of processes that this container cannot see."""
    locked = tmp_path / "file"
    locked.touch()
    found = locked.stat()
    where = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    table = tmp_path / "locks"
    table.write_text(
        f"1: FLOCK  ADVISORY  READ 0 {where} 0 EOF\n"
        f"2: FLOCK  ADVISORY  READ -1 {where} 0 EOF\n"
        f"2: -> FLOCK  ADVISORY  WRITE 41 {where} 0 EOF\n"
        f"3: POSIX  ADVISORY  WRITE 42 {where} 120 120\n"
        f"4: FLOCK  ADVISORY  READ 43 00:00:{found.st_ino} 0 EOF\n"
        "5: LEASE  ACTIVE\n"
    )
    monkeypatch.setattr(kernel, "LOCKS", table)
    assert kernel.flock_holders(locked) == ()
    assert kernel.writers(locked, byte=120) == (f"{socket.gethostname()}:42",)
    assert kernel.writers(locked, byte=121) == ()
    monkeypatch.setattr(kernel, "LOCKS", tmp_path / "nothing")
    assert kernel.writers(locked, byte=120) == ()
    assert kernel.flock_holders(tmp_path / "gone") == ()

"""The session lock of an embedded store: an ``flock`` on a file beside it.

The kernel gives it back when its holder dies, so a killed holder never blocks anybody; a
stopped one does. The name of the file says what it serves: senders of traces.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eprescription_sdk.errors import StoreUnavailable
from eprescription_sdk.storage.kernel import flock_holders


class FileLock:
    """The lock of one store.

    Args:
        store: the file of the embedded store.
    """

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(store.name + ".senders")

    @contextmanager
    def shared(self) -> Iterator[bool]:
        """Hold it together with others; False when somebody holds it alone."""
        with self._file() as descriptor:
            yield _try(descriptor, fcntl.LOCK_SH)

    @contextmanager
    def exclusive(self, timeout: float) -> Iterator[bool]:
        """Hold it alone; False when others still held it after ``timeout`` seconds."""
        ends = time.monotonic() + timeout
        with self._file() as descriptor:
            while not (held := _try(descriptor, fcntl.LOCK_EX)) and time.monotonic() < ends:
                time.sleep(0.02)
            yield held

    def holders(self) -> tuple[str, ...]:
        """Who holds it, as ``host:pid`` of each process, where the kernel tells."""
        return flock_holders(self._path)

    @contextmanager
    def _file(self) -> Iterator[int]:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(
                "The lock file of the senders cannot be opened.",
                path=str(self._path),
                way_out="Give this process the right to write there.",
            ) from error
        _open.add(descriptor)
        try:
            yield descriptor
        finally:
            # Said, not left to the closing: a child that was forked meanwhile may share it.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            _open.discard(descriptor)
            os.close(descriptor)


_open: set[int] = set()
"""Descriptors of this process that may hold a lock."""


def _let_go() -> None:
    """A forked child shares its parent's locks: it would keep them when the parent is done."""
    for descriptor in _open:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _open.clear()


os.register_at_fork(after_in_child=_let_go)


def _try(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""The sender lock: shared by whoever sends traces, taken alone by whoever closes them.

On an embedded store it is an ``flock`` on a file beside it. The kernel gives it back when its
holder dies, so a killed sender never blocks the closing; a stopped one does, and is named.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SenderLock:
    """The lock of one store.

    Args:
        store: the file of the embedded store.
    """

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(store.name + ".senders")

    @contextmanager
    def shared(self) -> Iterator[bool]:
        """Hold it while sending; False when the traces are being closed."""
        with self._file() as descriptor:
            yield _try(descriptor, fcntl.LOCK_SH)

    @contextmanager
    def exclusive(self, timeout: float) -> Iterator[bool]:
        """Hold it alone; False when senders still held it after ``timeout`` seconds."""
        ends = time.monotonic() + timeout
        with self._file() as descriptor:
            while not (held := _try(descriptor, fcntl.LOCK_EX)) and time.monotonic() < ends:
                time.sleep(0.02)
            yield held

    @contextmanager
    def _file(self) -> Iterator[int]:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _try(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""Who holds a lock on a file, as the kernel of Linux tells.

Elsewhere nobody is named; nor is a process that this one cannot see, such as one in another
container.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LOCKS = Path("/proc/locks")


def flock_holders(file: Path) -> tuple[str, ...]:
    """Processes that hold an ``flock`` on a file, as ``host:pid``."""
    return _named(pid for kind, _, pid, _, _ in _locks(file) if kind == "FLOCK")


def writers(file: Path, *, byte: int | None = None) -> tuple[str, ...]:
    """Processes that hold an exclusive POSIX lock on a file, as ``host:pid``.

    Args:
        file: which.
        byte: that the lock must cover; any by default.
    """
    return _named(
        pid
        for kind, mode, pid, first, last in _locks(file)
        if (kind, mode) == ("POSIX", "WRITE") and (byte is None or first <= byte <= last)
    )


def _locks(file: Path) -> Iterator[tuple[str, str, int, int, float]]:
    """Kind, mode, process, first and last byte of every lock that is held on a file."""
    with suppress(OSError):
        found = file.stat()
        where = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        for line in LOCKS.read_text(encoding="ascii").splitlines():
            # A line with an arrow is one that waits.
            with suppress(ValueError):
                _, kind, _, mode, pid, place, first, last = line.split()
                if place == where:
                    yield kind, mode, int(pid), int(first), _last(last)


def _last(text: str) -> float:
    return float("inf") if text == "EOF" else int(text)


def _named(pids: Iterator[int]) -> tuple[str, ...]:
    # Whoever cannot be seen from here has no number.
    return tuple(f"{socket.gethostname()}:{pid}" for pid in sorted({*pids}) if pid > 0)

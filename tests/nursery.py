"""Processes that start at once: forked from one that has imported everything already.

Each is a process of its own, with a number of its own, and may be stopped or killed. It talks in
lines, as those of ``tests.processes`` do.
"""

import ctypes
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.processes import Child, child

_DIE_WITH_PARENT = 1
"""``PR_SET_PDEATHSIG`` of Linux."""


class Forked:
    """One of them.

    Args:
        connection: to its input and output.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("r", encoding="utf-8")
        self.pid = int(self.line())

    def line(self) -> str:
        """The next line it prints; empty at its end."""
        try:
            line = self._lines.readline()
        except (ConnectionError, ValueError):
            return ""  # It was ended, and its connection closed.
        # A killed process may leave half a line.
        return line.strip() if line.endswith("\n") else ""

    def tell(self, line: str) -> None:
        """Send it a line."""
        self._connection.sendall(f"{line}\n".encode())

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def end(self) -> None:
        """Kill it if it is still there."""
        if self.lives:
            self.signal(signal.SIGKILL)
        # Whoever still reads its lines comes to their end.
        self._connection.shutdown(socket.SHUT_RDWR)
        self._lines.close()
        self._connection.close()

    @property
    def lives(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True


class Nursery:
    """Where they come from.

    Args:
        mother: the process that forks.
        listener: where the forked ones call.
    """

    def __init__(self, mother: Child, listener: socket.socket) -> None:
        self._mother = mother
        self._listener = listener

    @contextmanager
    def forked(self, work: str, *arguments: str) -> Iterator[Forked]:
        """A process that does a piece of work; it is gone when the block ends."""
        self._mother.tell(json.dumps([work, *arguments]))
        process = Forked(self._listener.accept()[0])
        try:
            yield process
        finally:
            process.end()


@contextmanager
def nursery(module: str) -> Iterator[Nursery]:
    """A nursery of processes that work in a module, which names what they can do in ``WORK``."""
    with TemporaryDirectory() as folder:
        place = Path(folder) / "socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place))
            listener.listen(64)
            listener.settimeout(60)
            with child("tests.nursery", module, place) as mother:
                yield Nursery(mother, listener)


def main(module: str, place: str) -> None:
    """In the process that forks: do so for each line, until the input ends."""
    work = importlib.import_module(module).WORK
    # Nobody waits for them one by one.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            # Whatever becomes of the tests, nobody is left behind.
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(place)
            for descriptor in (sys.stdin.fileno(), sys.stdout.fileno()):
                os.dup2(connection.fileno(), descriptor)
            sys.stdout.write(f"{os.getpid()}\n")
            sys.stdout.flush()
            work[name](*arguments)
            os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

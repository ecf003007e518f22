"""Other processes for tests that need them: started as modules of the tests, ended by their id."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


class Child:
    """A process that talks in lines.

    Args:
        module: what ``python -m`` runs.
        arguments: for it.
    """

    def __init__(self, module: str, *arguments: str | Path) -> None:
        path = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", module, *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def line(self) -> str:
        """The next line it prints; empty at its end."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def tell(self, line: str) -> None:
        """Send it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def rest(self, timeout: float = 30) -> str:
        """Wait for its end; what it printed and nobody read yet."""
        out, _ = self._process.communicate(timeout=timeout)
        return out

    @property
    def status(self) -> int | None:
        return self._process.poll()

    def end(self) -> None:
        """Kill it if it is still there, and collect it."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                stream.close()


def say(line: object) -> None:
    """In such a process: send a line to the test, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def child(module: str, *arguments: str | Path) -> Iterator[Child]:
    """A process that is gone when the block ends."""
    process = Child(module, *arguments)
    try:
        yield process
    finally:
        process.end()

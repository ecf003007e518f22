"""How long ``import eprescription_sdk`` takes beside ``import httpx``.

Each import is made in a fresh interpreter, in turns; the time is that of the import statement
alone, taken inside. The figure is the quickest of one against the quickest of the other. What it
takes to name the client, which loads most of the library, is printed beside it.
Run: ``python -m benchmarks.importing [rounds]``.
"""

import subprocess
import sys

from benchmarks.table import Row, show

ROUNDS = 25
_SCRIPT = """\
import time
begun = time.perf_counter()
{statement}
print(time.perf_counter() - begun)
"""


def seconds(statement: str) -> float:
    """Of one import, in an interpreter of its own."""
    command = [sys.executable, "-c", _SCRIPT.format(statement=statement)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return float(done.stdout)


OURS, CLIENT, THEIRS = (
    "import eprescription_sdk",
    "from eprescription_sdk import Client",
    "import httpx",
)


def measure(rounds: int) -> dict[str, float]:
    """The quickest of each import, in seconds."""
    # The first of each writes byte code, or reads files that are not in memory yet.
    taken = [
        {statement: seconds(statement) for statement in (OURS, CLIENT, THEIRS)}
        for _ in range(rounds + 1)
    ]
    return {name: min(turn[name] for turn in taken[1:]) for name in taken[0]}


def main(rounds: int = ROUNDS) -> None:
    """Print the figures."""
    quickest = measure(rounds)
    for statement, taken in quickest.items():
        print(f"  {statement:<36} {taken * 1e3:6.1f} ms")
    measured = quickest[OURS] / quickest[THEIRS]
    show([Row(what=f"`{OURS}`, against `{THEIRS}`", measured=measured, budget=1.7)])


if __name__ == "__main__":
    main(*(int(count) for count in sys.argv[1:]))

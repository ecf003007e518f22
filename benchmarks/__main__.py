"""Every benchmark, one process each, and one table of all budgets at the end.

Run: ``make bench``, or ``python -m benchmarks [name ...]`` for some of them.
"""

import subprocess
import sys
from collections.abc import Sequence

from benchmarks.table import HEADER, machine

NAMES = (
    "create",
    "concurrency",
    "importing",
    "envelope",
    "fhir_forms",
    "assessment",
    "traces",
    "closing",
)
"""Each is a module of this folder; its lines that begin with a bar are rows of the table."""


def main(names: Sequence[str], sizes: Sequence[str] = ()) -> int:
    """Run them, with their own sizes or those given; how many budgets do not hold."""
    rows: list[str] = []
    for name in names:
        print(f"== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *sizes]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603
            assert running.stdout is not None
            for line in running.stdout:
                print(line, end="", flush=True)
                if line.startswith("|"):
                    rows.append(line.rstrip())
        if running.returncode:
            raise SystemExit(f"{name} failed.")
    print(f"\n{machine()}\n\n{HEADER}")
    print("\n".join(rows))
    return sum("| NO |" in row for row in rows)


if __name__ == "__main__":
    missed = main(sys.argv[1:] or NAMES)
    if missed:
        print(f"\n{missed} of them not met.")

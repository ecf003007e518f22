"""The score of the last ``mutmut run``, module by module, and what survived.

A mutant is one changed expression. It is killed by a test that fails or never ends, or by the
type checker. At least 85 % is the goal; below it this ends with 1. Run: ``make mutants``.
"""

import platform
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

GOAL = 0.85
KILLED = ("killed", "caught by type check", "timeout", "segfault")


def main() -> int:
    """Print the scores and the survivors."""
    modules: dict[str, Counter[str]] = defaultdict(Counter)
    alive: list[str] = []
    for line in _results():
        name, _, status = line.strip().rpartition(": ")
        modules[name.rpartition(".")[0].removeprefix("eprescription_sdk.")][status] += 1
        if status not in KILLED:
            alive.append(f"{name}: {status}")
    print(f"Python {platform.python_version()}, {platform.machine()}")
    print(f"{'module':24} {'mutants':>7} {'types':>6} {'tests':>6} {'alive':>6} {'killed':>8}")
    for module in sorted(modules):
        _print(module, modules[module])
    everything = sum(modules.values(), Counter[str]())
    score = _print("all", everything)
    print("\nAlive, with their reasons in docs/mutants.md; one by one: mutmut show NAME\n")
    print(*alive, sep="\n")
    return int(score < GOAL)


def _results() -> list[str]:
    mutmut = Path(sys.executable).with_name("mutmut")
    listed = subprocess.run(  # noqa: S603  (mutmut's own command)
        [mutmut, "results", "--all", "true"], check=True, capture_output=True, text=True
    )
    return [line for line in listed.stdout.splitlines() if ": " in line]


def _print(module: str, found: Counter[str]) -> float:
    """One line of the table, and its score."""
    total, types = found.total(), found["caught by type check"]
    killed = sum(found[status] for status in KILLED)
    score = killed / total if total else 0.0
    print(f"{module:24} {total:7} {types:6} {killed - types:6} {total - killed:6} {score:8.1%}")
    return score


if __name__ == "__main__":
    sys.exit(main())

"""The score of the last ``mutmut run``, module by module, and what survived.

A mutant is one changed expression. It is killed by a test that fails or never ends, or by the
type checker. At least 85 % is the goal; below it this ends with 1. Run: ``make mutants``.
"""

import platform
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

GOAL = 0.85
PAGE = Path(__file__).parents[1] / "docs" / "mutants.md"
"""Says of each function in which mutants survive why they do."""

_KILLED = ("killed", "caught by type check", "timeout")
_NAME = re.compile(r"eprescription_sdk\.(.+)\.x(?:_|ǁ)(.+)__mutmut_\d+")


def main() -> int:
    """Print the scores as Markdown, and the survivors."""
    modules: dict[str, Counter[str]] = defaultdict(Counter)
    alive: list[tuple[str, str]] = []
    for name, status in _results():
        module, function = _NAME.fullmatch(name).groups()  # type: ignore[union-attr]
        modules[module][status] += 1
        if status not in _KILLED:
            alive.append((f"{module}.{function.replace('ǁ', '.')}", f"{name} ({status})"))
    print(f"Python {platform.python_version()} on {platform.system()}, {platform.machine()}\n")
    print("| module | mutants | by types | by tests | alive | killed |\n|---|---|---|---|---|---|")
    for module in sorted(modules):
        _row(f"`{module}`", modules[module])
    score = _row("all", sum(modules.values(), Counter[str]()))
    page = PAGE.read_text(encoding="utf-8")
    print("\nAlive (`mutmut show NAME` tells the change):")
    for function, name in sorted(alive):
        print(f"  {name}{'' if f'`{function}`' in page else ': no reason in ' + PAGE.name}")
    return int(score < GOAL)


def _results() -> list[tuple[str, str]]:
    """Every mutant and what became of it."""
    mutmut = Path(sys.executable).with_name("mutmut")
    listed = subprocess.run(  # noqa: S603  (mutmut's own command)
        [mutmut, "results", "--all", "true"], check=True, capture_output=True, text=True
    )
    pairs = (line.strip().partition(": ") for line in listed.stdout.splitlines())
    return [(name, status) for name, _, status in pairs if status]


def _row(name: str, found: Counter[str]) -> float:
    """One row of the table, and its score."""
    total, types = found.total(), found["caught by type check"]
    killed = sum(found[status] for status in _KILLED)
    score = killed / total
    print(f"| {name} | {total} | {types} | {killed - types} | {total - killed} | {score:.1%} |")
    return score


if __name__ == "__main__":
    sys.exit(main())

"""Does a test notice when a decision is changed? The score of mutmut, and what survived.

A mutant is one changed expression. It is killed by a test that fails or never ends, or by the
type checker. At least 85 % is the goal; below it this ends with 1. Run: ``make mutants``, or
``python -m benchmarks.mutants`` to see the score of the last run again.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

GOAL = 0.85
PAGE = Path(__file__).parents[1] / "docs" / "mutants.md"
"""Says of each function in which mutants survive why they do."""

_MUTMUT = Path(sys.executable).with_name("mutmut")
_KILLED = ("killed", "caught by type check", "timeout")
_NAME = re.compile(r"eprescription_sdk\.(.+)\.x(?:_|ǁ)(.+)__mutmut_\d+")


def main() -> int:
    """Try every mutant where told how many at once; print the scores, and the survivors."""
    if at_once := sys.argv[1:]:
        _try_all(at_once[0])
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


def _try_all(at_once: str) -> None:
    """Afresh, so that the figures are those of one run."""
    shutil.rmtree("mutants", ignore_errors=True)
    # It looks for the type checker on the path.
    path = f"{_MUTMUT.parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(  # noqa: S603  (mutmut's own command)
        [_MUTMUT, "run", "--max-children", at_once],
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        assert run.stdout is not None
        last = ""
        # It redraws a line without end, with a spinner: a new stage is shown, or so many mutants.
        for line in run.stdout:
            stage = re.sub(r"^[\u2800-\u28ff] |\d\d/.*", "", line.rstrip())
            if stage and stage != last:
                print(line.rstrip(), flush=True)
                last = stage


def _results() -> list[tuple[str, str]]:
    """Every mutant and what became of it."""
    listed = subprocess.run(  # noqa: S603  (mutmut's own command)
        [_MUTMUT, "results", "--all", "true"], check=True, capture_output=True, text=True
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

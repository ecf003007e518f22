"""The table that ``make bench`` prints: what was measured, its ceiling, the machine.

Each benchmark prints its rows with ``show``; ``python -m benchmarks`` runs them all, one process
each, and gathers the rows. How something is measured stands in the benchmark itself.
"""

import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

import attrs

HEADER = "| what | measured | budget | met |\n|---|---:|---:|---|"


@attrs.frozen(kw_only=True)
class Row:
    """One budget and what was measured.

    Args:
        what: the two sides of the ratio, in a few words.
        measured: the figure.
        budget: what it may be at most, or must be at least.
        least: whether the budget is a floor, such as one of throughput.
        unit: of both figures; ``×`` for a ratio.
        shown: how the figure is written; two decimals by default.
    """

    what: str
    measured: float
    budget: float
    least: bool = False
    unit: str = "×"
    shown: str = ".2f"

    @property
    def met(self) -> bool:
        """Whether the budget holds."""
        return self.measured >= self.budget if self.least else self.measured <= self.budget

    def __str__(self) -> str:
        sign = "≥" if self.least else "≤"
        unit = self.unit if self.unit == "×" else f" {self.unit}"
        return (
            f"| {self.what} | {self.measured:{self.shown}}{unit}"
            f" | {sign} {self.budget:g}{unit} | {'yes' if self.met else 'NO'} |"
        )


def show(rows: Iterable[Row]) -> None:
    """Print rows, each on a line of its own that begins with a bar."""
    for row in rows:
        print(row, flush=True)


def machine() -> str:
    """The machine, as far as it matters to the figures."""
    return (
        f"{platform.python_implementation()} {platform.python_version()},"
        f" {platform.system()} {platform.machine()}, {os.cpu_count()} × {_processor()}"
    )


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"

"""How sides are compared on a machine that others use too: in turns, by the best of each.

The sides take turns call by call, so that each finds the processor's caches as the others left
them, as it would between other work. Every round keeps the quickest of a few calls of each: one
that was interrupted says how busy the machine is, and the longer a call takes, the more often it
is interrupted. A ratio is taken within a round, and the figure is the median of the rounds'
ratios.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs


def _nothing() -> None:
    return None


@attrs.frozen
class Side:
    """One of those compared.

    Args:
        call: what is timed.
        afterwards: what comes before the next call, and is not.
    """

    call: Callable[[], Any]
    afterwards: Callable[[], Any] = _nothing


@attrs.frozen
class Rounds:
    """The seconds of each side: its quickest call of each round."""

    seconds: Mapping[str, list[float]]

    def microseconds(self, side: str) -> float:
        """Of one call of a side, in the middle round."""
        return statistics.median(self.seconds[side]) * 1e6

    def ratio(self, ours: str, theirs: str, *, less: str | None = None) -> float:
        """How many times as long a side takes as another, less what a third takes."""
        taken = zip(
            self.seconds[ours],
            self.seconds[theirs],
            self.seconds[less] if less else [0.0] * len(self.seconds[ours]),
            strict=True,
        )
        return statistics.median((our - left) / their for our, their, left in taken)


def take_turns(sides: Mapping[str, Side], *, rounds: int, calls: int) -> Rounds:
    """Time the sides call by call, a few calls of each in every round."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        taken = [{name: _time(side) for name, side in sides.items()} for _ in range(calls)]
        for name, best in seconds.items():
            best.append(min(turn[name] for turn in taken))
    return Rounds(seconds)


def in_loops(sides: Mapping[str, Side], *, rounds: int, calls: int) -> Rounds:
    """Time the sides in tight loops: each finds the processor's caches as it left them itself."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            seconds[name].append(min(_time(side) for _ in range(calls)))
    return Rounds(seconds)


def _time(side: Side) -> float:
    begun = time.perf_counter()
    side.call()
    taken = time.perf_counter() - begun
    side.afterwards()
    return taken

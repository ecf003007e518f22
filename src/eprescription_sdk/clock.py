"""Time and sleep behind one small protocol, so that tests and the demo own them.

Wall-clock times are timezone-aware UTC. Days of the pilot are Europe/Paris days.
"""

import asyncio
import random
import threading
import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def paris_day(moment: datetime) -> date:
    """The Europe/Paris day that a moment belongs to."""
    return moment.astimezone(PARIS).date()


class Clock(Protocol):
    """Where the SDK gets the time from and how it waits."""

    def now(self) -> datetime:
        """The wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring."""

    def sleep(self, seconds: float) -> None:
        """Wait in a thread."""

    async def asleep(self, seconds: float) -> None:
        """Wait on the event loop."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait in a thread."""
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(seconds)


class SimulatedClock(SystemClock):
    """A wall clock that starts where told and is moved by hand; durations stay real.

    It ticks with real time between moves, so that two readings still differ. It never
    goes back.

    Args:
        start: the first time it shows, aware.
    """

    def __init__(self, start: datetime) -> None:
        self._lock = threading.Lock()
        self._offset = start.astimezone(UTC) - datetime.now(UTC)

    def now(self) -> datetime:
        """The simulated time, aware, in UTC."""
        return datetime.now(UTC) + self._offset

    def move_to(self, moment: datetime) -> None:
        """Jump to a later moment; an earlier one is left alone."""
        with self._lock:
            ahead = moment.astimezone(UTC) - self.now()
            if ahead > timedelta(0):
                self._offset += ahead

    def advance(self, by: timedelta) -> None:
        """Jump ahead by a duration."""
        self.move_to(self.now() + by)


def iso(moment: datetime) -> str:
    """A moment as stores and exports write it: UTC, microseconds, sortable as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment_of(text: str) -> datetime:
    """The moment that ``iso`` wrote.

    Raises:
        ValueError: the text is none, or one that has no time in UTC.
        TypeError: it is no text.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without its offset")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a moment outside the calendar") from None


def full_jitter(attempt: int, base: float, cap: float) -> float:
    """A random pause after an attempt, in seconds: up to ``base`` after the first, then doubled."""
    return random.uniform(0, min(cap, base * 2 ** min(attempt - 1, 32)))  # noqa: S311  (not a secret)

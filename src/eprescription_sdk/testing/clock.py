"""A clock that stands still, for tests that are about leases, horizons and days."""

import threading
from datetime import UTC, datetime, timedelta

from eprescription_sdk.clock import SystemClock


class FrozenClock(SystemClock):
    """A wall clock that moves only when told; durations and pauses stay real.

    Give the same clock to the client and to the sandbox: a message is refused whose time is far
    from the service's. It never goes back. What the sandbox commits late, it commits in real time:
    wait for it before you move this clock past the in-flight horizon.

    Args:
        start: the time it shows, aware; the machine's own by default.

    Raises:
        ValueError: a time without its offset.
    """

    def __init__(self, start: datetime | None = None) -> None:
        start = start if start is not None else datetime.now(UTC)
        if start.tzinfo is None:
            raise ValueError("A time has its offset.")
        self._lock = threading.Lock()
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The time it stands at, aware, in UTC."""
        with self._lock:
            return self._now

    def move_to(self, moment: datetime) -> None:
        """Jump to a later moment; an earlier one is left alone."""
        with self._lock:
            self._now = max(self._now, moment.astimezone(UTC))

    def advance(self, by: timedelta) -> None:
        """Jump ahead by a duration."""
        self.move_to(self.now() + by)

"""A circuit breaker: a service that does not answer is left alone, save for one probe at a time.

It counts what goes unanswered in a row, whatever the operation and the practitioner. Which
answers count is decided in ``classify``, what a refusal means for the call in ``exchange``.
"""

import random
import threading

import attrs


@attrs.frozen
class Permit:
    """Leave to make one request; ``probe`` if it finds out whether the service is back."""

    probe: bool


class Breaker:
    """Closed, or open until a probe is answered; safe to share between threads.

    Args:
        failures: unanswered requests in a row that open it.
        pause: the longest time between two probes, in seconds; each lasts at least half of it.
        patience: the longest that one request lasts, in seconds: a probe whose answer nobody
            reports, because its caller is gone, stands in the way no longer than that.
    """

    def __init__(self, *, failures: int, pause: float, patience: float) -> None:
        self._most = failures
        self._pause = pause
        self._patience = patience
        self._failed = 0
        self._probe_at: float | None = None
        self._lock = threading.Lock()

    @property
    def open(self) -> bool:
        """Whether requests are held back."""
        return self._probe_at is not None

    def admit(self, now: float) -> Permit | None:
        """Ask to make a request; None while the service is left alone.

        Args:
            now: on the monotonic clock.
        """
        with self._lock:
            if self._probe_at is None:
                return Permit(probe=False)
            if now < self._probe_at:
                return None
            # No other until this one is answered, or must have been.
            self._probe_at = now + self._patience + self._pause
            return Permit(probe=True)

    def answered(self) -> None:
        """The service is there."""
        with self._lock:
            self._failed = 0
            self._probe_at = None

    def unanswered(self, permit: Permit, now: float) -> bool:
        """A request brought no answer; True if that opened the breaker."""
        with self._lock:
            self._failed += 1
            opens = self._probe_at is None and self._failed >= self._most
            if opens or (permit.probe and self._probe_at is not None):
                self._probe_at = now + self._pause * random.uniform(0.5, 1)  # noqa: S311  (spread)
            return opens

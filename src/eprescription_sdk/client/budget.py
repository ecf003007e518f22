"""A retry budget: what keeps an outage from multiplying the load on the service.

A token bucket, one a client. Each call puts a fraction of a token in; each further request of a
call takes one out, and gets it back when its answer ends the call. What a refusal means for the
call is decided in ``exchange``.
"""

import threading


class RetryBudget:
    """Tokens for further requests; safe to share between threads.

    Args:
        ratio: further requests allowed for each call, over time.
        burst: tokens in a full bucket, which it is at the start.
    """

    def __init__(self, *, ratio: float, burst: int) -> None:
        self._ratio = ratio
        self._burst = burst
        self._tokens = float(burst)
        self._lock = threading.Lock()

    @property
    def tokens(self) -> float:
        """What is left."""
        return self._tokens

    def called(self) -> None:
        """A call makes its first request."""
        self._add(self._ratio)

    def take(self, *, again: bool = False) -> bool:
        """Whether a call may make a further request; that takes a token.

        Args:
            again: it made one already. A quarter of the bucket is kept for calls that did not:
                one that asks in vain must not leave others without their only question.
        """
        with self._lock:
            if self._tokens < 1 + (self._burst // 4 if again else 0):
                return False
            self._tokens -= 1
            return True

    def give_back(self) -> None:
        """The further request was the last one."""
        self._add(1)

    def _add(self, tokens: float) -> None:
        with self._lock:
            self._tokens = min(self._burst, self._tokens + tokens)

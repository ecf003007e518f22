"""Who waits for the answer of a create, and what changes when they stop waiting.

The engine goes on behind; this is the only thing that it and its caller both touch. What the
caller is told, and what is written of it, is decided in ``create``.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Caller:
    """The caller of one create; safe to share between the engine's thread and the caller's.

    Args:
        plain: whether a caller who is told "uncertain" gives out plain paper. Nothing leaves
            any more once they are gone: it could only become a second prescription.
    """

    def __init__(self, *, plain: bool = False) -> None:
        self._plain = plain
        self._lock = threading.Lock()
        self._answered = False
        self.sent = False
        """Whether a create may have reached the service."""
        self.gone = False
        """Whether the caller stopped waiting."""
        self.barred = False
        """Whether no create may leave any more."""

    def sending(self) -> bool:
        """Whether a create may leave; from here on it may have reached the service."""
        with self._lock:
            if self.barred:
                return False
            self.sent = True
            return True

    def answered(self) -> None:
        """The answer is known: whoever still waits gets it."""
        with self._lock:
            self._answered = True

    def leave(self, tell: Callable[[bool], T]) -> T | None:
        """Stop waiting.

        Args:
            tell: gets whether a create may have reached the service, and makes what the caller
                is told. Whatever the engine decides later is decided after it.

        Returns:
            What was made, or None: the answer is known, wait for it.
        """
        with self._lock:
            if self._answered:
                return None
            self.gone = True
            self.barred = self._plain or not self.sent
            return tell(self.sent)

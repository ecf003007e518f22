"""What every storage engine offers: transactions handed over as functions.

A unit of work is a ``Callable[[Tx], T]``. Work that waits together is committed together;
each unit is under a savepoint of its own, so that one that raises takes nothing with it.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

Scalar = str | int | float | bytes | None
Row = tuple[Any, ...]


class Tx(Protocol):
    """One transaction; placeholders are ``?``.

    On both engines one transaction writes at a time: what it reads stays true until it commits,
    and rows appear in the order of their numbers.
    """

    @property
    def clock_offset(self) -> timedelta:
        """The store's time less this machine's; nothing where the store is in this machine."""

    @property
    def for_share(self) -> str:
        """Ends a select whose row must not change before the commit; empty where none can."""

    def execute(self, sql: str, parameters: Sequence[Scalar] = ()) -> list[Row]:
        """Run one statement; all its rows."""

    def iterate(self, sql: str, parameters: Sequence[Scalar] = ()) -> Iterator[Row]:
        """Run one statement; its rows one by one, for results of any size."""

    def savepoint(self) -> AbstractContextManager[None]:
        """A block that is undone alone if it raises; the exception goes on."""


class SessionLock(Protocol):
    """A lock that a process holds across transactions, and loses when it dies.

    It is held in a session of its own; no transaction is open meanwhile.
    """

    def shared(self) -> AbstractContextManager[bool]:
        """Hold it together with others; False when somebody holds it alone."""

    def exclusive(self, timeout: float) -> AbstractContextManager[bool]:
        """Hold it alone; False when others still held it after ``timeout`` seconds."""

    def holders(self) -> tuple[str, ...]:
        """Who holds it now, as ``host:pid``, where the engine can say."""


class Store(Protocol):
    """A store that several threads and processes share."""

    @property
    def path(self) -> Path | None:
        """The file of an embedded store; None for a server."""

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Hand work to the writer thread; the future is done once it is durable.

        The future fails with the work's own exception, or with a ``StoreError``.
        """

    def write(self, work: Callable[[Tx], T]) -> T:
        """Submit work and wait for it."""

    def read(self, work: Callable[[Tx], T]) -> T:
        """Run work that only reads, on a snapshot, in the caller's thread."""

    def session_lock(self) -> SessionLock:
        """The one lock of this store that outlives transactions."""

    def close(self) -> None:
        """Finish what waits and give everything back; later work reopens the store."""

"""The writer thread: one a process and store, it commits together what waits together.

It starts with the first work, ends with ``stop()``, and survives a fork: before one, it
finishes what waits and ends; parent and child start their own when they next write.
"""

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from eprescription_sdk.errors import StoreUnavailable
from eprescription_sdk.storage.base import Tx

T = TypeVar("T")

MAX_BATCH = 512
MOMENT = 0.0005
"""How long those who were just answered are waited for, in seconds: less than a commit costs."""
FEW = 3
"""So few callers are not waited for: it would cost each of them more than it saves."""


class Session(Protocol):
    """An open connection that can run a batch; made and used in the writer thread alone."""

    def run(self, batch: list[Callable[[Tx], Any]]) -> list[tuple[Any, BaseException | None]]:
        """Run each unit under a savepoint, commit once, return result or error of each.

        Raises:
            StoreError: nothing of the batch is durable.
        """

    def close(self) -> None:
        """Give the connection back."""


class Writer:
    """Runs units of work in batches on a thread of its own.

    Args:
        connect: opens a session; called in the writer thread.
        name: of the thread.
    """

    def __init__(self, connect: Callable[[], Session], name: str) -> None:
        self._connect = connect
        self._name = name
        self._reset()
        _writers.add(self)

    def _reset(self) -> None:
        self._waiting: deque[tuple[Callable[[Tx], Any], Future[Any]]] = deque()
        self._state = threading.Condition()
        self._thread: threading.Thread | None = None
        # How much of what waits is still done before the thread ends; None: it goes on.
        self._left: int | None = None
        self._forking = False
        self._readers = 0
        self._last = 0

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Hand over work; the future is done when the work is durable.

        Raises:
            StoreUnavailable: no thread can be started any more.
        """
        future: Future[T] = Future()
        with self._state:
            if self._thread is None and not self._forking:
                self._start()
            self._waiting.append((work, future))
            # The writer is woken once: by the first, or when all it waits for are back.
            if len(self._waiting) in (1, self._last):
                self._state.notify_all()
        return future

    def _start(self) -> None:
        # A daemon: a host that exits without close() must not hang. What was acknowledged is
        # on disk already.
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            raise StoreUnavailable(
                "The writer thread cannot be started.",
                way_out="Write before the process ends, and look at its limit of threads.",
            ) from None
        self._thread = thread

    def stop(self) -> None:
        """Finish what waits now, close the session and end the thread."""
        with self._state:
            thread = self._thread
            if thread is None:
                return
            # Only what waits now: others may go on submitting without end.
            if self._left is None:
                self._left = len(self._waiting)
            self._state.notify_all()
        thread.join()

    def _run(self) -> None:
        session: Session | None = None
        while (batch := self._next_batch()) is not None:
            try:
                if session is None:
                    session = self._connect()
                results = session.run([work for work, _ in batch])
            except BaseException as error:  # noqa: BLE001  (it belongs to the callers)
                # A session that failed as a whole is not trusted again.
                _close(session)
                session = None
                results = [(None, error)] * len(batch)
            for (_, future), (result, failure) in zip(batch, results, strict=True):
                if not future.set_running_or_notify_cancel():
                    continue
                if failure is None:
                    future.set_result(result)
                else:
                    future.set_exception(failure)
        _close(session)
        self._ended()

    def _next_batch(self) -> list[tuple[Callable[[Tx], Any], Future[Any]]] | None:
        with self._state:
            while self._left is None and not self._waiting:
                self._state.wait()
            # Without this, the first to come back is committed alone, each other time.
            if self._last > FEW:
                self._state.wait_for(self._all_are_back, MOMENT)
            size = min(MAX_BATCH, len(self._waiting))
            if self._left is not None:
                if self._left == 0:
                    return None
                size = min(size, self._left)
                self._left -= size
            self._last = size
            return [self._waiting.popleft() for _ in range(size)]

    def _all_are_back(self) -> bool:
        return self._left is not None or len(self._waiting) >= self._last

    def _ended(self) -> None:
        with self._state:
            self._left = self._thread = None
            # What was submitted meanwhile is later work.
            if self._waiting and not self._forking:
                self._start()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A block during which no fork happens: its connection is open in this process.

        A child that inherits an open connection would believe that it holds locks which the
        kernel gave to its parent alone.
        """
        with self._state:
            while self._forking:
                self._state.wait()
            self._readers += 1
        try:
            yield
        finally:
            with self._state:
                self._readers -= 1
                self._state.notify_all()

    def before_fork(self) -> None:
        """Quiesce: no thread, no connection, and the state held still."""
        with self._state:
            self._forking = True
        self.stop()
        self._state.acquire()
        while self._readers:
            self._state.wait()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._forking = False
        self._state.notify_all()
        try:
            if self._waiting:
                self._start()
        finally:
            self._state.release()

    def after_fork_in_child(self) -> None:
        """Start afresh: what waited belongs to the parent."""
        self._reset()


def _close(session: Session | None) -> None:
    if session is not None:
        # What failed was told already; a failing close must not take the thread along.
        with suppress(Exception):
            session.close()


_writers: "weakref.WeakSet[Writer]" = weakref.WeakSet()
_forking: list[Writer] = []
_one_fork = threading.Lock()


def _before_fork() -> None:
    # Two threads may fork at once; each needs the writers to itself.
    _one_fork.acquire()
    _forking.extend(_writers)
    for writer in _forking:
        writer.before_fork()


def _after_fork_in_parent() -> None:
    try:
        while _forking:
            _forking.pop().after_fork_in_parent()
    finally:
        _one_fork.release()


def _after_fork_in_child() -> None:
    while _forking:
        _forking.pop().after_fork_in_child()
    _one_fork.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )

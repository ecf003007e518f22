"""The writer thread: one a process and store, it commits together what waits together.

It starts with the first work, ends with ``stop()``, and survives a fork: before one, it
finishes its batch and ends; parent and child start their own when they next write.
"""

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from eprescription_sdk.storage.base import Tx

T = TypeVar("T")

MAX_BATCH = 512


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
        self._stopping = False

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Hand over work; the future is done when the work is durable."""
        future: Future[T] = Future()
        with self._state:
            self._waiting.append((work, future))
            if self._thread is None:
                # A daemon: a host that exits without close() must not hang. What was
                # acknowledged is on disk already.
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            else:
                self._state.notify()
        return future

    def stop(self) -> None:
        """Finish what waits, close the session and end the thread."""
        while True:
            with self._state:
                thread = self._thread
                if thread is None:
                    return
                self._stopping = True
                self._state.notify()
            thread.join()

    def _run(self) -> None:
        session: Session | None = None
        try:
            while (batch := self._next_batch()) is not None:
                try:
                    if session is None:
                        session = self._connect()
                    results = session.run([work for work, _ in batch])
                except BaseException as error:  # noqa: BLE001  (it belongs to the callers)
                    # A session that failed as a whole is not trusted again.
                    if session is not None:
                        session.close()
                        session = None
                    results = [(None, error)] * len(batch)
                for (_, future), (result, failure) in zip(batch, results, strict=True):
                    if not future.set_running_or_notify_cancel():
                        continue
                    if failure is None:
                        future.set_result(result)
                    else:
                        future.set_exception(failure)
        finally:
            if session is not None:
                session.close()

    def _next_batch(self) -> list[tuple[Callable[[Tx], Any], Future[Any]]] | None:
        with self._state:
            while not self._waiting:
                if self._stopping:
                    self._stopping = False
                    self._thread = None
                    return None
                self._state.wait()
            return [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]

    def before_fork(self) -> None:
        """Quiesce: no thread, no connection, and the state held still."""
        while True:
            self.stop()
            self._state.acquire()
            if self._thread is None:
                return
            self._state.release()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._state.release()

    def after_fork_in_child(self) -> None:
        """Start afresh: what waited belongs to the parent."""
        self._reset()


_writers: "weakref.WeakSet[Writer]" = weakref.WeakSet()
_forking: list[Writer] = []


def _before_fork() -> None:
    _forking.extend(_writers)
    for writer in _forking:
        writer.before_fork()


def _after_fork_in_parent() -> None:
    while _forking:
        _forking.pop().after_fork_in_parent()


def _after_fork_in_child() -> None:
    while _forking:
        _forking.pop().after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )

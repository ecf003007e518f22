"""What goes on behind the callers: threads or tasks that nobody waits for, and their end.

Two small classes with the same names: one for each client. Both let a caller leave a create
after their patience (``create.Create.leave``), and both end with the client.
"""

import asyncio
import concurrent.futures
import contextvars
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any

from eprescription_sdk import telemetry
from eprescription_sdk.client.create import Create
from eprescription_sdk.client.driver import AsyncDriver, Driver, Stopped
from eprescription_sdk.client.ending import Work
from eprescription_sdk.model.outcomes import Outcome

_PATIENCE = 1.0
"""How long closing waits for work in the background, in seconds."""


class Behind:
    """Daemon threads of one client."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._gate = threading.Lock()
        self._threads: dict[threading.Thread, Create | None] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing goes on."""
        return not self._threads

    def start(self, work: Callable[[], None], call: Create | None = None) -> bool:
        """Do work in a thread of its own; False once the client is being closed."""
        context = contextvars.copy_context()

        def run() -> None:
            try:
                context.run(work)
            finally:
                with self._gate:
                    self._threads.pop(threading.current_thread(), None)

        thread = threading.Thread(target=run, name="eprescription-behind", daemon=True)
        with self._gate:
            if self.stopping.is_set():
                return False
            try:
                thread.start()
            except RuntimeError:
                # No more threads: the caller does it itself.
                return False
            self._threads[thread] = call
        return True

    def stop(self) -> None:
        """Let everything end before its next effect."""
        with self._gate:
            self.stopping.set()

    def join(self, settle: Callable[[Work], None]) -> None:
        """Wait a moment for what was stopped, and leave word of what outlives that."""
        ends = time.monotonic() + _PATIENCE
        with self._gate:
            threads = dict(self._threads)
        for thread, call in threads.items():
            thread.join(max(0.0, ends - time.monotonic()))
            # One that outlives this waits for an answer, and carries nothing out afterwards.
            if thread.is_alive() and call is not None and (word := call.interrupted()) is not None:
                settle(word)

    def create(self, call: Create, driver: Driver, patience: float) -> Outcome:
        """Run a create; its caller leaves after ``patience`` seconds."""
        future: Future[Outcome] = Future()

        def work() -> None:
            try:
                future.set_result(driver.run(call.run(), call.interrupted))
            except BaseException as error:  # noqa: BLE001  (the caller's, if they still wait)
                future.set_exception(error)

        if not self.start(work, call):
            work()
        try:
            concurrent.futures.wait([future], timeout=patience)
        except BaseException:
            _leave(call, driver, future)
            raise
        if not future.done() and (told := _leave(call, driver, future)) is not None:
            return told
        try:
            return future.result()
        except Stopped:
            # The client is being closed under its caller: what is known is written.
            told = call.leave(lambda _: None)
            if told is None:
                raise
            return told


class AsyncBehind:
    """Tasks of one client."""

    def __init__(self) -> None:
        self._closing = False
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def idle(self) -> bool:
        """Whether nothing goes on."""
        return not self._tasks

    def start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any] | None":
        """Do work in a task of its own; None once the client is being closed."""
        if self._closing:
            work.close()
            return None
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """Cancel everything, and wait until it has left word."""
        self._closing = True
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def create(self, call: Create, driver: AsyncDriver, patience: float) -> Outcome:
        """Run a create; its caller leaves after ``patience`` seconds."""
        task = self.start(driver.run(call.run(), call.interrupted))
        if task is None:
            return await driver.run(call.run(), call.interrupted)
        try:
            await asyncio.wait({task}, timeout=patience)
        except asyncio.CancelledError:
            # Whoever cancels means the call, not only the waiting.
            task.add_done_callback(partial(_forgotten, call))
            task.cancel()
            raise
        if not task.done() and (told := _leave(call, driver, task)) is not None:
            return told
        if task.cancelled() and (told := call.leave(lambda _: None)) is not None:
            # The client is being closed under its caller: what is known is written.
            return told
        outcome: Outcome = await task
        return outcome


def _leave(
    call: Create, driver: "Driver | AsyncDriver", going: "Future[Outcome] | asyncio.Task[Outcome]"
) -> Outcome | None:
    told = call.leave(driver.settle)
    if told is not None:
        going.add_done_callback(partial(_forgotten, call))
    return told


def _forgotten(call: Create, going: Any) -> None:
    """Nobody is told any more what went wrong: it is logged."""
    error = None if going.cancelled() else going.exception()
    if error is not None and not isinstance(error, Stopped):
        telemetry.count("behind_failed", type(error).__name__)
        telemetry.event(
            "create.failed",
            level=logging.WARNING,
            kind=type(error).__name__,
            correlation_id=call.correlation_id,
        )

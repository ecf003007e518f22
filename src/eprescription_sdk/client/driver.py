"""The two loops that carry the engine's effects out: one blocking, one asynchronous.

They differ in nothing but how they wait (law 10). On an interruption they only enqueue what
the call says must be written, and let the interruption go on.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from eprescription_sdk import telemetry
from eprescription_sdk.client.effects import (
    Authenticate,
    Effect,
    Engine,
    Journal,
    Send,
    Settle,
    Sleep,
)
from eprescription_sdk.clock import Clock
from eprescription_sdk.errors import CredentialUnavailable, Delivery, TransportFailure
from eprescription_sdk.ports import AsyncTransport, Transport
from eprescription_sdk.storage import Store, Tx

if TYPE_CHECKING:
    from concurrent.futures import Future

R = TypeVar("R")
Interrupted = Callable[[], Callable[[Tx], None] | None]


def _nothing() -> None:
    return None


class _Driver:
    """What both loops share."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def settle(self, work: Callable[[Tx], Any]) -> None:
        """Hand work to the store that nobody waits for; its failure is counted."""
        try:
            self._store.submit(work).add_done_callback(_count_failure)
        except Exception as error:  # noqa: BLE001  (law 3: the answer is known already)
            _settlement_failed(error)

    def _abort(self, engine: Engine[Any], interrupted: Interrupted) -> None:
        """Close the engine, and leave word of what it had begun."""
        engine.close()
        work = interrupted()
        if work is not None:
            self.settle(work)


def _count_failure(future: "Future[Any]") -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        _settlement_failed(error)


def _settlement_failed(error: BaseException) -> None:
    # The caller has its answer; reconcile writes this one down later.
    telemetry.count("settlement_failed", type(error).__name__)
    telemetry.event("settlement.failed", level=logging.WARNING, kind=type(error).__name__)


def _no_credential(error: Exception) -> CredentialUnavailable:
    if isinstance(error, CredentialUnavailable):
        return error
    telemetry.event("credential.failed", level=logging.WARNING, kind=type(error).__name__)
    return CredentialUnavailable(f"The source of assertions failed ({type(error).__name__}).")


def _no_answer(error: Exception) -> TransportFailure:
    if isinstance(error, TransportFailure):
        return error
    # Nothing is known of what it did: the worst case.
    telemetry.event("transport.failed", level=logging.WARNING, kind=type(error).__name__)
    return TransportFailure(type(error).__name__, delivery=Delivery.UNKNOWN)


def _attempt(effect: Send) -> Any:
    fields: dict[str, Any] = {"operation": effect.operation.value, "attempt": effect.attempt}
    if effect.resent:
        # OpenTelemetry's name for it; absent on the first sending.
        fields["http.request.resend_count"] = effect.resent
    return telemetry.span("eprescription.attempt", **fields)


class Stopped(Exception):
    """Work in the background ends, since its client is being closed."""


class Driver(_Driver):
    """Runs engines in the caller's thread; ``stopping`` ends them before their next effect."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        transport: Transport,
        stopping: threading.Event | None = None,
    ) -> None:
        super().__init__(store, clock)
        self._transport = transport
        self._stopping = stopping

    def run(self, engine: Engine[R], interrupted: Interrupted = _nothing) -> R:
        """Run one engine to its end."""
        result: Any = None
        try:
            while True:
                try:
                    effect = engine.send(result)
                except StopIteration as stop:
                    value: R = stop.value
                    return value
                stopped = self._stopping is not None and self._stopping.is_set()
                # An answer that is known is written down: it keeps nobody waiting.
                if stopped and not isinstance(effect, Settle):
                    raise Stopped
                result = self._carry_out(effect)
        except BaseException:
            self._abort(engine, interrupted)
            raise

    def _carry_out(self, effect: Effect) -> Any:
        match effect:
            case Journal(work):
                return self._store.write(work)
            case Settle(work):
                self.settle(work)
            case Sleep(seconds):
                self._clock.sleep(seconds)
            case Authenticate(practitioner, now):
                try:
                    return practitioner.assertion(now)
                except Exception as error:  # noqa: BLE001  (a provider is foreign code)
                    return _no_credential(error)
            case Send(request):
                with _attempt(effect):
                    try:
                        return self._transport.send(request)
                    except Exception as error:  # noqa: BLE001  (a transport is foreign code)
                        return _no_answer(error)
        return None


class AsyncDriver(_Driver):
    """Runs engines on the event loop."""

    def __init__(self, store: Store, clock: Clock, transport: AsyncTransport) -> None:
        super().__init__(store, clock)
        self._transport = transport

    async def run(self, engine: Engine[R], interrupted: Interrupted = _nothing) -> R:
        """Run one engine to its end."""
        result: Any = None
        try:
            while True:
                try:
                    effect = engine.send(result)
                except StopIteration as stop:
                    value: R = stop.value
                    return value
                result = await self._carry_out(effect)
        except BaseException:
            self._abort(engine, interrupted)
            raise

    async def _carry_out(self, effect: Effect) -> Any:
        match effect:
            case Journal(work):
                # Shielded: work that was handed over is done, whoever still listens.
                return await asyncio.shield(asyncio.wrap_future(self._store.submit(work)))
            case Settle(work):
                self.settle(work)
            case Sleep(seconds):
                await self._clock.asleep(seconds)
            case Authenticate(practitioner, now):
                try:
                    return await asyncio.to_thread(practitioner.assertion, now)
                except Exception as error:  # noqa: BLE001  (a provider is foreign code)
                    return _no_credential(error)
            case Send(request):
                with _attempt(effect):
                    try:
                        return await self._transport.send(request)
                    except Exception as error:  # noqa: BLE001  (a transport is foreign code)
                        return _no_answer(error)
        return None

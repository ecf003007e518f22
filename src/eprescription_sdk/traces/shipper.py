"""Shipping: batches out of the outbox to the collector, at least once; the id deduplicates.

A shipper holds the sender lock from the gate check to the collector's answer, so that closing
can wait for it. What the collector refuses, or the profile cannot express, is quarantined
with the reason; what fails is tried again after a pause that can be interrupted.
"""

import json
import os
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import attrs
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    sleep_using_event,
    stop_before_delay,
    stop_never,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from eprescription_sdk import telemetry
from eprescription_sdk.clock import Clock
from eprescription_sdk.errors import ConfigurationError, Delivery, InvalidInput, TransportFailure
from eprescription_sdk.ports import TraceProfile, Transport
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces import outbox
from eprescription_sdk.traces.body import from_body
from eprescription_sdk.traces.gate import RECORDING, phase
from eprescription_sdk.traces.outbox import Parcel
from eprescription_sdk.traces.record import closed_marker
from eprescription_sdk.traces.sinks import TIMEOUT, Encoded, HttpSink, Sink

BATCH = 50
LEASE = timedelta(minutes=2)
LONGEST_REASON = 200
FAILURES = 2
"""In a row, after which a batch is left for later: one may be that trace's own, not the sink's."""
IDLE_SECONDS = 1.0
"""How long the thread rests when nothing waits."""
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 60.0
LONGEST_PAUSE_DRAINING = 2.0
"""Between two tries, in seconds; somebody waits for a drain."""
PAUSE = 0.05
"""Between two looks at what others hold, in seconds."""


@attrs.frozen(kw_only=True)
class Shipment:
    """What one batch came to.

    Args:
        sent: accepted by the collector.
        quarantined: refused, or not expressible.
        failed: to be tried again.
        blocked: nothing was tried: the traces are being closed.
    """

    sent: int = 0
    quarantined: int = 0
    failed: int = 0
    blocked: bool = False


Progress = Callable[[Shipment], None]


class Shipper:
    """Ships the traces of one store to one collector, or into another sink.

    Args:
        store: holds the outbox.
        profile: the format.
        transport: carries the requests to a collector; the shipper closes it.
        collector_url: base address of the collector.
        sink: where traces go instead; the shipper closes it.
        clock: for leases.
        receipt: id of the closing receipt, once pinned in the settings: nothing leaves then.
    """

    def __init__(
        self,
        store: Store,
        profile: TraceProfile,
        transport: Transport | None = None,
        *,
        collector_url: str | None = None,
        sink: Sink | None = None,
        clock: Clock,
        receipt: str | None = None,
    ) -> None:
        if sink is None:
            if transport is None or collector_url is None:
                raise ConfigurationError(
                    "There is no collector to ship traces to.", path="collector_url"
                )
            sink = HttpSink(transport, collector_url, profile)
        self._store = store
        self._profile = profile
        self._sink = sink
        self._clock = clock
        self._lock = store.session_lock()
        self._marker = closed_marker(store.path) if store.path is not None else None
        self._pinned = receipt is not None
        self._tag = uuid4().hex[:8]
        self._careful = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    @property
    def _owner(self) -> str:
        # A forked child is another sender.
        return f"{socket.gethostname()}:{os.getpid()}:{self._tag}"

    @property
    def _closed(self) -> bool:
        # The marker outlives a restored backup, whose own phase says that traces may leave.
        return self._pinned or (self._marker is not None and self._marker.exists())

    @property
    def running(self) -> bool:
        """Whether the thread runs; it ends by itself once the traces are closed."""
        return self._thread is not None and self._thread.is_alive()

    def _may_leave(self) -> bool:
        return not self._closed and self._store.read(phase) in RECORDING

    def ship_once(self) -> Shipment:
        """Ship one batch now.

        Raises:
            StoreError: the store cannot be written.
        """
        # Without the lock first: whoever only looks does not keep it from whoever closes.
        if not self._may_leave():
            return Shipment()
        with self._lock.shared() as held:
            if not held:
                return Shipment(blocked=True)
            if self._closed:
                return Shipment()
            owner = self._owner
            lease_ends = self._clock.monotonic() + LEASE.total_seconds() - TIMEOUT

            def claim(tx: Tx) -> tuple[Parcel, ...]:
                # Leases are told by the store's time: machines need not agree on theirs.
                now = self._clock.now() + tx.clock_offset
                limit = max(BATCH, self._sink.batch)
                return outbox.claim(tx, owner=owner, now=now, lease_until=now + LEASE, limit=limit)

            return self._ship(self._store.write(claim), owner, lease_ends)

    def _ship(self, parcels: tuple[Parcel, ...], owner: str, lease_ends: float) -> Shipment:
        sent: list[int] = []
        failed: list[int] = []
        unsent: list[int] = []
        ready, reasons = self._encode(parcels)
        size = 1 if self._careful else self._sink.batch
        in_a_row = 0
        while ready:
            some, ready = ready[:size], ready[size:]
            seqs = [seq for seq, _ in some]
            # A sender that was stopped for long may find that its lease is over; and the phase may
            # have changed under any sender, by a closing, a forced one even, or an abandonment.
            late = self._clock.monotonic() > lease_ends
            down = unsent or in_a_row >= FAILURES
            if down or late or self._stop.is_set() or not self._may_leave():
                unsent += seqs
                continue
            try:
                reason = self._sink.send([encoded for _, encoded in some])
            except Exception as error:  # noqa: BLE001  (foreign code; what went, is written)
                (unsent if _never_left(error) else failed).extend(seqs)
                in_a_row += 1
                continue
            in_a_row = 0
            if reason is None:
                sent += seqs
            elif len(some) == 1:
                reasons[seqs[0]] = reason
            else:
                # One of them may be to blame: now each goes alone.
                size, ready = 1, some + ready

        refused = {
            parcel.seq: _without_persons(reasons[parcel.seq], parcel)
            for parcel in parcels
            if parcel.seq in reasons
        }

        def write_back(tx: Tx) -> None:
            outbox.shipped(tx, sent, self._clock.now() + tx.clock_offset)
            for seq, reason in refused.items():
                outbox.quarantine(tx, seq, reason, owner)
            outbox.release(tx, failed, owner, tried=True)
            outbox.release(tx, unsent, owner, tried=False)

        if parcels:
            self._store.write(write_back)
        # In a batch that failed one trace may be to blame, and would hold up the others for ever.
        self._careful = bool(failed)
        self._count(sent, refused)
        return Shipment(sent=len(sent), quarantined=len(refused), failed=len(failed) + len(unsent))

    def _count(self, sent: list[int], refused: dict[int, str]) -> None:
        if sent:
            telemetry.count("trace_shipped", self._profile.name, len(sent))
        for reason, count in Counter(refused.values()).items():
            telemetry.count("trace_quarantined", reason, count)

    def _encode(
        self, parcels: tuple[Parcel, ...]
    ) -> tuple[list[tuple[int, Encoded]], dict[int, str]]:
        """The traces that can leave, and why the others cannot."""
        ready: list[tuple[int, Encoded]] = []
        refused: dict[int, str] = {}
        for parcel in parcels:
            try:
                content = self._profile.encode(from_body(parcel.body, parcel.identity), parcel.link)
                ready.append((parcel.seq, Encoded(link=parcel.link, content=content)))
            except InvalidInput as error:
                refused[parcel.seq] = error.message
            except Exception as error:  # noqa: BLE001  (foreign code; it must not hold up the rest)
                refused[parcel.seq] = f"The profile failed: {type(error).__name__}."
        return ready, refused

    def drain(self, timeout: float, *, progress: Progress | None = None) -> int:
        """Ship until nothing waits or ``timeout`` seconds have passed; how many were sent.

        Args:
            timeout: in seconds.
            progress: is told what each batch came to, failed tries included.
        """
        total = 0

        def ship() -> Shipment:
            nonlocal total
            shipment = self._ship_and_tell(progress)
            total += shipment.sent
            return shipment

        ends = self._clock.monotonic() + timeout
        while (left := ends - self._clock.monotonic()) > 0:
            shipment = self._patiently(ship, stop_before_delay(left), LONGEST_PAUSE_DRAINING)
            if not shipment.sent + shipment.quarantined:
                break
        return total

    def flush(self, timeout: float) -> bool:
        """Ship what was recorded until now, in the caller's thread; whether none of it waits.

        What others hold is waited for. What is in quarantine does not wait: a person must look.

        Args:
            timeout: how long to try, in seconds.

        Raises:
            StoreError: the store cannot be used.
        """
        ends = self._clock.monotonic() + timeout
        # It goes through the writer: what this process handed over before is recorded by then.
        last = self._store.write(outbox.newest)
        while self._store.read(lambda tx: outbox.waiting(tx, until=last)):
            left = ends - self._clock.monotonic()
            if left <= 0 or not self._may_leave():
                return False
            end = stop_before_delay(left)
            shipment = self._patiently(self.ship_once, end, LONGEST_PAUSE_DRAINING)
            if not shipment.sent + shipment.quarantined and self._stop.wait(min(left, PAUSE)):
                return False
        return True

    def start(self, *, progress: Progress | None = None) -> None:
        """Ship in a thread of this process until ``stop()``.

        Args:
            progress: is told, in that thread, what each batch came to, failed tries included.
        """
        # A forked child inherits the thread's object, not the thread.
        if self._thread is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._stop = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(progress,), name="eprescription-shipper", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the thread; a pause is interrupted, a request under way is awaited."""
        self._stop.set()
        if self._thread is not None and self._pid == os.getpid():
            self._thread.join()
        self._thread = None
        self._sink.close()

    def _run(self, progress: Progress | None) -> None:
        def ship() -> Shipment:
            return self._ship_and_tell(progress)

        while not self._stop.is_set() and not self._closed:
            shipment = self._patiently(ship, stop_never, LONGEST_PAUSE)
            if shipment.failed:
                self._stop.wait(random.uniform(0, FIRST_PAUSE))  # noqa: S311  (jitter)
            elif not shipment.sent + shipment.quarantined:
                self._stop.wait(IDLE_SECONDS)

    def _ship_and_tell(self, progress: Progress | None) -> Shipment:
        shipment = self.ship_once()
        if progress is not None:
            progress(shipment)
        return shipment

    def _patiently(self, ship: Callable[[], Shipment], end: stop_base, longest: float) -> Shipment:
        """One batch, tried again with growing pauses until some of it goes, the end, or ``stop()``.

        Whatever is raised, the store's failure or that of a foreign port, is tried again: the
        traces wait in the outbox.
        """
        return Retrying(
            retry=retry_if_result(
                lambda shipment: shipment.blocked or (shipment.failed and not shipment.sent)
            )
            | retry_if_exception_type(Exception),
            wait=wait_random_exponential(multiplier=FIRST_PAUSE, max=longest),
            sleep=sleep_using_event(self._stop),
            stop=end | stop_when_event_set(self._stop),
            before_sleep=_told,
            retry_error_callback=lambda _: Shipment(),
        )(ship)


def _without_persons(reason: str, parcel: Parcel) -> str:
    """A reason as it may be shown: whoever wrote the port may quote what the trace holds."""
    # The row may be damaged, which is then the reason.
    with suppress(ValueError, AttributeError):
        for value in json.loads(parcel.identity or "{}").values():
            reason = reason.replace(str(value), "…")
    return reason[:LONGEST_REASON]


def _told(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    telemetry.event("shipping.paused", reason=type(error).__name__ if error else "collector")


def _never_left(error: Exception) -> bool:
    return isinstance(error, TransportFailure) and error.delivery is Delivery.NOT_SENT

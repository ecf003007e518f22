"""Shipping: batches out of the outbox to the collector, at least once; the id deduplicates.

A shipper holds the sender lock from the gate check to the collector's answer, so that closing
can wait for it. What the collector refuses, or the profile cannot express, is quarantined
with the reason; what fails is tried again after a pause that can be interrupted.
"""

import os
import socket
import threading
from datetime import timedelta
from uuid import uuid4

import attrs
from tenacity import (
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    sleep_using_event,
    stop_after_delay,
    stop_never,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from eprescription_sdk import telemetry
from eprescription_sdk.clock import Clock
from eprescription_sdk.errors import (
    ConfigurationError,
    Delivery,
    InvalidInput,
    StoreError,
    TransportFailure,
)
from eprescription_sdk.model.exchange import HttpRequest
from eprescription_sdk.ports import TraceProfile, Transport
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces import outbox
from eprescription_sdk.traces.body import from_body
from eprescription_sdk.traces.locks import SenderLock
from eprescription_sdk.traces.outbox import Parcel
from eprescription_sdk.traces.record import closed_marker

BATCH = 50
LEASE = timedelta(minutes=2)
TIMEOUT = 10.0
IDLE_SECONDS = 1.0
"""How long the thread rests when nothing waits."""


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


class Shipper:
    """Ships the traces of one store to one collector.

    Args:
        store: an embedded store.
        profile: the format.
        transport: carries the requests; the shipper closes it.
        collector_url: base address.
        clock: for leases.
        receipt: id of the closing receipt, once pinned in the settings: nothing leaves then.
    """

    def __init__(
        self,
        store: Store,
        profile: TraceProfile,
        transport: Transport,
        *,
        collector_url: str,
        clock: Clock,
        receipt: str | None = None,
    ) -> None:
        if store.path is None:
            raise ConfigurationError("Shipping needs an embedded store.", path="store")
        self._store = store
        self._profile = profile
        self._transport = transport
        self._url = f"{collector_url.rstrip('/')}/{profile.resource}"
        self._clock = clock
        self._lock = SenderLock(store.path)
        self._marker = closed_marker(store.path)
        self._closed = receipt is not None
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def ship_once(self) -> Shipment:
        """Ship one batch now.

        Raises:
            StoreError: the store cannot be written.
        """
        with self._lock.shared() as held:
            if not held:
                return Shipment(blocked=True)
            # The marker outlives a restored backup, whose own phase says that traces may leave.
            if self._closed or self._marker.exists():
                return Shipment()
            now = self._clock.now()
            parcels = self._store.write(
                lambda tx: outbox.claim(
                    tx, owner=self._owner, now=now, lease_until=now + LEASE, limit=BATCH
                )
            )
            return self._ship(parcels)

    def _ship(self, parcels: tuple[Parcel, ...]) -> Shipment:
        sent: list[int] = []
        refused: list[tuple[int, str]] = []
        failed: list[int] = []
        for parcel in parcels:
            if failed or self._stop.is_set():
                failed.append(parcel.seq)
                continue
            try:
                reason = self._post(parcel)
            except TransportFailure:
                failed.append(parcel.seq)
                continue
            if reason is None:
                sent.append(parcel.seq)
            else:
                refused.append((parcel.seq, reason))
        if parcels:
            self._store.write(lambda tx: self._write_back(tx, sent, refused, failed))
        for _, reason in refused:
            telemetry.count("trace_quarantined", reason)
        return Shipment(sent=len(sent), quarantined=len(refused), failed=len(failed))

    def _write_back(
        self, tx: Tx, sent: list[int], refused: list[tuple[int, str]], failed: list[int]
    ) -> None:
        outbox.shipped(tx, sent, self._clock.now())
        for seq, reason in refused:
            outbox.quarantine(tx, seq, reason)
        outbox.release(tx, failed)

    def _post(self, parcel: Parcel) -> str | None:
        """Post one trace; the reason if it must not be tried again.

        Raises:
            TransportFailure: try again later.
        """
        try:
            content = self._profile.encode(from_body(parcel.body, parcel.identity), parcel.link)
        except InvalidInput as error:
            return error.message
        reply = self._transport.send(
            HttpRequest(
                url=self._url,
                headers={"Content-Type": self._profile.content_type},
                content=content,
                timeout=TIMEOUT,
                connect_timeout=TIMEOUT,
                max_bytes=1024 * 1024,
            )
        )
        if reply.status < 300:
            return None
        if 400 <= reply.status < 500 and reply.status not in (401, 403, 408, 425, 429):
            return f"HTTP {reply.status}"
        # The trace may have been stored all the same: its id deduplicates.
        raise TransportFailure("The collector is not ready.", delivery=Delivery.UNKNOWN)

    def drain(self, timeout: float) -> int:
        """Ship until nothing waits or ``timeout`` seconds have passed; how many were sent."""
        total = 0
        ends = self._clock.monotonic() + timeout
        while (left := ends - self._clock.monotonic()) > 0:
            shipment = self._patiently(stop_after_delay(left))
            total += shipment.sent
            if not shipment.sent + shipment.quarantined:
                break
        return total

    def start(self) -> None:
        """Ship in a thread of this process until ``stop()``."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(
                target=self._run, name="eprescription-shipper", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the thread; a pause is interrupted, a request under way is awaited."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._transport.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            shipment = self._patiently(stop_never)
            if not shipment.sent + shipment.quarantined:
                self._stop.wait(IDLE_SECONDS)

    def _patiently(self, end: stop_base) -> Shipment:
        """One batch, tried again with growing pauses until it goes, the end, or ``stop()``."""
        return Retrying(
            retry=retry_if_result(lambda shipment: shipment.failed or shipment.blocked)
            | retry_if_exception_type(StoreError),
            wait=wait_random_exponential(multiplier=0.2, max=60),
            sleep=sleep_using_event(self._stop),
            stop=end | stop_when_event_set(self._stop),
            retry_error_callback=lambda _: Shipment(),
        )(self.ship_once)

"""The asynchronous client: the same names as the blocking one, on an event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Self

from eprescription_sdk import telemetry
from eprescription_sdk.client.base import ClientBase, lost, when_open
from eprescription_sdk.client.behind import AsyncBehind
from eprescription_sdk.client.calling import Call
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.create import Create
from eprescription_sdk.client.driver import AsyncDriver
from eprescription_sdk.client.paper import submit_non_digital
from eprescription_sdk.client.reading import Reading
from eprescription_sdk.client.reconcile import Reconciled, Reconciliation, reconcile
from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.errors import EPrescriptionError, StoreError
from eprescription_sdk.model.exchange import SearchQuery, StoredPrescription, Summary
from eprescription_sdk.model.family import Family
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.outcomes import Outcome
from eprescription_sdk.model.prescription import Prescription
from eprescription_sdk.model.trace import Initiator, NonDigitalReason
from eprescription_sdk.ports import AsyncTransport
from eprescription_sdk.transport import AsyncHttpxTransport
from eprescription_sdk.transport.tls import context_of


class AsyncClient(ClientBase[AsyncTransport]):
    """Issues digital prescriptions; one for an event loop.

    The arguments are those of ``Client``; ``transport`` is an ``AsyncTransport``.

    Raises:
        ConfigurationError: settings or ports that cannot work together.
    """

    def _connect(self, transport: AsyncTransport | None) -> None:
        settings = self._core.settings
        self._transport = transport or AsyncHttpxTransport(context_of(settings))
        self._driver = AsyncDriver(self._core.store, self._core.clock, self._transport)
        self._behind = AsyncBehind()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def flush(self, timeout: float) -> bool:  # noqa: ASYNC109  (the name is the blocking one's)
        """Ship the traces recorded until now; see ``Client.flush``."""
        return await asyncio.to_thread(self.shipper.flush, timeout)

    async def close(self) -> None:
        """Stop what runs in the background, write what waits, give connections back."""
        await self._behind.stop()
        await asyncio.to_thread(self._close)
        await self._transport.close()

    def acting_as(
        self, credentials: Practitioner, *, initiator: Initiator = Initiator.PRESCRIBER
    ) -> "AsyncActing":
        """A client bound to one practitioner; see ``Client.acting_as``.

        Call it on the event loop.
        """
        loop = asyncio.get_running_loop()

        def settle() -> None:
            # A loop that is closed has nobody left to settle for.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._settle_behind, credentials)

        when_open(self._core, credentials, settle)
        return AsyncActing(self._core, self._driver, credentials, initiator, self._behind)

    async def reconcile(
        self,
        *,
        credentials: Sequence[Practitioner] = (),
        seconds: float | None = None,
        progress: Callable[[Reconciled], None] | None = None,
    ) -> Reconciliation:
        """Settle what is uncertain, by consulting only; see ``Client.reconcile``."""
        return await self._reconcile(self._driver, tuple(credentials), seconds, progress)

    async def _reconcile(
        self,
        driver: AsyncDriver,
        credentials: tuple[Practitioner, ...],
        seconds: float | None = None,
        progress: Callable[[Reconciled], None] | None = None,
    ) -> Reconciliation:
        call = Call(self._core, Initiator.RECONCILE)
        engine = reconcile(
            self._core, credentials, correlation_id=call.id, seconds=seconds, progress=progress
        )
        with call.span("reconcile"):
            return await driver.run(engine)

    def _settle_behind(self, credentials: Practitioner) -> None:
        async def settle() -> None:
            try:
                await self.reconcile(credentials=[credentials])
            except EPrescriptionError as error:
                telemetry.event("reconcile.failed", code=error.code)

        self._behind.start(settle())


class AsyncActing:
    """A client bound to one practitioner; made by ``AsyncClient.acting_as``."""

    def __init__(
        self,
        core: Core,
        driver: AsyncDriver,
        practitioner: Practitioner,
        initiator: Initiator,
        behind: AsyncBehind,
    ) -> None:
        self._core = core
        self._driver = driver
        self._practitioner = practitioner
        self._initiator = initiator
        self._behind = behind

    @property
    def practitioner(self) -> Practitioner:
        """Who acts."""
        return self._practitioner

    async def create(self, prescription: Prescription, *, wait: float | None = None) -> Outcome:
        """Register a prescription, once; see ``Acting.create``."""
        call = self._call()
        create = Create(
            core=self._core,
            practitioner=self._practitioner,
            correlation_id=call.id,
            prescription=prescription,
            initiator=self._initiator,
            wait=wait,
        )
        with call.span("create"):
            patience = create.patience
            if patience is None:
                return call.told(await self._driver.run(create.run(), create.interrupted))
            return call.told(await self._behind.create(create, self._driver, patience))

    async def consult(self, number: PrescriptionNumber) -> StoredPrescription:
        """One prescription, as the service holds it; see ``Acting.consult``."""
        call = self._call()
        call.about(number)
        with call.span("consult"):
            return await self._driver.run(self._reading(call).consult(number))

    async def search(self, query: SearchQuery) -> AsyncIterator[Summary]:
        """Prescriptions that match, page by page; see ``Acting.search``."""
        call = self._call()
        cursor: str | None = None
        while True:
            with call.span("search"):
                page = await self._driver.run(self._reading(call).search(query, cursor))
            for summary in page.summaries:
                yield summary
            cursor = page.cursor
            if cursor is None:
                return

    async def record_non_digital(
        self,
        *,
        families: Collection[Family],
        reason: NonDigitalReason,
        reason_code: str | None = None,
        after: PrescriptionNumber | None = None,
        act: str | None = None,
        issued_at: datetime | None = None,
        test_identity: bool = False,
    ) -> bool:
        """Record a paper prescription; see ``Acting.record_non_digital``."""
        try:
            future = submit_non_digital(
                self._core,
                self._practitioner,
                families=families,
                reason=reason,
                reason_code=reason_code,
                after=after,
                act=act,
                issued_at=issued_at,
                test_identity=test_identity,
            )
            return await asyncio.shield(asyncio.wrap_future(future))
        except StoreError as error:
            return lost(error)

    def _call(self) -> Call:
        return Call(self._core, self._initiator, self._practitioner)

    def _reading(self, call: Call) -> Reading:
        return Reading(
            core=self._core,
            practitioner=self._practitioner,
            correlation_id=call.id,
            initiator=self._initiator,
        )

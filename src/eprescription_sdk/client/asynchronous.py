"""The asynchronous client: the same names as the blocking one, on an event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Self

from eprescription_sdk import telemetry
from eprescription_sdk.client.base import ClientBase, lost, submit_non_digital, when_open
from eprescription_sdk.client.behind import AsyncBehind
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.create import Create
from eprescription_sdk.client.driver import AsyncDriver
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
        return await self._driver.run(
            reconcile(self._core, tuple(credentials), seconds=seconds, progress=progress)
        )

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
        call = Create(
            core=self._core,
            practitioner=self._practitioner,
            prescription=prescription,
            initiator=self._initiator,
            wait=wait,
        )
        with telemetry.span("eprescription.create", initiator=self._initiator.value):
            patience = call.patience
            if patience is None:
                return await self._driver.run(call.run(), call.interrupted)
            return await self._behind.create(call, self._driver, patience)

    async def consult(self, number: PrescriptionNumber) -> StoredPrescription:
        """One prescription, as the service holds it; see ``Acting.consult``."""
        with telemetry.span("eprescription.consult", initiator=self._initiator.value):
            return await self._driver.run(self._reading().consult(number))

    async def search(self, query: SearchQuery) -> AsyncIterator[Summary]:
        """Prescriptions that match, page by page; see ``Acting.search``."""
        cursor: str | None = None
        while True:
            with telemetry.span("eprescription.search", initiator=self._initiator.value):
                page = await self._driver.run(self._reading().search(query, cursor))
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
                after=after,
                act=act,
                issued_at=issued_at,
                test_identity=test_identity,
            )
            return await asyncio.shield(asyncio.wrap_future(future))
        except StoreError as error:
            return lost(error)

    def _reading(self) -> Reading:
        return Reading(core=self._core, practitioner=self._practitioner, initiator=self._initiator)

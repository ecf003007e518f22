"""The blocking client: the same names as the asynchronous one, in the caller's thread."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from eprescription_sdk import telemetry
from eprescription_sdk.client.base import ClientBase, lost, when_open
from eprescription_sdk.client.behind import Behind
from eprescription_sdk.client.calling import Call
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.create import Create
from eprescription_sdk.client.driver import Driver, Stopped
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
from eprescription_sdk.ports import Transport
from eprescription_sdk.transport import HttpxTransport
from eprescription_sdk.transport.tls import context_of


class Client(ClientBase[Transport]):
    """Issues digital prescriptions; one for a process, shared by its threads.

    Args:
        settings: plain data.
        minter: computes the prescription number (SEL-SFG-023); required outside SANDBOX.
        codec: writes and reads message bodies; required outside SANDBOX.
        code2d: what the printed 2D code holds; required outside SANDBOX.
        trace_profile: format of shipped traces; the public ``tde`` profile by default.
        transport: carries requests; httpx by default.
        clock: time and sleep.
        store: ledger and trace store; by default the SQLite file of the settings.

    Raises:
        ConfigurationError: settings or ports that cannot work together.
    """

    def _connect(self, transport: Transport | None) -> None:
        settings = self._core.settings
        self._transport = transport or HttpxTransport(context_of(settings))
        self._driver = Driver(self._core.store, self._core.clock, self._transport)
        self._behind = Behind()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def flush(self, timeout: float) -> bool:
        """Ship the traces recorded until now; whether none of them waits any more.

        Closing the client does not: what waits then is shipped by others, or later.

        Args:
            timeout: how long to try, in seconds.

        Raises:
            ConfigurationError: no ``collector_url`` in the settings.
            StoreError: the store cannot be used.
        """
        return self.shipper.flush(timeout)

    def close(self) -> None:
        """Stop what runs in the background, write what waits, give connections back."""
        self._behind.stop()
        self._transport.close()
        self._behind.join(self._driver.settle)
        self._close()

    def acting_as(
        self, credentials: Practitioner, *, initiator: Initiator = Initiator.PRESCRIBER
    ) -> "Acting":
        """A client bound to one practitioner.

        What an earlier call of theirs left open is settled in the background.

        Args:
            credentials: who acts.
            initiator: on whose behalf; only the prescriber's own use counts in the pilot.
        """
        acting = Acting(
            self._core,
            self._driver,
            credentials,
            initiator,
            behind=self._behind,
            stoppable=self._stoppable(),
        )
        when_open(self._core, credentials, lambda: self._settle_behind(credentials))
        return acting

    def reconcile(
        self,
        *,
        credentials: Sequence[Practitioner] = (),
        seconds: float | None = None,
        progress: Callable[[Reconciled], None] | None = None,
    ) -> Reconciliation:
        """Settle what is uncertain, by consulting only; it never creates.

        Args:
            credentials: of the practitioners who are there; the rest waits, visibly.
            seconds: for each entry; the profile's deadline by default.
            progress: is told of each entry, once it is written.

        Raises:
            InvalidInput: ``seconds`` is no time.
            StoreError: the store cannot be used.
        """
        return self._reconcile(self._driver, tuple(credentials), seconds, progress)

    def _reconcile(
        self,
        driver: Driver,
        credentials: tuple[Practitioner, ...],
        seconds: float | None = None,
        progress: Callable[[Reconciled], None] | None = None,
    ) -> Reconciliation:
        call = Call(self._core, Initiator.RECONCILE)
        engine = reconcile(
            self._core, credentials, correlation_id=call.id, seconds=seconds, progress=progress
        )
        with call.span("reconcile"):
            return driver.run(engine)

    def _stoppable(self) -> Driver:
        """Drives what goes on behind, until the client is closed."""
        return Driver(
            self._core.store, self._core.clock, self._transport, stopping=self._behind.stopping
        )

    def _settle_behind(self, credentials: Practitioner) -> None:
        driver = self._stoppable()

        def settle() -> None:
            try:
                self._reconcile(driver, (credentials,))
            except Stopped:
                pass
            except EPrescriptionError as error:
                telemetry.event("reconcile.failed", code=error.code)

        self._behind.start(settle)


class Acting:
    """A client bound to one practitioner; made by ``Client.acting_as``."""

    def __init__(
        self,
        core: Core,
        driver: Driver,
        practitioner: Practitioner,
        initiator: Initiator,
        *,
        behind: Behind,
        stoppable: Driver,
    ) -> None:
        self._core = core
        self._driver = driver
        self._practitioner = practitioner
        self._initiator = initiator
        self._behind = behind
        self._stoppable = stoppable

    @property
    def practitioner(self) -> Practitioner:
        """Who acts."""
        return self._practitioner

    def create(self, prescription: Prescription, *, wait: float | None = None) -> Outcome:
        """Register a prescription, once (SEL_MP_040, EF_EP02.02).

        Args:
            prescription: of one document type; ``split()`` separates a mixed one.
            wait: seconds the prescriber may be kept waiting; the profile's deadline by default.
                At its end the answer is ``Uncertain``, or ``NotRegistered`` where nothing was
                sent and nothing will be; what was sent is followed behind until the deadline,
                and the answer comes in ``settlements()``.

        Returns:
            ``Registered``, ``NotRegistered`` or ``Uncertain``: daily life is no exception.

        Raises:
            StoreError: the ledger cannot be written; nothing was sent.
            ReferenceConflict: the reference is bound to other content.
            InvalidInput: ``wait`` is not a positive number.
        """
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
                return call.told(self._driver.run(create.run(), create.interrupted))
            return call.told(self._behind.create(create, self._stoppable, patience))

    def consult(self, number: PrescriptionNumber) -> StoredPrescription:
        """One prescription, as the service holds it (SEL_MP_032).

        Raises:
            PrescriptionNotFound: the service has no such prescription.
            ServiceError: no answer, a fault, or an answer nobody can read.
            CredentialUnavailable: the card or session is not at hand.
        """
        call = self._call()
        call.about(number)
        with call.span("consult"):
            return self._driver.run(self._reading(call).consult(number))

    def search(self, query: SearchQuery) -> Iterator[Summary]:
        """Prescriptions that match, page by page (SEL_MP_031).

        Raises:
            InvalidInput: the query has no criterion.
            ServiceError: no answer, a fault, or an answer nobody can read.
            CredentialUnavailable: the card or session is not at hand.
        """
        call = self._call()
        cursor: str | None = None
        while True:
            with call.span("search"):
                page = self._driver.run(self._reading(call).search(query, cursor))
            yield from page.summaries
            cursor = page.cursor
            if cursor is None:
                return

    def record_non_digital(
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
        """Record a paper prescription, so that C1 counts it.

        Args:
            families: the families of care in it.
            reason: why it is on paper.
            reason_code: with ``OTHER``, the host's own code for it: one to three capital
                letters and up to three digits, so that nobody's name fits.
            after: number of the failed digital prescription that it stands for; both together
                count once. If that one is registered, or found so later, the patient holds
                two: a duplicate risk.
            act: what ties the documents of one consultation together.
            issued_at: when; now by default.
            test_identity: whether the patient stands for nobody.

        Returns:
            Whether a trace was recorded: it is not when none is lawful, or when the store
            failed, which is counted. It never stops the prescriber.

        Raises:
            InvalidInput: no family, a malformed code, number or time.
        """
        try:
            return submit_non_digital(
                self._core,
                self._practitioner,
                families=families,
                reason=reason,
                reason_code=reason_code,
                after=after,
                act=act,
                issued_at=issued_at,
                test_identity=test_identity,
            ).result()
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

"""What both clients share: construction, the store's side, shipping, closing down."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from eprescription_sdk import ledger, telemetry
from eprescription_sdk.client.core import Core, make_core, store_of
from eprescription_sdk.client.document import DocumentBlock, document_block
from eprescription_sdk.clock import Clock, SystemClock, iso, paris_day
from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.errors import ConfigurationError, InvalidInput, StoreError
from eprescription_sdk.ledger import DuplicateRisk, Entry, Settlement
from eprescription_sdk.model.identifiers import PrescriptionNumber, Rpps
from eprescription_sdk.model.outcomes import Registered
from eprescription_sdk.ports import BodyCodec, Code2D, NumberMinter, TraceProfile
from eprescription_sdk.settings import Settings
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces.shipper import Shipper
from eprescription_sdk.traces.tde import TdeProfile
from eprescription_sdk.transport import HttpxTransport
from eprescription_sdk.transport.tls import context_of

if TYPE_CHECKING:
    from concurrent.futures import Future

FEED_PAGE = 200
MOST_DOCUMENTS = 10_000
"""Nobody signs more in a day: it is a year's figure, or a column too far."""


T = TypeVar("T")


class ClientBase(ABC, Generic[T]):
    """The part of a client that does not wait for the téléservice; ``T`` carries requests."""

    def __init__(
        self,
        settings: Settings,
        *,
        minter: NumberMinter | None = None,
        codec: BodyCodec | None = None,
        code2d: Code2D | None = None,
        trace_profile: TraceProfile | None = None,
        transport: T | None = None,
        clock: Clock | None = None,
        store: Store | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self._owns_store = store is None
        self._core: Core = make_core(
            settings,
            minter=minter,
            codec=codec,
            code2d=code2d,
            clock=clock,
            store=store or store_of(settings),
        )
        self._profile = trace_profile or TdeProfile()
        self._shipper: Shipper | None = None
        self._connect(transport)
        self._unobserved = telemetry.observe_entries(self._entries)

    @abstractmethod
    def _connect(self, transport: T | None) -> None:
        """Make ready what drives the calls, with a transport of the settings if none is given."""

    @property
    def store(self) -> Store:
        """The ledger and trace store, for ``ep.pilot``."""
        return self._core.store

    @property
    def simulation(self) -> bool:
        """Whether a stand-in of this SDK takes part; every output then says SIMULATION."""
        return self._core.simulation

    @property
    def shipper(self) -> Shipper:
        """The shipper of this process's traces.

        Raises:
            ConfigurationError: no ``collector_url`` in the settings.
        """
        if self._shipper is None:
            settings = self._core.settings
            if settings.collector_url is None:
                raise ConfigurationError(
                    "There is no collector to ship traces to.", path="collector_url"
                )
            self._shipper = Shipper(
                self._core.store,
                self._profile,
                HttpxTransport(context_of(settings)),
                collector_url=settings.collector_url,
                clock=self._core.clock,
                receipt=settings.closing_receipt,
            )
        return self._shipper

    def start_shipping(self) -> None:
        """Ship traces in a thread of this process until the client is closed."""
        self.shipper.start()

    def document_block(self, outcome: Registered, *, legal_mentions: str = "") -> DocumentBlock:
        """What to print on the document of a registered prescription.

        Args:
            outcome: of its ``create()``.
            legal_mentions: the integrator's text, as the specification asks.
        """
        return document_block(self._core, outcome, legal_mentions=legal_mentions)

    def declare_volume(self, *, prescriber: Rpps, day: date, documents: int) -> None:
        """Say how many documents a practitioner wrote on a day, from the host's own tables.

        It shows what was never traced (coverage, beside C1). A later declaration for the same
        day replaces the earlier one.

        Args:
            prescriber: who.
            day: Europe/Paris.
            documents: paper and digital together.

        Raises:
            InvalidInput: an RPPS that breaks its key, a day to come, a count that cannot be.
            StoreError: the store cannot be written.
        """
        now = self._core.clock.now()
        if problem := prescriber.problem():
            raise InvalidInput(problem, path="prescriber")
        if isinstance(day, datetime) or day > paris_day(now):
            raise InvalidInput("A volume is of a day, of today at the latest.", path="day")
        if documents not in range(MOST_DOCUMENTS + 1):
            raise InvalidInput("This is no count of one practitioner's day.", path="documents")
        recorded = iso(now)
        self._core.store.write(
            lambda tx: tx.execute(
                "INSERT INTO volumes (rpps, day, documents, recorded_at) VALUES (?, ?, ?, ?)",
                (prescriber.value, day.isoformat(), documents, recorded),
            )
        )

    def settlements(self, *, after: int = 0) -> Iterator[Settlement]:
        """The durable feed of answers, those that came after their call included.

        Args:
            after: cursor of the last line read; each consumer keeps its own.

        Raises:
            StoreError: the store cannot be read.
        """
        while page := self._core.store.read(
            partial(ledger.settlements, after=after, limit=FEED_PAGE)
        ):
            yield from page
            after = page[-1].cursor

    def duplicate_risks(self) -> tuple[DuplicateRisk, ...]:
        """Prescriptions registered after plain paper was given out, open until closed."""
        return self._core.store.read(ledger.duplicate_risks)

    def close_duplicate_risk(self, number: PrescriptionNumber, *, by: str, reason: str) -> bool:
        """Record that a person dealt with a duplicate risk; False if it is not open.

        Args:
            number: the registered prescription.
            by: who dealt with it.
            reason: what was done, without a patient's name.

        Raises:
            InvalidInput: nobody, or no reason.
            StoreError: the store cannot be written.
        """
        now = self._core.clock.now()
        return self._core.store.write(
            lambda tx: ledger.close_duplicate_risk(tx, number, by=by, reason=reason, now=now)
        )

    def purge_ledger(self, *, before: datetime) -> int:
        """Forget whose the prescriptions settled before a moment were; how many.

        A tombstone of each stays, so that neither its number nor its reference is used again.
        What is open, or an open duplicate risk, is never taken.

        Args:
            before: aware; twelve months ago is usual.

        Raises:
            InvalidInput: a time without its offset.
            StoreError: the store cannot be written.
        """
        if before.tzinfo is None:
            raise InvalidInput("A time has its offset.", path="before")
        return ledger.purge(self._core.store, before=before)

    def _entries(self) -> dict[str, int]:
        counted = self._core.store.read(ledger.sizes)
        return {state.value: count for state, count in counted.items()}

    def _close(self) -> None:
        self._unobserved()
        if self._shipper is not None:
            self._shipper.stop()
        if self._owns_store:
            self._core.store.close()


def lost(error: StoreError) -> bool:
    """Count a paper record that the store could not take; it must not stop the prescriber."""
    telemetry.count("trace_lost", error.code)
    telemetry.event("trace.lost", code=error.code)
    return False


def when_open(core: Core, practitioner: Practitioner, settle: Callable[[], Any]) -> None:
    """Call ``settle`` from the writer thread if this practitioner has something to settle."""

    def look(tx: Tx) -> tuple[Entry, ...]:
        now = core.clock.now()
        return tuple(
            entry
            for entry in ledger.open_entries(tx, practitioner.rpps)
            if entry.lease_until <= now
        )

    def looked(future: "Future[tuple[Entry, ...]]") -> None:
        if not future.cancelled() and future.exception() is None and future.result():
            settle()

    try:
        core.store.submit(look).add_done_callback(looked)
    except StoreError as error:
        # Whoever only reads needs no store; whoever creates learns it there.
        telemetry.event("reconcile.failed", code=error.code)

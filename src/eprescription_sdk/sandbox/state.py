"""What the reference sandbox remembers: registrations and calls.

No reading, no answering, no HTTP here. Ours, not the Assurance Maladie's. The server's
thread writes and the tests' threads read, hence the lock.
"""

import threading
from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum

from attrs import evolve, field, frozen


class Operation(Enum):
    """What a request asks for, in the reference names of the SDK."""

    CREATE = "creer"
    CONSULT = "consulter"
    SEARCH = "rechercher"
    TRACE = "trace"
    """A trace sent to the collector."""


def _masked(value: object) -> str:
    """Numbers, RPPS and patients never show in a ``repr``."""
    return "None" if value is None else "'***'"


@frozen(kw_only=True)
class Registration:
    """One prescription registered by the reference sandbox.

    Attributes:
        number: the prescription number.
        prescriber: the requester's RPPS.
        patient: the patient's INS value.
        patient_oid: the OID of that INS, without ``urn:oid:``.
        document_type: the document type code of the Bundle.
        issued_on: the Europe/Paris day of the first resource's ``authoredOn``.
        registered_at: when it was committed, UTC, by the sandbox's clock.
        message_id: the ``wsa:MessageID`` of the request that created it.
        document: the Bundle, in exclusive canonical XML.
        committed: the monotonic reading at the commit, in seconds.
    """

    number: str = field(repr=_masked)
    prescriber: str = field(repr=_masked)
    patient: str = field(repr=_masked)
    patient_oid: str
    document_type: str
    issued_on: date
    registered_at: datetime
    message_id: str
    document: bytes = field(repr=False)
    committed: float = field(repr=False)


@frozen(kw_only=True)
class Call:
    """One request that reached the téléservice of the reference sandbox.

    Attributes:
        operation: what was asked, or None where that could not be read.
        message_id: its ``wsa:MessageID``, or None.
        number: the prescription number it names, or None.
        at: when it was received, UTC, by the sandbox's clock.
        answered: a result code (``00``, ``01``), a fault code, ``HTTP 503``, or ``dropped``
            and the like; None while the sandbox still holds the request.
        fault: the name of the scripted fault that was played, or None.
    """

    operation: Operation | None
    message_id: str | None
    number: str | None = field(repr=_masked)
    at: datetime
    answered: str | None = None
    fault: str | None = None


class State:
    """The registrations and calls of one sandbox.

    Args:
        unique_by_number: whether a second registration of a number is refused.
    """

    def __init__(self, *, unique_by_number: bool) -> None:
        self._unique = unique_by_number
        self._lock = threading.Lock()
        self._registrations: list[Registration] = []
        self._calls: list[Call] = []

    def register(self, registration: Registration) -> bool:
        """Keep a registration; False where its number is taken and must be unique."""
        with self._lock:
            taken = any(kept.number == registration.number for kept in self._registrations)
            if taken and self._unique:
                return False
            self._registrations.append(registration)
            return True

    def find(self, number: str) -> Registration | None:
        """The first registration of a number."""
        return next((kept for kept in self.registrations() if kept.number == number), None)

    def registrations(self) -> Sequence[Registration]:
        """All registrations, in the order of their commits."""
        with self._lock:
            return tuple(self._registrations)

    def open_call(self, call: Call) -> int:
        """Note a request that has just arrived; the answer comes with ``close_call``."""
        with self._lock:
            self._calls.append(call)
            return len(self._calls) - 1

    def close_call(self, index: int, *, answered: str) -> None:
        """Note what a request was answered."""
        with self._lock:
            self._calls[index] = evolve(self._calls[index], answered=answered)

    def calls(self) -> Sequence[Call]:
        """All requests, in the order of their arrival."""
        with self._lock:
            return tuple(self._calls)

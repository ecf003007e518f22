"""Workstation traces (*traces postes*): what happened, as the pilot is judged by it.

No patient is in a trace. The RPPS and the prescription number are; they stay in the trace
lane (law 4), so ``repr`` hides them.
"""

from datetime import datetime
from enum import Enum

import attrs

from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.identifiers import Finess, PrescriptionNumber, Rpps


class Initiator(Enum):
    """On whose behalf a call was made; only the prescriber's counts."""

    PRESCRIBER = "prescriber"
    RECONCILE = "reconcile"
    SUPPORT = "support"
    PROBE = "probe"


class CallOutcome(Enum):
    """What a call came to."""

    REGISTERED = "registered"
    NOT_REGISTERED = "not_registered"
    UNCERTAIN = "uncertain"
    FOUND = "found"
    ABSENT = "absent"
    LISTED = "listed"
    FAILED = "failed"

    @property
    def succeeded(self) -> bool:
        """Whether the operation did what it is for (criterion C3)."""
        return self in (
            CallOutcome.REGISTERED,
            CallOutcome.FOUND,
            CallOutcome.ABSENT,
            CallOutcome.LISTED,
        )


class FaultOrigin(Enum):
    """Where a failure comes from; only the software's own count against C3."""

    SOFTWARE = "software"
    SERVICE = "service"
    NETWORK = "network"
    USER = "user"


class RegistrationState(Enum):
    """What became of a digital prescription."""

    REGISTERED = "registered"
    NOT_REGISTERED = "not_registered"
    UNCERTAIN = "uncertain"


class NonDigitalReason(Enum):
    """Why a prescription is on paper."""

    OUT_OF_PERIMETER = "out_of_perimeter"
    SERVICE_FAILURE = "service_failure"
    NO_NETWORK = "no_network"
    PATIENT_REQUEST = "patient_request"
    PRESCRIBER_CHOICE = "prescriber_choice"
    OTHER = "other"

    @property
    def label_fr(self) -> str:
        """What a prescriber or the Cnam reads."""
        return _REASONS_FR[self]


_REASONS_FR = {
    NonDigitalReason.OUT_OF_PERIMETER: "hors périmètre",
    NonDigitalReason.SERVICE_FAILURE: "échec du service",
    NonDigitalReason.NO_NETWORK: "pas de réseau",
    NonDigitalReason.PATIENT_REQUEST: "demande du patient",
    NonDigitalReason.PRESCRIBER_CHOICE: "choix du prescripteur",
    NonDigitalReason.OTHER: "autre",
}


@attrs.frozen(kw_only=True)
class TraceBase:
    """What both kinds of trace carry.

    Args:
        id: UUIDv7.
        at: when it was recorded, UTC.
        rpps: the practitioner.
        situation: id of the practice situation.
        finess: of the company.
        software: name of the platform.
        version: its version.
        module: identity of the module the pilot is about.
        instance: UUID of the installation.
        environment: ``sandbox``, ``qualification`` or ``production``.
        simulation: whether a stand-in of this SDK took part.
        test_identity: whether the patient's INS stands for nobody; such use never counts.
        clock_offset_ms: store time less host time, milliseconds.
    """

    id: str
    at: datetime
    rpps: Rpps
    situation: str
    finess: Finess
    software: str
    version: str
    module: str
    instance: str
    environment: str
    simulation: bool
    test_identity: bool = False
    clock_offset_ms: int = 0


@attrs.frozen(kw_only=True)
class CallTrace(TraceBase):
    """One call of an operation, whatever its attempts.

    Args:
        operation: which.
        initiator: on whose behalf.
        attempts: how many requests were made.
        outcome: what it came to.
        subject: the prescription it was about, as named in the ledger.
        fault_code: the service's code.
        fault_origin: where the failure comes from.
        duration_ms: of the whole call.
        message_id: of the last request, for the service's support.
    """

    operation: Operation
    initiator: Initiator
    attempts: int
    outcome: CallOutcome
    subject: str | None = None
    fault_code: str | None = None
    fault_origin: FaultOrigin | None = None
    duration_ms: int = 0
    message_id: str | None = None


@attrs.frozen(kw_only=True)
class PrescriptionTrace(TraceBase):
    """One prescription, digital or on paper; a later truth is a higher revision.

    Args:
        subject: UUID that all revisions share.
        revision: from 1.
        issued_at: when it was prescribed, UTC.
        digital: whether it was created through the service.
        registration: of a digital one, what became of it.
        number: of a digital one.
        document_type: of a digital one.
        families: the families of care in it.
        reason: of a paper one, why.
        reason_code: of ``OTHER``, the host's own short code.
        after: number of the failed digital one that this paper stands for.
        corrects: number of the refused one that this one corrects.
        act: what ties the documents of one consultation together.
    """

    subject: str
    revision: int
    issued_at: datetime
    digital: bool
    families: frozenset[Family]
    registration: RegistrationState | None = None
    number: PrescriptionNumber | None = None
    document_type: DocumentType | None = None
    reason: NonDigitalReason | None = None
    reason_code: str | None = None
    after: PrescriptionNumber | None = None
    corrects: PrescriptionNumber | None = None
    act: str | None = None


Trace = CallTrace | PrescriptionTrace


@attrs.frozen(kw_only=True)
class ChainLink:
    """Where a trace stands in the hash chain.

    Args:
        segment: UUID of the writer's incarnation that recorded it.
        position: from 1 within the segment.
        hash: SHA-256 over the previous hash and the trace's canonical body, hexadecimal.
    """

    segment: str
    position: int
    hash: str

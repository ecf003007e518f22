"""The public face: names only.

``import eprescription_sdk as ep``; what is heavy or optional is loaded when it is first named.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from eprescription_sdk.client import (
    Acting,
    AsyncActing,
    AsyncClient,
    Client,
    DocumentBlock,
    Reconciliation,
)
from eprescription_sdk.credentials import Practitioner, ReadyAssertion
from eprescription_sdk.errors import (
    ClosingPending,
    ConfigurationError,
    CredentialUnavailable,
    EPrescriptionError,
    IllegalStep,
    InvalidIdentifier,
    InvalidInput,
    MissingExtra,
    PilotError,
    PrescriptionNotFound,
    ReferenceConflict,
    ServiceError,
    ServiceFault,
    ServiceUnreachable,
    StoreCorrupt,
    StoreError,
    StoreTooNew,
    StoreUnavailable,
    StoreUnsafe,
    TransportFailure,
    UnreadableReply,
    VerificationFailed,
)
from eprescription_sdk.model.exchange import (
    AccessToken,
    Assertion,
    CreateAnswer,
    HttpReply,
    HttpRequest,
    Operation,
    SearchPage,
    SearchQuery,
    StoredPrescription,
    Summary,
)
from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.flags import HeaderFlag, LineFlag, Substitution, SubstitutionReason
from eprescription_sdk.model.identifiers import Finess, Ins, InsOid, PrescriptionNumber, Rpps
from eprescription_sdk.model.json_form import prescription_from_json, prescription_to_json
from eprescription_sdk.model.lines import (
    BiologyLine,
    CodeSystem,
    Coding,
    DeviceLine,
    MedicationLine,
    NursingLine,
    OrthopticsLine,
    PhysiotherapyLine,
    PodiatryLine,
    SpeechTherapyLine,
)
from eprescription_sdk.model.outcomes import (
    Advice,
    Attempt,
    Cause,
    NextStep,
    NotRegistered,
    Outcome,
    Registered,
    Uncertain,
)
from eprescription_sdk.model.people import (
    ExerciseMode,
    Patient,
    PracticeSituation,
    Prescriber,
    Profession,
    Sex,
)
from eprescription_sdk.model.posology import (
    Dosage,
    Duration,
    Maximum,
    Moment,
    Quantity,
    TimeUnit,
    Weekday,
)
from eprescription_sdk.model.prescription import ExecutionReading, Prescription
from eprescription_sdk.model.problems import Level, Problem
from eprescription_sdk.model.trace import Initiator, NonDigitalReason
from eprescription_sdk.settings import (
    Environment,
    FaultClass,
    FaultRule,
    ServiceProfile,
    Settings,
    UncertainPolicy,
)
from eprescription_sdk.wire.reference_body import ReferenceCodec

if TYPE_CHECKING:
    from eprescription_sdk import clock, fhir, pilot, ports, reference, sandbox, testing, traces

_ROOMS = ("clock", "fhir", "pilot", "ports", "reference", "sandbox", "testing", "traces")

__version__ = "0.1.0.dev0"

__all__ = [
    "AccessToken",
    "Acting",
    "Advice",
    "Assertion",
    "AsyncActing",
    "AsyncClient",
    "Attempt",
    "BiologyLine",
    "Cause",
    "Client",
    "ClosingPending",
    "CodeSystem",
    "Coding",
    "ConfigurationError",
    "CreateAnswer",
    "CredentialUnavailable",
    "DeviceLine",
    "DocumentBlock",
    "DocumentType",
    "Dosage",
    "Duration",
    "EPrescriptionError",
    "Environment",
    "ExecutionReading",
    "ExerciseMode",
    "Family",
    "FaultClass",
    "FaultRule",
    "Finess",
    "HeaderFlag",
    "HttpReply",
    "HttpRequest",
    "IllegalStep",
    "Initiator",
    "Ins",
    "InsOid",
    "InvalidIdentifier",
    "InvalidInput",
    "Level",
    "LineFlag",
    "Maximum",
    "MedicationLine",
    "MissingExtra",
    "Moment",
    "NextStep",
    "NonDigitalReason",
    "NotRegistered",
    "NursingLine",
    "Operation",
    "OrthopticsLine",
    "Outcome",
    "Patient",
    "PhysiotherapyLine",
    "PilotError",
    "PodiatryLine",
    "PracticeSituation",
    "Practitioner",
    "Prescriber",
    "Prescription",
    "PrescriptionNotFound",
    "PrescriptionNumber",
    "Problem",
    "Profession",
    "Quantity",
    "ReadyAssertion",
    "Reconciliation",
    "ReferenceCodec",
    "ReferenceConflict",
    "Registered",
    "Rpps",
    "SearchPage",
    "SearchQuery",
    "ServiceError",
    "ServiceFault",
    "ServiceProfile",
    "ServiceUnreachable",
    "Settings",
    "Sex",
    "SpeechTherapyLine",
    "StoreCorrupt",
    "StoreError",
    "StoreTooNew",
    "StoreUnavailable",
    "StoreUnsafe",
    "StoredPrescription",
    "Substitution",
    "SubstitutionReason",
    "Summary",
    "TimeUnit",
    "TransportFailure",
    "Uncertain",
    "UncertainPolicy",
    "UnreadableReply",
    "VerificationFailed",
    "Weekday",
    "clock",
    "fhir",
    "pilot",
    "ports",
    "prescription_from_json",
    "prescription_to_json",
    "reference",
    "sandbox",
    "testing",
    "traces",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

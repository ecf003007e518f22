"""The public face: names only.

``import eprescription_sdk as ep``; everything is loaded when it is first named, so that a process
that only passes through, such as a command of the host, does not pay for all of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eprescription_sdk import clock, fhir, pilot, ports, reference, sandbox, testing, traces
    from eprescription_sdk.client import (
        Acting,
        AsyncActing,
        AsyncClient,
        Client,
        DocumentBlock,
        Reconciled,
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
        StoreBusy,
        StoreCorrupt,
        StoreError,
        StoreTooNew,
        StoreUnavailable,
        StoreUnsafe,
        TransportFailure,
        UnreadableReply,
        VerificationFailed,
        XmlRefused,
    )
    from eprescription_sdk.ledger import DuplicateRisk, Settlement, State
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
    from eprescription_sdk.model.faults import Fault, FaultLayer, FaultSeverity, Processed
    from eprescription_sdk.model.flags import HeaderFlag, LineFlag, Substitution, SubstitutionReason
    from eprescription_sdk.model.identifiers import Finess, Ins, InsOid, PrescriptionNumber, Rpps
    from eprescription_sdk.model.json_form import prescription_from_json, prescription_to_json
    from eprescription_sdk.model.lines import (
        BiologyLine,
        CodeSystem,
        Coding,
        DeviceLine,
        ImagingLine,
        Laterality,
        MedicationLine,
        NursingLine,
        OrthopticsLine,
        Period,
        PhysiotherapyLine,
        PodiatryLine,
        SpeechTherapyLine,
        TransportLine,
    )
    from eprescription_sdk.model.outcomes import (
        Advice,
        Attempt,
        AttemptResult,
        Cause,
        NextStep,
        NotRegistered,
        Outcome,
        Registered,
        Uncertain,
    )
    from eprescription_sdk.model.people import (
        AnonymousPatient,
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
    from eprescription_sdk.model.trace import FaultOrigin, Initiator, NonDigitalReason
    from eprescription_sdk.settings import (
        Dsn,
        Environment,
        FaultClass,
        FaultRule,
        ServiceProfile,
        Settings,
        UncertainPolicy,
    )
    from eprescription_sdk.wire.reference_body import ReferenceCodec

_ROOMS = ("clock", "fhir", "pilot", "ports", "reference", "sandbox", "testing", "traces")

__version__ = "0.1.0"

__all__ = [
    "AccessToken",
    "Acting",
    "Advice",
    "AnonymousPatient",
    "Assertion",
    "AsyncActing",
    "AsyncClient",
    "Attempt",
    "AttemptResult",
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
    "Dsn",
    "DuplicateRisk",
    "Duration",
    "EPrescriptionError",
    "Environment",
    "ExecutionReading",
    "ExerciseMode",
    "Family",
    "Fault",
    "FaultClass",
    "FaultLayer",
    "FaultOrigin",
    "FaultRule",
    "FaultSeverity",
    "Finess",
    "HeaderFlag",
    "HttpReply",
    "HttpRequest",
    "IllegalStep",
    "ImagingLine",
    "Initiator",
    "Ins",
    "InsOid",
    "InvalidIdentifier",
    "InvalidInput",
    "Laterality",
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
    "Period",
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
    "Processed",
    "Profession",
    "Quantity",
    "ReadyAssertion",
    "Reconciled",
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
    "Settlement",
    "Sex",
    "SpeechTherapyLine",
    "State",
    "StoreBusy",
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
    "TransportLine",
    "Uncertain",
    "UncertainPolicy",
    "UnreadableReply",
    "VerificationFailed",
    "Weekday",
    "XmlRefused",
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

_HOMES = {
    "client": "Acting AsyncActing AsyncClient Client DocumentBlock Reconciled Reconciliation",
    "credentials": "Practitioner ReadyAssertion",
    "errors": """
        ClosingPending ConfigurationError CredentialUnavailable EPrescriptionError
        IllegalStep InvalidIdentifier InvalidInput MissingExtra PilotError
        PrescriptionNotFound ReferenceConflict ServiceError ServiceFault ServiceUnreachable
        StoreBusy StoreCorrupt StoreError StoreTooNew StoreUnavailable StoreUnsafe TransportFailure
        UnreadableReply VerificationFailed XmlRefused
    """,
    "ledger": "DuplicateRisk Settlement State",
    "model.exchange": """
        AccessToken Assertion CreateAnswer HttpReply HttpRequest Operation SearchPage
        SearchQuery StoredPrescription Summary
    """,
    "model.family": "DocumentType Family",
    "model.faults": "Fault FaultLayer FaultSeverity Processed",
    "model.flags": "HeaderFlag LineFlag Substitution SubstitutionReason",
    "model.identifiers": "Finess Ins InsOid PrescriptionNumber Rpps",
    "model.json_form": "prescription_from_json prescription_to_json",
    "model.lines": """
        BiologyLine CodeSystem Coding DeviceLine ImagingLine Laterality MedicationLine
        NursingLine OrthopticsLine Period PhysiotherapyLine PodiatryLine SpeechTherapyLine
        TransportLine
    """,
    "model.outcomes": """
        Advice Attempt AttemptResult Cause NextStep NotRegistered Outcome Registered
        Uncertain
    """,
    "model.people": """
        AnonymousPatient ExerciseMode Patient PracticeSituation Prescriber Profession Sex
    """,
    "model.posology": "Dosage Duration Maximum Moment Quantity TimeUnit Weekday",
    "model.prescription": "ExecutionReading Prescription",
    "model.problems": "Level Problem",
    "model.trace": "FaultOrigin Initiator NonDigitalReason",
    "settings": "Dsn Environment FaultClass FaultRule ServiceProfile Settings UncertainPolicy",
    "wire.reference_body": "ReferenceCodec",
}
"""Where the names come from: as imported above, for type checkers alone."""

_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    if (home := _HOME.get(name)) is not None:
        thing = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return thing
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

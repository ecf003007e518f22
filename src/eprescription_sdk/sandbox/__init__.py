"""A reference sandbox of the SDK: names only.

An independent stand-in of the téléservice and of a trace collector, for tests, the demo
and a first integration. It is the SDK's own and **not the Assurance Maladie's**: its body
format, its codes (``sdkref_*``) and its rules are ours. It shares no wire code with the
client, so that a mistake on one side cannot hide on the other.
"""

from eprescription_sdk.sandbox.counter import Scan
from eprescription_sdk.sandbox.faults import (
    AnswerAfter,
    CommitLate,
    CommitThenDrop,
    DropBeforeCommit,
    Endless,
    ExpiredCredential,
    Fault,
    FaultCode,
    Malformed,
    Refuse,
    ResetMidBody,
    StaleConsult,
    Truncated,
    Unavailable,
)
from eprescription_sdk.sandbox.pharmacy import SeenLine, SeenPrescription
from eprescription_sdk.sandbox.server import Sandbox
from eprescription_sdk.sandbox.state import Call, Operation, Registration

__all__ = [
    "AnswerAfter",
    "Call",
    "CommitLate",
    "CommitThenDrop",
    "DropBeforeCommit",
    "Endless",
    "ExpiredCredential",
    "Fault",
    "FaultCode",
    "Malformed",
    "Operation",
    "Refuse",
    "Registration",
    "ResetMidBody",
    "Sandbox",
    "Scan",
    "SeenLine",
    "SeenPrescription",
    "StaleConsult",
    "Truncated",
    "Unavailable",
]

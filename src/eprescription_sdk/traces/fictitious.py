"""Fictitious traces of each kind, and what a format makes of them before any real one exists.

Together they hold every value that a coded field can have, and every field once missing.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import attrs

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.identifiers import Finess, PrescriptionNumber, Rpps
from eprescription_sdk.model.trace import (
    CallOutcome,
    CallTrace,
    ChainLink,
    FaultOrigin,
    Initiator,
    NonDigitalReason,
    PrescriptionTrace,
    RegistrationState,
    Trace,
)
from eprescription_sdk.ports import TraceProfile

_NAMES = UUID("a0f1f0b7-4f6a-4f44-8a55-3b1c65a6f0d1")
_AT = datetime(2026, 3, 2, 10, 0, 0, 250_000, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Emission:
    """What a profile makes of one fictitious trace.

    Args:
        label: what the trace is about.
        content: as it would leave; None if it would not.
        reason: why it would not.
        anchored: whether it carries its hash of the chain out of the store.
    """

    label: str
    content: bytes | None = None
    reason: str | None = None
    anchored: bool = False


def emissions(profile: TraceProfile) -> tuple[Emission, ...]:
    """What a profile makes of every fictitious trace."""
    return tuple(_emission(profile, place, *each) for place, each in enumerate(fictitious(), 1))


def _emission(profile: TraceProfile, place: int, label: str, trace: Trace) -> Emission:
    link = ChainLink(segment=_id("segment"), position=place, hash=f"{place:02x}" * 32)
    try:
        content: object = profile.encode(trace, link)
    except InvalidInput as error:
        return Emission(label=label, reason=error.message)
    except Exception as error:  # noqa: BLE001  (foreign code)
        return Emission(label=label, reason=f"The profile failed: {type(error).__name__}.")
    if not isinstance(content, bytes) or not content:
        return Emission(label=label, reason="The profile gave no bytes.")
    return Emission(label=label, content=content, anchored=link.hash.encode() in content)


def fictitious() -> Iterator[tuple[str, Trace]]:
    """Traces about nobody, each with what it is about."""
    yield "call, create registered", _call()
    yield "prescription, digital", _digital()
    yield "prescription, on paper", _paper(reason=NonDigitalReason.OUT_OF_PERIMETER)
    for operation in Operation:
        yield f"call, {operation.value}", _call(operation=operation)
    for outcome in CallOutcome:
        yield f"call, {outcome.value}", _call(outcome=outcome)
    for initiator in Initiator:
        yield f"call, initiated by {initiator.value}", _call(initiator=initiator)
    for origin in FaultOrigin:
        failed = {"outcome": CallOutcome.FAILED, "fault_code": "exemple", "fault_origin": origin}
        yield f"call, fault of {origin.value}", _call(**failed)
    yield "call, bare", _call(subject=None, message_id=None)
    for state in RegistrationState:
        yield f"prescription, {state.value}", _digital(registration=state)
    for document_type in DocumentType:
        yield f"prescription, {document_type.value}", _digital(document_type=document_type)
    for family in Family:
        yield f"prescription, {family.value}", _paper(families=frozenset({family}))
    for reason in NonDigitalReason:
        yield f"prescription on paper, {reason.value}", _paper(reason=reason)
    coded = _paper(reason=NonDigitalReason.OTHER, reason_code="X1")
    yield "prescription on paper, other, with a code", coded
    number = PrescriptionNumber("EXEMPLE0")
    yield "prescription, corrected", _digital(corrects=number, act=None, revision=2)
    yield "prescription on paper, after a failure", _paper(after=number)
    special: dict[str, Any] = {"simulation": True, "test_identity": True, "clock_offset_ms": -40}
    yield "prescription, simulation", _digital(environment="sandbox", **special)


def _id(name: str) -> str:
    return str(uuid5(_NAMES, name))


def _common(changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": _id("trace"),
        "at": _AT,
        "rpps": Rpps("99700218896"),
        "situation": "exemple",
        "finess": Finess("330781287"),
        "software": "exemple",
        "version": "1.0",
        "module": "exemple",
        "instance": _id("instance"),
        "environment": "production",
        "simulation": False,
    } | changes


def _call(**changes: Any) -> CallTrace:
    values: dict[str, Any] = {
        "operation": Operation.CREATE,
        "initiator": Initiator.PRESCRIBER,
        "attempts": 1,
        "outcome": CallOutcome.REGISTERED,
        "subject": _id("subject"),
        "duration_ms": 412,
        "message_id": f"uuid:{_id('message')}",
    }
    return CallTrace(**_common(values | changes))


def _digital(**changes: Any) -> PrescriptionTrace:
    values: dict[str, Any] = {
        "subject": _id("subject"),
        "revision": 1,
        "issued_at": _AT,
        "digital": True,
        "families": frozenset({Family.MEDICATION, Family.DEVICE}),
        "registration": RegistrationState.REGISTERED,
        "number": PrescriptionNumber("EXEMPLE1"),
        "document_type": DocumentType.HEALTH_PRODUCTS,
        "act": _id("act"),
    }
    return PrescriptionTrace(**_common(values | changes))


def _paper(**changes: Any) -> PrescriptionTrace:
    values: dict[str, Any] = {
        "subject": _id("paper"),
        "revision": 1,
        "issued_at": _AT,
        "digital": False,
        "families": frozenset({Family.IMAGING}),
        "reason": NonDigitalReason.OTHER,
    }
    return PrescriptionTrace(**_common(values | changes))

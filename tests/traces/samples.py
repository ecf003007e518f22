"""Traces, and pilots that let them be recorded."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import eprescription_sdk as ep
from eprescription_sdk.credentials.key_file import Billing, KeyFileAssertion
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.identifiers import Finess, PrescriptionNumber, Rpps
from eprescription_sdk.model.trace import (
    CallOutcome,
    CallTrace,
    FaultOrigin,
    Initiator,
    NonDigitalReason,
    PrescriptionTrace,
    RegistrationState,
)
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.testing import SAMPLE_RPPS, SAMPLE_SITUATION
from eprescription_sdk.traces import gate
from eprescription_sdk.traces.record import Recorder

KEY = b"k" * 32
RPPS, OTHER = Rpps("99700218896"), Rpps("99900063480")
SITUATION = "teleconsultation"
MODULE = "exemple-ordonnance"
AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
GO_LIVE = date(2026, 3, 1)


def common(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "at": AT,
        "rpps": RPPS,
        "situation": SITUATION,
        "finess": Finess("330781287"),
        "software": "exemple",
        "version": "1.0",
        "module": MODULE,
        "instance": "0b5b1ad8-3a0c-4b2e-9d0e-5f6a7b8c9d0e",
        "environment": "production",
        "simulation": False,
    } | changes


def call(**changes: Any) -> CallTrace:
    values = {
        "operation": Operation.CREATE,
        "initiator": Initiator.PRESCRIBER,
        "attempts": 2,
        "outcome": CallOutcome.FAILED,
        "subject": str(uuid4()),
        "fault_code": "sdkref_unavailable",
        "fault_origin": FaultOrigin.SERVICE,
        "duration_ms": 1234,
        "message_id": f"uuid:{uuid4()}",
    }
    return CallTrace(**common(**values | changes))


def digital(**changes: Any) -> PrescriptionTrace:
    values = {
        "subject": str(uuid4()),
        "revision": 1,
        "issued_at": AT,
        "digital": True,
        "families": frozenset({Family.MEDICATION, Family.DEVICE}),
        "registration": RegistrationState.REGISTERED,
        "number": PrescriptionNumber("NUMBER1"),
        "document_type": DocumentType.HEALTH_PRODUCTS,
        "corrects": PrescriptionNumber("NUMBER0"),
        "act": "a" * 32,
    }
    return PrescriptionTrace(**common(**values | changes))


def paper(**changes: Any) -> PrescriptionTrace:
    values = {
        "subject": str(uuid4()),
        "revision": 1,
        "issued_at": AT,
        "digital": False,
        "families": frozenset({Family.IMAGING}),
        "reason": NonDigitalReason.OUT_OF_PERIMETER,
        "after": PrescriptionNumber("NUMBER1"),
    }
    return PrescriptionTrace(**common(**values | changes))


def enrolment(**changes: Any) -> gate.Enrolment:
    values: dict[str, Any] = {"rpps": RPPS, "label": 1, "situation": SITUATION, "go_live": GO_LIVE}
    return gate.Enrolment(**values | changes)


def open_pilot(store: Store, phase: gate.Phase = gate.Phase.RUNNING) -> None:
    """A running pilot of one practitioner."""

    def work(tx: Tx) -> None:
        gate.set_phase(tx, phase, module=MODULE)
        gate.enrol(tx, enrolment())

    store.write(work)


def set_phase(store: Store, phase: gate.Phase) -> None:
    store.write(lambda tx: gate.set_phase(tx, phase, module=MODULE))


def record(store: Store, count: int = 1, recorder: Recorder | None = None) -> list[str]:
    """Record some calls; the ids of those that were."""
    recorder = recorder or Recorder(KEY, store.path)
    traces = [call() for _ in range(count)]
    done = [
        store.submit(lambda tx, trace=trace: recorder.record(tx, trace))  # type: ignore[misc]
        for trace in traces
    ]
    return [trace.id for trace, future in zip(traces, done, strict=True) if future.result(20)]


def rows(store: Store, columns: str = "count(*)", rest: str = "") -> list[tuple[Any, ...]]:
    return store.read(lambda tx: tx.execute(f"SELECT {columns} FROM traces {rest}"))  # noqa: S608


embedded = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
"""For tests of what lies beside an embedded store."""

on_a_server = pytest.mark.parametrize("place", ["postgresql"], indirect=True)


def marker(store: Store) -> Path:
    assert store.path is not None
    return store.path.with_name(store.path.name + ".closed")


def platform_settings(sandbox: Sandbox, place: str, collector: str) -> dict[str, Any]:
    """Settings, as a file would hold them, of a platform in production whose pilot is here."""
    return {
        "environment": "production",
        "uncertain_policy": "hold",
        "service_url": sandbox.url,
        "collector_url": collector,
        "software_name": "exemple",
        "software_version": "1.0",
        "authorisation": "SIMULATION-0000",
        "instance": str(uuid4()),
        "module": MODULE,
        "finess": "330781287",
        "store": place,
        "key": KEY.hex(),
    }


def practitioner(certificate: str, private_key: str) -> ep.Practitioner:
    """The sample practitioner with a card of the sandbox, PEM."""
    return ep.Practitioner(
        rpps=SAMPLE_RPPS,
        national_id=f"8{SAMPLE_RPPS.value}",
        situation=SAMPLE_SITUATION,
        assertions=KeyFileAssertion(
            certificate=certificate.encode(),
            private_key=private_key.encode(),
            national_id=f"8{SAMPLE_RPPS.value}",
            billing=Billing(billing_id="331234567", specialty="01", sector="SA07"),
        ),
    )

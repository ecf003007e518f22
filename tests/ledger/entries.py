"""Entries for the tests of the ledger."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from eprescription_sdk.ledger import Entry, State
from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.identifiers import PrescriptionNumber, Rpps

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
RPPS, OTHER = Rpps("99700218896"), Rpps("99900063480")


def entry(number: str = "N1", **changes: Any) -> Entry:
    """A journalled entry whose lease runs for half a minute."""
    values: dict[str, Any] = {
        "number": PrescriptionNumber(number),
        "subject": str(uuid4()),
        "state": State.SENDING,
        "reference": None,
        "fingerprint": "f" * 32,
        "rpps": RPPS,
        "situation": "teleconsultation",
        "families": frozenset({Family.MEDICATION, Family.DEVICE}),
        "document_type": DocumentType.HEALTH_PRODUCTS,
        "act": None,
        "corrects": None,
        "issued_at": NOW,
        "test_identity": False,
        "owner": "host:1",
        "epoch": 1,
        "lease_until": NOW + timedelta(seconds=30),
        "created_at": NOW,
        "last_send_at": NOW + timedelta(seconds=25),
    }
    return Entry(**values | changes)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)

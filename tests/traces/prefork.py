"""A WSGI application for gunicorn with ``--preload``: its client is made before the fork.

``PREFORK`` names a JSON file with the settings and the practitioner's card.
"""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import attrs

import eprescription_sdk as ep
from eprescription_sdk.testing import sample_prescription
from tests.traces.samples import practitioner

_told = json.loads(Path(os.environ["PREFORK"]).read_text(encoding="utf-8"))
_client = ep.Client(
    attrs.evolve(
        ep.Settings.from_mapping(_told["settings"]), profile=ep.ServiceProfile().scaled(0.05)
    ),
    minter=ep.reference.FakeMinter(),
    codec=ep.ReferenceCodec(),
    code2d=ep.reference.SpecimenCode(),
)
_doctor = _client.acting_as(practitioner(*_told["card"]))
# The master uses everything that a fork could break: writer thread, connections, shipper.
_client.store.write(lambda tx: tx.execute("SELECT 1"))
_client.start_shipping()


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Create one prescription; say who did, and what came of it."""
    _client.start_shipping()
    outcome = _doctor.create(sample_prescription(), wait=10)
    number = outcome.number.value if outcome.number else None
    body = {"pid": os.getpid(), "outcome": type(outcome).__name__, "number": number}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]

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
from eprescription_sdk.credentials.key_file import Billing, KeyFileAssertion
from eprescription_sdk.testing import SAMPLE_RPPS, SAMPLE_SITUATION, sample_prescription

_told = json.loads(Path(os.environ["PREFORK"]).read_text(encoding="utf-8"))
_client = ep.Client(
    attrs.evolve(
        ep.Settings.from_mapping(_told["settings"]), profile=ep.ServiceProfile().scaled(0.05)
    ),
    minter=ep.reference.FakeMinter(),
    codec=ep.ReferenceCodec(),
    code2d=ep.reference.SpecimenCode(),
)
_certificate, _key = (text.encode() for text in _told["card"])
_doctor = _client.acting_as(
    ep.Practitioner(
        rpps=SAMPLE_RPPS,
        national_id=f"8{SAMPLE_RPPS.value}",
        situation=SAMPLE_SITUATION,
        assertions=KeyFileAssertion(
            certificate=_certificate,
            private_key=_key,
            national_id=f"8{SAMPLE_RPPS.value}",
            billing=Billing(billing_id="331234567", specialty="01", sector="SA07"),
        ),
    )
)
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

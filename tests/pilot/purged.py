"""A closed pilot whose older traces were purged, and its export, all of it signed."""

import json
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from eprescription_sdk.pilot.assessing import assess
from eprescription_sdk.pilot.export import write_export
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.closing import close
from eprescription_sdk.traces.gate import Phase, set_phase
from eprescription_sdk.traces.record import Recorder
from eprescription_sdk.traces.retention import purge_traces
from eprescription_sdk.traces.signing import Signer
from tests.pilot.pilots import KEY, PilotStore, at
from tests.traces.test_signing import pem, public_pem

OLD, NEW = 3, 200
"""Days of March 2026 and after: the older are purged on the 390th."""


def write_purged(folder: Path, store: Store | None = None) -> None:
    """Write ``out``, signed with the other half of ``key.pem``, and what was handed over before.

    Two segments of 6 and 6 traces. Of the first, positions 1 to 3 are gone, of the second 1 and 2;
    ``receipt.json`` and ``assessment.json`` are of the time when all were there.
    """
    pilot = PilotStore(folder, practitioners=2, store=store)
    key = ec.generate_private_key(ec.SECP256R1())
    signer = Signer(pem(key))
    (folder / "key.pem").write_bytes(public_pem(key))
    pilot.digital(at(OLD))
    pilot.paper(at(OLD))
    pilot.flush()
    first, pilot.recorder = pilot.recorder, Recorder(KEY, None)
    pilot.digital(at(OLD), ps=2)
    pilot.digital(at(NEW), ps=2)
    pilot.uses(NEW)
    pilot.flush()
    pilot.recorder = first
    pilot.digital(at(NEW))
    pilot.paper(at(NEW))
    pilot.flush()
    document = assess(pilot.store, key=KEY, at=at(250)).to_dict()
    (folder / "assessment.json").write_text(json.dumps(document))
    pilot.store.write(lambda tx: set_phase(tx, Phase.ASSESSED, module="module"))
    receipt = close(
        pilot.store,
        shipper=None,
        unsettled=lambda _: (),
        module="module",
        now=lambda: at(260),
        signer=signer,
    )
    (folder / "receipt.json").write_text(json.dumps(receipt.to_json()))
    purge_traces(pilot.store, now=at(390), retention=timedelta(days=365), signer=signer)
    write_export(pilot.store, folder / "out", key=KEY, at=at(390), signer=signer)
    pilot.store.close()

"""What is kept once the traces themselves are gone: sums, receipt, checkpoint; no person.

Neither an RPPS nor what stands for one, nor a prescription number, is in an archive.
"""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from eprescription_sdk.clock import iso, paris_day
from eprescription_sdk.errors import IllegalStep
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces.body import canonical
from eprescription_sdk.traces.closing import receipt_of
from eprescription_sdk.traces.files import replace
from eprescription_sdk.traces.record import losses
from eprescription_sdk.traces.retention import checkpoint_of
from eprescription_sdk.traces.signing import Signer

FORMAT = "eprescription-sdk archive 1"
_SUMMED = ("kind", "environment", "operation", "initiator", "outcome", "digital", "registration")


def write_archive(
    store: Store,
    path: Path,
    *,
    now: datetime,
    assessment: Mapping[str, Any] | None = None,
    signer: Signer | None = None,
) -> None:
    """Write the archive of a closed store: before its traces are purged, or their sums are lost.

    Args:
        store: whose traces are closed.
        path: of the archive, JSON; with a signer, ``path.sig`` holds its detached signature.
        now: the time, aware.
        assessment: the JSON form of the last assessment, in the edition without names.
        signer: holds the organisation's key.

    Raises:
        IllegalStep: the traces are not closed.
    """
    document = store.read(lambda tx: _document(tx, now))
    document["assessment"] = assessment
    content = canonical(document).encode() + b"\n"
    if signer is not None:
        replace(Path(f"{path}.sig"), signer.sign(content))
    replace(path, content)


def _document(tx: Tx, now: datetime) -> dict[str, Any]:
    receipt = receipt_of(tx)
    if receipt is None:
        raise IllegalStep("Only closed traces are archived.")
    checkpoint = checkpoint_of(tx)
    sums: Counter[str] = Counter()
    for (text,) in tx.iterate("SELECT body FROM traces ORDER BY seq"):
        body = json.loads(text)
        day = paris_day(datetime.fromisoformat(body["at"])).isoformat()
        sums[canonical({"day": day} | {name: body.get(name) for name in _SUMMED})] += 1
    return {
        "format": FORMAT,
        "at": iso(now),
        "receipt": receipt.to_json(),
        "checkpoint": checkpoint.to_json() if checkpoint else None,
        "traces": [json.loads(sums_of) | {"count": sums[sums_of]} for sums_of in sorted(sums)],
        "losses": losses(tx),
    }

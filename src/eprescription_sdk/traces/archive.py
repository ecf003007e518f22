"""What is kept once the traces themselves are gone: sums, receipt, checkpoint; no person.

Neither an RPPS nor what stands for one, nor a prescription number, is in an archive.
"""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from eprescription_sdk.clock import iso, paris_day
from eprescription_sdk.errors import IllegalStep, InvalidInput
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces.body import canonical
from eprescription_sdk.traces.closing import receipt_of
from eprescription_sdk.traces.files import put
from eprescription_sdk.traces.gate import OVER, phase
from eprescription_sdk.traces.record import losses
from eprescription_sdk.traces.retention import Checkpoint, checkpoint_of, purge_within
from eprescription_sdk.traces.signing import Signer

FORMAT = "eprescription-sdk archive 1"
_SUMMED = ("kind", "environment", "operation", "initiator", "outcome", "digital", "registration")


def write_archive(
    store: Store,
    path: Path,
    *,
    now: datetime,
    assessment: Mapping[str, Any] | None = None,
    retention: timedelta | None = None,
    signer: Signer | None = None,
) -> Checkpoint | None:
    """Write the archive of a pilot that is over, before a purge takes the sums along.

    Args:
        store: whose traces are closed, or whose pilot was abandoned: then there is no receipt.
        path: of the archive, JSON; with a signer, ``path.sig`` holds its detached signature.
        now: the time, aware.
        assessment: the JSON form of the last assessment, in the edition without names.
        retention: traces older than this are purged as soon as the archive is on disk, and the
            archive holds the checkpoint; None purges nothing.
        signer: holds the organisation's key.

    Returns:
        The checkpoint that is in the archive, if anything was ever purged.

    Raises:
        IllegalStep: traces may still be recorded or shipped.
        InvalidInput: the retention is negative.
        StoreError: the store cannot be read or written. The archive may be there; nothing was
            purged.
        ConfigurationError: the archive cannot be written; nothing was purged.
    """
    if retention is not None and retention < timedelta():
        raise InvalidInput("A retention is not negative.", path="retention")

    def work(tx: Tx) -> Checkpoint | None:
        document = _document(tx, now)
        if retention is not None:
            purge_within(tx, now, now - retention, signer)
        checkpoint = checkpoint_of(tx)
        document["checkpoint"] = checkpoint.to_json() if checkpoint else None
        document["assessment"] = assessment
        # On disk before the purge is: this transaction commits after it.
        put(path, canonical(document).encode() + b"\n", signer)
        return checkpoint

    return store.read(work) if retention is None else store.write(work)


def _document(tx: Tx, now: datetime) -> dict[str, Any]:
    if phase(tx) not in OVER:
        raise IllegalStep("Only closed traces, or those of an abandoned pilot, are archived.")
    receipt = receipt_of(tx)
    sums: Counter[str] = Counter()
    for (text,) in tx.iterate("SELECT body FROM traces ORDER BY seq"):
        body = json.loads(text)
        day = paris_day(datetime.fromisoformat(body["at"])).isoformat()
        sums[canonical({"day": day} | {name: body.get(name) for name in _SUMMED})] += 1
    return {
        "format": FORMAT,
        "at": iso(now),
        "receipt": receipt.to_json() if receipt else None,
        "traces": [json.loads(sums_of) | {"count": sums[sums_of]} for sums_of in sorted(sums)],
        "losses": losses(tx),
    }

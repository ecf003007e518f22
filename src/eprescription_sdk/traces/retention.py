"""Retention: traces past their time are deleted behind a checkpoint that chains go on from.

First the column that says who is emptied, of every trace that is past its time and need not be
shipped any more: the chain does not cover it. The rows themselves are what a verdict is recomputed
from, so they go only once the traces are closed. The newest of each segment stays, without its
persons: it is the head that the receipt names. Source: CNIL, recommendation on logging (6 to 12
months).
"""

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from eprescription_sdk.clock import iso, moment_of, paris_day
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.trace import ChainLink
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces.body import canonical
from eprescription_sdk.traces.chain import GENESIS, Break, breaks, link_of
from eprescription_sdk.traces.closing import receipt_of
from eprescription_sdk.traces.files import put
from eprescription_sdk.traces.gate import OVER, phase
from eprescription_sdk.traces.signing import PublicKey, Signer

RETENTION_DAYS = 365
"""By default; the company decides, and tells its practitioners."""

FORMAT = "eprescription-sdk checkpoint 1"
_KIND = "checkpoint"


@attrs.frozen(kw_only=True)
class Checkpoint:
    """Where the chains of a store go on from. It names no person and no prescription.

    Args:
        at: when it was made.
        before: traces older than this were past their time.
        starts: of each purged segment, the last link that was deleted.
        joints: hashes of deleted traces that another segment goes on from.
        purged: traces deleted by this purge.
        purged_before: traces deleted by earlier ones.
        blanked: traces whose persons this purge took out.
        signature: of ``to_bytes()`` with the organisation's key, in base64; empty if none was
            given.
    """

    at: datetime
    before: datetime
    starts: tuple[ChainLink, ...] = ()
    joints: tuple[str, ...] = ()
    purged: int = 0
    purged_before: int = 0
    blanked: int = 0
    signature: str = ""

    def to_json(self) -> dict[str, Any]:
        """The checkpoint as JSON-ready data."""
        return attrs.asdict(self) | {
            "format": FORMAT,
            "at": iso(self.at),
            "before": iso(self.before),
            "starts": [attrs.asdict(link) for link in self.starts],
            "joints": list(self.joints),
        }

    def to_bytes(self) -> bytes:
        """The one text of the checkpoint: what is signed."""
        document = self.to_json()
        del document["signature"]
        return canonical(document).encode() + b"\n"

    def signed_by(self, key: PublicKey) -> bool:
        """Whether it was signed with this key."""
        try:
            signature = base64.b64decode(self.signature, validate=True)
        except ValueError:
            return False
        return key.signed(self.to_bytes(), signature)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Checkpoint":
        """A checkpoint as written by ``to_json`` or, without its signature, ``to_bytes``.

        Raises:
            InvalidInput: it is none.
        """
        try:
            fields = dict(document)
            if fields.pop("format") != FORMAT:
                raise ValueError
            times = {name: moment_of(fields[name]) for name in ("at", "before")}
            starts = tuple(map(link_of, fields["starts"]))
            joints = tuple(fields["joints"])
            counts = [fields[name] for name in ("purged", "purged_before", "blanked")]
            if {*map(type, counts)} != {int} or {*map(type, joints)} - {str}:
                raise TypeError
            return cls(**fields | times | {"starts": starts, "joints": joints})
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InvalidInput("The checkpoint cannot be read.") from None


def purge_traces(
    store: Store,
    *,
    now: datetime,
    retention: timedelta = timedelta(days=RETENTION_DAYS),
    signer: Signer | None = None,
    path: Path | None = None,
) -> Checkpoint:
    """Take persons, and once closed whole traces, out of what is older than the retention.

    Args:
        store: the pilot's.
        now: the time, aware.
        retention: how long traces are kept.
        signer: holds the organisation's key: only a signed checkpoint vouches for what is gone.
            One that was left unsigned before is signed now.
        path: the checkpoint is on disk there, with its detached signature in ``path.sig``, before
            anything is gone.

    Returns:
        The checkpoint, which the store and its exports keep too. Keep it elsewhere: chains are
        checked from it on.

    Raises:
        InvalidInput: the retention is negative.
        ConfigurationError: the file cannot be written; nothing was purged.
    """
    if retention < timedelta():
        raise InvalidInput("A retention is not negative.", path="retention")

    def work(tx: Tx) -> Checkpoint:
        made = purge_within(tx, now, now - retention, signer)
        if path is not None:
            put(path, made.to_bytes(), signer)
        return made

    return store.write(work)


def purge_within(tx: Tx, now: datetime, before: datetime, signer: Signer | None) -> Checkpoint:
    """``purge_traces``, in a transaction that does more."""
    over = phase(tx, hold=True) in OVER
    # What is still to be shipped needs to say who; after the closing nothing is.
    blanked = tx.execute(
        "UPDATE traces SET identity = NULL WHERE identity IS NOT NULL AND at < ?"
        " AND (state = 'shipped' OR ? = 1) RETURNING seq",
        (iso(before), int(over)),
    )
    known = checkpoint_of(tx) or Checkpoint(at=now, before=before)
    starts = {link.segment: link for link in known.starts}
    joints = set(known.joints)
    purged = 0
    for link in [*_ends(tx, iso(before))] if over else ():
        starts[link.segment] = link
        mine = (link.segment, link.position)
        joints |= {
            found
            for (found,) in tx.execute(
                "SELECT previous FROM segments WHERE previous IN"
                " (SELECT hash FROM traces WHERE segment = ? AND position <= ?)",
                mine,
            )
        }
        gone = "DELETE FROM traces WHERE segment = ? AND position <= ? RETURNING seq"
        purged += len(tx.execute(gone, mine))
    made = Checkpoint(
        at=now,
        before=before,
        starts=tuple(starts[segment] for segment in sorted(starts)),
        joints=tuple(sorted(joints)),
        purged=purged,
        purged_before=known.purged_before + known.purged,
        blanked=len(blanked),
    )
    if signer is not None:
        signature = base64.b64encode(signer.sign(made.to_bytes())).decode()
        made = attrs.evolve(made, signature=signature)
    unsigned = signer is not None and known.starts and not known.signature
    if purged or blanked or unsigned:
        tx.execute(
            "INSERT INTO pilot_events (kind, day, recorded_at, by_whom, reference, data)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                _KIND,
                paris_day(now).isoformat(),
                iso(now),
                "eprescription-sdk",
                "retention",
                canonical(made.to_json()),
            ),
        )
    return made


def _ends(tx: Tx, before: str) -> Iterator[ChainLink]:
    """Of each segment, the last link before the first trace that stays."""
    rows = tx.execute(
        "SELECT segment, coalesce(min(CASE WHEN at >= ? THEN position END), max(position))"
        " FROM traces GROUP BY segment ORDER BY segment",
        (before,),
    )
    for segment, first in rows:
        last = tx.execute(
            "SELECT hash FROM traces WHERE segment = ? AND position = ?", (segment, first - 1)
        )
        if last:
            yield ChainLink(segment=segment, position=first - 1, hash=last[0][0])


def checkpoint_of(tx: Tx) -> Checkpoint | None:
    """The newest checkpoint of a store, if anything was ever purged."""
    rows = tx.execute(
        "SELECT data FROM pilot_events WHERE kind = ? ORDER BY seq DESC LIMIT 1", (_KIND,)
    )
    return Checkpoint.from_json(json.loads(rows[0][0])) if rows else None


def verify(store: Store, checkpoint: Checkpoint | None = None) -> tuple[Break, ...]:
    """Every place where the chains of a store do not hold; none, if all do.

    Args:
        store: the pilot's.
        checkpoint: one that was kept elsewhere; the store's own by default.

    Raises:
        StoreError: the store cannot be read.
    """
    return store.read(lambda tx: verify_store(tx, checkpoint))


def verify_store(tx: Tx, checkpoint: Checkpoint | None = None) -> tuple[Break, ...]:
    """``verify``, in a transaction."""
    start = checkpoint or checkpoint_of(tx)
    segments: list[tuple[str, str]] = [
        (segment, previous)
        for segment, previous in tx.execute("SELECT id, previous FROM segments ORDER BY id")
    ]
    receipt = receipt_of(tx)
    anchored = {link.segment: link for link in receipt.heads} if receipt else {}
    starts = {link.segment: link for link in start.starts} if start else {}
    seen = {GENESIS, *(start.joints if start else ())}

    def rows() -> Iterator[tuple[ChainLink, str]]:
        for segment, position, hash_, body in tx.iterate(
            "SELECT segment, position, hash, body FROM traces ORDER BY segment, position"
        ):
            seen.add(hash_)
            yield ChainLink(segment=segment, position=position, hash=hash_), body

    found = [*breaks(segments, rows(), anchored, starts)]
    missing = "The trace that this segment goes on from is not here."
    found += [
        Break(segment=segment, position=0, what=missing)
        for segment, previous in segments
        if previous not in seen
    ]
    return tuple(found)

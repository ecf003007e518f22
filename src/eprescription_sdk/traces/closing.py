"""Closing the traces for good, with a receipt (law 6).

First what waits is shipped, by us or by whoever holds it; then the phase becomes CLOSING, from
which on no transaction records or claims a trace; then the sender lock is taken alone, so that no
request is under way; then receipt and phase CLOSED are written in one transaction. Whatever cannot
be known is listed in the receipt. Source: Cnam, présérie 2025-03, p. 6 (the company deactivates
the sending of its users' traces).
"""

import base64
import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import attrs
from cattrs.preconf.json import make_converter

from eprescription_sdk.clock import iso
from eprescription_sdk.errors import (
    ClosingPending,
    IllegalStep,
    StoreBusy,
    StoreCorrupt,
    StoreUnavailable,
)
from eprescription_sdk.model.trace import ChainLink
from eprescription_sdk.storage import SessionLock, Store, Tx
from eprescription_sdk.traces import outbox
from eprescription_sdk.traces.body import canonical
from eprescription_sdk.traces.gate import Phase, phase, set_phase
from eprescription_sdk.traces.record import closed_marker, losses
from eprescription_sdk.traces.shipper import Shipper
from eprescription_sdk.traces.signing import PublicKey, Signer


@attrs.frozen(kw_only=True)
class Receipt:
    """What was sent, what was not, and when. It names no person and no prescription.

    Args:
        id: to be pinned in the settings (``closing_receipt``).
        closed_at: from this moment on nothing is recorded or sent.
        module: identity of the module the pilot was about.
        counts: traces by state of shipping.
        last_sent: id and time of the last trace the collector accepted; empty if none.
        heads: newest link of each chain segment.
        unsettled: keyed pseudonyms of prescriptions whose registration is not known.
        unconfirmed: ids of traces that were tried and never confirmed, because the sender died,
            the answer was lost or closing was forced: they may or may not have arrived. One that
            a later try found refused is among them.
        refused: traces in quarantine, by reason.
        losses: traces that could not be recorded, by reason.
        forced: whether closing did not wait for every sender.
        simulation: whether a stand-in of this SDK took part in any trace.
        digest: SHA-256 over the canonical JSON of all the above, hexadecimal.
        signature: of the digest's 64 characters with the organisation's key, in base64; empty if
            none was given.
    """

    id: str
    closed_at: datetime
    module: str
    counts: dict[str, int]
    last_sent: tuple[str, ...]
    heads: tuple[ChainLink, ...]
    unsettled: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    refused: dict[str, int]
    losses: dict[str, int]
    forced: bool
    simulation: bool
    digest: str = ""
    signature: str = ""

    def to_json(self) -> dict[str, object]:
        """The receipt as JSON-ready data."""
        document: dict[str, object] = _converter.unstructure(self)
        return document

    @classmethod
    def from_json(cls, text: str) -> "Receipt":
        """A receipt as written by ``to_json``."""
        return _converter.loads(text, cls)

    def holds(self) -> bool:
        """Whether the digest is that of the content."""
        return self.digest == _digest(self)

    def signed_by(self, key: PublicKey) -> bool:
        """Whether the digest is that of the content, and was signed with this key."""
        try:
            signature = base64.b64decode(self.signature, validate=True)
        except ValueError:
            return False
        return self.holds() and key.signed(self.digest.encode(), signature)


_converter = make_converter()
_converter.register_unstructure_hook(datetime, iso)
_converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))


def _digest(receipt: Receipt) -> str:
    content = attrs.evolve(receipt, digest="", signature="").to_json()
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def close(
    store: Store,
    *,
    shipper: Shipper | None,
    unsettled: Callable[[Tx], Sequence[str]],
    module: str,
    now: Callable[[], datetime],
    timeout: float = 30.0,
    force: bool = False,
    signer: Signer | None = None,
    pinned: str | None = None,
    kept: Receipt | None = None,
) -> Receipt:
    """Close the traces of a store for good.

    Calling it again after ``ClosingPending`` goes on; after success it gives the same receipt.
    A marker is left beside an embedded store, and outlives a restored backup of it. PostgreSQL has
    no such place: there, only the receipt pinned in the settings (``closing_receipt``) keeps a
    restored backup closed, and that receipt itself tells the backup so.

    Args:
        store: the pilot's.
        shipper: sends what waits before closing; None leaves it unsent, and counted.
        unsettled: reads the keyed pseudonyms of the prescriptions still uncertain, in the
            transaction that writes the receipt.
        module: identity of the module.
        now: the time; the receipt goes by the store's.
        timeout: how long to send, and then to wait for senders, in seconds each.
        force: close although a sender holds its lock; the receipt lists the unconfirmed.
        signer: holds the organisation's key; it signs the receipt that this call writes.
        pinned: id of the receipt in the settings, if one is: no other one is written then.
        kept: that receipt, for a store of before the closing.

    Raises:
        ClosingPending: a sender still holds its lock, and the phase stays CLOSING; or a process
            stays amid a transaction, which no force overcomes.
        StoreError: the store cannot be used; or all is closed, and its marker cannot be written.
        IllegalStep: the pilot is not in a phase that can be closed; or a receipt is pinned that
            neither the store has nor ``kept`` is.
    """
    marker = closed_marker(store.path) if store.path is not None else None
    if marker is not None and marker.exists():
        return _tell(store, _read_marker(marker), module=module)
    if pinned is not None and store.read(receipt_of) is None:
        return _tell(store, _pinned(pinned, kept), module=module)
    before = store.read(phase)
    if before not in (Phase.ASSESSED, *_SHUT):
        raise IllegalStep("The traces are closed after the assessment.")
    if before is Phase.ASSESSED and shipper is not None:
        with pending_on_writers():
            shipper.flush(timeout)
    with pending_on_writers():
        if not store.write(lambda tx: _shut(tx, module)):
            return _finish(store, marker)
    lock = store.session_lock()
    with lock.exclusive(timeout) as alone:
        if not alone and not force:
            holders = _senders(store, lock)
            raise ClosingPending(
                "A sender still holds its lock: " + (", ".join(holders) or "unknown") + ".",
                holders=holders,
                way_out="Let it finish or end it, then close again; or force.",
            )
        with pending_on_writers():
            store.write(
                lambda tx: _close(
                    tx,
                    module=module,
                    closed_at=now() + tx.clock_offset,
                    unsettled=unsettled,
                    forced=not alone,
                    signer=signer,
                )
            )
    return _finish(store, marker)


@contextmanager
def pending_on_writers() -> Iterator[None]:
    """A block of the closing that a process amid a transaction may hold up.

    Raises:
        ClosingPending: one does.
    """
    try:
        yield
    except StoreBusy as error:
        raise ClosingPending(
            "A process stays amid a transaction: " + (", ".join(error.holders) or "unknown") + ".",
            holders=error.holders,
            way_out="Let it finish or end it, then close again.",
        ) from error


def _senders(store: Store, lock: SessionLock) -> tuple[str, ...]:
    """Who holds the lock of senders; if nobody can tell, who holds claims."""
    first = lock.holders()
    # Whoever takes it for a moment, to find that nothing may leave, does not hold us up.
    time.sleep(_PASSING)
    return tuple(holder for holder in lock.holders() if holder in first) or tuple(
        filter(_may_live, store.read(outbox.holders))
    )


_PASSING = 0.1
"""In seconds; longer than a look at the phase takes."""


_SHUT = (Phase.CLOSING, Phase.CLOSED, Phase.GENERALISED)


def _shut(tx: Tx, module: str) -> bool:
    """From here on nothing is recorded or claimed; False if it is closed already."""
    if phase(tx) in (Phase.CLOSED, Phase.GENERALISED):
        return False
    set_phase(tx, Phase.CLOSING, module=module)
    return True


def _close(
    tx: Tx,
    *,
    module: str,
    closed_at: datetime,
    unsettled: Callable[[Tx], Sequence[str]],
    forced: bool,
    signer: Signer | None,
) -> None:
    # Another process may have closed it since: its receipt stands.
    if phase(tx) is not Phase.CLOSING:
        return
    last = tx.execute(
        "SELECT id, shipped_at FROM traces WHERE state = 'shipped'"
        " ORDER BY shipped_at DESC, seq DESC LIMIT 1"
    )
    receipt = Receipt(
        id=str(uuid4()),
        closed_at=closed_at,
        module=module,
        counts={state.value: count for state, count in outbox.counts(tx).items()},
        last_sent=tuple(last[0]) if last else (),
        heads=heads(tx),
        unsettled=tuple(unsettled(tx)),
        unconfirmed=unconfirmed(tx),
        refused=outbox.refusals(tx),
        losses=losses(tx),
        forced=forced,
        simulation=bool(
            tx.execute("SELECT 1 FROM traces WHERE body LIKE '%\"simulation\":true%' LIMIT 1")
        ),
    )
    receipt = attrs.evolve(receipt, digest=_digest(receipt))
    if signer is not None:
        signature = base64.b64encode(signer.sign(receipt.digest.encode())).decode()
        receipt = attrs.evolve(receipt, signature=signature)
    set_phase(tx, Phase.CLOSED, module=module)
    tx.execute("UPDATE gate SET receipt = ?", (canonical(receipt.to_json()),))


def _may_live(owner: str) -> bool:
    """Whether a claim's owner may still be there: not if it was a process here that ended."""
    host, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdecimal():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def unconfirmed(tx: Tx) -> tuple[str, ...]:
    """Ids of the traces of which nobody knows whether the collector has them."""
    # What was refused may have arrived by an earlier try.
    rows = tx.execute(
        "SELECT id FROM traces WHERE state = 'claimed' OR (state = 'pending' AND tries > 0)"
        " OR (state = 'quarantined' AND tries > 1) ORDER BY seq"
    )
    return tuple(row[0] for row in rows)


def heads(tx: Tx) -> tuple[ChainLink, ...]:
    """The newest link of each chain segment."""
    return tuple(
        ChainLink(segment=segment, position=position, hash=hash_)
        for segment, position, hash_ in tx.execute(
            "SELECT segment, position, hash FROM traces WHERE (segment, position) IN"
            " (SELECT segment, max(position) FROM traces GROUP BY segment) ORDER BY segment"
        )
    )


def receipt_of(tx: Tx) -> Receipt | None:
    """The closing receipt of a store, if it is closed."""
    rows = tx.execute("SELECT receipt FROM gate WHERE receipt IS NOT NULL")
    return Receipt.from_json(rows[0][0]) if rows else None


def _read_marker(marker: Path) -> Receipt:
    try:
        receipt = Receipt.from_json(marker.read_text(encoding="utf-8"))
    except Exception:  # noqa: BLE001  (a damaged file may fail in any way)
        receipt = None
    if receipt is None or not receipt.holds():
        raise StoreCorrupt(
            "The marker of the closing is damaged.",
            path=str(marker),
            way_out="Restore it from a backup; the traces stay closed meanwhile.",
        )
    return receipt


def _pinned(named: str, kept: Receipt | None) -> Receipt:
    if kept is None or kept.id != named or not kept.holds():
        raise IllegalStep(
            f"The traces were closed before: the settings name the receipt {named}.",
            path="closing_receipt",
            way_out="Give that receipt (--kept): it tells an older store that it is closed.",
        )
    return kept


def _tell(store: Store, receipt: Receipt, *, module: str) -> Receipt:
    """Tell a store that was restored from a backup that it is closed."""
    content = canonical(receipt.to_json())

    def tell(tx: Tx) -> None:
        if receipt_of(tx) is None:
            set_phase(tx, Phase.CLOSED, module=module)
            tx.execute("UPDATE gate SET receipt = ?", (content,))

    store.write(tell)
    return receipt


def _finish(store: Store, marker: Path | None) -> Receipt:
    """Leave the marker beside an embedded store; the last act, and safe to repeat."""
    receipt = store.read(receipt_of)
    if receipt is None:
        raise IllegalStep("The store says closed but holds no receipt.")
    if marker is not None and not marker.exists():
        try:
            _write_marker(marker, receipt)
        except OSError as error:
            raise StoreUnavailable(
                "The traces are closed, but the marker that says so cannot be written.",
                path=str(marker),
                way_out="Look at its volume, its free space and who may write there; close again.",
            ) from error
    return receipt


def _write_marker(marker: Path, receipt: Receipt) -> None:
    # A name of its own: another process may be writing the same receipt.
    partial = marker.with_name(f"{marker.name}.{uuid4().hex}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(canonical(receipt.to_json()))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(marker)
    _sync_folder(marker.parent)


def _sync_folder(folder: Path) -> None:
    """Make a new name durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

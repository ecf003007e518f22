"""What is done to entries, inside a transaction: journal, claim, settle, find, feed.

Every change of state goes through ``settle``; every take-over through ``claim``, a
compare-and-set on the epoch.

The ledger holds the store's time. Callers give and get moments of their own machine's clock;
they are translated here, so that machines whose clocks disagree keep to one another's leases
and horizons.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from eprescription_sdk.clock import iso
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.ledger.entry import DocumentGiven, DuplicateRisk, Entry, Settlement
from eprescription_sdk.ledger.states import BINDING, OPEN, TRANSITIONS, State
from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.identifiers import PrescriptionNumber, Rpps
from eprescription_sdk.storage import Tx

_COLUMNS = ", ".join(field.name for field in attrs.fields(Entry))
_MARKS = ", ".join("?" for _ in attrs.fields(Entry))
_OPEN = ", ".join(f"'{state.value}'" for state in OPEN)
_BINDING = ", ".join(f"'{state.value}'" for state in BINDING)


def journal(tx: Tx, entry: Entry) -> None:
    """Write a new entry; it is durable before the first byte leaves."""
    tx.execute(
        f"INSERT INTO ledger ({_COLUMNS}) VALUES ({_MARKS})",
        (
            entry.number.value,
            entry.subject,
            entry.state.value,
            entry.reference,
            entry.fingerprint,
            entry.rpps.value,
            entry.situation,
            json.dumps(sorted(family.value for family in entry.families)),
            entry.document_type.value,
            entry.act,
            entry.corrects.value if entry.corrects else None,
            iso(entry.issued_at),
            int(entry.test_identity),
            entry.owner,
            entry.epoch,
            _kept(tx, entry.lease_until),
            _kept(tx, entry.created_at),
            _kept(tx, entry.last_send_at),
            entry.cause,
            entry.fault_code,
            _iso(entry.registered_at),
            json.dumps(entry.message_ids),
            entry.document.value if entry.document else None,
            entry.revision,
            _kept(tx, entry.settled_at) if entry.settled_at else None,
        ),
    )


def find(
    tx: Tx, *, number: PrescriptionNumber | None = None, reference: str | None = None
) -> Entry | None:
    """The entry with this number, or the one that this keyed reference is bound to."""
    if number is not None:
        rows = tx.execute(f"SELECT {_COLUMNS} FROM ledger WHERE number = ?", (number.value,))
    else:
        rows = tx.execute(
            f"SELECT {_COLUMNS} FROM ledger WHERE reference = ? AND state IN ({_BINDING})",
            (reference,),
        )
    return _entry(tx, rows[0]) if rows else None


def open_entries(tx: Tx, rpps: Rpps | None = None) -> tuple[Entry, ...]:
    """What still has to be settled, oldest first; of one practitioner or of all."""
    sql = f"SELECT {_COLUMNS} FROM ledger WHERE state IN ({_OPEN})"
    if rpps is None:
        rows = tx.execute(f"{sql} ORDER BY created_at")
    else:
        rows = tx.execute(f"{sql} AND rpps = ? ORDER BY created_at", (rpps.value,))
    return tuple(_entry(tx, row) for row in rows)


def entries(tx: Tx, condition: str, values: Sequence[str]) -> tuple[Entry, ...]:
    """The entries that meet a condition, oldest first; its values are parameters."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM ledger WHERE {condition} ORDER BY created_at, number", values
    )
    return tuple(_entry(tx, row) for row in rows)


def claim(
    tx: Tx, number: PrescriptionNumber, *, owner: str, now: datetime, lease_until: datetime
) -> Entry | None:
    """Take over an open entry whose lease has run out; None if somebody else holds it."""
    rows = tx.execute(
        "UPDATE ledger SET owner = ?, epoch = epoch + 1, lease_until = ?"
        f" WHERE number = ? AND state IN ({_OPEN}) AND lease_until <= ?"
        f" RETURNING {_COLUMNS}",
        (owner, _kept(tx, lease_until), number.value, _kept(tx, now)),
    )
    return _entry(tx, rows[0]) if rows else None


def settle(
    tx: Tx,
    number: PrescriptionNumber,
    state: State,
    *,
    now: datetime,
    epoch: int | None = None,
    cause: str | None = None,
    fault_code: str | None = None,
    registered_at: datetime | None = None,
    last_send_at: datetime | None = None,
    message_ids: Sequence[str] = (),
    document: DocumentGiven | None = None,
    goes_on: bool = False,
) -> Entry | None:
    """Decide an entry's state, and tell the feed.

    Args:
        tx: the transaction.
        number: which entry.
        state: what was found.
        now: the time of the decision.
        epoch: of the caller's claim. A former owner's word is dropped, save that the
            prescription is registered: that is a fact, whoever saw it.
        cause: of a ``NotRegistered``.
        fault_code: the service's code.
        registered_at: as the service said.
        last_send_at: the last moment at which bytes left, where it is known.
        message_ids: of the requests made, added to those already there.
        document: what the patient was given, decided when it became uncertain.
        goes_on: its owner tries on, and keeps the lease; otherwise the decision ends it.

    Returns:
        The entry as it stands now, or None when it stands as before.
    """
    entry = find(tx, number=number)
    if entry is None or state not in TRANSITIONS[entry.state]:
        return None
    if epoch is not None and epoch != entry.epoch and state is not State.REGISTERED:
        return None
    changed = attrs.evolve(
        entry,
        state=state,
        reference=_reference(tx, entry, state),
        cause=cause,
        fault_code=fault_code,
        registered_at=registered_at,
        last_send_at=last_send_at or entry.last_send_at,
        message_ids=tuple(dict.fromkeys((*entry.message_ids, *message_ids))),
        # Whoever gave out paper did, whatever others were told.
        document=document if document is DocumentGiven.PLAIN else entry.document or document,
        revision=entry.revision if state is entry.state else entry.revision + 1,
        settled_at=now,
        lease_until=entry.lease_until if goes_on else now,
    )
    tx.execute(
        "UPDATE ledger SET state = ?, reference = ?, cause = ?, fault_code = ?, registered_at = ?,"
        " last_send_at = ?, message_ids = ?, document = ?, revision = ?, settled_at = ?,"
        " lease_until = ? WHERE number = ?",
        (
            changed.state.value,
            changed.reference,
            changed.cause,
            changed.fault_code,
            _iso(changed.registered_at),
            _kept(tx, changed.last_send_at),
            json.dumps(changed.message_ids),
            changed.document.value if changed.document else None,
            changed.revision,
            _kept(tx, now),
            _kept(tx, changed.lease_until),
            number.value,
        ),
    )
    if state is not entry.state:
        tx.execute(
            "INSERT INTO settlements (number, state, at) VALUES (?, ?, ?)",
            (number.value, state.value, _kept(tx, now)),
        )
    if state is State.REGISTERED and _paper_was_given(entry, changed):
        _raise_risk(tx, number, now)
    return changed if state is not entry.state else None


def document_given(
    tx: Tx, number: PrescriptionNumber, document: DocumentGiven, *, now: datetime
) -> None:
    """Note what a patient was given by a caller who did not hold the entry.

    Plain paper is a duplicate risk at once where the prescription is registered by now.
    """
    entry = find(tx, number=number)
    if entry is None or document is not DocumentGiven.PLAIN:
        return
    tx.execute("UPDATE ledger SET document = ? WHERE number = ?", (document.value, number.value))
    if entry.state is State.REGISTERED:
        _raise_risk(tx, number, now)


def _raise_risk(tx: Tx, number: PrescriptionNumber, now: datetime) -> None:
    tx.execute(
        "INSERT INTO duplicate_risks (number, raised_at) VALUES (?, ?)"
        " ON CONFLICT (number) DO NOTHING",
        (number.value, _kept(tx, now)),
    )


def _reference(tx: Tx, entry: Entry, state: State) -> str | None:
    """The entry's reference, unless a later prescription is bound to it by now.

    A registration sighted after all reopens an entry whose reference was free to be used again.
    """
    if entry.reference is None or entry.state in BINDING or state not in BINDING:
        return entry.reference
    return None if find(tx, reference=entry.reference) is not None else entry.reference


def _paper_was_given(before: Entry, now: Entry) -> bool:
    # After NotRegistered the patient always leaves with plain paper.
    return now.document is DocumentGiven.PLAIN or before.state is State.NOT_REGISTERED


def settlements(tx: Tx, *, after: int, limit: int) -> tuple[Settlement, ...]:
    """The next lines of the feed."""
    rows = tx.execute(
        "SELECT seq, number, state, at FROM settlements WHERE seq > ? ORDER BY seq LIMIT ?",
        (after, limit),
    )
    return tuple(
        Settlement(
            cursor=seq,
            number=PrescriptionNumber(number),
            state=State(state),
            at=datetime.fromisoformat(at),
        )
        for seq, number, state, at in rows
    )


def duplicate_risks(tx: Tx) -> tuple[DuplicateRisk, ...]:
    """The risks that no person has closed yet, oldest first."""
    return tuple(
        DuplicateRisk(number=PrescriptionNumber(number), raised_at=datetime.fromisoformat(at))
        for number, at in tx.execute(
            "SELECT number, raised_at FROM duplicate_risks"
            " WHERE closed_at IS NULL ORDER BY raised_at"
        )
    )


def close_duplicate_risk(
    tx: Tx, number: PrescriptionNumber, *, by: str, reason: str, now: datetime
) -> bool:
    """Record that a person dealt with a risk; False if it is not open.

    Raises:
        InvalidInput: nobody, or no reason.
    """
    for path, text in (("by", by), ("reason", reason)):
        if not text.strip():
            raise InvalidInput("A risk is closed by a person, with a reason.", path=path)
    return bool(
        tx.execute(
            "UPDATE duplicate_risks SET closed_at = ?, closed_by = ?, reason = ?"
            " WHERE number = ? AND closed_at IS NULL RETURNING number",
            (_kept(tx, now), by, reason, number.value),
        )
    )


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None


def _kept(tx: Tx, moment: datetime) -> str:
    """A moment of this machine's clock, as the store's clock has it."""
    return iso(moment + _ahead(tx))


def _ahead(tx: Tx) -> timedelta:
    """By how much the store's clock is ahead of ours; what is below a second is the measuring."""
    return timedelta(seconds=round(tx.clock_offset.total_seconds()))


def _entry(tx: Tx, row: Sequence[object]) -> Entry:
    values: dict[str, Any] = {
        name: reader(value) if reader and value is not None else value
        for (name, reader), value in zip(_FIELDS, row, strict=True)
    }
    if ahead := _ahead(tx):
        for name in _MEASURED:
            if values[name] is not None:
                values[name] -= ahead
    return Entry(**values)


_MEASURED = ("lease_until", "created_at", "last_send_at", "settled_at")
"""By our clocks. When a prescription was issued or registered, others say."""

_READERS: dict[str, Callable[[Any], object]] = {
    "number": PrescriptionNumber,
    "corrects": PrescriptionNumber,
    "state": State,
    "rpps": Rpps,
    "families": lambda text: frozenset(Family(value) for value in json.loads(text)),
    "document_type": DocumentType,
    "message_ids": lambda text: tuple(json.loads(text)),
    "document": DocumentGiven,
    "test_identity": bool,
    **dict.fromkeys(
        ("issued_at", "lease_until", "created_at", "last_send_at", "registered_at", "settled_at"),
        datetime.fromisoformat,
    ),
}

_FIELDS = tuple((field.name, _READERS.get(field.name)) for field in attrs.fields(Entry))

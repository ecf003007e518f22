"""Retention: what is settled and old enough becomes a tombstone.

A tombstone keeps the number, the keyed reference and fingerprint and the state, so that a late
sighting is still recognised and neither a number nor a reference is used again. Whose
prescription it was, what for and which requests were made is forgotten.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from eprescription_sdk.clock import iso
from eprescription_sdk.ledger.states import OPEN, State
from eprescription_sdk.storage import Store, Tx

TERMINAL = tuple(state for state in State if state not in OPEN)
"""The states that are settled; only they are purged."""

# A person still needs what is known of an open risk.
_DUE = """
    SELECT number FROM ledger
    WHERE state IN (?, ?) AND rpps <> '' AND settled_at IS NOT NULL AND settled_at < ?
    AND number NOT IN (SELECT number FROM duplicate_risks WHERE closed_at IS NULL)
"""


BATCH = 500
"""Entries to a transaction: whoever prescribes meanwhile waits behind one, not behind all."""


def due(tx: Tx, *, before: datetime) -> tuple[str, ...]:
    """The numbers of the entries that a purge would take."""
    return tuple(number for (number,) in tx.execute(_DUE, _values(before)))


def purge(
    store: Store, *, before: datetime, progress: Callable[[int, int], None] | None = None
) -> int:
    """Make tombstones of what was settled before a moment; how many.

    What is still open, or a duplicate risk that nobody has closed, is never taken.

    Args:
        store: holds the ledger.
        before: aware.
        progress: is told how many of how many were looked at.
    """
    numbers = store.read(partial(due, before=before))
    purged = 0
    for first in range(0, len(numbers), BATCH):
        some = numbers[first : first + BATCH]
        purged += store.write(partial(_purge, numbers=some, before=before))
        if progress is not None:
            progress(first + len(some), len(numbers))
    return purged


def _purge(tx: Tx, *, numbers: Sequence[str], before: datetime) -> int:
    return sum(_forget(tx, number, before) for number in numbers)


def _forget(tx: Tx, number: str, before: datetime) -> bool:
    # Since it was read, its prescription may have been sighted, or its risk raised.
    if not tx.execute(_DUE + " AND number = ?", (*_values(before), number)):
        return False
    tx.execute(
        "UPDATE ledger SET rpps = '', situation = '', families = '[]', act = NULL,"
        " corrects = NULL, owner = '', message_ids = '[]', fault_code = NULL"
        " WHERE number = ?",
        (number,),
    )
    return True


def _values(before: datetime) -> tuple[str, ...]:
    return (*(state.value for state in TERMINAL), iso(before))

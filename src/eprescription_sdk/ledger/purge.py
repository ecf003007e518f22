"""Retention: what is settled and old enough becomes a tombstone.

A tombstone keeps the number, the keyed reference and fingerprint and the state, so that a late
sighting is still recognised and neither a number nor a reference is used again. Whose
prescription it was, what for and which requests were made is forgotten.
"""

from datetime import datetime

from eprescription_sdk.clock import iso
from eprescription_sdk.ledger.states import OPEN, State
from eprescription_sdk.storage import Tx

TERMINAL = tuple(state for state in State if state not in OPEN)
"""The states that are settled; only they are purged."""

# A person still needs what is known of an open risk.
_DUE = """
    SELECT number FROM ledger
    WHERE state IN (?, ?) AND rpps <> '' AND settled_at IS NOT NULL AND settled_at < ?
    AND number NOT IN (SELECT number FROM duplicate_risks WHERE closed_at IS NULL)
"""


def due(tx: Tx, *, before: datetime) -> int:
    """How many entries a purge would take."""
    return len(_due(tx, before))


def purge(tx: Tx, *, before: datetime) -> int:
    """Make tombstones of what was settled before a moment; how many.

    What is still open, or a duplicate risk that nobody has closed, is never taken.
    """
    numbers = _due(tx, before)
    for number in numbers:
        tx.execute(
            "UPDATE ledger SET rpps = '', situation = '', families = '[]', act = NULL,"
            " corrects = NULL, owner = '', message_ids = '[]', fault_code = NULL"
            " WHERE number = ?",
            (number,),
        )
    return len(numbers)


def _due(tx: Tx, before: datetime) -> list[str]:
    states = (state.value for state in TERMINAL)
    return [number for (number,) in tx.execute(_DUE, (*states, iso(before)))]

"""The ledger: what was sent and what became of it (law 1, law 2).

States and transitions are in ``states``, the entry in ``entry``, what is done to it in
``book``. It holds no content and no patient; references and fingerprints are keyed.
"""

from eprescription_sdk.ledger.book import (
    claim,
    close_duplicate_risk,
    duplicate_risks,
    find,
    journal,
    open_entries,
    settle,
    settlements,
)
from eprescription_sdk.ledger.entry import DocumentGiven, DuplicateRisk, Entry, Settlement
from eprescription_sdk.ledger.states import State

__all__ = [
    "DocumentGiven",
    "DuplicateRisk",
    "Entry",
    "Settlement",
    "State",
    "claim",
    "close_duplicate_risk",
    "duplicate_risks",
    "find",
    "journal",
    "open_entries",
    "settle",
    "settlements",
]

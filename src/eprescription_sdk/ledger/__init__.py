"""The ledger: what was sent and what became of it (law 1, law 2).

States and transitions are in ``states``, the entry in ``entry``, what is done to it in
``book``, retention in ``purge``, what a person looks up in ``lookup``. It holds no content and
no patient; references and fingerprints are keyed.
"""

from eprescription_sdk.ledger.book import (
    claim,
    close_duplicate_risk,
    document_given,
    duplicate_risks,
    find,
    journal,
    open_entries,
    settle,
    settlements,
)
from eprescription_sdk.ledger.entry import DocumentGiven, DuplicateRisk, Entry, Settlement
from eprescription_sdk.ledger.lookup import by_prescriber, by_reference, sizes
from eprescription_sdk.ledger.purge import due, purge
from eprescription_sdk.ledger.states import State

__all__ = [
    "DocumentGiven",
    "DuplicateRisk",
    "Entry",
    "Settlement",
    "State",
    "by_prescriber",
    "by_reference",
    "claim",
    "close_duplicate_risk",
    "document_given",
    "due",
    "duplicate_risks",
    "find",
    "journal",
    "open_entries",
    "purge",
    "settle",
    "settlements",
    "sizes",
]

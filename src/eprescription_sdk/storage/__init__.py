"""The store: engines, the writer thread and transactions. It knows rows, not rules.

What the rows mean is the business of ``ledger``, ``traces`` and ``pilot``.
"""

from eprescription_sdk.storage.base import Store, Tx
from eprescription_sdk.storage.sqlite import SqliteStore

__all__ = ["SqliteStore", "Store", "Tx"]

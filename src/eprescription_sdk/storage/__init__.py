"""The store: engines, the writer thread and transactions. It knows rows, not rules.

What the rows mean is the business of ``ledger``, ``traces`` and ``pilot``.
"""

from eprescription_sdk.storage.base import Row, SessionLock, Store, Tx
from eprescription_sdk.storage.opening import open_store
from eprescription_sdk.storage.sqlite import SqliteStore

__all__ = ["Row", "SessionLock", "SqliteStore", "Store", "Tx", "open_store"]

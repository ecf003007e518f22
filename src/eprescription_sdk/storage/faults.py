"""What PostgreSQL's errors mean: which of ours, and the way out.

The server quotes values in the details of an error. They are never passed on.
"""

import psycopg
from psycopg import errors

from eprescription_sdk.errors import StoreBusy, StoreCorrupt, StoreError, StoreUnavailable

_GONE = "Check that the server runs, can be reached, and knows the role and its password."

_WAYS_OUT: tuple[tuple[type[psycopg.Error], type[StoreError], str, str], ...] = (
    (errors.DataCorrupted, StoreCorrupt, "The database is damaged.",
     "Stop the writers, and restore the last backup."),
    (errors.IndexCorrupted, StoreCorrupt, "The database is damaged.",
     "Stop the writers, and restore the last backup."),
    (errors.DiskFull, StoreUnavailable, "The server's disk is full.", "Make room on its volume."),
    (errors.DeadlockDetected, StoreUnavailable, "Another process holds the store.",
     "Look in pg_stat_activity for what else uses these tables."),
    (errors.ReadOnlySqlTransaction, StoreUnavailable, "The store is read-only here.",
     "Give the address of the server that takes writes."),
    (errors.InsufficientPrivilege, StoreUnavailable, "The role may not use the store.",
     "Grant it SELECT, INSERT, UPDATE and DELETE on the tables of the store."),
    (errors.TooManyConnections, StoreUnavailable, "The server takes no more connections.",
     "Raise max_connections, or put PgBouncer in between."),
    (errors.UndefinedTable, StoreUnavailable, "A table of the store is missing.",
     "Restore the last backup, or run: eprescription store migrate"),
    (errors.IdleInTransactionSessionTimeout, StoreUnavailable,
     "This process was silent for too long amid a transaction.", "Nothing of it was kept: again."),
    (errors.QueryCanceled, StoreUnavailable, "The server gave up on a statement.",
     "Look at the load of the server and its statement_timeout."),
    (psycopg.OperationalError, StoreUnavailable, "The server cannot be reached.", _GONE),
    (psycopg.InterfaceError, StoreUnavailable, "The connection to the server is lost.", _GONE),
)  # fmt: skip


def as_store_error(error: Exception, where: str, holders: tuple[str, ...] = ()) -> Exception:
    """The error of ours for one of psycopg; any other error as it is.

    Args:
        error: what was raised.
        where: the store's address as it may be shown.
        holders: who holds what a statement waited for in vain.
    """
    if isinstance(error, errors.LockNotAvailable):
        return StoreBusy(
            f"Another process holds the store{': ' if holders else ''}{', '.join(holders)}.",
            path=where,
            way_out="Look in pg_stat_activity for a transaction that stays open.",
            holders=holders,
        )
    for cause, kind, message, way_out in _WAYS_OUT:
        if isinstance(error, cause):
            return kind(message, path=where, way_out=way_out)
    if isinstance(error, psycopg.Error):
        return StoreError(f"The store failed: {type(error).__name__}.", path=where)
    return error

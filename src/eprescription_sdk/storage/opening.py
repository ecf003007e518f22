"""From a setting to a store: a path is a file, an address is a server."""

from pathlib import Path

from eprescription_sdk.errors import MissingExtra
from eprescription_sdk.storage.base import Store
from eprescription_sdk.storage.sqlite import SqliteStore


def open_store(where: Path | str, *, direct_dsn: str | None = None) -> Store:
    """The store at a place; nothing is opened before its first use.

    Args:
        where: a path, or a ``postgresql://`` address.
        direct_dsn: the address of the PostgreSQL server itself, if a pooler stands at ``where``.

    Raises:
        ConfigurationError: the address cannot be read.
        MissingExtra: the address needs psycopg, which is not installed.
    """
    if isinstance(where, Path):
        return SqliteStore(where)
    # An extra, and slow to import.
    try:
        from eprescription_sdk.storage.postgres import PostgresStore
    except ImportError:
        raise MissingExtra("postgres") from None
    return PostgresStore(where, direct_dsn)

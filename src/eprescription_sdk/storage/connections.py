"""Connections to PostgreSQL: how they are made, kept for the next use, and survive a fork.

Nothing here relies on the state of a session, save that a connection stays with whoever took
it: statements are not prepared, settings are those of one transaction. So a pooler in
transaction mode may stand in between.
"""

import os
import socket
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.storage import migrations
from eprescription_sdk.storage.faults import as_store_error

Connection = psycopg.Connection[Any]

CONNECT_SECONDS = 5
IDLE_KEPT = 4
"""How many connections a pool keeps for the next use."""

# A server that is silent for long is gone: nothing else would tell.
_DEFAULTS: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def shown(dsn: str) -> str:
    """An address as it may be shown: no user, no password.

    Raises:
        ConfigurationError: nobody can read it.
    """
    try:
        parts = conninfo_to_dict(dsn)
    except psycopg.Error:
        # The message of the library quotes it.
        raise ConfigurationError("The address of the database cannot be read.") from None
    host, port, name = (parts.get(key) for key in ("host", "port", "dbname"))
    return f"postgresql://{host or ''}{f':{port}' if port else ''}/{name or ''}"


def process_name() -> str:
    """Names this process to the server's administrators, and in the holders of locks."""
    # The server cuts names at 63 bytes: the number of the process must not be what is lost.
    return f"{socket.gethostname()[:40]}:{os.getpid()}"


def connect(dsn: str) -> Connection:
    """A new connection, committing each statement unless a transaction is begun.

    Raises:
        psycopg.Error: it cannot be made.
    """
    given = conninfo_to_dict(dsn)
    connection = psycopg.connect(
        dsn,
        autocommit=True,
        prepare_threshold=None,
        application_name=process_name(),
        client_encoding="utf8",
        **{name: value for name, value in _DEFAULTS.items() if name not in given},
    )
    _open.add(connection)
    return connection


def begin(connection: Connection, mode: str, *settings: str) -> timedelta:
    """Begin a transaction in one round trip.

    Args:
        connection: outside any transaction.
        mode: of the transaction.
        settings: statements to run in it first.

    Returns:
        The server's time less this machine's. It is read last, and waits nowhere but on its way
        back.
    """
    statements = (f"BEGIN ISOLATION LEVEL {mode}", *settings, _NOW)
    cursor = connection.execute("; ".join(statements))
    while cursor.nextset():
        pass
    ours = time.time()
    ((theirs,),) = cursor.fetchall()
    return timedelta(seconds=theirs - ours)


_NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"


def let_go(connection: Connection) -> None:
    """Close a connection, whatever state it is in."""
    with suppress(psycopg.Error, OSError):
        connection.close()


class Pool:
    """Connections to one store, checked, and kept for the next use.

    Args:
        dsn: where to.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.where = shown(dsn)
        self._idle: list[Connection] = []
        weakref.finalize(self, _close_all, self._idle)
        _pools.add(self)

    def open(self) -> Connection:
        """A new connection to a store that this release can work on.

        Raises:
            StoreError: there is none.
        """
        connection = None
        try:
            connection = connect(self._dsn)
            migrations.check(lambda sql: connection.execute(sql).fetchall(), self.where)
        except BaseException as error:
            if connection is not None:
                let_go(connection)
            if isinstance(error, psycopg.Error):
                raise as_store_error(error, self.where) from None
            raise
        return connection

    def take(self) -> Connection | None:
        """A connection that was used before, if one is at hand; it may be dead by now."""
        with suppress(IndexError):
            return self._idle.pop()
        return None

    def give(self, connection: Connection) -> None:
        """Keep a connection for the next use; one that is not at rest is closed."""
        idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if idle and len(self._idle) < IDLE_KEPT:
            self._idle.append(connection)
        else:
            let_go(connection)

    def close(self) -> None:
        """Close what is kept."""
        _close_all(self._idle)

    def forget(self) -> None:
        """In a forked child: what is kept is the parent's."""
        self._idle.clear()


def _close_all(idle: list[Connection]) -> None:
    while idle:
        with suppress(IndexError):
            let_go(idle.pop())


@contextmanager
def transaction(dsn: str) -> Iterator[migrations.Run]:
    """One transaction on a connection of its own, to a database that need not be a store yet.

    Raises:
        StoreError: the database cannot be reached or refuses.
    """
    where = shown(dsn)
    try:
        connection = connect(dsn)
        try:
            with connection.transaction():
                yield lambda sql: _all(connection.execute(sql))
        finally:
            let_go(connection)
    except psycopg.Error as error:
        raise as_store_error(error, where) from None


def _all(cursor: "psycopg.Cursor[Any]") -> list[tuple[Any, ...]]:
    return cursor.fetchall() if cursor.description is not None else []


_open: "weakref.WeakSet[Connection]" = weakref.WeakSet()
_pools: "weakref.WeakSet[Pool]" = weakref.WeakSet()
_of_the_parent: list[Connection] = []


def _after_fork_in_child() -> None:
    """A forked child shares its parent's sockets: locks would outlive the parent in it.

    The sockets alone are given up, so that the server hears nothing. Their numbers stay taken:
    whoever still closes one of these connections must not close another file.
    """
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for connection in list(_open):
        with suppress(psycopg.Error, OSError):
            os.dup2(nowhere, connection.fileno(), inheritable=False)
        # Kept for ever: nothing is done with it, not even collecting it.
        _of_the_parent.append(connection)
    os.close(nowhere)
    _open.clear()
    for pool in list(_pools):
        pool.forget()


os.register_at_fork(after_in_child=_after_fork_in_child)

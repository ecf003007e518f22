"""The session lock of a PostgreSQL store: an advisory lock, held without a transaction.

The server gives it back when its session ends, so a killed holder never blocks anybody; a
stopped one does, and is named. It needs the server itself: behind a pooler in transaction mode
a session belongs to nobody.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.storage.connections import Connection, Pool, let_go
from eprescription_sdk.storage.faults import as_store_error
from eprescription_sdk.storage.migrations import VERSION_TABLE

WRITERS, SENDERS = 1, 2
"""Numbers of our locks. The other half of a key is the store's own: several share a database."""
PAUSE = 0.02
"""Between two tries for the lock alone, in seconds."""

_KEY = f"'{VERSION_TABLE}'::regclass::oid::int, {{number}}"

# A process of ours has a name that says it all; of any other, the server knows the backend.
_NAMED = """
    SELECT DISTINCT CASE WHEN a.application_name ~ ':[0-9]+$' THEN a.application_name
    ELSE concat_ws(' ', nullif(a.application_name, ''), 'backend', l.pid) END
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_OURS = """
    l.locktype = 'advisory' AND l.objsubid = 2
    AND l.classid = %(table)s::regclass::oid AND l.objid = %(number)s
"""
_HOLDERS = f"{_NAMED} AND {_OURS} ORDER BY 1"
_WRITERS = f"""
    {_NAMED} AND l.pid <> pg_backend_pid() AND ({_OURS} OR (l.mode <> 'AccessShareLock'
    AND l.relation IN (SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace
    = (SELECT relnamespace FROM pg_class WHERE oid = %(table)s::regclass)))) ORDER BY 1
"""  # noqa: S608  (constants of ours)


def writers(session: Connection) -> tuple[str, ...]:
    """Who else is amid a transaction that writes to the store, as ``host:pid`` if it is ours.

    Args:
        session: on which statements can be run.
    """
    return _names(session, _WRITERS, WRITERS)


def _names(session: Connection, question: str, number: int) -> tuple[str, ...]:
    rows = session.execute(question, {"table": VERSION_TABLE, "number": number}).fetchall()
    return tuple(name for (name,) in rows)


class AdvisoryLock:
    """One lock of one store.

    Args:
        pool: connections straight to the server.
        number: which lock.
    """

    def __init__(self, pool: Pool, number: int) -> None:
        self._pool = pool
        self._number = number
        self._key = _KEY.format(number=number)

    @contextmanager
    def shared(self) -> Iterator[bool]:
        """Hold it together with others; False when somebody holds it alone.

        Raises:
            StoreError: the server cannot be reached.
            ConfigurationError: a pooler stands before it.
        """
        with self._session() as session:
            held = self._ask(session, f"pg_try_advisory_lock_shared({self._key})")
            try:
                yield held
            finally:
                if held:
                    self._give_back(session, f"pg_advisory_unlock_shared({self._key})")

    @contextmanager
    def exclusive(self, timeout: float) -> Iterator[bool]:
        """Hold it alone; False when others still held it after ``timeout`` seconds.

        Raises:
            StoreError: the server cannot be reached.
            ConfigurationError: a pooler stands before it.
        """
        ends = time.monotonic() + timeout
        with self._session() as session:
            take = f"pg_try_advisory_lock({self._key})"
            while not (held := self._ask(session, take)) and time.monotonic() < ends:
                time.sleep(PAUSE)
            try:
                yield held
            finally:
                if held:
                    self._give_back(session, f"pg_advisory_unlock({self._key})")

    def holders(self) -> tuple[str, ...]:
        """Who else holds it, as ``host:pid`` of each process."""
        with self._session() as session:
            try:
                return _names(session, _HOLDERS, self._number)
            except psycopg.Error as error:
                raise as_store_error(error, self._pool.where) from None

    def _ask(self, session: Connection, question: str) -> bool:
        try:
            row = session.execute(f"SELECT {question}").fetchone()
        except psycopg.Error as error:
            raise as_store_error(error, self._pool.where) from None
        return bool(row and row[0])

    def _give_back(self, session: Connection, how: str) -> None:
        # A session that is lost has lost the lock; one that fails is closed, which frees it.
        try:
            session.execute(f"SELECT {how}")
        except psycopg.Error:
            let_go(session)

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        session = self._own(self._pool.take()) or self._own(self._pool.open())
        if session is None:
            raise ConfigurationError(
                "A lock that outlives transactions needs the server itself, not a pooler.",
                path="direct_dsn",
                way_out="Set direct_dsn to the address of the PostgreSQL server.",
            )
        try:
            yield session
        finally:
            with suppress(psycopg.Error):
                self._pool.give(session)

    def _own(self, session: Connection | None) -> Connection | None:
        """The session if it lives and the server behind it is the one that greeted us."""
        if session is None:
            return None
        try:
            row = session.execute("SELECT pg_backend_pid()").fetchone()
        except psycopg.Error:
            row = None
        if row is not None and row[0] == session.info.backend_pid:
            return session
        let_go(session)
        return None

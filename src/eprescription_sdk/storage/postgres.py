"""The engine for machines that share a pilot: PostgreSQL through psycopg 3.

One transaction writes at a time, as on an embedded store: each begins by taking a lock that
the server gives back with its end, however it ends. So what a unit of work reads stays true
until its commit, no row of the feed appears behind one that was read already, chain segments
do not interleave, and nothing is inserted behind a change of phase.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

import psycopg

from eprescription_sdk.errors import StoreUnavailable
from eprescription_sdk.storage.advisory import SENDERS, WRITERS, AdvisoryLock, writers
from eprescription_sdk.storage.base import Row, Scalar, Tx
from eprescription_sdk.storage.connections import Connection, Pool, begin, let_go, shown
from eprescription_sdk.storage.dialect import marked
from eprescription_sdk.storage.faults import as_store_error
from eprescription_sdk.storage.migrations import VERSION_TABLE
from eprescription_sdk.storage.writer import Writer

T = TypeVar("T")

LOCK_MS = 5_000
"""How long a writer waits for another one before it gives up, in milliseconds."""
SILENT_MS = 3_000
"""After so long without a word amid a transaction the server ends it: others wait."""
SILENT_READING_MS = 60_000
"""The same for a read, for which nobody waits."""
FETCHED_AT_ONCE = 1_000


class PostgresStore:
    """A store in a PostgreSQL database, shared by machines.

    The tables are made by ``eprescription store migrate``, never here.

    Args:
        dsn: ``postgresql://`` address; PgBouncer in transaction mode may stand there.
        direct_dsn: address of the server itself, for the session lock of shipping and closing;
            without it, ``dsn`` is.

    Raises:
        ConfigurationError: an address cannot be read.
    """

    def __init__(self, dsn: str, direct_dsn: str | None = None) -> None:
        self._where = shown(dsn)
        self._pool = Pool(dsn)
        self._direct = Pool(direct_dsn) if direct_dsn is not None else self._pool
        pool, where = self._pool, self._where
        self._writer = Writer(lambda: _Session(pool, where), name="eprescription-writer")

    @property
    def path(self) -> None:
        """A server has no file here."""
        return

    def __repr__(self) -> str:
        return f"PostgresStore({self._where!r})"

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Hand work to the writer thread; the future is done once it is durable."""
        return self._writer.submit(work)

    def write(self, work: Callable[[Tx], T]) -> T:
        """Submit work and wait for it."""
        return self.submit(work).result()

    def read(self, work: Callable[[Tx], T]) -> T:
        """Run work that only reads, on a snapshot, in the caller's thread."""
        with _translated(self._where):
            connection, offset = _begun(
                self._pool, "REPEATABLE READ READ ONLY", *_silence(SILENT_READING_MS)
            )
            try:
                result = work(PostgresTx(connection, offset, for_share=""))
                connection.execute("COMMIT")
            except BaseException:
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._pool.give(connection)
            return result

    def session_lock(self) -> AdvisoryLock:
        """The lock of this store that outlives transactions: a session of its own."""
        return AdvisoryLock(self._direct, SENDERS)

    def close(self) -> None:
        """Finish what waits and close the connections; later work opens them again."""
        self._writer.stop()
        self._pool.close()
        self._direct.close()


class PostgresTx:
    """A transaction on one connection.

    Args:
        connection: on which it was begun.
        offset: the server's time less this machine's.
        for_share: see ``Tx``; a transaction that only reads has a snapshot instead.
    """

    def __init__(self, connection: Connection, offset: timedelta, *, for_share: str) -> None:
        self._connection = connection
        self._numbers = itertools.count()
        self.clock_offset = offset
        self.for_share = for_share

    def execute(self, sql: str, parameters: Sequence[Scalar] = ()) -> list[Row]:
        """Run one statement; all its rows."""
        cursor = self._connection.execute(marked(sql), tuple(parameters))
        return cursor.fetchall() if cursor.description is not None else []

    def iterate(self, sql: str, parameters: Sequence[Scalar] = ()) -> Iterator[Row]:
        """Run one statement; its rows one by one, fetched in portions."""
        name = f"rows_{next(self._numbers)}"
        with self._connection.cursor(name) as cursor:
            cursor.itersize = FETCHED_AT_ONCE
            cursor.execute(marked(sql), tuple(parameters))
            yield from cursor

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A block that is undone alone if it raises."""
        with _savepoint(self._connection, f"block_{next(self._numbers)}"):
            yield


class _Session:
    """The writer thread's connection."""

    def __init__(self, pool: Pool, where: str) -> None:
        self._pool = pool
        self._where = where

    def run(self, batch: list[Callable[[Tx], Any]]) -> list[tuple[Any, BaseException | None]]:
        with _translated(self._where):
            connection, offset = _begun(
                self._pool, "READ COMMITTED", *_silence(SILENT_MS), *_WRITING, "SAVEPOINT unit"
            )
            try:
                tx = PostgresTx(connection, offset, for_share=" FOR SHARE")
                results = [self._one(connection, tx, batch[0])]
                for work in batch[1:]:
                    # Each way to the server counts: others wait for their turn.
                    connection.execute("RELEASE unit; SAVEPOINT unit")
                    results.append(self._one(connection, tx, work))
                connection.execute("COMMIT")
            except BaseException:
                # What is not at rest is not used again.
                let_go(connection)
                raise
            self._pool.give(connection)
        return results

    def _one(
        self, connection: Connection, tx: PostgresTx, work: Callable[[Tx], Any]
    ) -> tuple[Any, BaseException | None]:
        try:
            result = work(tx)
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                # The work swallowed the error of a statement: then all of it is undone.
                raise psycopg.errors.InFailedSqlTransaction
            return result, None  # noqa: TRY300  (what else is raised, is the work's)
        except Exception as error:
            if connection.info.transaction_status in _OPEN:
                connection.execute("ROLLBACK TO unit")
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
                return None, _named(error, connection, self._where)
            # The connection is lost, and the batch with it, whatever the unit made of that.
            if isinstance(error, psycopg.Error):
                raise
            raise psycopg.OperationalError from None

    def close(self) -> None:
        self._pool.close()


# Whoever sees an answer relies on it: a server told not to wait for its disk is told to.
_DURABLE = """
    SELECT set_config('synchronous_commit', 'on', true)
    WHERE current_setting('synchronous_commit') = 'off'
"""
_WRITING = (
    f"SET LOCAL lock_timeout = {LOCK_MS}",
    _DURABLE,
    f"SELECT pg_advisory_xact_lock('{VERSION_TABLE}'::regclass::oid::int, {WRITERS})",
)


def _silence(milliseconds: int) -> tuple[str]:
    return (f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds}",)


def _begun(pool: Pool, mode: str, *settings: str) -> tuple[Connection, timedelta]:
    """A connection with a transaction begun, and the server's clock offset.

    One that was kept may be dead by now, after a restart of the server: then a new one is made.
    Nothing was done on it yet, so nothing is done twice.
    """
    while (connection := pool.take()) is not None:
        try:
            return connection, begin(connection, mode, *settings)
        except psycopg.Error as error:
            lost = connection.broken or connection.closed
            if not lost:
                raise _refused(error, connection, pool.where) from None
            let_go(connection)
    connection = pool.open()
    try:
        return connection, begin(connection, mode, *settings)
    except psycopg.Error as error:
        raise _refused(error, connection, pool.where) from None


def _refused(error: psycopg.Error, connection: Connection, where: str) -> Exception:
    """What a transaction that did not begin says, and the end of its connection."""
    with suppress(psycopg.Error):
        connection.execute("ROLLBACK")
    named = _named(error, connection, where)
    let_go(connection)
    return named


def _named(error: Exception, connection: Connection, where: str) -> Exception:
    """The error of ours; whoever was waited for in vain is asked for and named."""
    holders: tuple[str, ...] = ()
    if isinstance(error, psycopg.errors.LockNotAvailable):
        with suppress(psycopg.Error):
            holders = writers(connection)
    return as_store_error(error, where, holders)


@contextmanager
def _savepoint(connection: Connection, name: str) -> Iterator[None]:
    connection.execute(f"SAVEPOINT {name}")
    try:
        yield
        # Fails, too, if the work swallowed an error of a statement: then all of it is undone.
        connection.execute(f"RELEASE {name}")
    except BaseException:
        if connection.info.transaction_status in _OPEN:
            connection.execute(f"ROLLBACK TO {name}; RELEASE {name}")
        raise


_OPEN = (psycopg.pq.TransactionStatus.INTRANS, psycopg.pq.TransactionStatus.INERROR)


@contextmanager
def _translated(where: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise as_store_error(error, where) from None
    except OSError:
        raise StoreUnavailable("The server cannot be reached.", path=where) from None

"""The embedded engine: SQLite through apsw, in WAL mode, every commit synced to disk.

apsw brings its own current SQLite. The standard library's has, nearly everywhere, a WAL bug
that corrupts a file which several processes write.
"""

import itertools
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import apsw

from eprescription_sdk.errors import (
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreTooNew,
    StoreUnavailable,
    StoreUnsafe,
)
from eprescription_sdk.storage import schema
from eprescription_sdk.storage.base import Row, Scalar, Tx
from eprescription_sdk.storage.kernel import writers
from eprescription_sdk.storage.locks import FileLock
from eprescription_sdk.storage.writer import Writer

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long a writer waits for another process before it gives up."""


class SqliteStore:
    """A store in one SQLite file, shared by threads and processes of one machine.

    Args:
        path: the file; made if it is not there, its folder too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = Writer(lambda: _Session(path), name="eprescription-writer")

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Hand work to the writer thread; the future is done once it is durable."""
        return self._writer.submit(work)

    def write(self, work: Callable[[Tx], T]) -> T:
        """Submit work and wait for it."""
        return self.submit(work).result()

    def read(self, work: Callable[[Tx], T]) -> T:
        """Run work that only reads, on a snapshot, in the caller's thread."""
        with _translated(self._path), self._writer.reading():
            if self._path.exists():
                connection = _open(self._path, apsw.SQLITE_OPEN_READWRITE)
                try:
                    connection.execute("PRAGMA query_only = 1")
                    connection.execute("BEGIN")
                    if not _is_new(connection, self._path):
                        return work(SqliteTx(connection))
                finally:
                    connection.close()
        # Somebody has to make the tables first.
        self.write(lambda _: None)
        return self.read(work)

    def session_lock(self) -> FileLock:
        """The lock of this store that outlives transactions: a file beside it."""
        return FileLock(self._path)

    def close(self) -> None:
        """Finish what waits and close the file; later work reopens it."""
        self._writer.stop()


class SqliteTx:
    """A transaction on one connection."""

    clock_offset = timedelta(0)
    # Whoever writes holds the whole file.
    for_share = ""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Scalar] = ()) -> list[Row]:
        """Run one statement; all its rows."""
        return self._run(sql, parameters).fetchall()

    def iterate(self, sql: str, parameters: Sequence[Scalar] = ()) -> Iterator[Row]:
        """Run one statement; its rows one by one."""
        return iter(self._run(sql, parameters))

    def _run(self, sql: str, parameters: Sequence[Scalar]) -> apsw.Cursor:
        # A full disk rolls the whole transaction back. Work that goes on after swallowing
        # that error would commit each further statement on its own.
        if not self._connection.in_transaction:
            raise apsw.AbortError
        return self._connection.execute(sql, parameters)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A block that is undone alone if it raises."""
        self._connection.execute("SAVEPOINT inner_block")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO inner_block; RELEASE inner_block")
            raise
        self._connection.execute("RELEASE inner_block")


class _Session:
    """The writer thread's connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _translated(path):
            _make_folder(path)
            flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
            self._connection = _open(path, flags)
            try:
                # Asked before anything is changed: the file may be somebody else's.
                _is_new(self._connection, path)
                _turn_wal_on(self._connection, path)
                self._connection.execute("PRAGMA synchronous = FULL")
                _prepare(self._connection, path)
            except BaseException:
                self._connection.close()
                raise
        self._tx = SqliteTx(self._connection)
        self._wal = self._wal_inode()

    def run(self, batch: list[Callable[[Tx], Any]]) -> list[tuple[Any, BaseException | None]]:
        with _translated(self._path):
            results: list[tuple[Any, BaseException | None]] = []
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                results.extend(self._one(work) for work in batch)
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(apsw.Error):
                    self._connection.execute("ROLLBACK")
                raise
        if (found := self._wal_inode()) != self._wal:
            if found is not None:
                # Closing would write our log into the file, over what the other one holds.
                self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            raise StoreUnsafe(
                "The write-ahead log was replaced while the store was open.",
                path=str(self._path),
                way_out="Open this file with no other SQLite library in the same process.",
            )
        return results

    def _one(self, work: Callable[[Tx], Any]) -> tuple[Any, BaseException | None]:
        self._connection.execute("SAVEPOINT unit")
        try:
            result = work(self._tx)
        except Exception as error:
            # A full disk rolls the whole transaction back: then there is no savepoint left.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO unit; RELEASE unit")
                return None, _as_store_error(error, self._path)
            if isinstance(error, apsw.Error):
                raise
            raise apsw.AbortError from error
        if not self._connection.in_transaction:
            raise apsw.AbortError
        self._connection.execute("RELEASE unit")
        return result, None

    def _wal_inode(self) -> int | None:
        try:
            return os.stat(f"{self._path}-wal").st_ino  # noqa: PTH116  (once a commit)
        except FileNotFoundError:
            return None

    def close(self) -> None:
        self._connection.close()


def _open(path: Path, flags: int) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=flags)
    connection.set_busy_handler(_busy_handler())
    return connection


def _busy_handler() -> Callable[[int], bool]:
    # SQLite's own handler backs off to long sleeps and starves writers for seconds.
    started = 0.0

    def wait(calls: int) -> bool:
        nonlocal started
        now = time.monotonic()
        if calls == 0:
            started = now
        if now - started > BUSY_SECONDS:
            return False
        time.sleep(random.uniform(0.0002, 0.002))  # noqa: S311  (jitter, not a secret)
        return True

    return wait


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            "The folder of the store cannot be made.",
            path=str(path),
            way_out="Check that every part of the path is a folder, and who may write there.",
        ) from error


def _turn_wal_on(connection: apsw.Connection, path: Path) -> None:
    """Switch to the write-ahead log; several processes may be about to.

    SQLite does not ask the busy handler here, where waiting could deadlock.
    """
    patience = _busy_handler()
    for tries in itertools.count():
        try:
            mode = connection.pragma("journal_mode", "wal")
        except apsw.BusyError:
            if not patience(tries):
                raise
            continue
        if mode != "wal":
            raise StoreUnavailable(
                "The file cannot have a write-ahead log.",
                path=str(path),
                way_out="Put the store on a local disk.",
            )
        return


def _is_new(connection: apsw.Connection, path: Path) -> bool:
    """Whether the file is empty still; refuses one that is not ours or is too new."""
    version = connection.pragma("user_version")
    mark = connection.pragma("application_id")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()[0][0]
    if version == 0 and mark == 0 and tables == 0:
        return True
    if mark != schema.APPLICATION_ID:
        raise StoreCorrupt(
            "The file is a database, but not a store of this SDK.",
            path=str(path),
            way_out="Name another file as the store.",
        )
    if version > schema.VERSION:
        raise StoreTooNew(
            f"The store has schema {version}; this release knows {schema.VERSION}.",
            path=str(path),
            way_out="Install the later release of eprescription-sdk.",
        )
    return False


def _prepare(connection: apsw.Connection, path: Path) -> None:
    """Make the tables of a new file."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _is_new(connection, path):
            for statement in schema.TABLES:
                connection.execute(statement)
            connection.pragma("application_id", schema.APPLICATION_ID)
            connection.pragma("user_version", schema.VERSION)
    except BaseException:
        with suppress(apsw.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (apsw.Error, OSError) as error:
        raise _as_store_error(error, path) from error


_WAYS_OUT: tuple[tuple[type[apsw.Error], type[StoreError], str, str], ...] = (
    (apsw.CorruptError, StoreCorrupt, "The file is damaged.",
     "Stop the writers, keep the file, and restore the last backup."),
    (apsw.NotADBError, StoreCorrupt, "The file is not a database.",
     "Name another file as the store."),
    (apsw.FullError, StoreUnavailable, "The disk is full.", "Make room on its volume."),
    (apsw.ReadOnlyError, StoreUnavailable, "The file or its folder is read-only.",
     "Give this process the right to write there."),
    (apsw.CantOpenError, StoreUnavailable, "The file cannot be opened.",
     "Check that its folder exists and that this process may write there."),
    (apsw.AbortError, StoreUnavailable, "The transaction was rolled back.",
     "Check the volume and its free space."),
)  # fmt: skip


_WRITE_LOCK = 120
"""The byte of the log's index that whoever writes holds (sqlite.org, "WAL-mode file format")."""


def _holders(path: Path) -> tuple[str, ...]:
    """Who is amid a transaction that writes, in the log or still in the file itself."""
    return writers(Path(f"{path}-shm"), byte=_WRITE_LOCK) or writers(path)


def _as_store_error(error: Exception, path: Path) -> Exception:
    if isinstance(error, (apsw.BusyError, apsw.ProtocolError)):
        holders = _holders(path)
        return StoreBusy(
            f"Another process holds the file{': ' if holders else ''}{', '.join(holders)}.",
            path=str(path),
            way_out="Look for a process that keeps a transaction open, or is stopped amid one.",
            holders=holders,
        )
    for cause, kind, message, way_out in _WAYS_OUT:
        if isinstance(error, cause):
            return kind(message, path=str(path), way_out=way_out)
    if isinstance(error, (apsw.IOError, OSError)):
        return StoreUnavailable(
            "The file cannot be read or written.",
            path=str(path),
            way_out="Check the volume and its free space.",
        )
    if isinstance(error, apsw.Error):
        return StoreError(f"The store failed: {type(error).__name__}.", path=str(path))
    return error

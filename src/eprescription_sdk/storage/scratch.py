"""A database of one's own for work that may outgrow memory; gone when it is closed.

SQLite keeps it in a cache of fixed size and, once that is full, in a nameless temporary file (in
``SQLITE_TMPDIR``, ``TMPDIR``, ``/var/tmp`` or ``/tmp``). Whoever fills it sees to it that what may
lie there says nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import apsw

from eprescription_sdk.errors import StoreUnavailable
from eprescription_sdk.storage.base import Row, Scalar

CACHE_KIB = 4096
"""How much of it stays in memory; what 20 thousand traces need."""


class Scratch:
    """A private database, of one thread."""

    def __init__(self) -> None:
        self._connection = apsw.Connection("")
        # Nothing here has to survive anything.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            self._connection.execute(f"PRAGMA {pragma}")

    def run(self, *statements: str) -> None:
        """Run statements that give no rows."""
        with _translated():
            for statement in statements:
                self._connection.execute(statement)

    def add(self, sql: str, rows: Iterable[Sequence[Scalar]]) -> None:
        """Run one statement for each row, all together."""
        with _translated(), self._connection:
            self._connection.executemany(sql, rows)

    def rows(self, sql: str) -> Iterator[Row]:
        """The rows of a statement, one by one."""
        with _translated():
            yield from self._connection.execute(sql)

    def close(self) -> None:
        """Give everything back."""
        self._connection.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        raise StoreUnavailable(
            "The temporary file of a long computation cannot be written.",
            way_out="Make room where temporary files go, or name another folder in TMPDIR.",
        ) from error

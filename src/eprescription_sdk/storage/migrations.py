"""The versions of a PostgreSQL store: what each changes, and which releases each can serve.

A migration is a step of its own (``eprescription store migrate``), never taken on opening: the
role that the SDK works with needs no right to change tables. A release runs on its own version
and on the next one where that one says so, so that the store is migrated first and the
processes are renewed afterwards, one by one.
"""

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from eprescription_sdk.errors import (
    MissingExtra,
    StoreCorrupt,
    StoreError,
    StoreTooNew,
    StoreUnavailable,
)
from eprescription_sdk.storage import schema
from eprescription_sdk.storage.dialect import table

Run = Callable[[str], Sequence[tuple[Any, ...]]]
"""Runs one statement without parameters; its rows."""

VERSION_TABLE = "eprescription_schema"
COMMAND = "eprescription store migrate"


@attrs.frozen(kw_only=True)
class Migration:
    """One step from the version before.

    Args:
        version: that it leads to.
        serves_from: the oldest release, by the version it knows, that can work on the result.
        statements: what it does, in PostgreSQL's own words.
    """

    version: int
    serves_from: int
    statements: tuple[str, ...]


MIGRATIONS = (
    Migration(
        version=1,
        serves_from=1,
        statements=(
            """
            CREATE TABLE eprescription_schema (
                one BIGINT PRIMARY KEY CHECK (one = 1),
                version BIGINT NOT NULL,
                serves_from BIGINT NOT NULL
            )
            """,
            "INSERT INTO eprescription_schema VALUES (1, 0, 0)",
            *(table(statement) for statement in schema.TABLES),
        ),
    ),
)


def version_of(run: Run) -> tuple[int, int] | None:
    """The version of a store and the oldest release it serves; None where there is no store."""
    if run(f"SELECT to_regclass('{VERSION_TABLE}')") == [(None,)]:
        return None
    rows = run(f"SELECT version, serves_from FROM {VERSION_TABLE}")  # noqa: S608  (a constant)
    if not rows:
        raise StoreCorrupt("The store does not say which version it is.")
    return rows[0][0], rows[0][1]


def check(run: Run, where: str) -> None:
    """Refuse a store that this release cannot work on.

    Args:
        run: on a connection to the store.
        where: its address as it may be shown.

    Raises:
        StoreUnavailable: there are no tables yet, or older ones.
        StoreTooNew: the tables are those of a release too far ahead.
    """
    found = version_of(run)
    if found is None:
        raise StoreUnavailable(
            "The database holds no store yet.", path=where, way_out=f"Run: {COMMAND}"
        )
    version, serves_from = found
    if version < schema.VERSION:
        raise StoreUnavailable(
            f"The store has schema {version}; this release needs {schema.VERSION}.",
            path=where,
            way_out=f"Run: {COMMAND}",
        )
    if version > schema.VERSION + 1 or serves_from > schema.VERSION:
        raise StoreTooNew(
            f"The store has schema {version}; this release knows {schema.VERSION}.",
            path=where,
            way_out="Install the later release of eprescription-sdk.",
        )


def missing(run: Run) -> tuple[str, ...]:
    """The statements that bring a store to the version of this release; none if it has it."""
    found = version_of(run)
    version = found[0] if found is not None else 0
    return tuple(
        statement
        for each in MIGRATIONS
        if each.version > version
        for statement in (*each.statements, _arrived(each))
    )


def _arrived(step: Migration) -> str:
    values = f"version = {step.version}, serves_from = {step.serves_from}"
    return f"UPDATE {VERSION_TABLE} SET {values}"  # noqa: S608  (numbers of ours)


def script(statements: Sequence[str]) -> str:
    """The statements as one transaction for ``psql``."""
    if not statements:
        return "-- The store has the schema of this release.\n"
    lines = (" ".join(statement.split()) for statement in statements)
    return "BEGIN;\n" + "".join(f"{line};\n" for line in lines) + "COMMIT;\n"


def migrate(dsn: str, *, only_show: bool = False) -> str:
    """Bring a store to the schema of this release, in one transaction.

    Two that migrate at once follow each other. A newer store is left as it is.

    Args:
        dsn: of a role that may make tables, straight to the server.
        only_show: say what would be run, and change nothing.

    Returns:
        The SQL that was, or would be, run.

    Raises:
        MissingExtra: psycopg is not installed.
        StoreError: the database cannot be reached or refuses.
    """
    try:
        from eprescription_sdk.storage.connections import transaction
    except ImportError:
        raise MissingExtra("postgres") from None
    with transaction(dsn) as run:
        # Any number of ours: it is let go at the commit.
        run(f"SELECT pg_advisory_xact_lock({schema.APPLICATION_ID})")
        found = version_of(run)
        if found is not None and found[0] > schema.VERSION:
            raise StoreError("The store is ahead of this release: nothing to migrate.")
        statements = missing(run)
        if not only_show:
            for statement in statements:
                run(statement)
    return script(statements)

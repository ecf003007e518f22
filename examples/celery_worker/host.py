"""The host's own tables: its documents, who is authenticated, its cursor in the feed.

SQLite from the standard library keeps the example short; yours is the database that you have.
It must be another file than the SDK's store: two SQLite libraries in one process do not share one.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import assert_never

import eprescription_sdk as ep

TABLES = """
    CREATE TABLE IF NOT EXISTS documents (
        id TEXT PRIMARY KEY, rpps TEXT NOT NULL, content TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'draft', number TEXT, text_fr TEXT
    );
    CREATE TABLE IF NOT EXISTS sessions (
        rpps TEXT PRIMARY KEY, situation TEXT NOT NULL, assertion BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS cursors (consumer TEXT PRIMARY KEY, position INTEGER NOT NULL);
"""


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """One transaction on the host's database."""
    connection = sqlite3.connect(os.environ["HOST_DATABASE"], timeout=10, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    finally:
        connection.close()


def make_tables() -> None:
    """What a migration of the host does."""
    with transaction() as host:
        for statement in TABLES.split(";"):
            host.execute(statement)


def prescription(document_id: str) -> ep.Prescription:
    """A document, with the host's own id as reference: it is registered once."""
    with transaction() as host:
        (content,) = host.execute(
            "SELECT content FROM documents WHERE id = ?", (document_id,)
        ).fetchone()
    return ep.prescription_from_json({**json.loads(content), "reference": document_id})


def note(document_id: str, outcome: ep.Outcome) -> None:
    """Keep what a call came to, and the sentence for the prescriber."""
    match outcome:
        case ep.Registered():
            state = ep.State.REGISTERED
        case ep.NotRegistered():
            state = ep.State.NOT_REGISTERED
        case ep.Uncertain():
            state = ep.State.UNCERTAIN
        case never:
            assert_never(never)
    number = outcome.number.value if outcome.number else None
    with transaction() as host:
        host.execute(
            "UPDATE documents SET state = ?, number = ?, text_fr = ? WHERE id = ?",
            (state.value, number, outcome.advice.text_fr, document_id),
        )


def follow(feed: Callable[..., Iterable[ep.Settlement]]) -> int:
    """Read the feed of answers to its end; the cursor moves with what was read, or not at all."""
    read = 0
    with transaction() as host:
        row = host.execute("SELECT position FROM cursors WHERE consumer = 'worker'").fetchone()
        position = row[0] if row else 0
        for settled in feed(after=position):
            host.execute(
                "UPDATE documents SET state = ? WHERE number = ?",
                (settled.state.value, settled.number.value),
            )
            position, read = settled.cursor, read + 1
        host.execute("INSERT OR REPLACE INTO cursors VALUES ('worker', ?)", (position,))
    return read


def practitioners(rpps: str | None = None) -> list[ep.Practitioner]:
    """Who is authenticated now: one, or all."""
    with transaction() as host:
        rows = host.execute(
            "SELECT rpps, situation, assertion FROM sessions WHERE rpps = ? OR ? IS NULL",
            (rpps, rpps),
        ).fetchall()
    found = []
    for number, situation, markup in rows:
        assertions = ep.ReadyAssertion(markup)
        try:
            national_id = assertions.assertion(datetime.now(UTC)).national_id
        except ep.CredentialUnavailable:
            continue  # It has expired: what waits for this practitioner goes on waiting.
        found.append(
            ep.Practitioner(
                rpps=ep.Rpps(number),
                national_id=national_id,
                situation=situation,
                assertions=assertions,
            )
        )
    return found

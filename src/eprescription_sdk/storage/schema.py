"""The tables, as rows without rules, and the version they are at.

They are written in SQLite's types; ``dialect`` says what PostgreSQL calls them. What leads from
one version of a PostgreSQL store to the next is in ``migrations``.

Times are ISO 8601 in UTC with microseconds, sortable as text; days are ISO dates.
"""

APPLICATION_ID = 0x65505278
"""Marks an SQLite file as a store of this SDK."""

VERSION = 1

TABLES = (
    # What was sent and what became of it. No content, no patient; reference and fingerprint
    # are keyed.
    """
    CREATE TABLE ledger (
        number TEXT PRIMARY KEY,
        subject TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL,
        reference TEXT,
        fingerprint TEXT NOT NULL,
        rpps TEXT NOT NULL,
        situation TEXT NOT NULL,
        families TEXT NOT NULL,
        document_type TEXT NOT NULL,
        act TEXT,
        corrects TEXT,
        issued_at TEXT NOT NULL,
        test_identity INTEGER NOT NULL,
        owner TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        lease_until TEXT NOT NULL,
        created_at TEXT NOT NULL,
        last_send_at TEXT NOT NULL,
        cause TEXT,
        fault_code TEXT,
        registered_at TEXT,
        message_ids TEXT NOT NULL DEFAULT '[]',
        document TEXT,
        revision INTEGER NOT NULL DEFAULT 0,
        settled_at TEXT
    ) STRICT
    """,
    """
    CREATE UNIQUE INDEX ledger_reference ON ledger (reference)
    WHERE reference IS NOT NULL AND state IN ('sending', 'uncertain', 'registered')
    """,
    "CREATE INDEX ledger_open ON ledger (rpps) WHERE state IN ('sending', 'uncertain')",
    """
    CREATE TABLE settlements (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        number TEXT NOT NULL,
        state TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE duplicate_risks (
        number TEXT PRIMARY KEY,
        raised_at TEXT NOT NULL,
        closed_at TEXT,
        closed_by TEXT,
        reason TEXT
    ) STRICT
    """,
    # Traces: ``body`` is what the chain covers, with pseudonyms; ``identity`` is what they
    # stand for, and may be purged without harm to the chain.
    """
    CREATE TABLE traces (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        at TEXT NOT NULL,
        body TEXT NOT NULL,
        identity TEXT,
        segment TEXT NOT NULL,
        position INTEGER NOT NULL,
        hash TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending',
        lease_owner TEXT,
        lease_until TEXT,
        tries INTEGER NOT NULL DEFAULT 0,
        shipped_at TEXT,
        reason TEXT,
        UNIQUE (segment, position)
    ) STRICT
    """,
    "CREATE INDEX traces_outbox ON traces (seq) WHERE state IN ('pending', 'claimed')",
    """
    CREATE TABLE segments (
        id TEXT PRIMARY KEY,
        opened_at TEXT NOT NULL,
        previous TEXT NOT NULL
    ) STRICT
    """,
    "CREATE TABLE losses (reason TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT",
    # The gate: one pilot a store.
    """
    CREATE TABLE gate (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        phase TEXT NOT NULL,
        module TEXT NOT NULL,
        receipt TEXT
    ) STRICT
    """,
    """
    CREATE TABLE enrolments (
        rpps TEXT PRIMARY KEY,
        label INTEGER NOT NULL UNIQUE,
        situation TEXT NOT NULL,
        go_live TEXT NOT NULL,
        withdrawn_on TEXT,
        withdrawn_reason TEXT
    ) STRICT
    """,
    # Steps, corrections, rulings, anomalies, attestations, questionnaires: a dated journal.
    """
    CREATE TABLE pilot_events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        day TEXT NOT NULL,
        recorded_at TEXT NOT NULL,
        by_whom TEXT NOT NULL,
        reference TEXT NOT NULL,
        data TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE volumes (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        rpps TEXT NOT NULL,
        day TEXT NOT NULL,
        documents INTEGER NOT NULL,
        recorded_at TEXT NOT NULL
    ) STRICT
    """,
)

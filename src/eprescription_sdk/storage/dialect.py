"""From the SQL that this SDK writes to what PostgreSQL reads.

All SQL is written once, in what both engines share: ``?`` for values, ``ON CONFLICT``,
``RETURNING``, partial indexes. What is left is translated here: the marks of values, and the
types of the tables. The texts are ours, never a user's.
"""

import re
from functools import lru_cache

_TOKENS = re.compile(
    r"""
    ( '(?:[^']|'')*'        # a text: left alone
    | "(?:[^"]|"")*"        # a name: left alone
    | --[^\n]*              # comments: left alone
    | /\*.*?\*/
    )
    | (\?)
    """,
    re.VERBOSE | re.DOTALL,
)

_TYPES = (
    (r"INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    (r"\bINTEGER\b", "BIGINT"),
    # Compared byte by byte, as SQLite does: times and hashes sort alike on both engines.
    (r"\bTEXT\b", 'TEXT COLLATE "C"'),
    (r"\) STRICT\b", ")"),
)


@lru_cache(maxsize=512)
def marked(sql: str) -> str:
    """A statement with psycopg's marks: ``%s`` for ``?``, and ``%`` itself doubled."""
    return _TOKENS.sub(
        lambda found: "%s" if found.group(2) else found.group(1), sql.replace("%", "%%")
    )


def table(statement: str) -> str:
    """A statement of the schema, written for SQLite, in PostgreSQL's types."""
    for ours, theirs in _TYPES:
        statement = re.sub(ours, theirs, statement)
    return statement

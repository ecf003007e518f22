"""The store: engine, version, durability, health, and what the ledger holds open."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from eprescription_sdk import ledger
from eprescription_sdk.cli.doctor.finding import Finding, error, ok, warning
from eprescription_sdk.cli.doctor.network import skew
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.ledger import State
from eprescription_sdk.settings import Settings
from eprescription_sdk.storage import Store, Tx

ROOM = 256 * 1024 * 1024
"""Bytes that should be free beside an embedded store."""


def storing(store: Store, settings: Settings) -> Iterator[Finding]:
    """What the store is, and whether the next prescription can be journalled in it.

    Raises:
        StoreError: it cannot be used.
    """
    # A write, not a look: it is what the next prescription needs.
    durable, offset = store.write(_durability if store.path is None else _synced)
    yield ok("store", f"store {settings.store} can be written")
    if store.path is None:
        version = store.read(lambda tx: _one(tx, "SELECT current_setting('server_version')"))
        yield ok("store", f"engine PostgreSQL {version}")
        yield skew("database", offset)
    else:
        version = store.read(lambda tx: _one(tx, "SELECT sqlite_version()"))
        yield ok("store", f"engine SQLite {version}")
        yield from _health(store, store.path)
    if durable:
        yield ok("durability", "what is committed is on disk")
    else:
        yield error(
            "durability",
            "A commit may be lost when the machine of the store stops.",
            "Set fsync, full_page_writes and synchronous_commit to on in the server.",
        )
    yield from store.read(lambda tx: tuple(_ledger(tx)))


def _synced(tx: Tx) -> tuple[bool, timedelta]:
    full = 2
    return (
        int(_one(tx, "PRAGMA synchronous")) >= full and _one(tx, "PRAGMA journal_mode") == "wal",
        timedelta(0),
    )


def _durability(tx: Tx) -> tuple[bool, timedelta]:
    names = ("fsync", "full_page_writes", "synchronous_commit")
    found = [_one(tx, f"SELECT current_setting('{name}')") for name in names]
    return "off" not in found, tx.clock_offset


def _health(store: Store, path: Path) -> Iterator[Finding]:
    said = store.read(lambda tx: _one(tx, "PRAGMA quick_check(1)"))
    if said == "ok":
        yield ok("health", "the file is sound")
    else:
        yield error(
            "health",
            "The file is damaged.",
            "Stop the writers, keep the file, and restore the last backup.",
        )
    if (free := shutil.disk_usage(path.parent).free) < ROOM:
        yield warning(
            "health",
            f"Only {free // 1024 // 1024} MiB are free beside the store.",
            "Make room: what cannot be journalled is not sent.",
        )


def _ledger(tx: Tx) -> Iterator[Finding]:
    now = SystemClock().now()
    entries = ledger.open_entries(tx)
    doubtful = [each for each in entries if each.state is State.UNCERTAIN]
    if doubtful:
        whose = len({each.rpps for each in doubtful})
        yield warning(
            "in doubt",
            f"Uncertain prescriptions: {len(doubtful)}, of practitioners: {whose}.",
            "They settle at their practitioner's next session, or: eprescription ledger reconcile",
        )
    waiting = [each for each in entries if each.lease_until <= now]
    if waiting:
        yield warning(
            "waiting for credentials",
            f"Waiting for the card or session of their practitioner: {len(waiting)}.",
            "They settle at the next acting_as() of each; see: eprescription ledger reconcile",
        )
    if risks := len(ledger.duplicate_risks(tx)):
        yield warning(
            "duplicate risk",
            f"At risk of being dispensed twice: {risks}.",
            "Call the practitioner, then: eprescription ledger close-risk",
        )
    if not (doubtful or waiting or risks):
        yield ok("ledger", "nothing is in doubt, and no duplicate risk is open")


def _one(tx: Tx, sql: str) -> str:
    return str(tx.execute(sql)[0][0])

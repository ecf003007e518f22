"""PostgreSQL alone: what a server, its roles, its poolers and its deaths bring."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import psycopg
import pytest

from eprescription_sdk.errors import (
    ConfigurationError,
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreTooNew,
    StoreUnavailable,
)
from eprescription_sdk.storage import Store, Tx, connections, open_store, schema
from eprescription_sdk.storage import postgres as engine
from tests.postgres import ROLE, Postgres, pgbouncer
from tests.processes import child
from tests.storage.children import insert


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.database()


@pytest.fixture
def dsn(postgres: Postgres, database: str) -> str:
    return postgres.platform(database)


@pytest.fixture
def store(dsn: str) -> Iterator[Store]:
    store = open_store(dsn)
    yield store
    store.close()


def reasons(store: Store) -> set[str]:
    return {row[0] for row in store.read(lambda tx: tx.execute("SELECT reason FROM losses"))}


def test_the_address_is_shown_without_role_and_password() -> None:
    store = open_store("postgresql://secret-role:secret-word@localhost:1/name?sslpassword=secret")
    with pytest.raises(StoreUnavailable) as caught:
        store.write(lambda _: None)
    assert caught.value.path == "postgresql://localhost:1/name"
    assert "secret" not in f"{store!r}{caught.value}{caught.value!r}{caught.value.__cause__!r}"
    assert caught.value.__suppress_context__


def test_an_address_that_nobody_can_read_is_not_quoted() -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_store("postgresql://role:secret@host:port:5/%%%")
    assert "secret" not in str(caught.value)


# --- versions -------------------------------------------------------------------------------


def versions(postgres: Postgres, database: str, version: int, serves_from: int) -> None:
    postgres.execute(
        f"UPDATE eprescription_schema SET version = {version}, serves_from = {serves_from}",  # noqa: S608
        database,
    )


def refused(dsn: str, kind: type[StoreError]) -> StoreError:
    """Writing and reading are refused alike; the error names the store and a way out."""
    store = open_store(dsn)
    seen: list[StoreError] = []
    for use in (store.write, store.read):
        with pytest.raises(kind) as caught:
            use(lambda tx: tx.execute("SELECT 1 FROM ledger"))
        seen.append(caught.value)
    store.close()
    assert seen[0].path == seen[1].path == connections.shown(dsn)
    return seen[0]


def test_a_database_without_tables_names_the_command(postgres: Postgres) -> None:
    empty = postgres.database(of="template1")
    assert "eprescription store migrate" in str(refused(postgres.owner(empty), StoreUnavailable))
    # And it was not made on opening, although this role may.
    assert postgres.execute(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", empty
    ) == [(0,)]


def test_an_older_store_names_the_command(postgres: Postgres, database: str, dsn: str) -> None:
    versions(postgres, database, schema.VERSION - 1, 0)
    assert "eprescription store migrate" in str(refused(dsn, StoreUnavailable))


def test_the_next_schema_is_worked_on_where_it_says_so(
    postgres: Postgres, database: str, store: Store
) -> None:
    """Migrated first: what the next release added does not disturb this one."""
    postgres.execute("ALTER TABLE losses ADD COLUMN since TEXT", database)
    postgres.execute("CREATE TABLE of_the_next_release (x BIGINT)", database)
    versions(postgres, database, schema.VERSION + 1, schema.VERSION)
    store.write(lambda tx: tx.execute("INSERT INTO losses (reason, count) VALUES ('x', 1)"))
    assert reasons(store) == {"x"}


@pytest.mark.parametrize(("ahead", "serves"), [(1, 1), (2, 0), (9, 9)])
def test_a_schema_too_far_ahead_is_refused(
    postgres: Postgres, database: str, dsn: str, ahead: int, serves: int
) -> None:
    versions(postgres, database, schema.VERSION + ahead, schema.VERSION + serves)
    assert "later release" in str(refused(dsn, StoreTooNew))


def test_a_store_that_does_not_say_its_version_is_refused(
    postgres: Postgres, database: str, dsn: str
) -> None:
    postgres.execute("DELETE FROM eprescription_schema", database)
    with pytest.raises(StoreCorrupt):
        open_store(dsn).write(lambda _: None)


def test_the_role_of_the_platform_may_change_no_table(store: Store) -> None:
    with pytest.raises(StoreUnavailable, match="may not"):
        store.write(lambda tx: tx.execute("CREATE TABLE mine (x BIGINT)"))


def test_a_role_without_rights_is_told_which(postgres: Postgres, database: str, dsn: str) -> None:
    postgres.execute(f"REVOKE INSERT ON losses FROM {ROLE}", database)
    store = open_store(dsn)
    with pytest.raises(StoreUnavailable) as caught:
        store.write(lambda tx: insert(tx, "x"))
    assert "Grant" in str(caught.value.way_out)
    store.close()


# --- transactions ---------------------------------------------------------------------------


def test_every_commit_is_durable_and_every_wait_bounded(
    postgres: Postgres, database: str, dsn: str
) -> None:
    """Whatever the server was told for this database."""
    postgres.execute(f"ALTER DATABASE {database} SET synchronous_commit = off")
    postgres.execute(
        f"ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'"
    )
    store = open_store(dsn)

    def look(tx: Tx) -> list[str]:
        names = ("synchronous_commit", "transaction_isolation", "lock_timeout",
                 "idle_in_transaction_session_timeout")  # fmt: skip
        return [tx.execute(f"SHOW {name}")[0][0] for name in names]

    assert store.write(look) == ["on", "read committed", "5s", "3s"]
    assert store.read(look)[1] == "repeatable read"
    assert store.read(look)[3] == "1min"
    # Nothing stays with the session.
    with psycopg.connect(dsn) as plain:
        assert plain.execute("SHOW lock_timeout").fetchone() == ("0",)
    store.close()


def test_a_unit_that_swallows_an_error_is_undone_as_a_whole(store: Store) -> None:
    def work(tx: Tx) -> None:
        insert(tx, "first")
        with pytest.raises(psycopg.Error):
            insert(tx, "first")

    with pytest.raises(StoreError):
        store.write(work)
    store.write(lambda tx: insert(tx, "second"))
    assert reasons(store) == {"second"}


def test_a_writer_gives_up_in_the_end(
    store: Store, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = engine._WRITING[-1]  # noqa: SLF001
    monkeypatch.setattr(engine, "_WRITING", ("SET LOCAL lock_timeout = 200", lock))
    with child("tests.storage.children", "hold", dsn, "30") as other:
        assert other.line() == "held"
        with pytest.raises(StoreBusy, match="Another process") as caught:
            store.write(lambda tx: insert(tx, "mine"))
        assert caught.value.holders == (f"{socket.gethostname()}:{other.pid}",)
        assert reasons(store) == set()
        # The server ends the one that says nothing, and what it wrote is gone.
        monkeypatch.undo()
        store.write(lambda tx: insert(tx, "later"))
        assert reasons(store) == {"later"}


def test_a_person_who_keeps_rows_is_named(
    store: Store, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With psql, nobody is bound to our time-outs; who only looks does not disturb."""
    store.write(lambda tx: insert(tx, "x"))
    lock = engine._WRITING[-1]  # noqa: SLF001
    monkeypatch.setattr(engine, "_WRITING", ("SET LOCAL lock_timeout = 200", lock))
    with psycopg.connect(dsn, application_name="psql") as person, psycopg.connect(dsn) as reader:
        reader.execute("SELECT 1 FROM losses")
        person.execute("SELECT 1 FROM losses FOR UPDATE")
        with pytest.raises(StoreBusy) as caught:
            store.write(lambda tx: tx.execute("UPDATE losses SET count = 2"))
        assert caught.value.holders == (f"psql backend {person.info.backend_pid}",)
    store.write(lambda tx: tx.execute("UPDATE losses SET count = 2"))


def test_a_frozen_writer_holds_nobody_up_for_long(store: Store, dsn: str) -> None:
    """It is stopped amid a transaction; woken up, it cannot commit what it had begun."""
    with child("tests.storage.children", "hold", dsn, "1") as other:
        assert other.line() == "held"
        other.signal(signal.SIGSTOP)
        started = time.monotonic()
        store.write(lambda tx: insert(tx, "mine"))
        assert time.monotonic() - started < 5
        other.signal(signal.SIGCONT)
        other.rest()
        assert other.status != 0
    assert reasons(store) == {"mine"}


def test_the_offset_of_the_clocks_is_measured(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert abs(store.write(lambda tx: tx.clock_offset)) < timedelta(seconds=1)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    for use in (store.write, store.read):
        assert abs(use(lambda tx: tx.clock_offset) - timedelta(hours=1)) < timedelta(seconds=1)


def test_a_wait_for_the_lock_is_not_taken_for_an_offset(store: Store, dsn: str) -> None:
    with child("tests.storage.children", "hold", dsn, "1") as other:
        assert other.line() == "held"
        assert abs(store.write(lambda tx: tx.clock_offset)) < timedelta(seconds=0.2)


# --- connections ----------------------------------------------------------------------------


def backends(postgres: Postgres, database: str) -> int:
    rows = postgres.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()",
        database,
    )
    count: int = rows[0][0]
    return count


def test_connections_are_kept_for_the_next_use_and_given_back(
    postgres: Postgres, database: str, store: Store
) -> None:
    barrier = threading.Barrier(8)

    def look(tx: Tx) -> None:
        tx.execute("SELECT 1")
        barrier.wait(10)

    threads = [threading.Thread(target=store.read, args=(look,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.write(lambda _: None)
    assert 1 <= backends(postgres, database) <= connections.IDLE_KEPT
    store.close()
    ends = time.monotonic() + 5
    while backends(postgres, database) and time.monotonic() < ends:
        time.sleep(0.02)
    assert backends(postgres, database) == 0
    assert reasons(store) == set()


def test_a_connection_that_died_meanwhile_is_replaced_unseen(
    postgres: Postgres, database: str, store: Store
) -> None:
    store.write(lambda tx: insert(tx, "before"))
    for round_ in range(3):
        postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            database,
        )
        store.write(partial(insert, reason=f"after-{round_}"))
    assert reasons(store) == {"before", "after-0", "after-1", "after-2"}


def test_processes_are_named_to_the_server(postgres: Postgres, database: str, store: Store) -> None:
    store.write(lambda _: None)
    rows = postgres.execute(
        "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()",
        database,
    )
    assert rows == [(connections.process_name(),)]


def test_two_stores_of_one_database_have_a_lock_each(postgres: Postgres, database: str) -> None:
    from eprescription_sdk.storage import migrations

    postgres.execute("CREATE SCHEMA other", database)
    elsewhere = f"{postgres.owner(database)}&options=-csearch_path%3Dother"
    migrations.migrate(elsewhere)
    first, second = open_store(postgres.owner(database)), open_store(elsewhere)
    with first.session_lock().exclusive(0) as one, second.session_lock().exclusive(0) as other:
        assert (one, other) == (True, True)
    for each in (first, second):
        each.write(lambda tx: insert(tx, "x"))
        each.close()


# --- deaths ---------------------------------------------------------------------------------


@pytest.fixture
def mortal() -> Iterator[Postgres]:
    """A server of one's own, to be killed."""
    with Postgres() as server:
        yield server


def test_a_killed_server_loses_nothing_acknowledged_and_work_resumes(mortal: Postgres) -> None:
    dsn = mortal.platform(mortal.database())
    store = open_store(dsn)
    acknowledged: set[str] = set()
    over = threading.Event()
    errors: list[StoreError] = []

    def write(name: str) -> None:
        number = 0
        while not over.is_set():
            try:
                store.write(partial(insert, reason=f"{name}-{number}"))
                acknowledged.add(f"{name}-{number}")
            except StoreError as error:
                errors.append(error)
                time.sleep(0.01)
            number += 1

    threads = [threading.Thread(target=write, args=(str(index),)) for index in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            time.sleep(0.4)
            known = len(acknowledged)
            mortal.kill()
            with pytest.raises(StoreUnavailable) as caught:
                store.read(lambda tx: tx.execute("SELECT 1"))
            assert "server" in str(caught.value)
            assert caught.value.way_out
            mortal.start_again()
            ends = time.monotonic() + 20
            while len(acknowledged) < known + 50 and time.monotonic() < ends:
                time.sleep(0.05)
            assert len(acknowledged) >= known + 50
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert errors
    assert all(isinstance(error, StoreUnavailable) for error in errors)
    assert acknowledged <= reasons(store)
    with store.session_lock().exclusive(1) as alone:
        assert alone
    store.close()


# --- PgBouncer ------------------------------------------------------------------------------


@pytest.fixture
def pooled(postgres: Postgres, database: str) -> Iterator[str]:
    """The address of a store behind a pooler in transaction mode."""
    with pgbouncer(postgres) as port:
        yield f"postgresql://{ROLE}@127.0.0.1:{port}/{database}"


def test_work_goes_through_a_pooler_in_transaction_mode(pooled: str, dsn: str) -> None:
    """Four stores and many readers share three connections of the server."""
    stores = [open_store(pooled, direct_dsn=dsn) for _ in range(4)]
    failures: list[BaseException] = []

    def use(index: int) -> None:
        store = stores[index % 4]
        try:
            for number in range(20):
                store.write(partial(insert, reason=f"{index}-{number}"))
                store.read(lambda tx: list(tx.iterate("SELECT reason FROM losses")))
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=use, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(reasons(stores[0])) == 160
    with stores[0].session_lock().shared() as held, stores[1].session_lock().exclusive(0) as alone:
        assert (held, alone) == (True, False)
    for store in stores:
        store.close()


def test_a_lock_of_a_session_is_refused_through_a_pooler(pooled: str) -> None:
    store = open_store(pooled)
    with pytest.raises(ConfigurationError) as caught, store.session_lock().shared():
        pass
    assert caught.value.path == "direct_dsn"
    store.close()

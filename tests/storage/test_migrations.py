"""From nothing to a store, and from one version to the next, by an explicit step."""

import subprocess
import threading

import pytest

from eprescription_sdk.errors import StoreError, StoreUnavailable
from eprescription_sdk.storage import migrations, open_store, schema
from eprescription_sdk.storage.migrations import Migration, migrate
from eprescription_sdk.traces.record import lose
from tests.postgres import Postgres


@pytest.fixture
def empty(postgres: Postgres) -> str:
    return postgres.database(of="template1")


def tables(postgres: Postgres, database: str) -> list[str]:
    rows = postgres.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", database
    )
    return [row[0] for row in rows]


def test_the_steps_lead_to_the_version_of_this_release() -> None:
    found = [each.version for each in migrations.MIGRATIONS]
    assert found == list(range(1, schema.VERSION + 1))
    assert all(each.serves_from <= each.version for each in migrations.MIGRATIONS)


def test_a_store_is_made_and_made_once(postgres: Postgres, empty: str) -> None:
    assert "CREATE TABLE ledger" in migrate(postgres.owner(empty))
    made = tables(postgres, empty)
    assert {"ledger", "traces", "gate", "eprescription_schema"} <= set(made)
    assert "CREATE" not in migrate(postgres.owner(empty))
    assert tables(postgres, empty) == made


def test_the_script_is_shown_without_being_run(postgres: Postgres, empty: str) -> None:
    shown = migrate(postgres.owner(empty), only_show=True)
    assert tables(postgres, empty) == []
    # What a database administrator runs makes a store of it.
    psql = postgres.program("psql")
    done = subprocess.run(
        [psql, "-v", "ON_ERROR_STOP=1", "-q", postgres.owner(empty)],
        input=shown, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    store = open_store(postgres.owner(empty))
    assert store.read(lambda tx: tx.execute("SELECT count(*) FROM ledger")) == [(0,)]
    store.close()
    assert migrate(postgres.owner(empty), only_show=True).startswith("--")


def test_two_that_migrate_at_once_follow_each_other(postgres: Postgres, empty: str) -> None:
    start, said = threading.Barrier(3), []

    def one() -> None:
        start.wait()
        said.append(migrate(postgres.owner(empty)))

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted("CREATE" in each for each in said) == [False, False, True]


NEXT = Migration(
    version=schema.VERSION + 1,
    serves_from=schema.VERSION,
    statements=("ALTER TABLE losses ADD COLUMN since TEXT",),
)


def test_the_next_release_takes_the_step_while_this_one_works(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = postgres.database()
    this = open_store(postgres.platform(database))
    this.write(lambda tx: tx.execute("INSERT INTO losses (reason, count) VALUES ('a', 1)"))
    with monkeypatch.context() as later:
        later.setattr(schema, "VERSION", NEXT.version)
        later.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, NEXT))
        # The later release does not work on what is not migrated, and names the command.
        with pytest.raises(StoreUnavailable, match="needs"):
            open_store(postgres.platform(database)).write(lambda _: None)
        assert "ADD COLUMN since" in migrate(postgres.owner(database))
        newer = open_store(postgres.platform(database))
        newer.write(lambda tx: tx.execute("INSERT INTO losses VALUES ('b', 1, 'now')"))
    # This release again, on connections old and new.
    this.write(lambda tx: lose(tx, "c"))
    this.close()
    rows = this.read(lambda tx: tx.execute("SELECT reason FROM losses ORDER BY reason"))
    assert rows == [("a",), ("b",), ("c",)]
    this.close()
    newer.close()


def test_a_step_that_fails_leaves_everything_as_it_was(
    postgres: Postgres, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Migration(version=9, serves_from=9, statements=("ALTER TABLE nobody ADD x TEXT",))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, broken))
    with pytest.raises(StoreError):
        migrate(postgres.owner(empty))
    assert tables(postgres, empty) == []


def test_a_store_ahead_of_this_release_is_left_alone(postgres: Postgres) -> None:
    database = postgres.database()
    postgres.execute("UPDATE eprescription_schema SET version = version + 1", database)
    with pytest.raises(StoreError, match="ahead"):
        migrate(postgres.owner(database))


def test_a_role_that_may_not_is_told(postgres: Postgres, empty: str) -> None:
    with pytest.raises(StoreUnavailable, match="may not"):
        migrate(postgres.platform(empty))

"""The embedded engine: transactions, errors, several processes, crashes."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from eprescription_sdk.errors import (
    StoreCorrupt,
    StoreError,
    StoreTooNew,
    StoreUnavailable,
    StoreUnsafe,
)
from eprescription_sdk.storage import SqliteStore, Tx, schema, sqlite
from tests.processes import child
from tests.storage.children import insert


def reasons(store: SqliteStore) -> set[str]:
    return {row[0] for row in store.read(lambda tx: tx.execute("SELECT reason FROM losses"))}


# --- transactions ---------------------------------------------------------------------------


def test_a_result_comes_back(store: SqliteStore) -> None:
    assert store.write(lambda tx: tx.execute("SELECT 1, 'x'")) == [(1, "x")]
    assert store.submit(lambda _: 7).result() == 7


def test_a_failing_unit_is_undone_alone(store: SqliteStore) -> None:
    def failing(tx: Tx) -> None:
        insert(tx, "undone")
        raise KeyError("its own")

    before, failed, after = (
        store.submit(lambda tx: insert(tx, "before")),
        store.submit(failing),
        store.submit(lambda tx: insert(tx, "after")),
    )
    before.result()
    with pytest.raises(KeyError, match="its own"):
        failed.result()
    after.result()
    assert reasons(store) == {"before", "after"}


def test_a_failing_savepoint_is_undone_alone(store: SqliteStore) -> None:
    def work(tx: Tx) -> None:
        insert(tx, "outer")
        with tx.savepoint():
            insert(tx, "inner")
            with pytest.raises(KeyError), tx.savepoint():
                insert(tx, "innermost")
                raise KeyError
        with pytest.raises(KeyError), tx.savepoint():
            insert(tx, "second")
            raise KeyError

    store.write(work)
    assert reasons(store) == {"outer", "inner"}


def test_a_breach_of_a_rule_quotes_no_value(store: SqliteStore) -> None:
    store.write(lambda tx: insert(tx, "canary-99700218896"))
    with pytest.raises(StoreError) as caught:
        store.write(lambda tx: insert(tx, "canary-99700218896"))
    assert "canary" not in f"{caught.value}{caught.value!r}{caught.value.__cause__!r}"


def test_a_read_sees_a_snapshot_and_cannot_write(store: SqliteStore) -> None:
    store.write(lambda tx: insert(tx, "first"))

    def look(tx: Tx) -> tuple[int, int]:
        count = "SELECT count(*) FROM losses"
        before = tx.execute(count)[0][0]
        store.write(lambda inner: insert(inner, "second"))
        return before, tx.execute(count)[0][0]

    assert store.read(look) == (1, 1)
    assert reasons(store) == {"first", "second"}
    with pytest.raises(StoreUnavailable, match="read-only"):
        store.read(lambda tx: insert(tx, "third"))


def test_rows_can_be_read_one_by_one(store: SqliteStore) -> None:
    for number in range(5):
        store.write(lambda tx, number=number: insert(tx, str(number)))  # type: ignore[misc]

    def look(tx: Tx) -> list[str]:
        rows: Iterator[tuple[str]] = tx.iterate("SELECT reason FROM losses ORDER BY reason")
        return [next(rows)[0], next(rows)[0]]

    assert store.read(look) == ["0", "1"]


def test_a_closed_store_opens_again(store: SqliteStore) -> None:
    store.write(lambda tx: insert(tx, "before"))
    store.close()
    store.close()
    store.write(lambda tx: insert(tx, "after"))
    assert reasons(store) == {"before", "after"}


def test_reading_makes_a_new_store_first(store: SqliteStore, path: Path) -> None:
    assert reasons(store) == set()
    assert path.exists()


def test_a_file_that_is_still_empty_is_no_fault(path: Path) -> None:
    """Another process has just made it, and has not come to its tables."""
    path.touch()
    store = SqliteStore(path)
    assert reasons(store) == set()
    store.close()


def test_every_commit_is_synced_and_in_the_log(store: SqliteStore) -> None:
    def look(tx: Tx) -> list[object]:
        return [
            tx.execute(f"PRAGMA {name}")[0][0]
            for name in ("synchronous", "journal_mode", "application_id", "user_version")
        ]

    assert store.write(look) == [2, "wal", schema.APPLICATION_ID, schema.VERSION]


# --- files that cannot be used --------------------------------------------------------------


def refused(path: Path, kind: type[StoreError]) -> StoreError:
    """Writing and reading are refused alike; the error names the file and a way out."""
    store = SqliteStore(path)
    for use in (store.write, store.read):
        with pytest.raises(kind) as caught:
            use(lambda tx: tx.execute("SELECT 1 FROM ledger"))
        assert caught.value.path == str(path)
        assert caught.value.way_out
    store.close()
    return caught.value


def test_junk_is_refused(path: Path) -> None:
    path.write_bytes(b"not a database " * 1000)
    before = path.read_bytes()
    refused(path, StoreCorrupt)
    assert path.read_bytes() == before


def test_another_database_is_refused_and_left_as_it_was(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = path.read_bytes()
    refused(path, StoreCorrupt)
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused(store: SqliteStore, path: Path) -> None:
    store.write(lambda _: None)
    store.close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", schema.VERSION + 1)
    connection.close()
    assert "later release" in str(refused(path, StoreTooNew))


def test_a_parent_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "folder" in str(refused(tmp_path / "file" / "store.db", StoreUnavailable))


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    refused(tmp_path, StoreUnavailable)


def test_a_damaged_page_is_named(store: SqliteStore, path: Path) -> None:
    for number in range(2000):
        store.submit(lambda tx, number=number: insert(tx, f"row-{number}"))  # type: ignore[misc]
    store.write(lambda _: None)
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        # Past the schema's own pages.
        for page in range(30, size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    with pytest.raises(StoreCorrupt) as caught:
        reasons(store)
    assert "backup" in str(caught.value)


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[Path]:
    """A volume of two megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    ).returncode
    if not mounted:
        pytest.skip("Needs the right to mount a small tmpfs, to fill it.")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_only_what_was_not_acknowledged(small_volume: Path) -> None:
    store = SqliteStore(small_volume / "store.db")
    kept = set()

    def swallowing(tx: Tx, number: int) -> None:
        """As a settlement does with its traces: what fails is counted, and it goes on."""
        insert(tx, f"a-{number}")
        try:
            with tx.savepoint():
                insert(tx, f"{number}-" + "x" * 50_000)
        except Exception:  # noqa: BLE001
            insert(tx, f"counted-{number}")
        insert(tx, f"b-{number}")

    with pytest.raises(StoreUnavailable) as caught:
        for number in range(200):
            store.write(lambda tx, number=number: swallowing(tx, number))  # type: ignore[misc]
            kept.add(number)
    assert kept
    assert caught.value.way_out is not None
    assert "room" in caught.value.way_out or "space" in caught.value.way_out
    found = reasons(store)
    assert {f"a-{number}" for number in kept} <= found
    # Nothing of the unit that failed was committed on the side.
    assert {name for name in found if name.startswith("a-")} == {f"a-{number}" for number in kept}
    assert {name for name in found if name.startswith("b-")} == {f"b-{number}" for number in kept}
    assert not {name for name in found if name.startswith("counted")}
    store.close()


# --- several processes ----------------------------------------------------------------------


def test_a_writer_waits_for_another_process(store: SqliteStore, path: Path) -> None:
    store.write(lambda _: None)
    with child("tests.storage.children", "hold", path, "0.5") as other:
        assert other.line() == "held"
        started = time.monotonic()
        store.write(lambda tx: insert(tx, "mine"))
        assert time.monotonic() - started > 0.2
    assert reasons(store) == {"holder", "mine"}


def test_a_writer_gives_up_in_the_end(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(lambda _: None)
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.2)
    with child("tests.storage.children", "hold", path, "30") as other:
        assert other.line() == "held"
        with pytest.raises(StoreUnavailable, match="Another process"):
            store.write(lambda tx: insert(tx, "mine"))
        assert reasons(store) == set()
    store.write(lambda tx: insert(tx, "later"))
    assert reasons(store) == {"later"}


def test_processes_may_make_the_store_together(path: Path) -> None:
    """None of them finds it locked, half-made or not yet in its log mode."""
    children = [child("tests.storage.children", "rows", path, f"p{index}", "5") for index in range(6)]
    running = [each.__enter__() for each in children]
    try:
        said = [process.rest() for process in running]
        assert [process.status for process in running] == [0] * 6
    finally:
        for each in children:
            each.__exit__(None, None, None)
    assert sum(len(lines.split()) for lines in said) == 30


def test_two_processes_write_at_once(store: SqliteStore, path: Path) -> None:
    with (
        child("tests.storage.children", "rows", path, "a", "500") as first,
        child("tests.storage.children", "rows", path, "b", "500") as second,
    ):
        said = {*first.rest().split(), *second.rest().split()}
        assert (first.status, second.status) == (0, 0)
    assert len(said) == 1000
    assert reasons(store) == said
    integrity = store.read(lambda tx: tx.execute("PRAGMA integrity_check"))
    assert integrity == [("ok",)]


@pytest.mark.parametrize("lines", [1, 30, 200])
def test_a_killed_writer_loses_nothing_acknowledged(path: Path, lines: int) -> None:
    with child("tests.storage.children", "ever", path, "a") as writer:
        said = {writer.line() for _ in range(lines)}
        writer.signal(signal.SIGKILL)
        said |= {line for line in writer.rest().splitlines(keepends=True) if line.endswith("\n")}
    store = SqliteStore(path)
    assert {line.strip() for line in said} <= reasons(store)
    store.close()


def test_a_replaced_log_is_noticed_before_anything_is_acknowledged(
    store: SqliteStore, path: Path
) -> None:
    store.write(lambda tx: insert(tx, "acknowledged"))
    log = Path(f"{path}-wal")
    log.unlink()
    with pytest.raises(StoreUnsafe) as caught:
        store.write(lambda tx: insert(tx, "in doubt"))
    assert caught.value.path == str(path)
    # It is opened afresh, and what was acknowledged is there.
    store.write(lambda tx: insert(tx, "afterwards"))
    assert {"acknowledged", "afterwards"} <= reasons(store)


def test_a_stale_log_is_not_written_over_what_others_wrote(store: SqliteStore, path: Path) -> None:
    """Another SQLite library deleted the log in closing; a third process wrote since."""
    store.write(lambda tx: insert(tx, "old"))
    other_library = apsw.Connection(str(path))
    other_library.execute("PRAGMA wal_checkpoint")
    other_library.close()
    for name in ("-wal", "-shm"):
        Path(f"{path}{name}").unlink()
    with child("tests.storage.children", "ever", path, "other") as other:
        acknowledged = {other.line() for _ in range(20)}
        other.signal(signal.SIGKILL)
        other.rest()
    with pytest.raises(StoreUnsafe):
        store.write(lambda tx: insert(tx, "stale"))
    assert acknowledged <= reasons(SqliteStore(path))

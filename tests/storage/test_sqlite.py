"""The embedded engine: transactions, errors, several processes, crashes."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import apsw
import pytest

from eprescription_sdk.errors import (
    StoreBusy,
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


# --- the file ----------------------------------------------------------------------------


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
    seen: list[StoreError] = []
    for use in (store.write, store.read):
        with pytest.raises(kind) as caught:
            use(lambda tx: tx.execute("SELECT 1 FROM ledger"))
        assert caught.value.path == str(path)
        assert caught.value.way_out
        seen.append(caught.value)
    store.close()
    return seen[-1]


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
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],
            check=False,
            capture_output=True,
        ).returncode
    )
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

    def fill() -> None:
        for number in range(200):
            store.write(lambda tx, number=number: swallowing(tx, number))  # type: ignore[misc]
            kept.add(number)

    with pytest.raises(StoreUnavailable) as caught:
        fill()
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


def test_a_writer_gives_up_in_the_end(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(lambda _: None)
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.2)
    with child("tests.storage.children", "hold", path, "30") as other:
        assert other.line() == "held"
        with pytest.raises(StoreBusy, match="Another process") as caught:
            store.write(lambda tx: insert(tx, "mine"))
        assert caught.value.holders == (f"{socket.gethostname()}:{other.pid}",)
        assert caught.value.holders[0] in str(caught.value)
        assert reasons(store) == set()
    store.write(lambda tx: insert(tx, "later"))
    assert reasons(store) == {"later"}


def test_processes_may_make_the_store_together(path: Path) -> None:
    """None of them finds it locked, half-made or not yet in its log mode."""
    with ExitStack() as stack:
        running = [
            stack.enter_context(child("tests.storage.children", "rows", path, f"p{index}", "5"))
            for index in range(5)
        ]
        said = [process.rest() for process in running]
        assert [process.status for process in running] == [0] * 5
    assert sum(len(lines.split()) for lines in said) == 25


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

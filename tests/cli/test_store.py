"""``eprescription store migrate`` as a person types it."""

import subprocess
import sys
from pathlib import Path

from eprescription_sdk.storage import open_store
from tests.postgres import Postgres
from tests.settings_file import settings_file


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    start = "from eprescription_sdk.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", start, "store", "migrate", *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_tables_are_shown_then_made(postgres: Postgres, tmp_path: Path) -> None:
    dsn = postgres.owner(postgres.database(of="template1"))
    # The platform's own address may be a pooler's: the work is done at the server.
    file = settings_file(
        tmp_path, store="postgresql://nobody:secret@127.0.0.1:1/none", direct_dsn=dsn
    )
    shown = run("--settings", file, "--sql")
    assert shown.returncode == 0
    assert shown.stdout.startswith("BEGIN;\nCREATE TABLE eprescription_schema")
    made = run("--settings", file)
    assert made.returncode == 0
    assert "has the schema of this release" in made.stdout
    store = open_store(dsn)
    assert store.read(lambda tx: tx.execute("SELECT count(*) FROM traces")) == [(0,)]
    store.close()
    assert "CREATE" not in run("--settings", file, "--sql").stdout


def test_an_embedded_store_needs_no_migration(tmp_path: Path) -> None:
    done = run("--settings", settings_file(tmp_path, store="store.db"))
    assert done.returncode != 0
    assert "by itself" in done.stdout + done.stderr


def test_a_server_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    done = run(
        "--settings", settings_file(tmp_path, store="postgresql://role:secret@127.0.0.1:1/name")
    )
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "127.0.0.1:1/name" in said.replace("\n", "")
    assert "secret" not in said

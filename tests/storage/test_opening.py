"""From a setting to a store, and what it costs who needs no server."""

import subprocess
import sys
from pathlib import Path

import pytest

from eprescription_sdk.errors import MissingExtra
from eprescription_sdk.storage import SqliteStore, open_store
from eprescription_sdk.storage.postgres import PostgresStore


def test_a_path_is_a_file_and_an_address_a_server(tmp_path: Path) -> None:
    file = open_store(tmp_path / "store.db")
    assert isinstance(file, SqliteStore)
    assert file.path == tmp_path / "store.db"
    # Nothing is opened before its first use.
    assert not file.path.exists()
    server = open_store("postgresql://127.0.0.1:1/nobody")
    assert isinstance(server, PostgresStore)
    assert server.path is None


WITHOUT = """
import sys
sys.modules["psycopg"] = None
import eprescription_sdk as ep
from eprescription_sdk.storage import open_store
from eprescription_sdk.storage.migrations import migrate
for use in (open_store, migrate):
    try:
        use("postgresql://localhost/x")
    except ep.MissingExtra as error:
        print(error)
"""


def test_without_psycopg_the_extra_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [str(MissingExtra("postgres"))] * 2


@pytest.mark.parametrize("module", ["psycopg", "eprescription_sdk.storage.postgres"])
def test_an_embedded_store_does_not_load_the_driver(module: str) -> None:
    start = (
        "import sys, eprescription_sdk, eprescription_sdk.cli.app;"
        f" sys.exit({module!r} in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", start], check=True)

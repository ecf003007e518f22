"""A store of one's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eprescription_sdk.storage import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    store.close()

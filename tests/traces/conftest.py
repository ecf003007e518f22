"""Stores, and a collector to ship to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.storage import SqliteStore
from tests.traces.samples import open_pilot


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store without a pilot."""
    store = SqliteStore(tmp_path / "store.db")
    yield store
    store.close()


@pytest.fixture
def running(store: SqliteStore) -> SqliteStore:
    """A store whose pilot runs."""
    open_pilot(store)
    return store


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Its collector; a scripted second lasts a twentieth."""
    with Sandbox(scale=0.05) as running:
        yield running

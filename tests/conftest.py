"""Fixtures that every test may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from eprescription_sdk.storage import Store
from tests.postgres import Postgres
from tests.stores import opened

# Tests share their machine: how long one example takes says nothing.
hypothesis.settings.register_profile("shared", deadline=None)
hypothesis.settings.load_profile("shared")

CONFORMANCE_VARIABLE = "EPRESCRIPTION_CONFORMANCE_DIR"


@pytest.fixture(scope="session")
def conformance_dir() -> Path:
    """The folder of public material to compare with: schemas in `tlsi`, prescriptions in `has`."""
    value = os.environ.get(CONFORMANCE_VARIABLE)
    if not value:
        pytest.skip(
            f"Needs public material that is not part of the project: set {CONFORMANCE_VARIABLE} "
            "to a folder that holds `tlsi` (the schemas of the sibling service) and `has` "
            "(the example prescriptions), and run again."
        )
    folder = Path(value)
    missing = [name for name in ("tlsi", "has") if not (folder / name).is_dir()]
    if missing:
        pytest.fail(
            f"{CONFORMANCE_VARIABLE} names {folder}, which holds no {' and no '.join(missing)}."
        )
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests."""
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a store is, on each engine in turn; another process can open it."""
    if request.param == "sqlite":
        yield str(tmp_path / "store.db")
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.lent() as address:
        yield address


@pytest.fixture
def either(place: str) -> Iterator[Store]:
    """A store on each engine in turn."""
    store = opened(place)
    yield store
    store.close()

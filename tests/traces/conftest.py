"""Stores, and a collector to ship to."""

from collections.abc import Iterator

import pytest

from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.storage import Store
from tests.nursery import Nursery, nursery
from tests.traces.samples import open_pilot


@pytest.fixture
def store(either: Store) -> Store:
    """A store without a pilot, on each engine in turn."""
    return either


@pytest.fixture
def running(store: Store) -> Store:
    """A store whose pilot runs."""
    open_pilot(store)
    return store


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Its collector; a scripted second lasts a twentieth."""
    with Sandbox(scale=0.05) as running:
        yield running


@pytest.fixture(scope="session", name="nursery")
def _nursery() -> Iterator[Nursery]:
    """Processes of ``children`` that start at once."""
    with nursery("tests.traces.children") as made:
        yield made

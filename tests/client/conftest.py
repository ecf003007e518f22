"""What the tests of the clients share."""

from collections.abc import Iterator

import pytest

from tests.client.harness import SIDES
from tests.client.nursery import Nursery, nursery
from tests.postgres import Postgres


@pytest.fixture(params=sorted(SIDES))
def side(request: pytest.FixtureRequest) -> str:
    """Each test that asks for it runs on both clients (law 10)."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def children() -> Iterator[Nursery]:
    """Other processes, one at a time."""
    with nursery() as made:
        yield made


@pytest.fixture(scope="session")
def others() -> Iterator[Nursery]:
    """More of them, at the same time as ``children``."""
    with nursery() as made:
        yield made


@pytest.fixture
def shared(postgres: Postgres) -> Iterator[str]:
    """The address of a store that machines share."""
    with postgres.lent() as address:
        yield address

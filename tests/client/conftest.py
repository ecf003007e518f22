"""What the tests of the clients share."""

import pytest

from tests.client.harness import SIDES


@pytest.fixture(params=sorted(SIDES))
def side(request: pytest.FixtureRequest) -> str:
    """Each test that asks for it runs on both clients (law 10)."""
    name: str = request.param
    return name

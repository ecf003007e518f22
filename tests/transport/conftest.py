"""What the tests of the transports share."""

import pytest

from tests.transport.transports import TRANSPORTS, Send


@pytest.fixture(params=TRANSPORTS)
def send(request: pytest.FixtureRequest) -> Send:
    """Each test that asks for it runs on both libraries, both ways."""
    return TRANSPORTS[request.param]

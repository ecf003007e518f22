"""Reference sandboxes for the tests of their own room."""

from collections.abc import Iterator

import pytest

from eprescription_sdk.sandbox import Sandbox
from tests.sandbox.envelopes import Card


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that leaves signatures unchecked and plays a second in a twentieth."""
    with Sandbox(verify_assertions=False, scale=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def strict() -> Iterator[Sandbox]:
    """A sandbox that checks everything; shared by a module, since its keys take time."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def card(strict: Sandbox) -> Card:
    """A card issued by ``strict``."""
    certificate, key = strict.issue_card("DOCTEUR FICTIF")
    return Card(certificate=certificate, key=key)

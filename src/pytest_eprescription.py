"""The fixtures that pytest has once eprescription-sdk is installed.

A module beside the package, not in it: pytest loads this at the start of every run in an
environment, also of projects that have nothing to do with prescriptions. So it imports nothing
but pytest; what a fixture is made of is in ``eprescription_sdk.testing``, and is imported when a
test asks for it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eprescription_sdk import Acting, Client
    from eprescription_sdk.sandbox import Sandbox
    from eprescription_sdk.testing import Canary, FrozenClock

_SCALE = 0.05


@pytest.fixture
def eprescription_clock() -> "FrozenClock":
    """The time of the sandbox and of the client; it stands still until a test moves it."""
    from eprescription_sdk.testing import FrozenClock

    return FrozenClock()


@pytest.fixture
def eprescription_sandbox(eprescription_clock: "FrozenClock") -> "Iterator[Sandbox]":
    """A running sandbox, empty, with durations of a twentieth; needs the extra ``sandbox``."""
    from eprescription_sdk.sandbox import Sandbox

    with Sandbox(scale=_SCALE, clock=eprescription_clock) as sandbox:
        yield sandbox


@pytest.fixture
def eprescription_client(
    eprescription_sandbox: "Sandbox", eprescription_clock: "FrozenClock", tmp_path: Path
) -> "Iterator[Client]":
    """A client of that sandbox, with a store of its own."""
    from eprescription_sdk import Client
    from eprescription_sdk.testing import sandbox_settings

    settings = sandbox_settings(eprescription_sandbox, tmp_path / "eprescription.db")
    with Client(settings, clock=eprescription_clock) as client:
        yield client


@pytest.fixture
def eprescription_doctor(
    eprescription_client: "Client", eprescription_sandbox: "Sandbox"
) -> "Acting":
    """That client, bound to a fictitious practitioner: its ``create()`` works."""
    from eprescription_sdk.testing import sandbox_practitioner

    return eprescription_client.acting_as(sandbox_practitioner(eprescription_sandbox))


@pytest.fixture
def eprescription_faults(eprescription_sandbox: "Sandbox") -> "Callable[..., None]":
    """Queue faults by name: ``eprescription_faults("commit-then-drop", "consult-stale")``."""
    from eprescription_sdk.testing import script_fault

    def queue(*names: str, times: int = 1) -> None:
        for name in names:
            script_fault(eprescription_sandbox, name, times=times)

    return queue


@pytest.fixture
def eprescription_canary() -> "Canary":
    """Marked values of a patient who does not exist, to search your sinks for."""
    from eprescription_sdk.testing import Canary

    return Canary()

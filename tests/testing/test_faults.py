"""Every fault has a name, and is survived: whatever its name, one registration at most."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import eprescription_sdk as ep
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import (
    BAD_DAYS,
    FAULTS,
    FrozenClock,
    assert_registered_once,
    sample_prescription,
    sandbox_practitioner,
    sandbox_settings,
    script_fault,
)
from eprescription_sdk.testing.faults import _scripts

NOTHING_THERE = {"refused", "card-refused"}
"""What the service says no to; after every other bad day the prescription is there."""


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def sandbox(clock: FrozenClock) -> Iterator[Sandbox]:
    with Sandbox(scale=0.02, clock=clock, verify_assertions=False) as running:
        yield running


@pytest.fixture(scope="module")
def practitioner() -> ep.Practitioner:
    """One card for all: making its key takes time."""
    return sandbox_practitioner(Sandbox())


@pytest.fixture
def client(sandbox: Sandbox, clock: FrozenClock, tmp_path: Path) -> Iterator[ep.Client]:
    settings = sandbox_settings(
        sandbox,
        tmp_path / "store.db",
        profile=ep.ServiceProfile(max_reply_bytes=64 * 1024).scaled(0.02),
    )
    with ep.Client(settings, clock=clock) as one:
        yield one


def test_every_name_has_a_script_and_a_sentence() -> None:
    assert set(FAULTS) == set(_scripts())
    assert all(FAULTS.values())
    assert set(BAD_DAYS) < set(FAULTS)


def test_an_unknown_name_is_told_with_those_that_exist(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="commit-then-drop"):
        script_fault(sandbox, "commit-then-dorp")
    assert sandbox.pending_faults == 0


@pytest.mark.parametrize("name", BAD_DAYS)
def test_a_bad_day_by_its_name(
    name: str,
    sandbox: Sandbox,
    clock: FrozenClock,
    client: ep.Client,
    practitioner: ep.Practitioner,
) -> None:
    if name.startswith("consult"):
        script_fault(sandbox, "commit-then-drop")
    script_fault(sandbox, name)
    prescription = sample_prescription(reference=name)
    doctor = client.acting_as(practitioner)
    outcome: ep.Outcome = doctor.create(prescription)
    assert sandbox.calls[0].fault is not None
    if isinstance(outcome, ep.Uncertain):
        while any(call.answered is None for call in sandbox.calls):
            clock.sleep(0.01)  # what commits late does so in real time
        clock.advance(timedelta(minutes=5))
        client.reconcile(credentials=[practitioner])
        outcome = doctor.create(prescription)
    if name in NOTHING_THERE:
        assert isinstance(outcome, ep.NotRegistered)
        assert sandbox.registrations == []
    else:
        assert_registered_once(sandbox, outcome)
        assert len(sandbox.registrations) == 1


@pytest.mark.parametrize("name", sorted(set(FAULTS) - set(BAD_DAYS)))
def test_a_bad_day_of_the_collector(name: str, sandbox: Sandbox) -> None:
    script_fault(sandbox, name, times=2)
    assert sandbox.pending_faults == 2
    for _ in range(2):
        request = Request(f"{sandbox.collector_url}/AuditEvent", data=b"{}")  # noqa: S310
        with pytest.raises(HTTPError) as caught:
            urlopen(request, timeout=5)  # noqa: S310  (loopback)
        caught.value.close()
        assert caught.value.code == (503 if name == "collector-unavailable" else 422)
    assert sandbox.pending_faults == 0

"""A minter that repeats itself must not touch what became of another prescription."""

from pathlib import Path

import pytest

import eprescription_sdk as ep
from eprescription_sdk.ledger import State, find
from eprescription_sdk.sandbox import (
    CommitThenDrop,
    DropBeforeCommit,
    Operation,
    Sandbox,
    StaleConsult,
)
from eprescription_sdk.testing import (
    sample_prescription,
    sandbox_practitioner,
    sandbox_settings,
)
from tests.client.harness import world

NUMBER = ep.PrescriptionNumber("FAKETWICE")


class Repeating:
    """Gives the same number for ever, as a counter restored from a backup would."""

    simulated = True

    def mint(self, prescription: ep.Prescription) -> ep.PrescriptionNumber:
        return NUMBER


def test_the_first_prescription_stays_as_it_was(tmp_path: Path) -> None:
    with Sandbox(scale=0.05) as sandbox:
        settings = sandbox_settings(sandbox, tmp_path / "store.db")
        with ep.Client(settings, minter=Repeating()) as client:
            doctor = client.acting_as(sandbox_practitioner(sandbox))
            sandbox.script(Operation.CREATE, DropBeforeCommit())
            assert isinstance(doctor.create(sample_prescription()), ep.Uncertain)
            calls = len(sandbox.calls)
            with pytest.raises(ep.ConfigurationError) as caught:
                doctor.create(sample_prescription())
            assert caught.value.path == "minter"
            assert NUMBER.value not in str(caught.value)
            assert len(sandbox.calls) == calls
            entry = client.store.write(lambda tx: find(tx, number=NUMBER))
            assert entry is not None
            assert entry.state is State.UNCERTAIN


def test_a_promise_that_the_service_breaks_is_noticed(
    side: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The profile says that numbers are unique, and they are not: law 1 rests on its word."""
    with world(tmp_path, side, unique=False, trusted_unique=True) as stage:
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        stage.sandbox.script(Operation.CONSULT, StaleConsult(8))
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        assert stage.sandbox.count(outcome.number.value) == 2
        assert "number_twice" not in caplog.text

        found = stage.side.search(ep.SearchQuery(prescriber=stage.who.rpps))
        assert [each.number for each in found] == [outcome.number] * 2
        assert "service.number_twice" in caplog.text
        # From now on only a consult settles.
        stage.sandbox.script(Operation.CREATE, DropBeforeCommit())
        doubtful = stage.side.create(sample_prescription())
        assert isinstance(doubtful, ep.Uncertain)
        assert [each.operation for each in doubtful.attempts].count("create") == 1


def test_a_codec_that_cannot_ask_leaves_it_uncertain(tmp_path: Path) -> None:
    class Mute(ep.ReferenceCodec):
        def encode_consult(self, number: ep.PrescriptionNumber) -> bytes:
            raise RuntimeError

    with Sandbox(scale=0.05) as sandbox:
        settings = sandbox_settings(sandbox, tmp_path / "store.db")
        with ep.Client(settings, codec=Mute()) as client:
            doctor = client.acting_as(sandbox_practitioner(sandbox))
            sandbox.script(Operation.CREATE, DropBeforeCommit())
            assert isinstance(doctor.create(sample_prescription()), ep.Uncertain)

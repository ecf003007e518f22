"""A minter that repeats itself must not touch what became of another prescription."""

from pathlib import Path

import pytest

import eprescription_sdk as ep
from eprescription_sdk.ledger import State, find
from eprescription_sdk.sandbox import DropBeforeCommit, Operation, Sandbox
from eprescription_sdk.testing import (
    sample_prescription,
    sandbox_practitioner,
    sandbox_settings,
)

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

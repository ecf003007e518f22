"""What a platform's tests hold to must itself be able to fail."""

from pathlib import Path

import pytest

import eprescription_sdk as ep
from eprescription_sdk.sandbox import FaultCode, Operation, Sandbox
from eprescription_sdk.testing import (
    assert_registered_once,
    sample_prescription,
    sandbox_practitioner,
    sandbox_settings,
)


def test_registered_once_holds_and_fails(tmp_path: Path) -> None:
    with Sandbox(scale=0.05) as sandbox, Sandbox(scale=0.05) as elsewhere:
        with ep.Client(sandbox_settings(sandbox, tmp_path / "store.db")) as client:
            doctor = client.acting_as(sandbox_practitioner(sandbox))
            done = doctor.create(sample_prescription())
            sandbox.script(Operation.CREATE, FaultCode("sdkref_invalid", sender=True))
            refused = doctor.create(sample_prescription())
        assert_registered_once(sandbox, done)
        with pytest.raises(AssertionError, match="0 times"):
            assert_registered_once(elsewhere, done)
        with pytest.raises(AssertionError, match="NotRegistered"):
            assert_registered_once(sandbox, refused)

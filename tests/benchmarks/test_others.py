"""The smaller benchmarks run with tiny sizes and say their rows."""

import subprocess
import sys

import pytest

from benchmarks import assessment, envelope, fhir_forms, importing


def test_an_import_is_timed_in_an_interpreter_of_its_own() -> None:
    measured = importing.measure(1)
    assert set(measured) == {importing.OURS, importing.CLIENT, importing.THEIRS}
    # The client comes with far more than the name of the package.
    assert 0 < measured[importing.OURS] < measured[importing.CLIENT]
    with pytest.raises(subprocess.CalledProcessError):
        importing.seconds("import no_such_module")


def test_envelopes(capsys: pytest.CaptureFixture[str]) -> None:
    envelope.main(2, 2)
    assert _rows(capsys) == 1


def test_forms_of_fhir(capsys: pytest.CaptureFixture[str]) -> None:
    fhir_forms.main(1)
    assert _rows(capsys) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a process's peak memory.")
def test_assessments(capsys: pytest.CaptureFixture[str]) -> None:
    assessment.main([200, 400])
    assert _rows(capsys) == 2


def _rows(capsys: pytest.CaptureFixture[str]) -> int:
    return sum(line.startswith("| ") for line in capsys.readouterr().out.splitlines())

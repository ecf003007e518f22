"""What a pharmacy sees of what the client really sends: every example prescription."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import eprescription_sdk as ep
from eprescription_sdk.sandbox import Sandbox, Scan, SeenPrescription
from eprescription_sdk.testing import sandbox_practitioner, sandbox_settings
from tests.processes import ROOT

EXAMPLES = sorted((ROOT / "examples" / "prescriptions").glob("*.json"))


class Desk:
    """A practice and a pharmacy, on one sandbox."""

    def __init__(self, sandbox: Sandbox, client: ep.Client) -> None:
        self.sandbox = sandbox
        self.client = client

    def printed(self, file: Path) -> tuple[ep.Prescription, bytes]:
        """A prescription that was registered, and the picture of its code."""
        prescription = ep.prescription_from_json(json.loads(file.read_text(encoding="utf-8")))
        prescriber = prescription.prescriber
        card = sandbox_practitioner(Sandbox(), prescriber.rpps, prescriber.situation.id)
        outcome = self.client.acting_as(card).create(prescription)
        assert isinstance(outcome, ep.Registered)
        return prescription, self.client.document_block(outcome).png()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Sandbox(verify_assertions=False) as sandbox:
        settings = sandbox_settings(sandbox, tmp_path_factory.mktemp("store") / "store.db")
        with ep.Client(settings) as client:
            yield Desk(sandbox, client)


def seen(scan: Scan) -> SeenPrescription:
    assert scan.outcome == "registered"
    assert scan.prescription is not None
    return scan.prescription


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_pharmacy_reads_what_was_prescribed(file: Path, desk: Desk) -> None:
    prescription, picture = desk.printed(file)
    found = seen(desk.sandbox.scan(picture))
    patient = prescription.patient
    assert isinstance(patient, ep.Patient)
    assert found.patient == f"{patient.given_name} {patient.family_name}"
    assert found.born == f"{patient.birth_date:%d/%m/%Y}"
    assert found.rpps == prescription.prescriber.rpps.value
    assert prescription.prescriber.family_name in found.prescriber
    assert found.number == desk.sandbox.registrations[-1].number
    assert len(found.flags) == len(prescription.flags)
    assert [line.label for line in found.lines] == [line.label for line in prescription.lines]
    for line, shown in zip(prescription.lines, found.lines, strict=True):
        if line.text is not None:
            assert shown.words == line.text
        for coding in line.codes:
            assert f"code {coding.code}" in shown.details
        if isinstance(line, ep.MedicationLine) and line.substitution is not None:
            refused = any("non substituable" in each for each in shown.details)
            assert refused is not line.substitution.allowed
        if isinstance(line, (ep.MedicationLine, ep.DeviceLine)) and line.renewals:
            assert f"à renouveler {line.renewals} fois" in shown.details


def test_nothing_shows_in_a_repr(desk: Desk) -> None:
    prescription, picture = desk.printed(EXAMPLES[0])
    scan = desk.sandbox.scan(picture)
    patient = prescription.patient
    assert isinstance(patient, ep.Patient)
    for shown in (repr(scan), repr(scan.prescription), repr(seen(scan).lines)):
        for secret in (patient.family_name, prescription.lines[0].label, seen(scan).number):
            assert secret not in shown


def test_a_number_that_is_not_registered_dispenses_nothing(desk: Desk, tmp_path: Path) -> None:
    _, picture = desk.printed(EXAMPLES[0])
    file = tmp_path / "document.png"
    file.write_bytes(picture)
    elsewhere = Sandbox()
    scan = elsewhere.scan(file)
    assert (scan.outcome, scan.prescription) == ("unknown", None)
    assert "ne peut rien délivrer" in scan.text_fr
    assert seen(desk.sandbox.scan(file)).number not in scan.text_fr
    assert desk.sandbox.scan(b"no picture").outcome == "not_a_picture"

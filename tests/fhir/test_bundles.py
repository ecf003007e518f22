"""A prescription to FHIR and back, in both forms of FHIR."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs
import fhirkit
import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import HealthCheck, given, settings

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.fhir import (
    from_xml,
    number_from_fhir,
    prescription_from_fhir,
    prescription_to_fhir,
    to_xml,
)
from eprescription_sdk.model.lines import (
    LINE_TYPES,
    BiologyLine,
    ImagingLine,
    Line,
    MedicationLine,
    NursingLine,
)
from eprescription_sdk.model.people import AnonymousPatient
from eprescription_sdk.model.posology import Dosage, Quantity
from eprescription_sdk.model.prescription import ExecutionReading, Prescription
from eprescription_sdk.xml import child, parse
from tests.model import samples
from tests.model.strategies import full_line, prescriptions

PRESCRIPTIONS = {
    **{path.stem: samples.example(path) for path in samples.EXAMPLES},
    "every-field": samples.EVERY_FIELD,
}
every_prescription = pytest.mark.parametrize(
    "prescription", PRESCRIPTIONS.values(), ids=PRESCRIPTIONS.keys()
)
RENDERED = (
    "http://hl7.org/fhir/5.0/StructureDefinition/"
    "extension-MedicationRequest.renderedDosageInstruction"
)


def as_carried(prescription: Prescription) -> Prescription:
    """The prescription without what is the host's."""
    return attrs.evolve(prescription, reference=None, act=None, corrects=None)


def requests(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    resources = [entry["resource"] for entry in bundle["entry"]]
    return [each for each in resources if each["resourceType"].endswith("Request")]


def only(*lines: Line) -> Prescription:
    return attrs.evolve(samples.prescription(), lines=lines)


@every_prescription
def test_a_sent_document_says_everything(prescription: Prescription) -> None:
    sent = prescription_to_fhir(prescription, number=samples.NUMBER)
    received = json.loads(json.dumps(sent))
    assert prescription_from_fhir(received) == as_carried(prescription)
    assert number_from_fhir(received) == samples.NUMBER


@every_prescription
def test_requests_alone_say_the_lines(prescription: Prescription) -> None:
    bundle = prescription_to_fhir(prescription)
    assert number_from_fhir(bundle) is None
    assert prescription_from_fhir(
        json.loads(json.dumps(bundle)),
        prescriber=prescription.prescriber,
        patient=prescription.patient,
        execution_reading=prescription.execution_reading,
    ) == as_carried(prescription)


@every_prescription
def test_xml_says_the_same(prescription: Prescription) -> None:
    sent = prescription_to_fhir(prescription, number=samples.NUMBER)
    received = from_xml(to_xml(sent).encode())
    assert received == sent
    assert prescription_from_fhir(received) == as_carried(prescription)


def accepted_elsewhere(prescription: Prescription) -> None:
    for number in (None, samples.NUMBER):
        bundle = prescription_to_fhir(prescription, number=number)
        text = json.dumps(bundle)
        Bundle.model_validate_json(text)
        Bundle.model_validate_xml(to_xml(bundle).encode())
        assert [str(issue) for issue in fhirkit.parse(text).issues] == []
        assert fhirkit.parse(text).to_dict() == json.loads(text, parse_float=Decimal)


@every_prescription
def test_other_readers_of_fhir_accept_it(prescription: Prescription) -> None:
    accepted_elsewhere(prescription)


@pytest.mark.parametrize("kind", LINE_TYPES, ids=lambda kind: kind.__name__)
def test_other_readers_accept_every_family(kind: type[Line]) -> None:
    accepted_elsewhere(only(full_line(kind), kind(label="A", text="B")))


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(prescriptions())
def test_other_readers_accept_whatever_is_valid(prescription: Prescription) -> None:
    accepted_elsewhere(prescription)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(prescriptions())
def test_whatever_is_valid_comes_back(prescription: Prescription) -> None:
    sent = prescription_to_fhir(prescription, number=samples.NUMBER)
    received = from_xml(to_xml(sent).encode())
    assert received == sent == json.loads(json.dumps(sent))
    assert prescription_from_fhir(received) == as_carried(prescription)
    assert prescription_from_fhir(
        prescription_to_fhir(prescription),
        prescriber=prescription.prescriber,
        patient=prescription.patient,
        execution_reading=prescription.execution_reading,
    ) == as_carried(prescription)


@every_prescription
def test_what_the_wire_relies_on(prescription: Prescription) -> None:
    bundle = prescription_to_fhir(prescription, number=samples.NUMBER)
    assert bundle["type"] == "collection"
    assert prescription.document_type
    assert bundle["meta"]["tag"][0] == {
        "system": "urn:oid:1.2.250.1.213.1.1.4.12",
        "code": prescription.document_type.value,
    }
    assert bundle["entry"][0]["resource"] is requests(bundle)[0]
    assert len(requests(bundle)) == len(prescription.lines)
    for request in requests(bundle):
        service = request["resourceType"] == "ServiceRequest"
        assert request["requisition" if service else "groupIdentifier"] == {
            "system": "urn:oid:1.2.250.1.215.500.1.1",
            "value": samples.NUMBER.value,
        }
        assert request["requester"]["identifier"] == {
            "system": "https://rpps.esante.gouv.fr",
            "value": prescription.prescriber.rpps.value,
        }
        assert request["subject"]["identifier"] == {
            "system": "urn:oid:1.2.250.1.213.1.4.10",
            "value": prescription.patient.ins.value,
        }
        assert request["authoredOn"] == prescription.issued_at.isoformat()  # type: ignore[union-attr]


@every_prescription
def test_medicines_follow_the_national_profile(prescription: Prescription) -> None:
    for line, request in zip(
        prescription.lines, requests(prescription_to_fhir(prescription)), strict=True
    ):
        if isinstance(line, MedicationLine):
            assert request["dosageInstruction"]
            assert not any("patientInstruction" in each for each in request["dosageInstruction"])
            assert request["extension"][0] == {"url": RENDERED, "valueMarkdown": line.text}


def test_what_is_the_hosts_stays_out() -> None:
    prescription = attrs.evolve(
        samples.EVERY_FIELD, reference="CANARI-1", act="CANARI-2", corrects=samples.NUMBER
    )
    for number in (None, samples.NUMBER):
        written = json.dumps(prescription_to_fhir(prescription, number=number))
        assert "CANARI" not in written
        assert ("SPECIMEN1" in written) is (number is not None)


def test_xml_elements_follow_the_standard() -> None:
    bundle = prescription_to_fhir(samples.EVERY_FIELD, number=samples.NUMBER)
    space = "http://hl7.org/fhir"
    entry = child(parse(to_xml(bundle).encode()), space, "entry")
    assert entry is not None
    resource = child(entry, space, "resource")
    assert resource is not None
    assert [each.tag.removeprefix(f"{{{space}}}") for each in resource[0]] == [
        "extension", "extension", "extension", "status", "intent", "medicationCodeableConcept",
        "subject", "authoredOn", "requester", "groupIdentifier", "note", "dosageInstruction",
        "dosageInstruction", "dispenseRequest", "substitution",
    ]  # fmt: skip


def test_numbers_are_exact() -> None:
    for text in ("0.1", "0.75", "1000000", "0.000001", "123456789.123456"):
        dose = Quantity(value=Decimal(text), unit="mg")
        prescription = only(MedicationLine(label="A", text="B", dosage=(Dosage(dose=dose),)))
        sent = prescription_to_fhir(prescription, number=samples.NUMBER)
        for received in (json.loads(json.dumps(sent)), from_xml(to_xml(sent).encode())):
            (line,) = prescription_from_fhir(received).lines
            assert isinstance(line, MedicationLine)
            assert line.dosage[0].dose == dose


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1.23456789012345678901", "1E+400"])
def test_a_number_that_cannot_be_said_exactly_is_refused(value: str) -> None:
    dose = Quantity(value=Decimal(value), unit="mg")
    with pytest.raises(InvalidInput):
        prescription_to_fhir(only(MedicationLine(label="A", text="B", quantity=dose)))


def test_a_time_of_issue_is_needed() -> None:
    with pytest.raises(InvalidInput) as caught:
        prescription_to_fhir(attrs.evolve(samples.prescription(), issued_at=None))
    assert caught.value.path == "issued_at"
    naive = attrs.evolve(
        samples.prescription(),
        issued_at=datetime(2026, 3, 1),  # noqa: DTZ001  (the fault under test)
    )
    with pytest.raises(InvalidInput):
        prescription_to_fhir(naive)


def test_what_is_never_sent_is_never_written() -> None:
    anonymous = attrs.evolve(samples.prescription(), patient=AnonymousPatient())
    with pytest.raises(InvalidInput) as caught:
        prescription_to_fhir(anonymous)
    assert caught.value.path == "patient"
    mixed = only(MedicationLine(label="A", text="B"), ImagingLine(label="A", text="B"))
    with pytest.raises(InvalidInput, match="imaging and patient transport") as caught:
        prescription_to_fhir(mixed)
    assert caught.value.path == "lines[1]"


def test_control_characters_are_refused() -> None:
    for line in (
        MedicationLine(label="a\x00", text="b"),
        MedicationLine(label="a", text="b\x1f"),
        NursingLine(label="a", text="b", site="\ud800"),
        BiologyLine(label="a", text="b", note="\uffff"),
    ):
        bundle = prescription_to_fhir(only(line))
        with pytest.raises(InvalidInput) as caught:
            to_xml(bundle)
        assert caught.value.findings[0][0].startswith("$.entry[0].resource.")


def test_hostile_text_is_escaped() -> None:
    text = "</valueMarkdown><x/> &lt; \" ' \r\n\t <!-- ]]> é 💊"
    prescription = only(MedicationLine(label=text, text=text, note=text))
    received = from_xml(to_xml(prescription_to_fhir(prescription, number=samples.NUMBER)).encode())
    assert prescription_from_fhir(received) == prescription


@pytest.mark.parametrize(
    "dosage",
    [
        Dosage(),
        Dosage(text="B"),
        Dosage(text="C"),
        Dosage(sequence=3),
        Dosage(as_needed=True),
        Dosage(dose=samples.TABLET, dose_high=samples.TABLET),
    ],
)
@pytest.mark.parametrize("times", [0, 1, 2])
def test_sparse_dosages_come_back(dosage: Dosage, times: int) -> None:
    prescription = only(MedicationLine(label="A", text="B", dosage=(dosage,) * times))
    bundle = prescription_to_fhir(prescription, number=samples.NUMBER)
    assert prescription_from_fhir(bundle) == prescription
    assert all(requests(bundle)[0]["dosageInstruction"])


def test_the_patients_choice_is_never_assumed() -> None:
    bundle = prescription_to_fhir(samples.EVERY_FIELD, number=samples.NUMBER)
    del bundle["meta"]["extension"]
    with pytest.raises(InvalidInput, match="execution reading"):
        prescription_from_fhir(bundle)
    read = prescription_from_fhir(bundle, execution_reading=ExecutionReading.OPPOSED)
    assert read.execution_reading is ExecutionReading.OPPOSED


SENT = prescription_to_fhir(samples.EVERY_FIELD, number=samples.NUMBER)
FLAG = {"system": "urn:oid:1.2.250.1.213.1.1.4.322", "code": "MED-0"}


def resource(bundle: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind
    )
    return found


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda b: b["meta"]["tag"].append(FLAG), "$.meta.tag"),
        (lambda b: b["meta"]["extension"].pop(0), "$.meta.extension"),
        (
            lambda b: b["meta"]["extension"][1].update(valueIdentifier={"use": "usual"}),
            "$.meta.extension",
        ),
        (lambda b: b["entry"].pop(2), "$.entry"),
        (lambda b: b["entry"].pop(3), "$.entry"),
        (lambda b: resource(b, "Patient").pop("gender"), "$.entry[2].resource"),
        (lambda b: resource(b, "Patient").update(birthDate="1979"), "$.entry[2].resource"),
        (lambda b: resource(b, "Practitioner").pop("extension"), "$.entry[3].resource"),
        (lambda b: resource(b, "Practitioner").update(identifier=[{}]), "$.entry[3].resource"),
        (
            lambda b: resource(b, "DeviceRequest")["extension"][-1]["valueCoding"].update(code="X"),
            "$.entry[1].resource.extension[7]",
        ),
    ],
)
def test_a_damaged_document_is_refused_with_its_path(
    change: Callable[[Any], object], path: str
) -> None:
    bundle = json.loads(json.dumps(SENT))
    change(bundle)
    with pytest.raises(InvalidInput) as caught:
        prescription_from_fhir(bundle)
    assert caught.value.findings[0][0].startswith(path)
    assert samples.PATIENT.ins.value not in str(caught.value)


@pytest.mark.parametrize(
    ("element", "words", "said"),
    [
        ("category", None, "no single document type"),
        ("category", "Imagerie médicale", "looks like imaging"),
        ("code", "Radiographie du poignet", "looks like imaging"),
        ("code", "Échographie abdominale", "looks like imaging"),
        ("code", "Transport en ambulance", "looks like patient transport"),
    ],
)
def test_an_act_outside_the_perimeter_is_refused_with_the_reason(
    element: str, words: str | None, said: str
) -> None:
    bundle = prescription_to_fhir(only(NursingLine(label="A", text="B")), number=samples.NUMBER)
    act = resource(bundle, "ServiceRequest")
    del act["category"]
    if words and element == "code":
        act["code"] = {"coding": [{"display": words}]}
    elif words:
        act["category"] = [{"text": words}]
    with pytest.raises(InvalidInput) as caught:
        prescription_from_fhir(bundle)
    ((path, sentence),) = caught.value.findings
    assert path == "$.entry[0].resource.category"
    assert said in sentence
    assert "imaging acts and patient transport are outside it" in sentence


def test_two_numbers_in_a_bundle_are_refused() -> None:
    bundle = json.loads(json.dumps(SENT))
    bundle["entry"][1]["resource"]["groupIdentifier"]["value"] = "OTHER"
    with pytest.raises(InvalidInput, match="several prescription numbers"):
        number_from_fhir(bundle)

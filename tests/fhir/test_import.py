"""Foreign Bundles: what is read, what is kept, what is refused."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.fhir import from_xml, prescription_from_fhir, prescription_to_fhir, to_xml
from eprescription_sdk.model.identifiers import Ins, InsOid
from eprescription_sdk.model.json_form import prescription_from_json, prescription_to_json
from eprescription_sdk.model.lines import MedicationLine
from eprescription_sdk.model.posology import Quantity
from eprescription_sdk.model.prescription import ExecutionReading, Prescription
from eprescription_sdk.model.problems import Level
from tests.model import samples

UCUM = "http://unitsofmeasure.org"
SOURCE: dict[str, Any] = {
    "resourceType": "Bundle",
    "id": "source",
    "type": "searchset",
    "entry": [
        {
            "resource": {
                "resourceType": "MedicationRequest",
                "id": "request-1",
                "contained": [
                    {"resourceType": "Medication", "id": "m", "code": {"text": "Préparation"}}
                ],
                "extension": [
                    {"url": "https://example.org/first", "valueBoolean": True},
                    {
                        "url": "http://hl7.org/fhir/5.0/StructureDefinition/"
                        "extension-MedicationRequest.renderedDosageInstruction",
                        "valueMarkdown": "2 mL par heure pendant 20 minutes",
                    },
                    {"url": "https://example.org/last", "valueDecimal": 0.1},
                ],
                "status": "draft",
                "_status": {"extension": [{"url": "https://example.org/why", "valueCode": "x"}]},
                "intent": "option",
                "category": [{"text": "ville"}],
                "priority": "routine",
                "medicationReference": {"reference": "#m"},
                "subject": {"reference": "Patient/1", "display": "quelqu'un"},
                "authoredOn": "2026-03-01T09:30:00Z",
                "requester": {"reference": "Practitioner/1"},
                "reasonCode": [{"text": "otite"}],
                "groupIdentifier": {"system": "https://example.org/groups", "value": "7"},
                "note": [{"text": "un"}, {"text": "deux", "time": "2026-03-01"}],
                "dosageInstruction": [
                    {
                        "text": "perfusion",
                        "patientInstruction": "au calme",
                        "timing": {
                            "event": ["2026-03-02"],
                            "repeat": {
                                "boundsPeriod": {"start": "2026-03-01"},
                                "count": 3,
                                "duration": 20,
                                "durationUnit": "min",
                                "frequency": 1,
                                "period": 1,
                                "periodMax": 2,
                                "periodUnit": "d",
                                "when": ["MORN", "IMD"],
                            },
                            "code": {"text": "BID"},
                        },
                        "asNeededBoolean": False,
                        "site": {"text": "bras"},
                        "method": {"text": "lente"},
                        "doseAndRate": [
                            {
                                "type": {"text": "calculée"},
                                "doseQuantity": {"value": 2.5, "unit": "mL"},
                                "rateQuantity": {"value": 2, "unit": "mL/h"},
                            }
                        ],
                        "maxDosePerLifetime": {"value": 7, "unit": "mL"},
                    },
                    {
                        "doseAndRate": [{"doseQuantity": {"value": 5, "comparator": "<"}}],
                        "maxDosePerPeriod": {
                            "numerator": {"value": 4, "unit": "mL"},
                            "denominator": {
                                "value": 1,
                                "unit": "Jour",
                                "system": UCUM,
                                "code": "d",
                            },
                        },
                    },
                ],
                "dispenseRequest": {
                    "validityPeriod": {"end": "2026-06-01"},
                    "numberOfRepeatsAllowed": 0,
                    "quantity": {"value": 1, "unit": "boîte"},
                },
                "substitution": {"allowedBoolean": False, "reason": {"text": "choix"}},
            }
        }
    ],
}


def imported(bundle: Any, **changes: Any) -> Prescription:
    people = {
        "prescriber": samples.PRESCRIBER,
        "patient": samples.PATIENT,
        "execution_reading": ExecutionReading.AGREED,
    }
    return prescription_from_fhir(bundle, **{**people, **changes})


def changed(change: Callable[[Any], object]) -> Any:
    bundle = deepcopy(SOURCE)
    change(bundle["entry"][0]["resource"])
    return bundle


def resources(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"]]


def test_an_untouched_import_comes_out_as_it_went_in() -> None:
    prescription = imported(SOURCE)
    assert resources(prescription_to_fhir(prescription)) == resources(SOURCE)
    stored = prescription_from_json(json.loads(json.dumps(prescription_to_json(prescription))))
    assert stored == prescription
    assert resources(prescription_to_fhir(stored)) == resources(SOURCE)


def test_extensions_stay_in_their_order() -> None:
    urls = [
        each["url"] for each in resources(prescription_to_fhir(imported(SOURCE)))[0]["extension"]
    ]
    assert urls == [each["url"] for each in resources(SOURCE)[0]["extension"]]


def test_the_import_does_not_change_its_source() -> None:
    source = deepcopy(SOURCE)
    imported(source)
    assert source == SOURCE


def test_what_the_model_reads() -> None:
    prescription = imported(SOURCE)
    (line,) = prescription.lines
    assert isinstance(line, MedicationLine)
    assert line.label == "Préparation"
    assert line.text == "2 mL par heure pendant 20 minutes"
    first, second = line.dosage
    assert first.dose == Quantity(value=Decimal("2.5"), unit="mL")
    assert first.moments == (), "half a list of moments would be another posology"
    assert second.dose is None, "a bound is no dose"
    assert line.substitution
    assert not line.substitution.allowed


def test_the_sent_form_speaks_for_the_host() -> None:
    sent = prescription_to_fhir(imported(SOURCE), number=samples.NUMBER)
    (request, *_) = resources(sent)
    assert request["status"] == "active"
    assert request["groupIdentifier"]["value"] == samples.NUMBER.value
    assert request["requester"]["identifier"]["value"] == samples.PRESCRIBER.rpps.value
    assert request["subject"]["identifier"]["value"] == samples.PATIENT.ins.value
    assert "reference" not in request["subject"]
    assert request["dosageInstruction"] == resources(SOURCE)[0]["dosageInstruction"]
    assert from_xml(to_xml(sent).encode()) == sent


def test_a_change_in_the_model_is_never_hidden_by_the_source() -> None:
    prescription = imported(SOURCE)
    (line,) = prescription.lines
    assert isinstance(line, MedicationLine)
    dose = Quantity(value=Decimal(3), unit="mL")
    first = attrs.evolve(line.dosage[0], dose=dose, frequency=2)
    edited = attrs.evolve(
        line, label="Autre", text="Autrement", dosage=(first, line.dosage[1]), renewals=1
    )
    (request,) = resources(prescription_to_fhir(attrs.evolve(prescription, lines=[edited])))
    assert request["medicationCodeableConcept"] == {"text": "Autre"}
    assert [each.get("valueMarkdown") for each in request["extension"]] == ["Autrement", None, None]
    assert request["dispenseRequest"]["numberOfRepeatsAllowed"] == 1
    assert request["dispenseRequest"]["validityPeriod"] == {"end": "2026-06-01"}
    written = request["dosageInstruction"][0]
    assert written["doseAndRate"][0]["doseQuantity"] == {"value": 3, "unit": "mL"}
    assert written["doseAndRate"][0]["rateQuantity"] == {"value": 2, "unit": "mL/h"}
    assert written["timing"]["repeat"]["frequency"] == 2
    assert written["timing"]["repeat"]["count"] == 3
    assert request["dosageInstruction"][1] == resources(SOURCE)[0]["dosageInstruction"][1]


def test_lines_copied_to_another_patient_leave_the_first_one_behind() -> None:
    source = changed(
        lambda r: r.update(
            subject={
                "identifier": {
                    "system": f"urn:oid:{samples.PATIENT.ins.oid.value}",
                    "value": samples.PATIENT.ins.value,
                }
            }
        )
    )
    lines = imported(source).lines
    other = attrs.evolve(samples.PATIENT, ins=Ins("158114421700957", InsOid.TEST))
    copied = attrs.evolve(imported(SOURCE), patient=other, lines=lines)
    assert samples.PATIENT.ins.value not in json.dumps(prescription_to_fhir(copied))


def test_a_medication_of_its_own_entry_stays_with_the_line() -> None:
    bundle = changed(lambda r: r.update(medicationReference={"reference": "urn:uuid:1"}))
    medication = {"resourceType": "Medication", "code": {"coding": [{"display": "Perfusion"}]}}
    bundle["entry"].append({"fullUrl": "urn:uuid:1", "resource": medication})
    prescription = imported(bundle)
    assert prescription.lines[0].label == "Perfusion"
    assert prescription_to_fhir(prescription)["entry"] == bundle["entry"]


def test_entries_that_are_no_requests_are_left_aside() -> None:
    bundle = deepcopy(SOURCE)
    bundle["entry"].append({"resource": {"resourceType": "Patient", "id": "1"}})
    assert imported(bundle) == imported(SOURCE)


def test_a_day_without_a_time_is_no_time_of_issue() -> None:
    bundle = changed(lambda r: r.update(authoredOn="2026-03-01"))
    prescription = imported(bundle)
    assert prescription.issued_at is None
    assert resources(prescription_to_fhir(prescription)) == resources(bundle)
    with pytest.raises(InvalidInput):
        prescription_to_fhir(prescription, number=samples.NUMBER)


def refused(bundle: Any, **changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        imported(bundle, **changes)
    return list(caught.value.findings)


R = "$.entry[0].resource"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda r: r.update(unknown=1), R),
        (lambda r: r.update(status=1), f"{R}.status"),
        (lambda r: r.update(note={}), f"{R}.note"),
        (lambda r: r.update(note=[]), f"{R}.note"),
        (lambda r: r.update(subject={}), f"{R}.subject"),
        (lambda r: r.update(subject=None), f"{R}.subject"),
        (lambda r: r["extension"][0].pop("url"), f"{R}.extension[0]"),
        (lambda r: r["note"][1].update(text="\x00"), f"{R}.note[1].text"),
        (lambda r: r["contained"].append({"resourceType": "Nothing"}), f"{R}.contained[1]"),
        (lambda r: r.update(resourceType="Nothing"), R),
        (
            lambda r: r["dosageInstruction"][1]["doseAndRate"][0]["doseQuantity"].update(value="5"),
            f"{R}.dosageInstruction[1].doseAndRate[0].doseQuantity.value",
        ),
        (
            lambda r: r["dosageInstruction"][0]["timing"]["repeat"].update(frequency=1.5),
            f"{R}.dosageInstruction[0].timing.repeat.frequency",
        ),
    ],
)
def test_malformed_sources_are_refused_with_the_path(
    change: Callable[[Any], object], path: str
) -> None:
    assert [where for where, _ in refused(changed(change))] == [path]


def test_a_number_that_json_cannot_carry_is_refused_with_its_path() -> None:
    dose = {"value": Decimal("0.30000000000000000001"), "unit": "mL"}
    for place in ({"doseQuantity": dose}, {"rateRatio": {"numerator": dose}}):
        bundle = deepcopy(SOURCE)
        resources(bundle)[0]["dosageInstruction"][1]["doseAndRate"] = [place]
        ((path, sentence),) = refused(bundle)
        assert path == R
        assert "digits" in sentence


@pytest.mark.parametrize("bundle", [None, [], 1, {}, {"resourceType": "Patient"}])
def test_what_is_no_bundle_is_refused(bundle: Any) -> None:
    assert [where for where, _ in refused(bundle)] == ["$"]


def test_a_source_for_somebody_else_is_refused() -> None:
    subject = {"identifier": {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "2" * 15}}
    assert refused(changed(lambda r: r.update(subject=subject)))[0][0] == f"{R}.subject"
    two = deepcopy(SOURCE)
    two["entry"].append(deepcopy(two["entry"][0]))
    assert len(imported(two).lines) == 2
    two["entry"][1]["resource"]["subject"] = {"reference": "Patient/2"}
    assert refused(two)[0][0] == "$.entry[1].resource.subject"


@pytest.mark.parametrize(
    ("kind", "element"), [("MedicationRequest", "doNotPerform"), ("ServiceRequest", "doNotPerform")]
)
def test_an_order_not_to_is_kept_but_never_prescribed(kind: str, element: str) -> None:
    bundle = prescription_to_fhir(
        samples.example(
            next(
                path
                for path in samples.EXAMPLES
                if path.stem.startswith("kine" if kind == "ServiceRequest" else "paracetamol")
            )
        )
    )
    bundle["entry"][0]["resource"][element] = True
    prescription = prescription_from_fhir(
        bundle, prescriber=samples.PRESCRIBER, patient=patient_of(bundle)
    )
    assert [problem.code for problem in prescription.problems()] == ["RX-MODIFIER"]
    assert resources(prescription_to_fhir(prescription)) == resources(bundle)


def patient_of(bundle: dict[str, Any]) -> Any:
    value = bundle["entry"][0]["resource"]["subject"]["identifier"]["value"]
    return attrs.evolve(samples.PATIENT, ins=Ins(value, InsOid.TEST))


# --- Any mutation is refused, or comes out as it went in --------------------------------------

VALUES = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=4)
    | st.sampled_from([0.5, [], {}, [{}], [None], {"text": "x"}, [{"text": "x"}], "a\x00"])
)  # fmt: skip


def places(data: Any) -> list[tuple[Any, Any]]:
    keys = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    return [place for key in keys for place in [(data, key), *places(data[key])]]


def without_text(resource: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key != "text"}


@given(data=st.data(), value=VALUES, remove=st.booleans())
def test_any_mutation_is_refused_or_comes_back(
    data: st.DataObject, value: Any, remove: bool
) -> None:
    bundle = deepcopy(SOURCE)
    holder, key = data.draw(st.sampled_from(places(bundle)))
    if remove:
        del holder[key]
    else:
        holder[key] = value
    prescription = None
    findings: Sequence[tuple[str, str]] = ()
    try:
        prescription = imported(bundle)
    except InvalidInput as error:
        findings = error.findings
    if prescription is None:
        assert findings
        assert all(path.startswith("$") for path, _ in findings)
        return
    prescription.problems()
    out = prescription_to_fhir(prescription)
    assert resources(out) == [without_text(each) for each in resources(bundle)]
    assert from_xml(to_xml(out).encode()) == out


@pytest.mark.conformance
def test_conformance_prescriptions_come_out_as_they_went_in(conformance_dir: Path) -> None:
    paths = sorted((conformance_dir / "has").glob("*.json"))
    assert paths
    for path in paths:
        bundle = json.loads(path.read_text(encoding="utf-8"))
        prescription = imported(bundle)
        problems = prescription.problems()
        assert all(problem.level is Level.WARNING for problem in problems), path.name
        expected = [without_text(each) for each in resources(bundle)]
        assert resources(prescription_to_fhir(prescription)) == expected, path.name
        sent = prescription_to_fhir(prescription, number=samples.NUMBER)
        received = prescription_from_fhir(from_xml(to_xml(sent).encode()))
        assert prescription_to_fhir(received, number=samples.NUMBER) == sent, path.name

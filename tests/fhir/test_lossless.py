"""Whatever a MedicationRequest of the national guide may hold comes out as it went in."""

import json
from copy import deepcopy
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.fhir import from_xml, prescription_from_fhir, prescription_to_fhir, to_xml
from eprescription_sdk.model.json_form import prescription_from_json, prescription_to_json
from eprescription_sdk.model.lines import MedicationLine
from eprescription_sdk.model.posology import Dosage, Duration, Quantity, Weekday
from eprescription_sdk.model.prescription import ExecutionReading, Prescription
from eprescription_sdk.model.problems import Level
from tests.fhir.cases import CASES, CONCEPT, MEDICATION, request
from tests.model import samples
from tests.model.strategies import lines


def bundle(*requests: dict[str, Any], **more: Any) -> dict[str, Any]:
    entries = [{"resource": each} for each in requests]
    return deepcopy({"resourceType": "Bundle", "type": "searchset", "entry": entries, **more})


def imported(source: dict[str, Any]) -> Prescription:
    return prescription_from_fhir(
        source,
        prescriber=samples.PRESCRIBER,
        patient=samples.PATIENT,
        execution_reading=ExecutionReading.AGREED,
    )


def resources(source: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in source["entry"]]


def comes_back(*requests: dict[str, Any], **more: Any) -> Prescription:
    """In, through our JSON form, out again, and through XML."""
    source = bundle(*requests, **more)
    prescription = imported(source)
    stored = prescription_from_json(json.loads(json.dumps(prescription_to_json(prescription))))
    assert stored == prescription
    out = prescription_to_fhir(stored)
    assert resources(out) == [
        {name: value for name, value in each.items() if name != "text"} for each in requests
    ]
    assert from_xml(to_xml(out).encode()) == out
    assert imported(out).lines == prescription.lines
    return prescription


@pytest.mark.parametrize("source", CASES.values(), ids=CASES.keys())
def test_everything_comes_back(source: dict[str, Any]) -> None:
    comes_back(source)


@given(data=st.data())
def test_everything_together_comes_back(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(CASES)), min_size=1, max_size=6))
    whole: dict[str, Any] = {}
    for name in names:
        whole |= CASES[name]
    comes_back(whole)


@pytest.mark.parametrize("kind", ["searchset", "collection", "document", "batch", "transaction"])
def test_the_type_of_the_bundle_does_not_matter(kind: str) -> None:
    more: dict[str, Any] = {
        "type": kind,
        "id": "b",
        "identifier": {"system": "urn:b", "value": "1"},
        "timestamp": "2026-03-01T09:30:00Z",
        "total": 2,
        "link": [{"relation": "self", "url": "urn:self"}],
        "meta": {"profile": ["urn:p"], "tag": [{"system": "urn:other", "code": "t"}]},
    }
    comes_back(request(), request(id="r2"), **more)


def test_requests_of_one_group_stay_together() -> None:
    group = {"system": "urn:g", "value": "7"}
    first = request(groupIdentifier=group)
    second = request(id="r2", groupIdentifier=group, authoredOn="2026-03-02T09:30:00+01:00")
    assert len(comes_back(first, second).lines) == 2


def test_entries_of_other_types_are_left_aside() -> None:
    source = bundle(
        request(),
        {"resourceType": "Patient", "id": "1", "name": [{"family": "X"}]},
        {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]},
        {"resourceType": "Composition", "anything": "at all"},
    )
    assert imported(source) == imported(bundle(request()))


@pytest.mark.parametrize("kind", ["VisionPrescription", "NutritionOrder", "SupplyRequest"])
def test_an_order_that_is_no_line_does_not_go_unnoticed(kind: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        imported(bundle(request(), {"resourceType": kind}))
    ((path, sentence),) = caught.value.findings
    assert path == "$.entry[1].resource"
    assert "perimeter" in sentence


def test_what_is_no_resource_type_does_not_go_unnoticed() -> None:
    with pytest.raises(InvalidInput, match=r"entry\[1\]"):
        imported(bundle(request(), {"resourceType": "MedicationRequst"}))


def test_a_medication_that_two_lines_share_stands_once() -> None:
    reference = {"reference": "Medication/m"}
    ones = [
        request(id=name, medicationCodeableConcept=None, medicationReference=reference)
        for name in ("r1", "r2")
    ]
    part = {"resourceType": "Substance", "id": "s", "code": CONCEPT}
    compound = {**MEDICATION, "ingredient": [{"itemReference": {"reference": "Substance/s"}}]}
    source = bundle(*ones, compound, part)
    prescription = imported(source)
    assert [line.label for line in prescription.lines] == ["Concept", "Concept"]
    assert resources(prescription_to_fhir(prescription)) == resources(source)


# --- One patient -------------------------------------------------------------------------------

OURS = {
    "system": f"urn:oid:{samples.PATIENT.ins.oid.value}",
    "value": samples.PATIENT.ins.value,
}
THEIRS = {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "2" * 15}


@pytest.mark.parametrize("identifier", [OURS, THEIRS])
@pytest.mark.parametrize("contained", [True, False])
def test_the_patient_of_a_reference_is_looked_at(
    identifier: dict[str, Any], contained: bool
) -> None:
    person = {"resourceType": "Patient", "id": "1", "identifier": [identifier]}
    if contained:
        source = bundle(request(contained=[person], subject={"reference": "#1"}))
    else:
        source = bundle(request(), person)
    if identifier is OURS:
        assert imported(source).patient == samples.PATIENT
        return
    with pytest.raises(InvalidInput, match="INS is not that of the patient"):
        imported(source)


def test_requests_may_name_their_patient_more_or_less_fully() -> None:
    full = {"reference": "Patient/1", "identifier": OURS, "display": "X"}
    for subject in (full, {"identifier": OURS}, {"display": "X"}):
        assert len(comes_back(request(), request(subject=subject)).lines) == 2


def test_two_contained_patients_are_two_people() -> None:
    ones = [
        request(
            contained=[{"resourceType": "Patient", "id": "p", "name": [{"family": family}]}],
            subject={"reference": "#p"},
        )
        for family in ("A", "B")
    ]
    with pytest.raises(InvalidInput, match="several patients"):
        imported(bundle(*ones))


# --- The words of the prescriber ---------------------------------------------------------------


def test_no_word_is_added_to_those_of_the_prescriber() -> None:
    steps = [{"text": "d'abord un"}, {"timing": {"repeat": {"count": 1}}}, {"text": "et deux"}]
    (line,) = comes_back(request(dosageInstruction=steps)).lines
    assert line.text == "d'abord un\net deux"


def test_without_words_the_import_says_so() -> None:
    prescription = comes_back(request(dosageInstruction=[{"timing": {"repeat": {"count": 1}}}]))
    assert [(each.code, each.path) for each in prescription.problems()] == [
        ("RX-EMPTY", "lines[0].text")
    ]


# --- What the host changes is neither hidden nor contradicted ----------------------------------


def edited(source: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The first step of what comes out when it was changed after the import."""
    prescription = imported(bundle(source))
    (line,) = prescription.lines
    assert isinstance(line, MedicationLine)
    (step,) = line.dosage
    line = attrs.evolve(line, dosage=(attrs.evolve(step, **changes),))
    out = prescription_to_fhir(attrs.evolve(prescription, lines=[line]))
    assert to_xml(out)
    found: dict[str, Any] = resources(out)[0]["dosageInstruction"][0]
    return found


def test_an_edit_takes_the_other_choice_away() -> None:
    need = edited(CASES["as needed for a code"], as_needed=False)
    assert not any(name.startswith("asNeeded") for name in need)
    bounds = edited(CASES["bounds by a period"], duration=samples.DAY)
    assert bounds["timing"]["repeat"].keys() == {"boundsDuration"}
    dose = edited(CASES["at most"], dose=samples.TABLET)
    assert dose["doseAndRate"][0].keys() == {"doseQuantity"}
    ml = Quantity(value=samples.TABLET.value, unit="mL/h")
    rate = edited(CASES["a rate by a ratio"], rate=ml)
    assert rate["doseAndRate"][0].keys() == {"rateQuantity"}


def test_an_edit_takes_the_extension_of_the_old_value_away() -> None:
    source = CASES["extensions of a timing"]
    untouched = source["dosageInstruction"][0]["timing"]["repeat"]
    after = edited(source, frequency=2, moments=())["timing"]["repeat"]
    assert after["frequency"] == 2
    assert not {"_frequency", "_when", "when"} & after.keys()
    other = edited(source, days_of_week=(Weekday.MONDAY,))["timing"]["repeat"]
    assert other == {**untouched, "dayOfWeek": ["mon"]}


def test_an_edit_takes_the_code_of_the_old_timing_away() -> None:
    after = edited(CASES["timing code"], frequency=3)["timing"]
    assert after == {"repeat": {"frequency": 3}}


def test_an_edit_takes_the_high_end_of_the_old_value_away() -> None:
    over = Duration(value=samples.DAY.value, unit=samples.DAY.unit)
    after = edited(CASES["durations"], over=over)["timing"]["repeat"]
    assert after == {"duration": 1, "durationUnit": "d"}


def test_an_edit_may_leave_one_of_two_steps_and_nothing_in_it() -> None:
    source = CASES["the same step twice"]
    (line,) = imported(bundle(source)).lines
    assert isinstance(line, MedicationLine)
    emptied = Dosage(sequence=1, kept=line.dosage[0].kept)
    changed = samples.prescription(attrs.evolve(line, dosage=(emptied,)))
    out = prescription_to_fhir(changed, number=samples.NUMBER)
    assert resources(out)[0]["dosageInstruction"] == [{"sequence": 1}]
    assert from_xml(to_xml(out).encode()) == out


@given(data=st.data())
def test_whatever_is_edited_can_be_written(data: st.DataObject) -> None:
    source = CASES[data.draw(st.sampled_from(sorted(CASES)))]
    (old,) = imported(bundle(source)).lines
    line = data.draw(lines(MedicationLine))
    assert isinstance(old, MedicationLine)
    assert isinstance(line, MedicationLine)
    steps = tuple(
        attrs.evolve(new, kept=before.kept)
        for new, before in zip(line.dosage, old.dosage, strict=False)
    )
    # The words and the structure are new, what is kept is of another prescription.
    changed = attrs.evolve(line, kept=old.kept, dosage=steps)
    prescription = samples.prescription(changed)
    levels = {problem.level for problem in prescription.problems()}
    sent = prescription_to_fhir(prescription, number=samples.NUMBER)
    assert Level.ERROR in levels or from_xml(to_xml(sent).encode()) == sent
    request = resources(sent)[0]
    assert request["extension"][0]["valueMarkdown"] == line.text


def test_an_edited_label_takes_the_reference_away() -> None:
    prescription = imported(bundle(CASES["contained medication"]))
    line = attrs.evolve(prescription.lines[0], label="Autre")
    (out,) = resources(prescription_to_fhir(attrs.evolve(prescription, lines=[line])))
    assert "medicationReference" not in out
    assert out["medicationCodeableConcept"]["text"] == "Autre"

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.json_form import prescription_from_json, prescription_to_json
from eprescription_sdk.model.lines import LINE_TYPES, OUTSIDE_TYPES
from eprescription_sdk.model.people import AnonymousPatient
from eprescription_sdk.model.prescription import Prescription
from eprescription_sdk.model.problems import Level
from eprescription_sdk.wire.reference_body import ReferenceCodec
from tests.model import samples
from tests.model.strategies import full_line, prescriptions

DOCUMENT = prescription_to_json(samples.EVERY_FIELD)


def through_json(prescription: Prescription) -> Prescription:
    return prescription_from_json(json.loads(json.dumps(prescription_to_json(prescription))))


def faults(data: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        prescription_from_json(data)
    return list(caught.value.findings)


def changed(change: Callable[[Any], object]) -> Any:
    document = deepcopy(DOCUMENT)
    change(document)
    return document


def test_every_field_comes_back() -> None:
    assert through_json(samples.EVERY_FIELD) == samples.EVERY_FIELD


@pytest.mark.parametrize("path", samples.EXAMPLES, ids=lambda path: path.stem)
def test_examples_come_back(path: Path) -> None:
    prescription = samples.example(path)
    assert through_json(prescription) == prescription
    assert prescription_to_json(prescription) == json.loads(path.read_text(encoding="utf-8"))


def test_the_examples_hold_every_family() -> None:
    families = {line.family for path in samples.EXAMPLES for line in samples.example(path).lines}
    assert families == {kind.family for kind in LINE_TYPES}
    assert len(samples.EXAMPLES) >= 18


@pytest.mark.parametrize("kind", LINE_TYPES + OUTSIDE_TYPES, ids=lambda kind: kind.__name__)
def test_every_type_of_line_comes_back(kind: Any) -> None:
    full = full_line(kind) if kind in LINE_TYPES else kind(label="A", text="B", note="C")
    prescription = attrs.evolve(samples.EVERY_FIELD, lines=[full])
    assert through_json(prescription).lines == (full,)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(prescriptions())
def test_whatever_is_valid_comes_back(prescription: Prescription) -> None:
    assert not [each for each in prescription.problems() if each.level is Level.ERROR]
    assert through_json(prescription) == prescription


def test_an_anonymous_patient_is_said_and_nothing_is_invented() -> None:
    document = changed(lambda d: d.update(patient={"anonymous": True}))
    prescription = prescription_from_json(document)
    assert prescription.patient == AnonymousPatient()
    assert prescription_to_json(prescription) == document
    assert "RX-ANONYMOUS" in [problem.code for problem in prescription.problems()]
    document["patient"]["family_name"] = "X"
    assert ("$.patient.anonymous", "unknown field") in faults(document)
    document["patient"] = {"anonymous": False}
    assert ("$.patient.anonymous", "unknown field") in faults(document)


@pytest.mark.parametrize("family", ["imaging", "transport"])
def test_a_line_outside_the_perimeter_loads_and_says_so(family: str) -> None:
    line = {"family": family, "label": "A", "text": "B"}
    prescription = prescription_from_json(changed(lambda d: d.update(lines=[line])))
    problems = {problem.code: problem for problem in prescription.problems()}
    assert problems["RX-OUT-OF-PERIMETER"].path == "lines[0]"


def test_equal_prescriptions_are_equal_documents() -> None:
    twice = [json.dumps(prescription_to_json(samples.EVERY_FIELD)) for _ in range(2)]
    assert twice[0] == twice[1]
    assert DOCUMENT["flags"] == ["MED-1095", "MED-1096"]


@pytest.mark.parametrize("data", [None, 1, "x", [], [{}], True])
def test_what_is_no_object_has_a_path_too(data: Any) -> None:
    assert faults(data) == [("$", "an object is expected")]


def test_every_missing_field_is_named() -> None:
    assert faults({}) == [
        (f"$.{name}", "required field missing")
        for name in ("prescriber", "patient", "lines", "execution_reading")
    ]


LINE = "$.lines[0]"
DOSAGE = f"{LINE}.dosage[1]"


@pytest.mark.parametrize(
    ("change", "path", "sentence"),
    [
        (lambda d: d.update(foo=1), "$.foo", "unknown field"),
        (lambda d: d.update({"Jean Dupont": 1}), "$", "unknown field"),
        (lambda d: d["lines"][0].update(foo=1), f"{LINE}.foo", "unknown field"),
        (lambda d: d["lines"][0].update(family="optics"), f"{LINE}.family", "is expected"),
        (lambda d: d["lines"][0].update(family=["x"]), f"{LINE}.family", "is expected"),
        (lambda d: d["lines"][0].pop("family"), f"{LINE}.family", "is expected"),
        (lambda d: d["lines"].__setitem__(0, "x"), LINE, "an object is expected"),
        (lambda d: d.update(lines={"a": 1}), "$.lines", "a list is expected"),
        (lambda d: d.update(lines="abc"), "$.lines", "a list is expected"),
        (lambda d: d["lines"][0].update(label=3), f"{LINE}.label", "a string is expected"),
        (lambda d: d["lines"][0].update(renewals=True), f"{LINE}.renewals", "whole number"),
        (lambda d: d["lines"][0].update(renewals=1.0), f"{LINE}.renewals", "whole number"),
        (lambda d: d["lines"][0].update(renewals="1"), f"{LINE}.renewals", "whole number"),
        (lambda d: d["lines"][0].update(flags=["X"]), f"{LINE}.flags[0]", "one of MED-574"),
        (lambda d: d["lines"][0].update(flags=[[]]), f"{LINE}.flags[0]", "one of MED-574"),
        (
            lambda d: d["lines"][0]["dosage"][1]["dose"].update(value="abc"),
            f"{DOSAGE}.dose.value",
            "a number is expected",
        ),
        (
            lambda d: d["lines"][0]["dosage"][1]["dose"].update(value="NaN"),
            f"{DOSAGE}.dose.value",
            "a finite number is expected",
        ),
        (
            lambda d: d["lines"][0]["dosage"][1].update(as_needed=1),
            f"{DOSAGE}.as_needed",
            "true or false is expected",
        ),
        (
            lambda d: d["lines"][0]["dosage"][1].update(times_of_day=["8h"]),
            f"{DOSAGE}.times_of_day[0]",
            "a time, as in",
        ),
        (
            lambda d: d["patient"].update(birth_date="1979-02-30"),
            "$.patient.birth_date",
            "a date, as in",
        ),
        (lambda d: d.update(issued_at="2026-03-01"), "$.issued_at", "a date and time, as in"),
        (lambda d: d["patient"]["ins"].pop("value"), "$.patient.ins.value", "missing"),
        (lambda d: d["patient"]["ins"].update(oid="1.2"), "$.patient.ins.oid", "one of 1.2.250"),
        (lambda d: d["prescriber"].update(rpps=1), "$.prescriber.rpps", "a string is expected"),
        (lambda d: d.update(patient=None), "$.patient", "an object is expected"),
        (lambda d: d.update(execution_reading=None), "$.execution_reading", "one of agreed"),
    ],
)
def test_a_fault_has_its_path(change: Callable[[Any], object], path: str, sentence: str) -> None:
    ((where, what),) = faults(changed(change))
    assert where == path
    assert sentence in what


def test_all_faults_at_once() -> None:
    def change(document: Any) -> None:
        document["foo"] = 1
        document["lines"][0]["dosage"][0]["dose"]["value"] = []
        document["lines"][1]["family"] = "x"
        del document["patient"]["ins"]["value"]

    assert [path for path, _ in faults(changed(change))] == [
        "$.patient.ins.value",
        "$.lines[0].dosage[0].dose.value",
        "$.lines[1].family",
        "$.foo",
    ]


def test_null_stands_for_absent_where_a_field_is_optional() -> None:
    document = changed(lambda d: d.update(act=None))
    assert prescription_from_json(document).act is None


def test_decimals_are_exact() -> None:
    def dose(value: Any) -> Any:
        document = changed(lambda d: d["lines"][0]["dosage"][0]["dose"].update(value=value))
        line: Any = prescription_from_json(document).lines[0]
        return line.dosage[0].dose.value

    assert str(dose("0.10")) == "0.10"
    assert str(dose(0.1)) == "0.1"
    assert str(dose(3)) == "3"


def test_faults_quote_nothing() -> None:
    document = json.loads(json.dumps(DOCUMENT).replace("comprim", "CANARI"))
    document["patient"]["sex"] = "CANARI"
    document["patient"]["birth_date"] = "CANARI"
    document["prescriber"]["profession"] = "CANARI"
    document["issued_at"] = "CANARI"
    document["CANARI Jean"] = "CANARI"
    with pytest.raises(InvalidInput) as caught:
        prescription_from_json(document)
    assert len(caught.value.findings) == 5
    assert "CANARI" not in str(caught.value)
    # Nor in what a traceback would print beside it.
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


# --- Any mutation either loads or is refused with a finding -----------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


def places(data: Any) -> list[tuple[Any, Any]]:
    keys = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    return [place for key in keys for place in [(data, key), *places(data[key])]]


@given(data=st.data(), value=JSON, remove=st.booleans())
def test_any_mutation_loads_or_is_refused(data: st.DataObject, value: Any, remove: bool) -> None:
    document = deepcopy(DOCUMENT)
    holder, key = data.draw(st.sampled_from(places(document)))
    if remove:
        del holder[key]
    else:
        holder[key] = value
    prescription = None
    findings: Sequence[tuple[str, str]] = ()
    try:
        prescription = prescription_from_json(document)
    except InvalidInput as error:
        findings = error.findings
    if prescription is None:
        assert findings
        assert all(path.startswith("$") for path, _ in findings)
    else:
        assert through_json(prescription) == prescription
        if all(problem.level is Level.WARNING for problem in prescription.problems()):
            # Nothing that the rules let through may stumble later.
            issued_at = prescription.issued_at or samples.EVERY_FIELD.issued_at
            issued = attrs.evolve(prescription, issued_at=issued_at)
            ReferenceCodec().encode_create(issued, samples.NUMBER)

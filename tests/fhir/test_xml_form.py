import json
from decimal import Decimal
from typing import Any

import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.fhir import from_xml, to_xml
from eprescription_sdk.fhir.elements import Kind, elements, is_resource

FHIR = 'xmlns="http://hl7.org/fhir"'


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **more}


@pytest.mark.parametrize(
    ("resource", "xml"),
    [
        (patient(active=True), '<active value="true"/>'),
        (patient(id="1", gender="male"), '<id value="1"/><gender value="male"/>'),
        (patient(multipleBirthInteger=2), '<multipleBirthInteger value="2"/>'),
        (
            patient(name=[{"id": "n", "given": ["A", "B"]}]),
            '<name id="n"><given value="A"/><given value="B"/></name>',
        ),
        (
            patient(extension=[{"url": "u&v", "valueDecimal": Decimal("1.50")}]),
            '<extension url="u&amp;v"><valueDecimal value="1.50"/></extension>',
        ),
        (
            patient(birthDate="1979", _birthDate={"id": "b"}),
            '<birthDate id="b" value="1979"></birthDate>',
        ),
        (
            patient(_gender={"extension": [{"url": "u", "valueCode": "x"}]}),
            '<gender><extension url="u"><valueCode value="x"/></extension></gender>',
        ),
        (
            patient(name=[{"given": ["A", None, "C"], "_given": [None, {"id": "x"}, None]}]),
            '<name><given value="A"/><given id="x"></given><given value="C"/></name>',
        ),
        (
            patient(contained=[patient(id="c")]),
            '<contained><Patient><id value="c"/></Patient></contained>',
        ),
        (
            patient(
                text={
                    "status": "generated",
                    "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>é</p></div>',
                }
            ),
            (
                '<text><status value="generated"/>'
                '<div xmlns="http://www.w3.org/1999/xhtml"><p>é</p></div></text>'
            ),
        ),
    ],
)
def test_both_forms(resource: dict[str, Any], xml: str) -> None:
    written = to_xml(resource)
    assert written == f"<Patient {FHIR}>{xml}</Patient>"
    assert from_xml(written.encode()) == resource


def test_elements_come_out_in_the_order_of_the_standard() -> None:
    assert to_xml(patient(birthDate="1979", gender="male", id="1", active=False)) == (
        f'<Patient {FHIR}><id value="1"/><active value="false"/>'
        '<gender value="male"/><birthDate value="1979"/></Patient>'
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-3", -3), ("0.1", 0.1), ("0.75", 0.75), ("1.50", Decimal("1.50")),
        ("0.30000000000000000001", Decimal("0.30000000000000000001")), ("1e2", Decimal("1e2")),
    ],
)  # fmt: skip
def test_decimals_keep_their_digits(text: str, value: Any) -> None:
    source = f'<Patient {FHIR}><extension url="u"><valueDecimal value="{text}"/></extension>'
    read = from_xml(f"{source}</Patient>".encode())["extension"][0]["valueDecimal"]
    assert (type(read), str(read)) == (type(value), str(value))
    assert f'value="{value!s}"' in to_xml(patient(extension=[{"url": "u", "valueDecimal": read}]))


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (None, "$"),
        ({"resourceType": "Unheard"}, "$"),
        ({"resourceType": ["Patient"]}, "$"),
        (patient(**{"x><y": 1}), "$"),
        (patient(_name=[{}]), "$"),
        ({"resourceType": "Patient", 3: 1}, "$"),
        (patient(active="true"), "$.active"),
        (patient(active=1), "$.active"),
        (patient(gender=True), "$.gender"),
        (patient(gender=None), "$.gender"),
        (patient(multipleBirthInteger=True), "$.multipleBirthInteger"),
        (patient(multipleBirthInteger=10**5000), "$.multipleBirthInteger"),
        (patient(name={}), "$.name"),
        (patient(name=[{}]), "$.name[0]"),
        (patient(name=[{"given": "A"}]), "$.name[0].given"),
        (patient(name=[{"given": ["A"], "_given": [None, None]}]), "$.name[0].given"),
        (patient(name=[{"given": [None]}]), "$.name[0].given[0]"),
        (patient(extension=[{"valueCode": "x"}]), "$.extension[0]"),
        (
            patient(extension=[{"url": "u", "valueDecimal": float("nan")}]),
            "$.extension[0].valueDecimal",
        ),
        (patient(_gender={"x": 1}), "$.gender"),
        (patient(text={"status": "x", "div": "<p/>"}), "$.text.div"),
        (patient(text={"status": "x", "div": "<div>"}), "$.text.div"),
    ],
)  # fmt: skip
def test_malformed_data_is_refused_with_its_path(resource: Any, path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        to_xml(resource)
    assert [where for where, _ in caught.value.findings] == [path]


def test_data_that_contains_itself_is_refused() -> None:
    extension: dict[str, Any] = {"url": "u"}
    extension["extension"] = [extension]
    with pytest.raises(InvalidInput, match="nested deeper"):
        to_xml(patient(extension=[extension]))


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ("<x/>", "$"),
        ('<active value="1"/>', "$.active"),
        ("<active/>", "$.active"),
        ('<active value="true" x="1"/>', "$.active"),
        ('<active value="true"/><active value="true"/>', "$.active"),
        ('<multipleBirthInteger value="1.0"/>', "$.multipleBirthInteger"),
        ('<extension url="u"><valueDecimal value="x"/></extension>', "$.extension[0].valueDecimal"),
        ('<name x="1"/>', "$.name[0]"),
        ("<name/><name><x/></name>", "$.name[1]"),
        ("<contained/>", "$.contained[0]"),
        ('<active xmlns="urn:other" value="true"/>', "$"),
        ("<text><div>x</div></text>", "$.text"),
    ],
)
def test_malformed_xml_is_refused_with_its_path(content: str, path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        from_xml(f"<Patient {FHIR}>{content}</Patient>".encode())
    assert [where for where, _ in caught.value.findings] == [path]


@pytest.mark.parametrize("data", [b"", b"x", b"<a/>", b'<Nothing xmlns="http://hl7.org/fhir"/>'])
def test_what_is_no_resource_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        from_xml(data)


def test_a_prefix_makes_no_difference() -> None:
    xml = '<f:Patient xmlns:f="http://hl7.org/fhir"><f:active value="true"/></f:Patient>'
    assert from_xml(xml.encode()) == patient(active=True)


def test_the_table_of_elements_is_closed() -> None:
    waiting, seen = {"Bundle", "MedicationRequest", "DeviceRequest", "ServiceRequest"}, set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        members = elements(name)
        assert members, name
        assert [each.rank for each in members.values()] == list(range(len(members)))
        waiting |= {each.kind for each in members.values() if isinstance(each.kind, str)} - seen
    assert not is_resource("Dosage")
    assert is_resource("Bundle")
    assert elements("Bundle")["entry"].repeats
    assert elements("Dosage")["sequence"].kind is Kind.INTEGER


def test_the_table_agrees_with_another_reader_of_fhir() -> None:
    import importlib

    for name in (
        "Bundle", "MedicationRequest", "DeviceRequest", "ServiceRequest", "Patient",
        "Practitioner", "PractitionerRole", "Organization", "Medication", "Condition",
        "Observation", "Encounter", "RelatedPerson", "Device", "Coverage", "CareTeam", "Group",
        "Location", "Substance", "AllergyIntolerance", "DetectedIssue", "Provenance",
        "Procedure", "Specimen", "Dosage", "Timing", "Quantity", "CodeableConcept", "Reference",
    ):  # fmt: skip
        module = importlib.import_module(f"fhir.resources.R4B.{name.lower()}")
        theirs = getattr(module, name)
        assert list(elements(name)) == list(theirs.elements_sequence()), name
        aliases = {field.alias: field for field in theirs.model_fields.values()}
        for key, element in elements(name).items():
            assert element.repeats is ("List" in str(aliases[key].annotation)), (name, key)


def test_json_ready_means_json_ready() -> None:
    resource = patient(extension=[{"url": "u", "valueDecimal": 0.1}])
    assert json.loads(json.dumps(from_xml(to_xml(resource).encode()))) == resource

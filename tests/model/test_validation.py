import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from eprescription_sdk.model import validation
from eprescription_sdk.model.flags import HeaderFlag, LineFlag, Substitution
from eprescription_sdk.model.identifiers import Finess, Ins, PrescriptionNumber, Rpps
from eprescription_sdk.model.lines import (
    BiologyLine,
    CodeSystem,
    Coding,
    DeviceLine,
    ImagingLine,
    MedicationLine,
    NursingLine,
    Period,
    TransportLine,
)
from eprescription_sdk.model.people import AnonymousPatient
from eprescription_sdk.model.posology import Dosage, Quantity
from eprescription_sdk.model.prescription import Prescription
from eprescription_sdk.model.problems import Level
from eprescription_sdk.model.sealed import seal
from tests.model import samples

RULES = Path(__file__).parents[2] / "docs" / "prescription-rules.md"


def found(prescription: Prescription) -> list[tuple[str, str]]:
    return [(problem.code, problem.path) for problem in prescription.problems()]


def medicine(**changes: Any) -> Prescription:
    return samples.prescription(
        MedicationLine(**{"label": "PARACÉTAMOL", "text": "1 par jour", **changes})
    )


def dosage(**changes: Any) -> Prescription:
    return medicine(dosage=(Dosage(), Dosage(**changes)))


def test_valid_prescriptions_have_no_problem() -> None:
    assert found(samples.prescription()) == []
    assert found(samples.EVERY_FIELD) == []


@pytest.mark.parametrize("path", samples.EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_valid(path: Path) -> None:
    assert found(samples.example(path)) == []


def test_all_problems_at_once_with_their_paths() -> None:
    prescription = attrs.evolve(
        samples.prescription(
            MedicationLine(label=" ", text="", renewals=-1),
            DeviceLine(label="Attelle", text="Une", quantity=0, rental_days=0),
        ),
        prescriber=attrs.evolve(
            samples.PRESCRIBER,
            rpps=Rpps("1"),
            situation=attrs.evolve(samples.SITUATION, finess=Finess("2"), id=""),
        ),
        patient=attrs.evolve(samples.PATIENT, ins=Ins("3"), family_name=""),
        replaced_prescriber=attrs.evolve(samples.OTHER_PRESCRIBER, rpps=Rpps("4")),
        issued_at=datetime(2026, 3, 1, 9),  # noqa: DTZ001  (the fault under test)
        replaces=PrescriptionNumber("é"),
    )
    assert found(prescription) == [
        ("RX-IDENTIFIER", "prescriber.rpps"),
        ("RX-IDENTIFIER", "prescriber.situation.finess"),
        ("RX-IDENTIFIER", "replaced_prescriber.rpps"),
        ("RX-IDENTIFIER", "patient.ins"),
        ("RX-NAIVE-TIME", "issued_at"),
        ("RX-IDENTIFIER", "replaces"),
        ("RX-EMPTY", "lines[0].label"),
        ("RX-COUNT", "lines[0].renewals"),
        ("RX-COUNT", "lines[1].quantity"),
        ("RX-COUNT", "lines[1].rental_days"),
        ("RX-EMPTY", "prescriber.situation.id"),
        ("RX-EMPTY", "patient.family_name"),
        ("RX-EMPTY", "lines[0].text"),
    ]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"note": ""}, "RX-EMPTY", "note"),
        (
            {"codes": (Coding(system="urn:x", code="1", display=""),)},
            "RX-EMPTY",
            "codes[0].display",
        ),
        ({"codes": (Coding(system="urn:x", code="a  b"),)}, "RX-CODE", "codes[0].code"),
        ({"codes": (Coding(system="urn:x y", code="a b"),)}, "RX-CODE", "codes[0].system"),
        ({"dosage": (Dosage(text=""),)}, "RX-EMPTY", "dosage[0].text"),
        (
            {"quantity": Quantity(value=Decimal(1), unit="g", code=" g")},
            "RX-CODE",
            "quantity.code",
        ),
        (
            {"quantity": Quantity(value=Decimal(1), unit="g", system="")},
            "RX-EMPTY",
            "quantity.system",
        ),
    ],
)
def test_what_fhir_cannot_carry_is_a_problem(change: Any, code: str, path: str) -> None:
    assert (code, f"lines[0].{path}") in found(medicine(**change))


def test_a_quantity_needs_no_unit() -> None:
    assert found(medicine(quantity=Quantity(value=Decimal(1), unit=""))) == []


def test_documents_of_one_type_with_a_line() -> None:
    assert found(attrs.evolve(samples.prescription(), lines=())) == [("RX-NO-LINE", "lines")]
    lines = (BiologyLine(label="TSH", text="TSH"), NursingLine(label="Soin", text="Soin"))
    mixed = attrs.evolve(samples.prescription(), lines=lines)
    assert found(mixed) == [("RX-MIXED-DOCUMENT", "lines")]


def test_a_long_term_illness_wants_a_bizone_document() -> None:
    line = MedicationLine(label="A", text="B", flags=frozenset({LineFlag.LONG_TERM_ILLNESS}))
    (problem,) = samples.prescription(line).problems()
    assert (problem.code, problem.level) == ("RX-BIZONE-MISSING", Level.WARNING)
    flagged = attrs.evolve(samples.prescription(line), flags=[HeaderFlag.BIZONE])
    assert found(flagged) == []


def test_a_bizone_document_wants_a_line_of_a_long_term_illness() -> None:
    prescription = attrs.evolve(samples.prescription(), flags=[HeaderFlag.BIZONE])
    (problem,) = prescription.problems()
    assert (problem.code, problem.level) == ("RX-BIZONE-EMPTY", Level.WARNING)


@pytest.mark.parametrize(("kind", "word"), [(ImagingLine, "Imaging"), (TransportLine, "transport")])
def test_a_line_outside_the_perimeter_says_which_and_why(kind: Any, word: str) -> None:
    line = kind(label="Radiographie", text="Face et profil")
    (problem,) = samples.prescription(line).problems()
    assert (problem.code, problem.path) == ("RX-OUT-OF-PERIMETER", "lines[0]")
    assert problem.level is Level.ERROR
    assert word in problem.text
    assert "perimeter" in problem.text
    assert "papier" in problem.text_fr
    lines = (MedicationLine(label="A", text="B"), line)
    assert found(attrs.evolve(samples.prescription(), lines=lines)) == [
        ("RX-MIXED-DOCUMENT", "lines"),
        ("RX-OUT-OF-PERIMETER", "lines[1]"),
    ]


def test_anonymous_care_is_refused_with_a_code_of_its_own() -> None:
    prescription = attrs.evolve(samples.prescription(), patient=AnonymousPatient())
    (problem,) = prescription.problems()
    assert (problem.code, problem.path, problem.level) == ("RX-ANONYMOUS", "patient", Level.ERROR)
    assert "public" in problem.text


@pytest.mark.parametrize(
    ("validity", "code", "field"),
    [
        (Period(), "RX-EMPTY", "validity"),
        (Period(start=date(2026, 3, 2), end=date(2026, 3, 1)), "RX-RANGE", "validity.end"),
    ],
)
def test_rules_of_a_validity(validity: Period, code: str, field: str) -> None:
    assert found(medicine(validity=validity)) == [(code, f"lines[0].{field}")]


@pytest.mark.parametrize(
    ("system", "code", "valid"),
    [
        (CodeSystem.CIS, "60000001", True),
        (CodeSystem.CIS, "6000001", False),
        (CodeSystem.CIP, "3400930000014", True),
        (CodeSystem.CIP, "3400930000015", False),
        (CodeSystem.UCD, "9000001", True),
        (CodeSystem.UCD, "3400930000015", False),
        (CodeSystem.LPP, "1201001", True),
        (CodeSystem.LPP, "120100", False),
        (CodeSystem.NABM, "1208", True),
        (CodeSystem.NABM, "12O8", False),
        (CodeSystem.NGAP, "AMI", True),
        ("urn:other", " ", False),
    ],
)
def test_codes_follow_their_system(system: str, code: str, valid: bool) -> None:
    codes = (Coding(system="urn:first", code="1"), Coding(system=system, code=code))
    kinds: dict[str, Any] = {
        CodeSystem.LPP: DeviceLine,
        CodeSystem.NABM: BiologyLine,
        CodeSystem.NGAP: NursingLine,
    }
    line = kinds.get(system, MedicationLine)(label="A", text="B", codes=codes)
    expected = [] if valid else [("RX-CODE", "lines[0].codes[1].code")]
    assert found(samples.prescription(line)) == expected


@pytest.mark.parametrize(
    ("kind", "system", "code"),
    [
        (NursingLine, CodeSystem.CIP, "3400930000014"),
        (MedicationLine, CodeSystem.NGAP, "AMI"),
        (MedicationLine, CodeSystem.NABM, "1208"),
        (NursingLine, CodeSystem.ATC, "N02AX02"),
    ],
)
def test_a_code_of_another_family_is_a_warning(kind: Any, system: str, code: str) -> None:
    line = kind(label="A", text="B", codes=(Coding(system=system, code=code),))
    (problem,) = samples.prescription(line).problems()
    assert (problem.code, problem.path) == ("RX-CODE-FAMILY", "lines[0].codes[0].system")
    assert problem.level is Level.WARNING


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"sequence": 0}, "RX-COUNT", "sequence"),
        ({"frequency": 0}, "RX-COUNT", "frequency"),
        ({"frequency": 10_000}, "RX-COUNT", "frequency"),
        ({"offset": -1}, "RX-COUNT", "offset"),
        ({"frequency_max": 2}, "RX-RANGE", "frequency_max"),
        ({"frequency": 3, "frequency_max": 2}, "RX-RANGE", "frequency_max"),
        ({"dose_high": samples.TABLET}, "RX-RANGE", "dose_high"),
        ({"count": 0}, "RX-COUNT", "count"),
        ({"every_max": samples.DAY}, "RX-RANGE", "every_max"),
        ({"every": samples.WEEK, "every_max": samples.DAY}, "RX-RANGE", "every_max"),
        ({"duration_max": samples.DAY}, "RX-RANGE", "duration_max"),
        (
            {"duration": attrs.evolve(samples.DAY, value=Decimal(2)), "duration_max": samples.DAY},
            "RX-RANGE",
            "duration_max",
        ),
        (
            {"dose": samples.TABLET, "dose_high": Quantity(value=Decimal("0.5"), unit="")},
            "RX-RANGE",
            "dose_high",
        ),
        ({"as_needed_reason": "douleur"}, "RX-AS-NEEDED", "as_needed"),
        ({"dose": Quantity(value=Decimal(0), unit="mg")}, "RX-QUANTITY", "dose.value"),
        ({"dose": Quantity(value=Decimal("NaN"), unit="mg")}, "RX-QUANTITY", "dose.value"),
        ({"dose": Quantity(value=Decimal("1E+99"), unit="mg")}, "RX-QUANTITY", "dose.value"),
        ({"dose": Quantity(value=Decimal("1." + "1" * 20), unit="")}, "RX-QUANTITY", "dose.value"),
        ({"text": "a\x01"}, "RX-CONTROL-CHARACTER", "text"),
        ({"instructions": ("a", "\ud800")}, "RX-CONTROL-CHARACTER", "instructions[1]"),
        ({"kept": "{}"}, "RX-KEPT", "kept"),
        ({"kept": "[" * 5000}, "RX-KEPT", "kept"),
        ({"kept": seal('{"differs":1}')}, "RX-KEPT", "kept"),
        ({"kept": seal("{}")}, "RX-KEPT", "kept"),
        ({"kept": '{"differs":{}}'}, "RX-KEPT", "kept"),
        (
            {"kept": seal('{"differs":{"modifierExtension":[null,[{}]]}}')},
            "RX-MODIFIER",
            "kept",
        ),
        (
            {"kept": seal('{"differs":{"timing":{"within":{"modifierExtension":[null,[{}]]}}}}')},
            "RX-MODIFIER",
            "kept",
        ),
    ],
)
def test_rules_of_a_dosage(changes: dict[str, Any], code: str, field: str) -> None:
    assert found(dosage(**changes)) == [(code, f"lines[0].dosage[1].{field}")]


@pytest.mark.parametrize(
    "differs",
    [
        '"status":["x","cancelled"]',
        '"doNotPerform":[null,true]',
        '"implicitRules":[null,"urn:x"]',
    ],
)
def test_a_source_that_is_ended_or_qualified_is_not_prescribed(differs: str) -> None:
    prescription = medicine(kept=seal(f'{{"differs":{{{differs}}}}}'))
    assert found(prescription) == [("RX-MODIFIER", "lines[0].kept")]


def test_a_harmless_remainder_is_no_problem() -> None:
    kept = seal('{"differs":{"status":["x","draft"],"id":[null,"1"]}}')
    assert found(medicine(kept=kept)) == []


def test_not_substitutable_needs_its_reason() -> None:
    refused = medicine(substitution=Substitution(allowed=False))
    assert found(refused) == [("RX-SUBSTITUTION-REASON", "lines[0].substitution.reason")]
    assert found(medicine(substitution=Substitution(allowed=True))) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"patient": attrs.evolve(samples.PATIENT, given_name="A\x00")}, "patient.given_name"),
        ({"reference": "\x07"}, "reference"),
        (
            {"lines": [MedicationLine(label="A", text="B", note="\x0b")]},
            "lines[0].note",
        ),
    ],
)
def test_control_characters_are_found_anywhere(change: dict[str, Any], path: str) -> None:
    prescription = attrs.evolve(samples.prescription(), **change)
    assert found(prescription) == [("RX-CONTROL-CHARACTER", path)]


def test_sentences_quote_nothing() -> None:
    line = MedicationLine(
        label="CANARI\x01",
        text="CANARI",
        codes=(Coding(system=CodeSystem.CIP, code="CANARI"),),
        dosage=(Dosage(as_needed_reason="CANARI", kept="CANARI"),),
    )
    prescription = attrs.evolve(
        samples.prescription(line),
        patient=attrs.evolve(samples.PATIENT, ins=Ins("CANARI"), family_name="CANARI\x02"),
    )
    assert len(prescription.problems()) == 6
    assert "CANARI" not in repr(prescription.problems())


def test_every_problem_speaks_both_languages() -> None:
    for problem in medicine(label="", text="", renewals=-1).problems():
        assert problem.text.endswith(".")
        assert problem.text_fr.endswith(".")
        assert problem.text != problem.text_fr


def test_the_documented_codes_are_those_of_the_code() -> None:
    folder = Path(validation.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    documented = re.findall(r"^\| `(RX-[A-Z-]+)`", RULES.read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == sorted(set(re.findall(r'"(RX-[A-Z-]+)"', source)))

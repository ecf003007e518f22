from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from eprescription_sdk.model.flags import HeaderFlag
from eprescription_sdk.model.lines import CodeSystem, Coding, DeviceLine, MedicationLine
from eprescription_sdk.model.prescription import Prescription
from eprescription_sdk.model.problems import Level
from tests.model import samples

IN_LETTERS = "Une gélule toutes les six heures pendant cinq jours, soit vingt gélules"


def medicine(label: str = "TRAMADOL 50 mg", text: str = IN_LETTERS, **more: Any) -> MedicationLine:
    return MedicationLine(label=label, text=text, **more)


def secured(*lines: Any) -> Prescription:
    return attrs.evolve(samples.prescription(*lines), flags=[HeaderFlag.SECURED])


def found(prescription: Prescription) -> list[tuple[str, str, Level]]:
    return [(each.code, each.path, each.level) for each in prescription.problems()]


def atc(code: str) -> Coding:
    return Coding(system=CodeSystem.ATC, code=code)


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (medicine("TRAMADOL 50 mg, gélule"), Level.WARNING),
        (medicine("tramadol"), Level.WARNING),
        (medicine("Dafalgan Codéine"), Level.WARNING),
        (medicine("PARACÉTAMOL/CODÉINE 500 mg/30 mg"), Level.WARNING),
        (medicine("Dihydrocodéine"), Level.WARNING),
        (medicine("KLIPAL 600 mg/50 mg"), Level.WARNING),
        (medicine("Antalgique", codes=(Coding(system="urn:x", code="1", display="Ixprim"),)),
         Level.WARNING),
        (medicine("Antalgique", codes=(atc("N02AX02"),)), Level.ERROR),
        (medicine("Antalgique", codes=(atc("N02AJ06"),)), Level.ERROR),
        (medicine("Antalgique", codes=(atc("N02BE01"),)), None),
        (medicine("PARACÉTAMOL 1 g"), None),
        (medicine("TRAMADOLEX"), None),
    ],
)  # fmt: skip
def test_tramadol_and_codeine_want_a_secured_prescription(
    line: MedicationLine, level: Level | None
) -> None:
    expected = [("RX-SECURED-MISSING", "lines[0]", level)] if level else []
    assert found(samples.prescription(line)) == expected
    assert found(secured(line)) == []


@pytest.mark.parametrize(("month", "wanted"), [(2, False), (3, True)])
def test_they_want_it_since_the_first_of_march_2025(month: int, wanted: bool) -> None:
    issued_at = datetime(2025, month, 28 if month == 2 else 1, 12, tzinfo=UTC)
    prescription = attrs.evolve(samples.prescription(medicine()), issued_at=issued_at)
    assert bool(prescription.problems()) is wanted
    assert attrs.evolve(prescription, issued_at=None).problems()


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (IN_LETTERS, None),
        ("1 gélule par jour", Level.ERROR),
        ("Une gélule de 50 mg", Level.ERROR),
        ("une gélule 3 fois par jour", Level.ERROR),
        ("1/2 comprimé le soir", Level.ERROR),
        ("1,5 mL", Level.ERROR),
        ("cinq cents mg x2", Level.WARNING),
        ("une gélule à 8 h, jusqu'au 12 mars", Level.WARNING),
    ],
)
def test_a_secured_prescription_is_in_full_letters(text: str, level: Level | None) -> None:
    expected = [("RX-SECURED-LETTERS", "lines[0].text", level)] if level else []
    assert found(secured(medicine(text=text))) == expected
    # Of a document's only medicine we know that it is the secured one.
    assert found(secured(medicine("MORPHINE", text=text))) == expected


def test_beside_others_an_unknown_medicine_is_only_warned_about() -> None:
    lines = (medicine("MORPHINE", text="1 gélule"), medicine(), medicine("A", text="2 gélules"))
    assert found(secured(*lines)) == [
        ("RX-SECURED-LETTERS", "lines[0].text", Level.WARNING),
        ("RX-SECURED-LETTERS", "lines[2].text", Level.WARNING),
    ]


def test_other_families_are_not_concerned() -> None:
    device = DeviceLine(label="Boîte pour TRAMADOL", text="1 boîte")
    assert found(samples.prescription(device)) == []
    assert found(secured(medicine(), device)) == []

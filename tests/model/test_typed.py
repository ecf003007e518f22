from datetime import UTC, datetime

import attrs
import pytest

from eprescription_sdk.model.lines import BiologyLine, MedicationLine
from eprescription_sdk.model.posology import Dosage, Quantity
from tests.model import samples


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", None),
        ("text", 3),
        ("note", b"note"),
        ("dosage", [Dosage()]),
        ("dosage", (None,)),
        ("flags", {"MED-574"}),
        ("renewals", True),
        ("renewals", "1"),
        ("quantity", 3),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(field: str, value: object) -> None:
    fields = {"label": "secret label", "text": "secret text", field: value}
    with pytest.raises(TypeError, match=f"MedicationLine.{field} must be") as caught:
        MedicationLine(**fields)  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


def test_a_moment_is_not_a_day_of_birth() -> None:
    with pytest.raises(TypeError, match="birth_date"):
        attrs.evolve(samples.PATIENT, birth_date=datetime(1979, 6, 12, tzinfo=UTC))


def test_a_float_is_not_a_quantity() -> None:
    with pytest.raises(TypeError, match=r"Quantity\.value"):
        Quantity(value=0.5, unit="mg")  # type: ignore[arg-type]


def test_lines_are_lines() -> None:
    with pytest.raises(TypeError, match="lines"):
        attrs.evolve(samples.EVERY_FIELD, lines="abc")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="flags"):
        attrs.evolve(samples.EVERY_FIELD, flags=["MED-1096"])  # type: ignore[list-item]
    assert attrs.evolve(
        samples.EVERY_FIELD, lines=[BiologyLine(label="TSH", text="TSH")]
    ).lines == (BiologyLine(label="TSH", text="TSH"),)

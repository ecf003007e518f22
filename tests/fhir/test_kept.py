"""What is kept of a source goes out as it came in, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.fhir import prescription_to_fhir
from eprescription_sdk.model.json_form import prescription_from_json, prescription_to_json
from eprescription_sdk.model.lines import MedicationLine
from eprescription_sdk.model.sealed import seal
from tests.fhir.test_import import SOURCE, imported
from tests.model import samples

JUNK = ("", "{}", "[]", '{"differs":1}', '{"differs":{"a":[1]}}', '{"differs":{"a":{}}}')


@pytest.mark.parametrize("kept", [*JUNK, *map(seal, JUNK)])
def test_damaged_remainders_are_refused(kept: str) -> None:
    line = MedicationLine(label="A", text="B", kept=kept)
    with pytest.raises(InvalidInput) as caught:
        prescription_to_fhir(samples.prescription(line))
    assert caught.value.findings[0][0] == "lines[0].kept"


@given(data=st.data(), value=st.text(max_size=4))
def test_a_remainder_that_was_changed_by_hand_is_a_problem(data: st.DataObject, value: str) -> None:
    document = prescription_to_json(imported(SOURCE))
    line = document["lines"][0]
    holder = data.draw(st.sampled_from([line, *line["dosage"]]))
    text = holder["kept"]
    at = data.draw(st.integers(0, len(text) - 1))
    holder["kept"] = text[:at] + value + text[at + 1 :]
    prescription = prescription_from_json(document)
    damaged = holder["kept"] != text
    assert ("RX-KEPT" in [problem.code for problem in prescription.problems()]) is damaged

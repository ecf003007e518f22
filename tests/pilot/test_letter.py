from datetime import date

import attrs
import pytest

from eprescription_sdk.pilot import Dossier, Question, Reading, letter
from eprescription_sdk.pilot.journal import Ruling
from tests.pilot.samples import EXAMPLE, RPPS, assessment

DAY = date(2025, 4, 22)


def test_every_open_question_is_asked_with_both_readings() -> None:
    text = letter(assessment(), Dossier.from_toml(EXAMPLE), today=DAY)
    for question in Question:
        asked = question.text_fr in text
        # The sample has a ruling on Q4.
        assert asked is (question is not Question.Q4)
        assert not asked or all(question.answer_fr(reading) in text for reading in Reading)
    assert "Q4  lecture favorable (CNAM-2025-052, 09/04/2025)" in text
    assert "Téléconsultation Exemple" in text
    assert "330781287" in text
    assert "Le 22/04/2025" in text
    assert not [rpps for rpps in RPPS if rpps in text]


def test_it_says_what_hangs_on_each_answer() -> None:
    text = letter(assessment(), None, today=DAY)
    parts = {part.split(".")[0]: part for part in text.split("\nQ")[1:]}
    assert "change à elle seule le résultat de C1" in parts["1"]
    assert "change à elle seule le résultat de C2" in parts["8"]
    assert "ne change à elle seule aucun résultat" in parts["7"]
    assert "[société]" in text


def test_when_all_is_settled_nothing_is_asked() -> None:
    ruling = Ruling(reading=Reading.STRICT, day=DAY, reference="r")
    settled = attrs.evolve(assessment(), rulings=dict.fromkeys(Question, ruling))
    text = letter(settled, None, today=DAY)
    assert "nous n'en avons plus" in text
    assert "Votre réponse" not in text


@pytest.mark.parametrize("line", letter(assessment(), None, today=DAY).splitlines())
def test_no_line_is_too_long_for_paper(line: str) -> None:
    assert len(line) <= 100


def test_a_letter_about_simulated_traces_says_so() -> None:
    text = letter(assessment(simulation=True), None, today=date(2025, 4, 20))
    assert text.startswith("SIMULATION")
    assert "SIMULATION" not in letter(assessment(), None, today=date(2025, 4, 20))

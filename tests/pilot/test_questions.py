"""The ten questions and their bundles."""

import pytest

from eprescription_sdk.pilot.questions import LENIENT, STRICT, Question, Reading, Readings


def test_every_question_has_both_answers_in_both_languages() -> None:
    for question in Question:
        for reading in Reading:
            assert question.answer_fr(reading)
            assert question.answer_en(reading)
        assert question.answer_fr(Reading.STRICT) != question.answer_fr(Reading.LENIENT)
        assert question.text_fr.endswith("?")
        assert question.text_en.endswith("?")


def test_the_bundles_answer_everything_one_way() -> None:
    assert all(STRICT.strict(question) for question in Question)
    assert not any(LENIENT.strict(question) for question in Question)


def test_flipping_changes_one_answer_alone() -> None:
    flipped = STRICT.flipped(Question.Q3)
    assert [question for question in Question if not flipped.strict(question)] == [Question.Q3]
    assert flipped.flipped(Question.Q3) == STRICT


def test_a_ruling_fixes_a_question_in_both_bundles() -> None:
    ruling = {Question.Q8: Reading.LENIENT}
    assert STRICT.ruled(ruling)[Question.Q8] is Reading.LENIENT
    assert LENIENT.ruled(ruling) == LENIENT


def test_a_question_left_open_is_refused() -> None:
    with pytest.raises(ValueError, match="every question"):
        Readings({Question.Q1: Reading.STRICT})

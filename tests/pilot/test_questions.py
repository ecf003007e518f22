"""The ten questions and their bundles."""

import pytest

from eprescription_sdk.pilot.questions import (
    LENIENT,
    STRICT,
    Opening,
    Question,
    Reading,
    Readings,
    Unit,
    answer_of,
)


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


def test_the_unit_may_be_ruled_on_and_no_bundle_chooses_it_then() -> None:
    assert (STRICT.unit, LENIENT.unit) == (None, None)
    for unit in (Unit.DOCUMENT, Unit.ACT):
        ruled = STRICT.ruled({Question.Q3: unit})
        assert ruled.unit is LENIENT.ruled({Question.Q3: unit}).unit is unit
        assert ruled.flipped(Question.Q3).unit is unit.other
        assert Question.Q3.answer_fr(unit) != Question.Q3.answer_fr(unit.other)


@pytest.mark.parametrize(
    ("question", "text"), [(Question.Q3, "call"), (Question.Q4, "document"), (Question.Q1, "yes")]
)
def test_what_is_no_answer_is_refused_with_those_that_are(question: Question, text: str) -> None:
    with pytest.raises(ValueError, match="strict, lenient"):
        answer_of(question, text)


def test_a_unit_answers_no_other_question() -> None:
    assert [answer_of(Question.Q3, each.value) for each in Question.Q3.answers] == [
        Reading.STRICT, Reading.LENIENT, Unit.DOCUMENT, Unit.ACT,
    ]  # fmt: skip
    for question, unit in ((Question.Q4, Unit.ACT), (Question.Q3, Unit.CALL)):
        with pytest.raises(ValueError, match="no answer"):
            STRICT.ruled({question: unit})


def test_the_opening_may_be_the_pilots() -> None:
    assert answer_of(Question.Q5, "pilot") is Opening.PILOT
    ruled = STRICT.ruled({Question.Q5: Opening.PILOT})
    assert not ruled.strict(Question.Q5)
    assert ruled.flipped(Question.Q5) == STRICT.flipped(Question.Q5)
    words = {Question.Q5.answer_fr(answer) for answer in Question.Q5.answers}
    assert len(words) == 3
    with pytest.raises(ValueError, match="no answer"):
        STRICT.ruled({Question.Q6: Opening.PILOT})

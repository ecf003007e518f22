"""The official figures beside ours, and the question that would explain a gap."""

from pathlib import Path

import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot import Question, Reading, record_official
from eprescription_sdk.pilot.assessment import Assessment
from eprescription_sdk.pilot.official import Comparison, read_official
from tests.pilot.pilots import REFUSED, PilotStore, at
from tests.pilot.samples import NOTE


@pytest.fixture
def pilot(tmp_path: Path) -> PilotStore:
    """Strictly 2 of 4 for C1 and 2 of 3 calls for C2; leniently 3 of 3 and 2 of 3."""
    from eprescription_sdk.model.family import Family

    pilot = PilotStore(tmp_path)
    pilot.digital(at(3))
    pilot.digital(at(3))
    pilot.digital(at(3), REFUSED)
    pilot.paper(at(3), [Family.IMAGING])
    return pilot


def compared(pilot: PilotStore, criterion: str, who: str | None, figure: str) -> Comparison:
    figures = [{"criterion": criterion, "practitioner": who, "figure": figure}]
    record_official(pilot.store, NOTE, figures=figures)
    (found,) = assessed(pilot).official
    return found


def assessed(pilot: PilotStore) -> Assessment:
    return pilot.assess(at(30))


@pytest.mark.parametrize("figure", ["2/4", "50 %", "50,0 %", "50.00%"])
def test_a_figure_that_is_ours_agrees(pilot: PilotStore, figure: str) -> None:
    found = compared(pilot, "C1", "PS 1", figure)
    assert found.agrees == (Reading.STRICT,)
    assert found.explanations == ()
    assert found.strict is not None
    assert (found.strict.numerator, found.strict.denominator) == (2, 4)


def test_a_gap_is_explained_by_one_question(pilot: PilotStore) -> None:
    found = compared(pilot, "C1", "PS 1", "2/3")
    assert found.agrees == ()
    assert {(one.bundle, one.question) for one in found.explanations} == {
        (Reading.STRICT, Question.Q1),
        (Reading.LENIENT, Question.Q2),
    }


def test_the_explanation_says_which_answer_would_give_it(pilot: PilotStore) -> None:
    pilot.event("ruling", at(9), {"question": "Q1", "reading": "lenient"})
    found = compared(pilot, "C1", "PS 1", "2/4")
    # Ruled leniently, Q1 can be read but one other way, whatever the bundle.
    assert [(one.bundle, one.question, one.reading) for one in found.explanations] == [
        (Reading.STRICT, Question.Q1, Reading.STRICT)
    ]


def test_a_gap_that_nothing_explains_says_so(pilot: PilotStore) -> None:
    found = compared(pilot, "C1", "PS 1", "1/7")
    assert (found.agrees, found.explanations) == ((), ())


@pytest.mark.parametrize(
    ("figure", "agrees"),
    [("66 %", True), ("67 %", True), ("66,6 %", True), ("66,7 %", True), ("66,5 %", False)],
)
def test_a_percentage_may_be_cut_or_rounded(pilot: PilotStore, figure: str, agrees: bool) -> None:
    assert bool(compared(pilot, "C2", None, figure).agrees) is agrees


def test_an_unknown_practitioner_has_no_figure_of_ours(pilot: PilotStore) -> None:
    found = compared(pilot, "C2", "PS 9", "2/3")
    assert (found.strict, found.agrees) == (None, ())


def test_the_newest_figures_replace_earlier_ones(pilot: PilotStore) -> None:
    compared(pilot, "C2", None, "1/3")
    assert compared(pilot, "C1", "PS 1", "2/4").official.criterion == "C1"


def test_a_sheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text("critere;praticien;chiffre\nc1;ps 1;25/52\nC2;;70,1 %\n", encoding="utf-8")
    assert read_official(path) == [
        {"criterion": "C1", "practitioner": "PS 1", "figure": "25/52"},
        {"criterion": "C2", "practitioner": None, "figure": "70,1 %"},
    ]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("C3;;1/2", "critere"), ("C1;;1/2", "praticien"), ("C1;Dupont;1/2", "praticien"),
        ("C2;;beaucoup", "chiffre"), ("C2;;3/2", "chiffre"), ("C2;;101 %", "chiffre"),
    ],
)  # fmt: skip
def test_a_fault_has_its_place(tmp_path: Path, row: str, column: str) -> None:
    path = tmp_path / "o.csv"
    path.write_text(f"critere;praticien;chiffre\n{row}\n", encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        read_official(path)
    assert [where for where, _ in caught.value.findings] == [f"line 2, {column}"]

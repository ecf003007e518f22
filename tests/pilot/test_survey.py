from datetime import date
from pathlib import Path

import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot import Criterion, record_questionnaire
from eprescription_sdk.pilot.survey import ITEMS_FR, read_answers, survey_form, survey_guide
from eprescription_sdk.traces.gate import Enrolment
from tests.pilot.pilots import KEY, PilotStore, at, rpps
from tests.pilot.samples import NOTE

ENROLLED = [
    Enrolment(rpps=rpps(label), label=label, situation="S", go_live=date(2026, 3, 2))
    for label in (1, 2, 3)
]


def written(folder: Path, text: str, name: str = "c5.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_form_filled_in_is_read(tmp_path: Path) -> None:
    form = survey_form(["PS 1", "PS 2", "PS 3"])
    form = form.replace("PS 1;;;;;;;", 'PS 1;4;5;;;2;;"trop lent\nconfus"')
    first, *others = read_answers(written(tmp_path, form), ENROLLED)
    assert others == []
    assert first.rpps == rpps(1)
    assert first.marks == {"satisfaction": 4, "creer": 5, "incident": 2}
    assert first.blocking_remarks == ("trop lent", "confus")


def test_json_and_rpps_are_read(tmp_path: Path) -> None:
    text = f'[{{"praticien": "{rpps(2).value}", "satisfaction": 3, "freins": ["a", "b"]}}]'
    (answer,) = read_answers(written(tmp_path, text, "c5.json"), ENROLLED)
    assert (answer.rpps, answer.blocking_remarks) == (rpps(2), ("a", "b"))


def test_every_fault_has_its_place(tmp_path: Path) -> None:
    text = "praticien;satisfaction;creer\nPS 1;6;0\nps1;3;\nPS 9;3;\nPS 2;;4\n"
    with pytest.raises(InvalidInput) as caught:
        read_answers(written(tmp_path, text), ENROLLED)
    assert [where for where, _ in caught.value.findings] == [
        "line 2, satisfaction", "line 2, creer", "line 3, praticien", "line 4, praticien",
        "line 5, satisfaction",
    ]  # fmt: skip


def test_the_form_says_whose_it_is_and_that_it_is_not_anonymous() -> None:
    guide = survey_guide()
    assert "n'est pas officiel" in guide
    assert "pas anonymes" in guide
    for text in ITEMS_FR.values():
        assert text in guide


def test_answers_are_aggregated_and_obstacles_listed(tmp_path: Path) -> None:
    pilot = PilotStore(tmp_path, 3)
    for label, mark, remarks in ((1, 4, ("z",)), (2, 4, ()), (3, 1, ("a", "m"))):
        record_questionnaire(
            pilot.store, NOTE, key=KEY, rpps=rpps(label), satisfaction=mark,
            blocking_remarks=remarks, marks={"creer": label},
        )  # fmt: skip
    survey = pilot.assess(at(30)).strict[Criterion.C5].survey
    assert survey is not None
    assert survey.answers == 3
    assert survey.marks == {"satisfaction": (1, 0, 0, 2, 0), "creer": (1, 1, 1, 0, 0)}
    assert survey.blocking_remarks == ("a", "m", "z")


def test_a_mark_out_of_range_is_refused(tmp_path: Path) -> None:
    pilot = PilotStore(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        record_questionnaire(
            pilot.store, NOTE, key=KEY, rpps=rpps(1), satisfaction=3, marks={"creer": 9}
        )
    assert [where for where, _ in caught.value.findings] == ["marks.creer"]

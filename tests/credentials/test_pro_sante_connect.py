"""User info of the shape that Pro Santé Connect gives; all of it fictitious."""

from typing import Any

import pytest

import eprescription_sdk as ep
from eprescription_sdk.credentials.pro_sante_connect import activities, national_id


def activity(**changes: str) -> dict[str, str]:
    return {
        "codeModeExercice": "S",
        "codeSecteurDactivite": "SA07",
        "numeroFinessSite": "330781287",
        "numeroFinessetablissementJuridique": "750712184",
        "identifiantTechniqueDeLaStructure": "R00001",
        "raisonSocialeSite": "TELECONSULTATION EXEMPLE",
        **changes,
    }


def user_info(*practices: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "SubjectNameID": "899700218896",
        "SubjectRefPro": {
            "exercices": [{"codeProfession": "10", "activities": each} for each in practices]
        },
    }


def test_every_situation_is_read_and_none_is_chosen() -> None:
    found = activities(
        user_info(
            [activity(), activity(codeModeExercice="L", identifiantTechniqueDeLaStructure="R2")],
            [activity(numeroFinessSite="750712184", codeSecteurDactivite="SA05")],
        )
    )
    assert [one.mode for one in found] == [
        ep.ExerciseMode.SALARIED,
        ep.ExerciseMode.SELF_EMPLOYED,
        ep.ExerciseMode.SALARIED,
    ]
    assert [one.sector for one in found] == ["SA07", "SA07", "SA05"]
    assert {one.profession for one in found} == {ep.Profession.DOCTOR}
    assert found[0].situation == ep.PracticeSituation(
        id="10/S/R00001", finess=ep.Finess("330781287"), mode=ep.ExerciseMode.SALARIED
    )
    assert found[0].id != found[1].id


def test_the_legal_entity_stands_in_for_a_site_without_finess() -> None:
    (one,) = activities(user_info([activity(numeroFinessSite="")]))
    assert one.finess == ep.Finess("750712184")


def test_what_cannot_be_used_is_still_shown() -> None:
    nothing = {"numeroFinessSite": "750512302", "numeroFinessetablissementJuridique": ""}
    (one,) = activities(user_info([activity(**nothing, codeModeExercice="B")]))
    assert (one.finess, one.mode, one.situation) == (None, None, None)
    assert one.structure == "TELECONSULTATION EXEMPLE"


@pytest.mark.parametrize("info", [{}, {"SubjectRefPro": {}}, {"SubjectRefPro": {"exercices": []}}])
def test_no_activity_is_no_error(info: dict[str, Any]) -> None:
    assert activities(info) == ()


@pytest.mark.parametrize(
    ("info", "path"),
    [
        ({"SubjectRefPro": "x"}, "SubjectRefPro"),
        ({"SubjectRefPro": {"exercices": {}}}, "SubjectRefPro.exercices"),
        ({"SubjectRefPro": {"exercices": [1]}}, "SubjectRefPro.exercices[0]"),
        (
            {"SubjectRefPro": {"exercices": [{"activities": [None]}]}},
            "SubjectRefPro.exercices[0].activities[0]",
        ),
    ],
)
def test_another_form_is_an_error_with_its_path(info: dict[str, Any], path: str) -> None:
    with pytest.raises(ep.InvalidInput) as caught:
        activities(info)
    assert caught.value.path == path


def test_the_national_id_is_taken_as_it_is() -> None:
    assert national_id(user_info()) == "899700218896"
    for info in ({}, {"SubjectNameID": ""}, {"SubjectNameID": 3}):
        with pytest.raises(ep.InvalidInput):
            national_id(info)

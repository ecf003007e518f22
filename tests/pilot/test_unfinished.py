"""What is said of a dossier with faults: what holds whatever the answers will be."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot.checks import Level
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.pilot.drafting import draft
from eprescription_sdk.pilot.unfinished import check_unfinished
from tests.pilot.samples import EXAMPLE

TODAY = date(2025, 3, 1)  # between the preparation of the example and its first installation


def said(folder: Path, document: dict[str, Any]) -> dict[str, Level]:
    path = folder / "pilot.toml"
    path.write_text(draft(document), encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        Dossier.from_toml(path)
    findings = check_unfinished(path, [place for place, _ in caught.value.findings], TODAY)
    return {finding.path: finding.level for finding in findings}


@pytest.fixture
def example() -> dict[str, Any]:
    return tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))


def test_a_condition_that_other_answers_break_is_said(
    tmp_path: Path, example: dict[str, Any]
) -> None:
    del example["company"]["finess"]
    example["pilot"]["first_pilot"] = False
    example["practitioners"] = example["practitioners"][:2]
    found = said(tmp_path, example)
    assert found["pilot.first_pilot"] is found["practitioners"] is Level.ERROR


def test_what_hangs_on_a_missing_day_is_not_said(tmp_path: Path, example: dict[str, Any]) -> None:
    for each in example["practitioners"]:
        del each["go_live"]
        each["card_valid_until"] = date(2025, 3, 10)
    del example["kit"]
    found = said(tmp_path, example)
    # Expired at an installation of next year, and valid at one of next week.
    assert not [path for path in found if "go_live" in path]
    assert found["practitioners[0].card_valid_until"] is Level.REMINDER
    # Late or not, it is still to be done.
    assert found["kit"] is Level.REMINDER


@pytest.mark.parametrize("place", ["practitioners", "authorisation", "area.cpam", "kit.reference"])
def test_a_fault_anywhere_leaves_the_rest_to_be_judged(
    tmp_path: Path, example: dict[str, Any], place: str
) -> None:
    example["pilot"]["first_pilot"] = False
    table, _, key = place.partition(".")
    if key:
        example[table][key] = 3
    else:
        del example[table]
    found = said(tmp_path, example)
    assert "pilot.first_pilot" in found
    assert not [path for path in found if path.startswith(place)]


@pytest.mark.parametrize(
    "strange",
    [
        '"practitioners.x" = 1', '"practitioners[9]" = 1', '"practitioners[0]" = 1', '"" = 1',
        '"pilot.name.x" = 1', "practitioners = [1, [2], {rpps = 3}]", "pilot = [1]",
        '[practitioners.a]\n"b.c" = 1', '[pilot]\n"a[0].b" = 1', "[[support]]\non = 1",
        "area = {cpam = [{}]}", "support = {reference = {}}",
    ],
)  # fmt: skip
def test_a_strange_file_leaves_the_rest_to_be_judged(tmp_path: Path, strange: str) -> None:
    path = tmp_path / "pilot.toml"
    path.write_text(strange, encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        Dossier.from_toml(path)
    findings = check_unfinished(path, [place for place, _ in caught.value.findings], TODAY)
    assert "kit" in {finding.path for finding in findings}

from fractions import Fraction
from pathlib import Path

import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot import rehearse
from tests.pilot.samples import RPPS


def written(folder: Path, *rows: str) -> Path:
    path = folder / "counts.csv"
    path.write_text("\n".join(("praticien;famille;nombre", *rows)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("counts", "share", "verdicts", "says"),
    [
        ((100, 0), "0.5", (True, True), "Passe avec 50 %"),
        ((100, 0), "0.49", (False, False), "Il en faudrait 50"),
        ((100, 20), "0.8", (True, True), "Passe avec 60 %"),
        ((30, 25), "0.8", (False, True), "28 en numérique, soit 94 %"),
        ((10, 30), "1", (False, True), "trop d'imagerie ou de transports"),
        ((10, 10), "1", (True, True), "Passe avec 100 %"),
        ((0, 5), "1", (False, False), "trop d'imagerie"),
        ((0, 0), "1", (False, False), "Aucune prescription"),
    ],
)
def test_who_would_pass_and_what_would_have_to_change(
    tmp_path: Path, counts: tuple[int, int], share: str, verdicts: tuple[bool, bool], says: str
) -> None:
    path = written(tmp_path, f"A;médicaments;{counts[0]}", f"A;imagerie;{counts[1]}")
    (one,) = rehearse(path, share=Fraction(share))
    assert (one.passes, one.passes_leniently) == verdicts
    assert says in one.advice_fr
    if one.total:
        # What is said to be needed is the least that makes one half.
        assert 2 * one.needed >= one.total > 2 * (one.needed - 1)


def test_families_have_their_french_names_too(tmp_path: Path) -> None:
    names = [
        "medication", "Médicaments", "medicament", "dispositifs médicaux", "Biologie médicale",
        "actes infirmiers", "Kinésithérapie", "speech_therapy", "orthoptie", "pédicurie",
    ]  # fmt: skip
    (one,) = rehearse(written(tmp_path, *(f"A;{name};1" for name in names), "A;transport;7"))
    assert (one.inside, one.outside) == (len(names), 7)


def test_an_rpps_is_not_shown(tmp_path: Path) -> None:
    path = written(tmp_path, f"{RPPS[0]};biologie;4", "B;biologie;4", f"{RPPS[0]};imagerie;1")
    assert [one.name for one in rehearse(path)] == ["praticien n° 1", "B"]


@pytest.mark.parametrize(
    ("row", "column"), [("A;chimie;1", "famille"), ("A;biologie;-1", "nombre"),
                        ("A;biologie;x", "nombre"), (";biologie;1", "praticien")],
)  # fmt: skip
def test_a_fault_has_its_place(tmp_path: Path, row: str, column: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        rehearse(written(tmp_path, "A;biologie;1", row))
    assert [where for where, _ in caught.value.findings] == [f"line 3, {column}"]

from pathlib import Path

import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot import Criterion, Verdict, record_attestation
from eprescription_sdk.pilot.checklist import ITEMS_FR, checklist_form, read_checklist
from tests.pilot.pilots import PilotStore, at
from tests.pilot.samples import NOTE


def filled(folder: Path, answer: str = "aucun") -> Path:
    path = folder / "c4.csv"
    path.write_text(checklist_form().replace(";\r\n", f";{answer}\r\n"), encoding="utf-8")
    return path


def test_the_form_filled_in_is_read(tmp_path: Path) -> None:
    path = filled(tmp_path)
    text = path.read_text(encoding="utf-8").replace("aucun", "Ouvrir  le port", 1)
    path.write_text(text, encoding="utf-8")
    answers = read_checklist(path)
    assert set(answers) == set(ITEMS_FR)
    assert answers["workstation"] == "Ouvrir le port"
    assert answers["network"] is None


def test_an_item_without_an_answer_is_a_fault_with_its_line(tmp_path: Path) -> None:
    path = filled(tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace("aucun", "")
    lines[4] = lines[4].replace("network", "nothing")
    path.write_text("\n".join([*lines, lines[5]]), encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        read_checklist(path)
    assert [where for where, _ in caught.value.findings] == [
        "line 4, prerequis", "line 5, element", "line 12, element", "network",
    ]  # fmt: skip


def test_a_checklist_attests_c4_and_is_shown(tmp_path: Path) -> None:
    pilot = PilotStore(tmp_path)
    answers = {**read_checklist(filled(tmp_path)), "network": "Ouvrir le pare-feu"}
    record_attestation(pilot.store, NOTE, criterion="C4", document="Note v2", checklist=answers)
    c4 = pilot.assess(at(30)).strict[Criterion.C4]
    assert c4.verdict is Verdict.ATTESTED
    assert c4.document == "Note v2"
    assert {each.item: each.needed for each in c4.prerequisites} == answers


def test_only_c4_has_a_checklist(tmp_path: Path) -> None:
    pilot = PilotStore(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        record_attestation(pilot.store, NOTE, criterion="C5", document="x", checklist={})
    assert [where for where, _ in caught.value.findings] == ["checklist"]

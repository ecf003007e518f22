import re
from datetime import date
from pathlib import Path

import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.people import Profession
from eprescription_sdk.pilot import Dossier
from eprescription_sdk.pilot.checks import Level, check
from tests.pilot.samples import EXAMPLE, RPPS


def refused(folder: Path, text: str | bytes) -> InvalidInput:
    path = folder / "pilot.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidInput) as caught:
        Dossier.from_toml(path)
    assert caught.value.path == str(path)
    return caught.value


def faults(folder: Path, text: str) -> dict[str, str]:
    """Sentences by path, without the line that each ends with."""
    found = refused(folder, text).findings
    return {path: re.sub(r" \(line \d+\)$", "", what) for path, what in found}


@pytest.fixture
def text() -> str:
    return EXAMPLE.read_text(encoding="utf-8")


def test_the_example_is_read_whole() -> None:
    dossier = Dossier.from_toml(EXAMPLE)
    assert [each.rpps.value for each in dossier.practitioners] == list(RPPS)
    assert dossier.company.finess.value == "330781287"
    assert dossier.area.cpam == ("33",)
    assert dossier.pilot.profession is Profession.DOCTOR
    assert dossier.practitioners[0].go_live == date(2025, 3, 17)
    assert dossier.anomalies is not None
    assert dossier.anomalies.within_hours == 4
    assert dossier.minimum_revised is None


def test_json_holds_all_of_it() -> None:
    dossier = Dossier.from_toml(EXAMPLE)
    assert Dossier.from_json(dossier.to_json()) == dossier


def test_no_rpps_in_a_repr() -> None:
    shown = repr(Dossier.from_toml(EXAMPLE))
    assert not [rpps for rpps in RPPS if rpps in shown]


def test_all_faults_at_once_each_with_its_path(tmp_path: Path, text: str) -> None:
    text = (
        text.replace(RPPS[2], "99700112231")
        .replace("330781287", "330781288")
        .replace("salaried = true", "salaried = 1", 1)
        .replace("go_live = 2025-03-17", "go_live = 2025-03-17T08:00:00", 1)
        .replace('profession = "10"', 'profession = "11"')
        .replace("within_hours = 4", "within_hours = 0")
        .replace('cpam = ["33"]', 'cpam = "33"')
        .replace('situation = "SIT-EX-5"', "situation = 5")
        .replace('situation = "SIT-EX-6"', "")
        .replace('name = "Téléconsultation Exemple"', 'name = "  "')
        + "go_lives = true\n"
    )
    found = faults(tmp_path, text)
    assert set(found) == {
        "practitioners[2].rpps",
        "company.finess",
        "practitioners[0].salaried",
        "practitioners[0].go_live",
        "pilot.profession",
        "anomalies.within_hours",
        "area.cpam",
        "practitioners[4].situation",
        "practitioners[5].situation",
        "company.name",
        "practitioners[5].go_lives",
    }
    assert found["practitioners[5].situation"] == "This key is missing."
    assert found["practitioners[5].go_lives"] == "This key is unknown."
    assert "key" in found["practitioners[2].rpps"]


def test_every_fault_has_its_line(tmp_path: Path, text: str) -> None:
    text = (
        text.replace(RPPS[4], RPPS[1])
        .replace("within_hours = 4", "within_hours = 0")
        .replace("go_live = 2025-03-18", 'go_live = "x"', 1)
        + "go_lives = true\n"
    )
    lines = text.splitlines()
    found = refused(tmp_path, text).findings
    assert len(found) == 3
    for path, what in found:
        number = int(what.rpartition("(line ")[2].rstrip(")"))
        assert lines[number - 1].startswith(path.rpartition(".")[2])
    (duplicate,) = refused(tmp_path, EXAMPLE.read_text().replace(RPPS[4], RPPS[1])).findings
    assert RPPS[1] in lines[int(duplicate[1].rpartition("(line ")[2].rstrip(")")) - 1]


def test_a_missing_key_has_the_line_of_its_table(tmp_path: Path, text: str) -> None:
    shortened = text.replace('situation = "SIT-EX-3"', "")
    ((path, what),) = refused(tmp_path, shortened).findings
    assert path == "practitioners[2].situation"
    number = int(what.rpartition("(line ")[2].rstrip(")"))
    assert shortened.splitlines()[number - 1] == "[[practitioners]]"
    assert f'{RPPS[2]}"' in shortened.splitlines()[number]


def test_a_fault_never_quotes_the_value(tmp_path: Path, text: str) -> None:
    assert "99700112231" not in str(refused(tmp_path, text.replace(RPPS[2], "99700112231")))


def test_a_table_of_the_wrong_kind_has_its_own_path(tmp_path: Path, text: str) -> None:
    text = "kit = 3\n" + text.replace("[kit]", "[kits]").replace("[support]", "[[support]]")
    assert {"kit", "kits", "support"} == set(faults(tmp_path, text))


def test_empty_file_names_what_is_required(tmp_path: Path) -> None:
    assert set(faults(tmp_path, "")) == {
        "pilot", "company", "authorisation", "practitioners",
    }  # fmt: skip


def test_the_funds_are_recommended_and_not_required(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pilot.toml"
    without, removed = re.subn(r'\[area\].*\ncpam = \["33"\]\n', "", text)
    assert removed == 1
    path.write_text(without, encoding="utf-8")
    dossier = Dossier.from_toml(path)
    assert dossier.area.cpam == ()
    (finding,) = (each for each in check(dossier, date(2025, 3, 1)) if each.path == "area.cpam")
    assert finding.level is Level.WARNING


def test_duplicates_are_refused(tmp_path: Path, text: str) -> None:
    text = text.replace(RPPS[4], RPPS[1]).replace('["33"]', '["33", "44", "33"]')
    assert faults(tmp_path, text) == {
        "practitioners[4].rpps": "This is the same as practitioners[1].rpps.",
        "area.cpam[2]": "This is the same as area.cpam[0].",
    }


def test_malformed_toml_names_the_line(tmp_path: Path, text: str) -> None:
    line = text[: text.index("[kit]")].count("\n") + 1
    assert f"line {line}" in str(refused(tmp_path, text.replace("[kit]", "[kit", 1)))


def test_a_key_given_twice_names_the_line(tmp_path: Path, text: str) -> None:
    text = text.replace("within_hours = 4", "within_hours = 4\nwithin_hours = 5")
    line = text[: text.index("within_hours = 5")].count("\n") + 1
    assert f"line {line}" in str(refused(tmp_path, text))


def test_not_utf8_names_the_line(tmp_path: Path, text: str) -> None:
    content = text.encode().replace("Téléconsultation".encode(), b"T\xe9l\xe9consultation", 1)
    before = content[: content.index(b"T\xe9l")]
    line = before.count(b"\n") + 1
    assert f"line {line}" in str(refused(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        b"a = " + b"[" * 100_000,
        b"a = " + b"9" * 5_000,
        b"a = 2025-02-30",
        b"\x00",
        b"#" * (1024 * 1024 + 1),
    ],
)
def test_hostile_files_are_one_clear_error(tmp_path: Path, content: bytes) -> None:
    assert len(str(refused(tmp_path, content))) < 400


def test_texts_of_several_lines_or_without_end_are_refused(tmp_path: Path, text: str) -> None:
    text = text.replace('"EX-KIT-3"', '"EX\\nKIT"').replace('"SIT-EX-1"', '"' + "x" * 501 + '"')
    assert set(faults(tmp_path, text)) == {"kit.reference", "practitioners[0].situation"}


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "pilot.toml"
    path.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.read_bytes())
    assert Dossier.from_toml(path) == Dossier.from_toml(EXAMPLE)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read") as caught:
        Dossier.from_toml(tmp_path / "none.toml")
    assert caught.value.path == str(tmp_path / "none.toml")


@pytest.mark.parametrize("text", ["", "[]", "3", "{}", '{"pilot": []}', "[" * 100_000])
def test_json_that_is_no_dossier_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Dossier.from_json(text)


def test_every_key_of_the_classes_is_in_the_example(text: str) -> None:
    optional = {"withdrawn_on", "withdrawn_reason", "sent_on"}
    named = set(re.findall(r"^(?:# )?(\w+) = ", text, re.MULTILINE))
    import attrs

    from eprescription_sdk.pilot import dossier as module

    keys = {
        field.name
        for kind in vars(module).values()
        if isinstance(kind, type) and attrs.has(kind) and kind is not Dossier
        and kind.__module__ == module.__name__
        for field in attrs.fields(kind)
    }  # fmt: skip
    assert keys - optional == named

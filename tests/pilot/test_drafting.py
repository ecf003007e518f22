import tomllib
from pathlib import Path

import pytest

from eprescription_sdk.pilot import Dossier
from eprescription_sdk.pilot.drafting import BY_PATH, FIELDS, draft, open_fields
from eprescription_sdk.pilot.reading import line_of, lines_of
from tests.pilot.samples import EXAMPLE


def test_a_whole_dossier_is_drafted_as_it_is(tmp_path: Path) -> None:
    dossier = Dossier.from_toml(EXAMPLE)
    path = tmp_path / "pilot.toml"
    path.write_text(draft(dossier.to_document()), encoding="utf-8")
    assert Dossier.from_toml(path) == dossier
    assert open_fields(dossier.to_document()) == ()


def test_every_key_has_its_question_and_stands_in_an_empty_draft() -> None:
    text = draft({})
    assert tomllib.loads(text) == {"pilot": {}, "company": {}, "authorisation": {}}
    for field in FIELDS:
        assert f"# {field.key} = {field.example}    # {field.ask_fr}" in text
    example = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    keys = {
        f"{table}.{key}"
        for table, values in example.items()
        for key in (values[0] if isinstance(values, list) else values)
    }
    assert keys <= set(BY_PATH)


def test_every_example_is_an_answer_to_its_question() -> None:
    for field in FIELDS:
        (value,) = tomllib.loads(f"x = {field.example}").values()
        field.read(value)
        if field.default:
            field.read(field.default)


def test_what_is_missing_is_named() -> None:
    missing = open_fields({"kit": {"established_on": "2025-02-14"}, "practitioners": [{}]})
    assert "kit.reference" in missing
    assert "kit.shared_on" not in missing
    assert "company.finess" in missing
    assert "practitioners[0].rpps" in missing
    assert "support.reference" not in missing


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("pilot.first_pilot", "oui", True), ("practitioners.salaried", "N", False),
        ("anomalies.within_hours", " 4 ", 4), ("area.cpam", "33, 69", ["33", "69"]),
        ("company.finess", "330781287", "330781287"), ("pilot.profession", "10", "10"),
    ],
)  # fmt: skip
def test_what_a_person_types_is_read(path: str, text: str, value: object) -> None:
    assert BY_PATH[path].read(text) == value


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pilot.first_pilot", "peut-être"), ("anomalies.within_hours", "vite"),
        ("company.finess", "330781288"), ("kit.shared_on", "hier"), ("pilot.profession", "11"),
        ("practitioners.rpps", "99700218897"), ("pilot.name", "  "),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_said_without_quoting_it(path: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        BY_PATH[path].read(text)
    assert text.strip() == "" or text not in str(caught.value)


def test_a_key_that_waits_in_a_comment_has_its_line() -> None:
    text = draft({"practitioners": [{"rpps": "99700218896"}, {}]})
    lines = lines_of(text)
    rows = text.splitlines()
    assert rows[line_of(lines, "kit.shared_on") or 0].startswith("# reference")
    assert rows[(line_of(lines, "kit") or 0) - 1] == "# [kit]"
    assert rows[(line_of(lines, "practitioners[0].situation") or 0) - 1].startswith("# situation")
    assert line_of(lines, "zorglub") is None

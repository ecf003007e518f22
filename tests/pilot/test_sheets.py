from pathlib import Path

import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot.sheets import MAX_BYTES, read_sheet, sheet


def written(folder: Path, content: str | bytes, name: str = "feuille.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def faults(path: Path, **more: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    with pytest.raises(InvalidInput) as caught:
        read_sheet(path, columns=("a", "b"), **more)
    assert caught.value.path == str(path)
    return caught.value.findings


@pytest.mark.parametrize(
    "content",
    [
        "a;b\n1;deux\n",
        "a,b\n1,deux\n",
        "\ufeffA ; B\r\n1; deux \r\n;;\r\n",
        'a;b\n1;"deux"\n',
    ],
)
def test_what_office_software_writes_is_read(tmp_path: Path, content: str) -> None:
    (row,) = read_sheet(written(tmp_path, content), columns=("a", "b"))
    assert row.values == {"a": "1", "b": "deux"}
    assert row.place == "line 2"


def test_a_cell_of_several_lines_stays_one(tmp_path: Path) -> None:
    rows = read_sheet(written(tmp_path, 'a;b\n1;"x\ny"\n2;z\n'), columns=("a", "b"))
    assert [(row.values["b"], row.place) for row in rows] == [("x\ny", "line 3"), ("z", "line 4")]


def test_json_is_read_with_the_same_keys(tmp_path: Path) -> None:
    text = '[{"A": 1, "b": ["x", "y"]}, {"a": 2, "b": null}]'
    rows = read_sheet(written(tmp_path, text, "feuille.json"), columns=("a", "b"))
    assert [row.values for row in rows] == [{"a": "1", "b": "x\ny"}, {"a": "2", "b": ""}]
    assert rows[1].path("b") == "[1], b"


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    text = sheet(("a", "b"), [("é;1", "x"), ('"', "")])
    assert text.startswith("\ufeffa;b\r\n")
    rows = read_sheet(written(tmp_path, text), columns=("a", "b"))
    assert [row.values["a"] for row in rows] == ["é;1", '"']


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_formula_is_disarmed(start: str) -> None:
    assert f"\r\n'{start}1+1;" in sheet(("a", "b"), [(f"{start}1+1", "x")])


def test_every_wrong_column_is_named(tmp_path: Path) -> None:
    assert faults(written(tmp_path, "a;c\n1;2\n")) == (
        ("line 2, b", "This is missing."),
        ("line 2, c", "This column is unknown."),
    )


@pytest.mark.parametrize(
    ("content", "name", "place"),
    [
        ("a;a\n1;2\n", "x.csv", "line 1"),
        ("a;b\n1;2;3\n", "x.csv", "line 2"),
        ('a;b\n1;"2\n', "x.csv", "line 2"),
        ("a;b\n", "x.csv", "line 2"),
        ("", "x.csv", "line 2"),
        ("{", "x.json", "line 1"),
        ('[{"a": 1},\n 3]', "x.json", "line 1"),
        ("[" * 100_000, "x.json", "line 1"),
    ],
)
def test_a_broken_sheet_is_one_clear_error(
    tmp_path: Path, content: str, name: str, place: str
) -> None:
    assert [where for where, _ in faults(written(tmp_path, content, name))] == [place]


@pytest.mark.parametrize("content", [b"a;b\n1;\xe9\n", b"x" * (MAX_BYTES + 1)])
def test_a_file_that_is_no_sheet_is_refused(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    with pytest.raises(InvalidInput) as caught:
        read_sheet(path, columns=("a",))
    assert caught.value.path == str(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_sheet(tmp_path / "nowhere.csv", columns=("a",))

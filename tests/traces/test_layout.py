"""What no profile file may say, and that its place is named."""

from pathlib import Path

import pytest

from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.traces.layout import Form, read_layout

HEAD = 'name = "essai"\nform = "json"\nresource = "traces"\ncontent_type = "text/plain"\n'
FIELD = '[[field]]\nname = "x"\nfrom = "id"\n'


def read(folder: Path, text: str) -> str:
    """What is said of a file that is refused."""
    path = folder / "profile.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_layout(path)
    assert caught.value.path == str(path)
    return caught.value.message


def test_a_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_text(HEAD + FIELD, encoding="utf-8")
    layout = read_layout(path)
    assert (layout.form, layout.field[0].source) == (Form.JSON, "id")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "field"),
        (HEAD + "field = []\n", "there is no field @ $.field"),
        (HEAD.replace("json", "xml") + FIELD, "$.form"),
        (HEAD + "batch = 0\n" + FIELD, "$.batch"),
        (HEAD + "batch = true\n" + FIELD, "$.batch"),
        (HEAD + 'delimiter = "ab"\n' + FIELD, "$.delimiter"),
        (HEAD + 'colour = "blue"\n' + FIELD, "colour"),
        (HEAD + FIELD + "optional = 1\n", "$.field[0].optional"),
        (HEAD + FIELD + 'colour = "blue"\n', "colour"),
        (HEAD + FIELD + 'constant = "y"\n', "either 'from' or 'constant' @ $.field[0]"),
        (HEAD + '[[field]]\nname = "x"\n', "either 'from' or 'constant' @ $.field[0]"),
        (HEAD + FIELD.replace('"id"', '"patient"'), "such a field @ $.field[0].from (line 7)"),
        (HEAD + FIELD.replace('"x"', '"a..b"'), "empty part @ $.field[0].name (line 6)"),
        (HEAD + FIELD.replace('"id"', '"at"') + "codes = { a = 1 }\n", "a time has no codes"),
        (HEAD + FIELD.replace('"id"', '"at"') + 'date = "%Q"\n', "$.field[0].date (line 8)"),
        (HEAD + FIELD.replace('"id"', '"at"') + 'date = "%Y%"\n', "the date pattern is not known"),
        (HEAD + FIELD + 'kinds = ["PAPER"]\n', "the kinds of trace are CALL and PRESCRIPTION"),
        (
            HEAD + FIELD + 'zone = "Europe/Nowhere"\n',
            "zone is not known @ $.field[0].zone (line 8)",
        ),
        (HEAD + FIELD + '[[ field ]]\nname = "y"\n', "'constant' @ $.field[1] (line 8)"),
        (HEAD + "batch = 0\n" + FIELD, "$.batch (line 5)"),
        (HEAD + 'field = [{ name = "y" }]\n', "either 'from' or 'constant' @ $.field[0]"),
        (HEAD + FIELD + FIELD, "two things @ $.field[0].name"),
        (HEAD + FIELD + FIELD.replace('"x"', '"x.y"'), "two things @ $.field[0].name"),
        ("name = ", "not TOML"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, text: str, said: str) -> None:
    assert said in read(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_layout(tmp_path / "none.toml")

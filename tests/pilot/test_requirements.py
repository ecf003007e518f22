"""Every demand of the Cnam's document is covered: the table in the docs, held against the code."""

import importlib
import re
from pathlib import Path

import pytest

from eprescription_sdk.cli.app import app
from eprescription_sdk.pilot.drafting import BY_PATH
from eprescription_sdk.pilot.questions import Question
from eprescription_sdk.pilot.results import Criterion
from eprescription_sdk.pilot.steps import Step
from tests.pilot import test_checks

TABLE = Path(__file__).parents[2] / "docs" / "pilot-requirements.md"
ROWS = re.findall(
    r"^\| (\d) \| (.+?) \| (.+?) \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE
)
NAMES = sorted({name for *_, cell in ROWS for name in re.findall(r"`([^`]+)`", cell)})


def checked() -> set[str]:
    """Every path of a finding that the tests of the checks provoke, without its index."""
    (mark,) = test_checks.test_each_condition.pytestmark  # type: ignore[attr-defined]
    return {re.sub(r"\[\d+\]", "", path) for _, path, *_ in mark.args[1]}


def test_every_page_and_line_has_its_cover() -> None:
    assert {page for page, *_ in ROWS} == {"2", "3", "4", "5", "6"}
    assert len(ROWS) > 35
    for _, what, cell in ROWS:
        assert re.search(r"`[^`]+`", cell), what


def test_every_check_of_the_dossier_is_in_the_table() -> None:
    named = {name.split()[1] for name in NAMES if name.startswith("check ")}
    ours = {path for path in checked() if path.partition(".")[0] != "practitioners"}
    tables = {path.partition(".")[0] for path in named}
    assert {path for path in ours if path.partition(".")[0] not in tables} == set()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_named_exists(name: str) -> None:
    kind, _, what = name.partition(" ")
    match kind:
        case "check":
            assert what in checked()
        case "key":
            assert what in BY_PATH
        case "step":
            assert Step(what).value == what
        case "figure":
            assert Criterion(what).value == what
        case "question":
            assert Question(what).value == what
        case "command":
            group = app
            for part in what.split():
                group = group[part]
        case "rule":
            module, _, attribute = what.rpartition(".")
            assert hasattr(importlib.import_module(f"eprescription_sdk.{module}"), attribute)
        case _:
            pytest.fail(f"What is a {kind}?")

"""The table of all budgets, and that every benchmark still runs and says its rows."""

import importlib
import sys

import pytest

from benchmarks import __main__ as runner
from benchmarks.table import Row, machine


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row(what="a", measured=1.8, budget=1.8), True),
        (Row(what="a", measured=1.81, budget=1.8), False),
        (Row(what="a", measured=1.0, budget=1.0, least=True), True),
        (Row(what="a", measured=0.99, budget=1.0, least=True), False),
    ],
)
def test_a_budget_is_a_ceiling_or_a_floor(row: Row, met: bool) -> None:
    assert row.met is met


def test_a_row_says_what_how_much_of_what_and_whether_it_is_met() -> None:
    assert str(Row(what="a", measured=1.234, budget=1.8)) == "| a | 1.23× | ≤ 1.8× | yes |"
    floor = Row(what="b", measured=0.5, budget=1, least=True, unit="s")
    assert str(floor) == "| b | 0.50 s | ≥ 1 s | NO |"


def test_the_machine_is_described() -> None:
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in machine()


def test_what_is_run_is_there() -> None:
    for name in runner.NAMES:
        assert callable(importlib.import_module(f"benchmarks.{name}").main)


def test_rows_of_a_benchmark_end_in_the_table(capfd: pytest.CaptureFixture[str]) -> None:
    missed = runner.main(["importing"], ["1"])
    printed = capfd.readouterr().out
    table = printed.split(machine())[1].strip().splitlines()
    assert table[:2] == ["| what | measured | budget | met |", "|---|---:|---:|---|"]
    assert len(table) == 3
    assert missed == table[2].count("| NO |")


def test_a_benchmark_that_fails_is_not_passed_over() -> None:
    with pytest.raises(SystemExit, match="no_such_benchmark failed"):
        runner.main(["no_such_benchmark"])

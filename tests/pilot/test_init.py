import subprocess
import sys
from pathlib import Path

import pytest

from eprescription_sdk import pilot


def test_all_names_exist_and_are_sorted() -> None:
    assert list(pilot.__all__) == sorted(pilot.__all__)
    for name in pilot.__all__:
        assert getattr(pilot, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_such"):
        pilot.nothing_such  # noqa: B018


def test_what_draws_is_loaded_only_for_a_report() -> None:
    program = (
        "import sys, eprescription_sdk.pilot as p\n"
        "print(sorted({'jinja2', 'pygal', 'eprescription_sdk.pilot.report'} & set(sys.modules)))\n"
        "p.write_report\n"
        "print('eprescription_sdk.pilot.report' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, timeout=60,
        env={"PYTHONPATH": "src"}, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout.split("\n")[:2] == ["[]", "True"]

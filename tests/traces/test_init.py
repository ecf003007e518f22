"""What the room of traces names, and that naming loads nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from eprescription_sdk import traces


def test_all_names_exist_and_are_sorted() -> None:
    assert list(traces.__all__) == sorted(traces.__all__)
    assert dir(traces) == traces.__all__
    for name in traces.__all__:
        assert getattr(traces, name).__doc__ or name == "Trace"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_such"):
        traces.nothing_such  # noqa: B018


def test_a_client_that_records_does_not_load_what_closes_or_declares() -> None:
    program = (
        "import sys, eprescription_sdk as ep\n"
        "ep.Client, ep.traces.Trace\n"
        "rooms = ('declared', 'archive', 'retention', 'files', 'closing')\n"
        "print([one for one in rooms if f'eprescription_sdk.traces.{one}' in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, timeout=60,
        env={"PYTHONPATH": "src"}, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout == "[]\n"

"""``eprescription verify`` with heads that left the store in a day's manifest."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from eprescription_sdk.cli.app import app
from eprescription_sdk.clock import SimulatedClock
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot.export import write_export
from eprescription_sdk.traces.files import DirectorySink
from eprescription_sdk.traces.shipper import Shipper
from eprescription_sdk.traces.signing import Signer
from eprescription_sdk.traces.tde import TdeProfile
from tests.pilot.pilots import KEY, PilotStore, at
from tests.traces.test_signing import pem, public_pem


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """An export of two traces, both of which were dropped as a day's file before."""
    key = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "public.pem").write_bytes(public_pem(key))
    signer, clock = Signer(pem(key)), SimulatedClock(at(3))
    pilot = PilotStore(tmp_path)
    pilot.uses(3)
    pilot.flush()
    sink = DirectorySink(tmp_path / "days", TdeProfile(), signer=signer, clock=clock)
    assert Shipper(pilot.store, TdeProfile(), sink=sink, clock=clock).ship_once().sent == 2
    write_export(pilot.store, tmp_path / "export", key=KEY, at=at(9), signer=signer)
    pilot.store.close()
    return tmp_path


@pytest.fixture
def verify(exported: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    (manifest,) = (exported / "days").glob("*.manifest.json")

    def verify(*further: str | Path) -> tuple[int, str]:
        command = ["verify", exported / "export", "--anchor", manifest, *further]
        code = app(
            [str(each) for each in command],
            result_action="return_int_as_exit_code_else_zero",
            exit_on_error=False,
        )
        return int(code), capsys.readouterr().out

    return verify


def test_an_export_leads_to_the_heads_of_a_day(
    exported: Path, verify: Callable[..., tuple[int, str]]
) -> None:
    assert verify()[0] == 0
    code, said = verify("--key", exported / "public.pem")
    assert code == 0
    assert re.search(r"^C3 .*: non évaluable \(stricte\), non évaluable", said, re.MULTILINE)
    report = json.loads(verify("--json")[1])
    assert report["holds"] is True
    assert report["verdicts"]["C3"] == {"strict": "not_assessable", "lenient": "not_assessable"}


def test_an_export_that_does_not_is_named(
    exported: Path, verify: Callable[..., tuple[int, str]]
) -> None:
    (manifest,) = (exported / "days").glob("*.manifest.json")
    document = json.loads(manifest.read_bytes())
    (head,) = document["heads"]
    head["hash"] = "0" * 64
    manifest.write_text(json.dumps(document))
    code, said = verify()
    assert code == 1
    assert f"{head['segment']}/{head['position']}" in said
    with pytest.raises(InvalidInput, match="not signed with this key"):
        verify("--key", exported / "public.pem")
    manifest.write_text("[]")
    with pytest.raises(InvalidInput, match="not the manifest of a day"):
        verify()

"""``eprescription verify`` with heads that left the store in a day's manifest."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from eprescription_sdk.cli.app import app
from eprescription_sdk.clock import SimulatedClock
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot.export import facts_of_export, write_export
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


DEEP = "[" * 100_000


def _link(**changes: object) -> dict[str, object]:
    return {"segment": "s", "position": 1, "hash": "h"} | changes


@pytest.mark.parametrize(
    "manifest",
    [
        DEEP, "[]", "null", "1" * 5000, "\0",
        {"cut_off": "2026-03-09"}, {"cut_off": "0001-01-01T00:00:00+14:00"}, {"cut_off": 3},
        {"segments": 3}, {"segments": [{"id": [], "previous": "", "head": None}]},
        {"segments": [{"id": "s", "previous": "", "head": {"position": [], "hash": ""}}]},
        {"segments": [{"id": "\ud800", "previous": "", "head": None}]},
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "backslashreplace").decode(),
)  # fmt: skip
def test_a_hostile_manifest_is_no_manifest(
    exported: Path, verify: Callable[..., tuple[int, str]], manifest: str | dict[str, object]
) -> None:
    path = exported / "export" / "manifest.json"
    if isinstance(manifest, dict):
        manifest = json.dumps(json.loads(path.read_text(encoding="utf-8")) | manifest)
    path.write_text(manifest, encoding="utf-8")
    with pytest.raises(InvalidInput, match="no manifest") as caught:
        verify()
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    "row",
    [
        DEEP, "1", "[]", "\0", json.dumps(_link(body=DEEP)), json.dumps(_link(body=3)),
        json.dumps(_link(position="1", body="{}")), json.dumps(_link(position=1e400, body="{}")),
        json.dumps(_link(body="\ud800")), json.dumps(_link(segment="volumes", body="[]")),
        json.dumps(_link(segment="enrolments", body='{"go_live": "9999-99-99"}')),
        json.dumps(_link(body='{"kind": "CALL", "at": "0001-01-01T00:00:00+14:00"}')),
    ],
    ids=range(12),
)  # fmt: skip
def test_a_hostile_row_is_named_and_the_rest_is_read(
    exported: Path, verify: Callable[..., tuple[int, str]], row: str
) -> None:
    rows = exported / "export" / "rows.jsonl"
    kept = rows.read_text(encoding="utf-8")
    rows.write_text(f"{kept}{row}\n", encoding="utf-8")
    code, said = verify()
    assert code == 1
    assert re.search(r"line 4: The row|s/1: |enrolments/1: |volumes/1: ", said)
    with pytest.raises(InvalidInput) as caught:
        facts_of_export(exported / "export")
    assert caught.value.path


@pytest.mark.parametrize("name", ["manifest.json", "rows.jsonl", "checkpoint.json"])
@pytest.mark.parametrize("kind", ["endless", "pipe", "loop"])
def test_what_is_no_file_in_an_export_ends_at_once(
    exported: Path, verify: Callable[..., tuple[int, str]], name: str, kind: str
) -> None:
    folder = exported / "export"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    changed = json.dumps(manifest | {"checkpoint": "0" * 64})
    (folder / "manifest.json").write_text(changed, encoding="utf-8")
    path = folder / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "endless" else path)
    if name == "checkpoint.json" or (name, kind) == ("rows.jsonl", "pipe"):
        code, said = verify()
        assert (code, name in said) == (1, True)
    else:
        with pytest.raises(InvalidInput) as caught:
            verify()
        assert caught.value.path == str(path)


@pytest.mark.parametrize(
    "assessment",
    [
        DEEP, "[]", "1", "{}", '{"cut_off": "2026-03-09", "inputs": {"heads": []}}',
        '{"cut_off": "0001-01-01T00:00:00+14:00", "inputs": {"heads": []}}',
        '{"cut_off": "2026-03-09T09:00:00+00:00", "inputs": {"heads": [{"segment": []}]}}',
        '{"cut_off": "2026-03-09T09:00:00+00:00", "inputs": []}',
    ],
    ids=range(8),
)  # fmt: skip
def test_a_hostile_assessment_is_none(
    exported: Path, verify: Callable[..., tuple[int, str]], assessment: str
) -> None:
    path = exported / "assessment.json"
    path.write_text(assessment, encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        verify("--assessment", path)
    assert caught.value.path


@pytest.mark.parametrize(
    "heads", [DEEP, "3", '{"a": 1}', "[1]", '[{"segment": [], "position": 1, "hash": ""}]']
)
def test_a_hostile_manifest_of_a_day_or_receipt_is_none(
    exported: Path, verify: Callable[..., tuple[int, str]], heads: str
) -> None:
    path = exported / "made-up.json"
    path.write_text(f'{{"heads": {heads}}}', encoding="utf-8")
    for option in ("--anchor", "--receipt"):
        with pytest.raises(InvalidInput) as caught:
            verify(option, path)
        assert caught.value.path == str(path)

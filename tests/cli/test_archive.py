"""From the closing to an archive, with the commands alone, and the organisation's key for each."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from eprescription_sdk.cli.app import app
from eprescription_sdk.errors import EPrescriptionError
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.storage import SqliteStore
from eprescription_sdk.traces.record import Recorder
from eprescription_sdk.traces.signing import PublicKey
from tests.pilot.samples import EXAMPLE, RPPS
from tests.settings_file import settings_file
from tests.traces.samples import call, digital
from tests.traces.test_signing import pem, public_pem

Run = Callable[..., tuple[int, str]]
SECRET = b"\xab" * 32
NOTE = ("--by", "essai", "--reference", "REF-1")
LONG_AGO = datetime(2025, 4, 1, 10, tzinfo=UTC)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command with the settings of a pilot: exit code, and what it says."""
    settings = settings_file(tmp_path, key=SECRET.hex())

    def run(*arguments: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        command = [str(each) for each in arguments]
        if "verify" not in command:
            command += ["--settings", str(settings)]
        try:
            code = app(
                command, result_action="return_int_as_exit_code_else_zero", exit_on_error=False
            )
        except EPrescriptionError as error:
            return 1, str(error)
        return int(code), capsys.readouterr().out

    return run


@pytest.fixture
def closed(run: Run, tmp_path: Path) -> Path:
    """A closed pilot with a signed receipt; the organisation's keys are beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "key.pem").write_bytes(pem(key))
    (tmp_path / "public.pem").write_bytes(public_pem(key))
    assert run("pilot", "apply", EXAMPLE, "--by", "essai")[0] == 0
    assert run("pilot", "start", "--day", "2025-03-17", *NOTE)[0] == 0
    store, who = SqliteStore(tmp_path / "store.db"), {"rpps": Rpps(RPPS[0])}
    recorder = Recorder(SECRET, store.path)
    for trace in (call, digital, call, digital):
        made = trace(at=LONG_AGO, situation="SIT-EX-1", module="exemple-on-1", **who)
        assert store.write(lambda tx, one=made: recorder.record(tx, one))  # type: ignore[misc]
    store.close()
    assert run("pilot", "assessed", *NOTE)[0] == 0
    code, said = run(
        "pilot", "close-traces", "--receipt", tmp_path / "receipt.json",
        "--sign-key", tmp_path / "key.pem", *NOTE,
    )  # fmt: skip
    assert (code, "Closed." in said) == (0, True)
    assert "0 traces sent, 4 not sent, 0 refused; 0 of those not sent" in said
    return tmp_path


def test_what_is_archived_says_sums_and_nobody(run: Run, closed: Path) -> None:
    sign = ("--sign-key", closed / "key.pem")
    code, said = run("pilot", "archive", closed / "archive.json", "--purge-days", "365", *sign)
    assert (code, "3 traces deleted" in said) == (0, True)
    content = (closed / "archive.json").read_bytes()
    signature = (closed / "archive.json.sig").read_bytes()
    assert PublicKey.from_file(closed / "public.pem").signed(content, signature)
    archive = json.loads(content)
    assert archive["receipt"] == json.loads((closed / "receipt.json").read_bytes())
    assert sum(one["count"] for one in archive["traces"]) == 4
    assert archive["assessment"]["inputs"]["traces"] == 4
    assert archive["checkpoint"]["purged"] == 3
    text = content.decode()
    for rpps in RPPS:
        assert rpps not in text
        assert pseudonym(SECRET, "rpps", rpps) not in text
    assert "NUMBER1" not in text


def test_once_purged_the_export_holds_with_the_key(run: Run, closed: Path) -> None:
    sign = ("--sign-key", closed / "key.pem")
    assert run("pilot", "archive", closed / "archive.json", *sign)[0] == 0
    assert run("traces", "purge", closed / "checkpoint.json", *sign)[0] == 0
    assert run("assess", "--export", closed / "export", *sign)[0] == 0
    key = ("--key", closed / "public.pem", "--receipt", closed / "receipt.json")
    code, said = run("verify", closed / "export", *key)
    assert code == 0
    assert "the chains hold from the checkpoint on" in said
    assert "3 traces were purged" in said
    code, said = run("verify", closed / "export")
    assert code == 1
    assert "checkpoint.json" in said
    path = closed / "receipt.json"
    path.write_text(path.read_text().replace('"pending": 4', '"pending": 3'))
    code, said = run("verify", closed / "export", *key)
    assert code == 1
    assert "receipt/digest" in said
    path.write_text("{}")
    assert "not a closing receipt" in run("verify", closed / "export", *key)[1]


def test_an_archive_made_after_a_purge_has_no_assessment_of_its_own(run: Run, closed: Path) -> None:
    assert run("traces", "purge", closed / "checkpoint.json")[0] == 0
    assert run("pilot", "archive", closed / "archive.json")[0] == 0
    assert json.loads((closed / "archive.json").read_bytes())["assessment"] is None
    (closed / "mine.json").write_text('{"verdict": "met"}')
    mine = ("--assessment", closed / "mine.json")
    assert run("pilot", "archive", closed / "archive.json", *mine)[0] == 0
    assert json.loads((closed / "archive.json").read_bytes())["assessment"] == {"verdict": "met"}

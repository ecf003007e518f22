"""The commands as a person types them, against a running sandbox."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import (
    sample_prescription,
    sandbox_practitioner,
    sandbox_settings,
)
from tests.settings_file import settings_file

EXAMPLE = Path(__file__).parents[2] / "examples" / "pilot.toml"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from eprescription_sdk.cli import main; main()",
            *map(str, arguments),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@attrs.frozen
class Company:
    """A back-end with its settings in a file.

    Args:
        sandbox: what it talks to.
        file: its settings.
        settings: the same, read.
        dossier: of its pilot, going live today.
    """

    sandbox: Sandbox
    file: Path
    settings: ep.Settings
    dossier: Path


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Sandbox(scale=0.05) as sandbox:
        made = sandbox_settings(
            sandbox, tmp_path / "store.db", environment=ep.Environment.PRODUCTION
        )
        example = Dossier.from_toml(EXAMPLE)
        file = settings_file(
            tmp_path,
            service_url=made.service_url,
            collector_url=str(made.collector_url),
            instance=made.instance,
            module=example.pilot.module,
            finess=example.company.finess.value,
            key=made.key.hex(),
        )
        yield Company(
            sandbox=sandbox,
            file=file,
            settings=ep.Settings.from_toml(file),
            dossier=EXAMPLE,
        )


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("demo", "sandbox", "pilot", "traces", "assess", "verify", "doctor"):
        assert command in done.stdout


def test_an_error_is_one_readable_message(tmp_path: Path) -> None:
    done = run("doctor", "--settings", tmp_path / "nothing.toml")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("[EP-CONFIG]")
    assert "Traceback" not in done.stderr


def test_doctor_before_the_pilot_says_what_is_missing(company: Company) -> None:
    done = run("doctor", "--json", "--settings", company.file)
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["healthy"] is False
    assert any("No dossier is applied" in line["what"] for line in report["findings"])
    assert any(line["what"] == "service reached" for line in report["findings"])


def test_doctor_names_the_promise_that_law_one_rests_on(company: Company) -> None:
    def warned() -> bool:
        report = json.loads(run("doctor", "--json", "--settings", company.file).stdout)
        return any("sent again" in line["what"] for line in report["findings"])

    assert not warned()
    with company.file.open("a", encoding="utf-8") as file:
        file.write("\n[profile]\nunique_by_number = true\n")
    assert warned()


def test_a_pilot_from_the_first_command_to_the_last(company: Company, tmp_path: Path) -> None:
    settings = ("--settings", company.file)
    checked = run("pilot", "check", company.dossier)
    assert checked.returncode == 0, checked.stdout
    applied = run("pilot", "apply", company.dossier, "--by", "essai", *settings)
    assert applied.returncode == 0, applied.stderr
    assert "99700218896" not in applied.stdout
    again = run("pilot", "apply", company.dossier, "--by", "essai", *settings)
    assert "Nothing changes." in again.stdout
    note = ("--by", "essai", "--reference", "ESSAI-1")
    started = run("pilot", "start", "--day", "2025-03-17", *note, *settings)
    assert started.returncode == 0, started.stderr

    who = Dossier.from_toml(company.dossier).practitioners[0]
    with ep.Client(
        company.settings,
        minter=ep.reference.FakeMinter(),
        codec=ep.ReferenceCodec(),
        code2d=ep.reference.SpecimenCode(),
    ) as client:
        doctor = client.acting_as(sandbox_practitioner(company.sandbox, who.rpps, who.situation))
        base = sample_prescription(rpps=who.rpps)
        situation = attrs.evolve(base.prescriber.situation, id=who.situation)
        outcome = doctor.create(
            attrs.evolve(base, prescriber=attrs.evolve(base.prescriber, situation=situation))
        )
        assert isinstance(outcome, ep.Registered), outcome

    shipped = run("traces", "ship", "--once", "--json", *settings)
    assert json.loads(shipped.stdout) == {"sent": 2, "quarantined": 0, "waiting": 0}
    assert len(company.sandbox.collector.traces) == 2
    assessed = run(
        "assess",
        "--json",
        "--export",
        tmp_path / "export",
        "--html",
        tmp_path / "r.html",
        *settings,
    )
    figures = json.loads(assessed.stdout)
    assert figures["inputs"]["traces"] == 2
    assert (tmp_path / "r.html").exists()
    verified = run("verify", tmp_path / "export")
    assert verified.returncode == 0, verified.stdout

    early = run("pilot", "close-traces", *note, "--receipt", tmp_path / "receipt.json", *settings)
    assert early.returncode == 1
    assert "[EP-PILOT-STEP]" in early.stderr
    assert run("pilot", "assessed", *note, *settings).returncode == 0
    closed = run("pilot", "close-traces", *note, "--receipt", tmp_path / "receipt.json", *settings)
    assert closed.returncode == 0, closed.stderr
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert receipt["counts"]["shipped"] == 2
    status = json.loads(run("pilot", "status", "--json", *settings).stdout)
    assert status["phase"] == "closed"
    assert run("pilot", "generalise", *note, *settings).returncode == 0

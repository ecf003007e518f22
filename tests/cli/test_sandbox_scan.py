"""``eprescription sandbox scan``: the pharmacy's eye from a terminal."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from eprescription_sdk.sandbox import Sandbox
from tests.sandbox.envelopes import create
from tests.sandbox.test_scan import code, file, page


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(verify_assertions=False) as running:
        yield running


def scan(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = "from eprescription_sdk.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", command, "sandbox", "scan", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_document_is_scanned_by_a_running_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    create(sandbox.url, "SIM1")
    known, unknown = tmp_path / "known.png", tmp_path / "unknown.png"
    known.write_bytes(file(page(code("SPECIMEN SIM1"))))
    unknown.write_bytes(file(page(code("SPECIMEN SIM2"))))

    done = scan(known, "--url", sandbox.pharmacy_url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("SIMULATION\n")
    assert "SIM1" in done.stdout
    done = scan(unknown, "--json", "--url", sandbox.pharmacy_url)
    assert done.returncode == 1
    assert json.loads(done.stdout)["outcome"] == "unknown"


def test_without_a_sandbox_or_a_picture_the_way_out_is_told(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    picture = tmp_path / "x.png"
    assert "The picture cannot be read" in scan(picture).stderr
    picture.write_bytes(b"?")
    elsewhere = scan(picture, "--url", sandbox.collector_url)
    assert elsewhere.returncode == 1
    assert "Start one: eprescription sandbox." in elsewhere.stderr

"""The demo, from the wheel, in an empty folder: it must show what the pilot promises."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import eprescription_sdk

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel, unpacked: what a user installs; where there is no src, what is installed."""
    if not (ROOT / "src").is_dir():
        return Path(eprescription_sdk.__file__).parents[1]
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (archive,) = folder.glob("*.whl")
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder / "site")
    return folder / "site"


@pytest.fixture(scope="module")
def demo(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("elsewhere")
    script = (
        "import eprescription_sdk, sys\n"
        f"assert eprescription_sdk.__file__.startswith({str(wheel)!r})\n"
        "from eprescription_sdk.cli import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "demo", "--output", "demo-output"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(wheel), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return done, folder / "demo-output"


def test_it_ends_well(demo: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, _ = demo
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_but_text_goes_into_a_pipe(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, _ = demo
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_every_output_says_simulation(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = demo
    assert "SIMULATION" in done.stdout
    assert "SIMULATION" in (folder / "report.html").read_text(encoding="utf-8")
    assert json.loads((folder / "assessment.json").read_text())["simulation"] is True
    assert json.loads((folder / "receipt.json").read_text())["simulation"] is True


def test_the_collector_has_what_the_store_counts_as_sent(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = demo
    receipt = json.loads((folder / "receipt.json").read_text())
    counts = receipt["counts"]
    assert counts["shipped"] > 400
    assert counts["pending"] == counts["claimed"] == counts["quarantined"] == 0
    said = re.search(r"traces sent (\d+), received by the collector (\d+)", done.stdout)
    assert said is not None
    assert said.groups() == (str(counts["shipped"]), str(counts["shipped"]))


def test_after_the_receipt_prescriptions_go_on_and_traces_do_not(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = demo
    assert "afterwards 5 prescriptions registered, 0 traces received" in done.stdout
    assessment = json.loads((folder / "assessment.json").read_text())
    receipt = json.loads((folder / "receipt.json").read_text())
    assert assessment["inputs"]["traces"] == sum(receipt["counts"].values())


def test_every_lost_answer_was_registered_exactly_once(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, _ = demo
    said = re.search(r"lost answers +(\d+), each registered exactly once", done.stdout)
    assert said is not None
    digital = sum(
        map(int, re.findall(r"(\d+) (?:Registered|NotRegistered|Uncertain)", done.stdout))
    )
    assert digital >= 200
    assert 0.04 <= int(said[1]) / digital <= 0.07


def test_it_tells_its_whole_story(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = demo
    assert "turned away   1 practitioner outside the pilot" in done.stdout
    assert re.search(r"on the eve of the reminder, PS 4 stood at [0-4]?\d,\d %", done.stdout)
    assessment = json.loads((folder / "assessment.json").read_text())
    assert assessment["overall"] == {"strict": "met", "lenient": "met"}
    assert len(assessment["practitioners"]) == 6
    assert "the chains hold, the figures agree" in done.stdout


def test_no_identity_is_in_what_is_handed_over(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = demo
    dossier = (ROOT / "examples" / "pilot.toml").read_text(encoding="utf-8")
    numbers = re.findall(r'rpps = "(\d{11})"', dossier)
    assert len(numbers) == 6
    handed = [done.stdout] + [
        path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".html", ".json", ".jsonl"}
    ]
    assert len(handed) >= 6
    for text in handed:
        assert not any(number in text for number in numbers)
        assert "FAKE" not in text


def test_the_plugin_for_pytest_comes_with_the_wheel(wheel: Path) -> None:
    assert (wheel / "pytest_eprescription.py").is_file()
    (points,) = wheel.glob("eprescription_sdk-*.dist-info/entry_points.txt")
    assert "[pytest11]\neprescription = pytest_eprescription" in points.read_text(encoding="utf-8")
    assert not (wheel / "src").exists()

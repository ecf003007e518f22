"""The independent script gets the figures of an assessment, and names what was tampered with."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eprescription_sdk.pilot.criteria import evaluate
from eprescription_sdk.pilot.export import write_export
from eprescription_sdk.pilot.questions import STRICT
from eprescription_sdk.pilot.results import Criterion
from eprescription_sdk.pilot.rows import facts_of_store
from tests.pilot.generated import UNTIL, generate
from tests.pilot.pilots import KEY
from tests.pilot.purged import write_purged

SCRIPT = Path(__file__).parents[2] / "examples" / "check_export.py"
Rows = list[dict[str, Any]]


def check(folder: Path, *key: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        # Isolated: neither our package nor this folder is on its path.
        [sys.executable, "-I", "-W", "error", SCRIPT, folder, *key],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_is_short_and_needs_nothing_but_python() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            assert {name.name for name in node.names} <= sys.stdlib_module_names
        if isinstance(node, ast.ImportFrom):
            assert node.module in sys.stdlib_module_names


@pytest.mark.parametrize("seed", range(60))
def test_it_gets_the_figures_of_an_assessment(seed: int, tmp_path: Path) -> None:
    pilot = generate(seed, tmp_path)
    write_export(pilot.store, tmp_path / "export", key=KEY, at=UNTIL)
    results = evaluate(pilot.store.read(lambda tx: facts_of_store(tx, KEY, UNTIL)), STRICT)
    pilot.store.close()
    expected = []
    for one in results[Criterion.C1].practitioners:
        assert one.figure is not None
        expected.append(f"C1 {one.label}: {one.figure.numerator}/{one.figure.denominator}")
    c1, c2, c3 = (results[each] for each in (Criterion.C1, Criterion.C2, Criterion.C3))
    assert c2.figure is not None
    expected += [
        f"C1: {c1.verdict.value}",
        f"C2: {c2.verdict.value} {c2.figure.numerator}/{c2.figure.denominator}",
        f"C3: {c3.verdict.value}",
    ]
    done = check(tmp_path / "export")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["The chains hold. ", *expected]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The rows and the manifest of an export."""
    folder = tmp_path_factory.mktemp("pilot")
    pilot = generate(3, folder)
    write_export(pilot.store, folder / "export", key=KEY, at=UNTIL)
    pilot.store.close()
    rows, manifest = (folder / "export" / name for name in ("rows.jsonl", "manifest.json"))
    return rows.read_text(encoding="utf-8"), manifest.read_text(encoding="utf-8")


def changed(rows: Rows) -> None:
    rows[-2]["body"] = rows[-2]["body"].replace('"registered"', '"uncertain"').replace(":1", ":2")


def removed(rows: Rows) -> None:
    del rows[-2]


def cut_short(rows: Rows) -> None:
    del rows[-1]


def swapped(rows: Rows) -> None:
    rows[-1], rows[-2] = rows[-2], rows[-1]


def inserted(rows: Rows) -> None:
    rows.insert(-1, rows[-1])


@pytest.mark.parametrize("tamper", [changed, removed, cut_short, swapped, inserted])
def test_a_tampered_row_is_named(
    whole: tuple[str, str], tmp_path: Path, tamper: Callable[[Rows], None]
) -> None:
    rows: Rows = [json.loads(line) for line in whole[0].splitlines()]
    segment, position = rows[-1]["segment"], rows[-1]["position"]
    tamper(rows)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "manifest.json").write_text(whole[1])
    done = check(tmp_path)
    assert done.returncode == 1
    assert re.search(rf"^{segment}/({position}|{position - 1}): ", done.stderr, re.MULTILINE)
    assert "C1" not in done.stdout


def test_a_line_that_is_no_row_is_named(whole: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(whole[0] + "[]\n")
    (tmp_path / "manifest.json").write_text(whole[1])
    done = check(tmp_path)
    assert done.returncode == 1
    assert f"line {len(whole[0].splitlines()) + 1}: " in done.stderr


# --- once traces were purged ----------------------------------------------------------------


@pytest.fixture(scope="module")
def purged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a signed export that begins at a signed checkpoint, with key.pem beside it."""
    folder = tmp_path_factory.mktemp("purged")
    write_purged(folder)
    return folder


openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@openssl
def test_chains_may_begin_at_a_signed_checkpoint(purged: Path) -> None:
    done = check(purged / "out", purged / "key.pem")
    assert done.returncode == 0, done.stderr
    assert "C1 to C3 are of what a purge left." in done.stdout
    alone = check(purged / "out")
    assert alone.returncode == 1
    assert "checkpoint.json: not signed with the key" in alone.stderr


@openssl
@pytest.mark.parametrize("name", ["manifest.json", "checkpoint.json"])
def test_what_is_signed_cannot_be_changed(purged: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(purged / "out", tmp_path / "out")
    path = tmp_path / "out" / name
    path.write_text(json.dumps(json.loads((purged / "out" / name).read_text()), indent=1))
    done = check(tmp_path / "out", purged / "key.pem")
    assert done.returncode == 1
    assert f"{name}: not signed with the key" in done.stderr


@openssl
def test_a_row_gone_behind_the_checkpoint_is_named(purged: Path, tmp_path: Path) -> None:
    shutil.copytree(purged / "out", tmp_path / "out")
    path = tmp_path / "out" / "rows.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if json.loads(line)["position"] > 3)
    row = json.loads(lines.pop(first))
    path.write_text("".join(lines))
    done = check(tmp_path / "out", purged / "key.pem")
    assert done.returncode == 1
    assert f"{row['segment']}/{row['position'] + 1}: " in done.stderr

"""What the README shows comes true; how its examples are run is in ``documents``."""

import re
from pathlib import Path

import pytest

from eprescription_sdk.sandbox import Sandbox
from tests.documents import ROOT, run

README = ROOT / "README.md"


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox() as sandbox:
        said = run(README, tmp_path, sandbox, monkeypatch)
    assert "registered, print a document" in said


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (ROOT / link).exists(), link

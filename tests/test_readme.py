"""The README is executed: an example that does not run is worse than none."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102  (our own README)
    assert "registered, print a document" in capsys.readouterr().out


def test_every_link_leads_somewhere() -> None:
    root = Path(__file__).parents[1]
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    for link in links:
        assert (root / link).exists(), link


def test_every_command_it_names_exists() -> None:
    from eprescription_sdk.cli.app import app

    named = re.findall(r"^eprescription (\w[\w-]*)(?: ([a-z][\w-]*))?", README, re.MULTILINE)
    assert named
    for command, sub in named:
        group = app[command]
        if command in {"pilot", "traces"}:
            assert group[sub] is not None

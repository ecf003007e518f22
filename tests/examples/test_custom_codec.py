"""The worked example of a codec, run as a reader would run it."""

import re
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "custom_codec"


def test_the_readme_says_what_the_example_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLE / "run.py"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    promised = re.search(r"run\.py\n(.*?)```", readme, re.DOTALL)
    assert promised is not None
    assert done.stdout == promised[1]


def test_the_package_holds_nothing_of_the_assurance_maladie() -> None:
    for file in (EXAMPLE / "package").iterdir():
        text = file.read_text(encoding="utf-8")
        assert "Invented for this example" in text
        assert "cnamts" not in text

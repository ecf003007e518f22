"""The documentation builds without a warning, and its examples run; how, is in ``documents``."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile
from sybil import Document

import eprescription_sdk as ep
from eprescription_sdk import errors
from eprescription_sdk.sandbox import Sandbox
from tests.documents import NOT_RUN, ROOT, RUNNERS, examples, pages, run

PAGES = [page for page in pages() if any(Document.parse(str(page), examples).examples())]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One for all pages."""
    with Sandbox() as started:
        yield started


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT / "docs")))
def test_the_examples_of_a_page_run(
    page: Path, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(page, tmp_path, sandbox, monkeypatch)


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("examples/*/README.md")), ids=lambda page: page.parent.name
)
def test_the_commands_of_an_example_exist(page: Path) -> None:
    """They are run by the tests of the example; here they are parsed."""
    for example in Document.parse(str(page), examples).examples():
        if example.region.lexemes["language"] == "console":
            example.evaluate()


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """As `make docs` builds it. All that is held against the pages is here: one build is enough."""
    site = tmp_path / "html"
    built = subprocess.run(
        [
            Path(sys.executable).with_name("sphinx-build"),
            *("--fresh-env", "--fail-on-warning", "--keep-going", "--quiet"),
            *("-b", "html", "-d", tmp_path / "doctrees", ROOT / "docs", site),
        ],
        # Coverage would double its time: what it runs of ours are docstrings.
        env={name: value for name, value in os.environ.items() if "COV" not in name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert undocumented(site / "objects.inv") == set()
    table = (site / "reference" / "error-codes.html").read_text(encoding="utf-8")
    assert {code for code in error_codes() if f">{code}<" not in table} == set()
    assert [page for page in site.rglob("*.html") if fetched(page)] == []
    # What the page of the command says, a terminal says too.
    assert "--no-json" not in (site / "reference" / "cli.html").read_text(encoding="utf-8")


def undocumented(inventory: Path) -> set[str]:
    """The public names that the reference does not have."""
    objects = InventoryFile.loads(inventory.read_bytes(), uri="").data
    documented = {name for kind in objects if kind.startswith("py:") for name in objects[kind]}
    return {name for name in ep.__all__ if f"eprescription_sdk.{name}" not in documented}


def error_codes() -> set[str]:
    """The code of every error."""
    return {
        thing.code
        for thing in vars(errors).values()
        if isinstance(thing, type) and issubclass(thing, errors.EPrescriptionError)
    }


def fetched(page: Path) -> list[str]:
    """What a browser would fetch from elsewhere to show a page."""
    return re.findall(
        r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(?:https?:)?//([^"]+)',
        page.read_text(encoding="utf-8"),
    )


def test_every_example_is_run_or_says_why_not() -> None:
    """A mark without an example would hide a mistake, and few examples should need one."""
    marks = [
        line
        for page in pages()
        for line in page.read_text(encoding="utf-8").splitlines()
        if NOT_RUN.match(line)
    ]
    languages = {
        re.sub(r"^ *```", "", line)
        for page in pages()
        for line in page.read_text(encoding="utf-8").splitlines()
        if re.match(r" *```[^{`]+$", line)
    }
    assert languages <= RUNNERS.keys()
    assert len(marks) <= 10


def test_every_file_and_error_code_that_a_page_names_exists() -> None:
    said = "".join(page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *pages()])
    files = re.findall(r"`((?:benchmarks|docs|examples|tests)/(?!_build)[\w./-]+)`", said)
    assert files
    for module in Path(ep.__file__).parent.rglob("*.py"):
        files += re.findall(r"\bdocs/[\w/-]+\.(?:md|json)", module.read_text(encoding="utf-8"))
    # What is built is not in a checkout.
    lasting = {file for file in files if not file.startswith("docs/_build/")}
    assert {file for file in lasting if not (ROOT / file).exists()} == set()
    assert set(re.findall(r"\bEP(?:-[A-Z]+)+", said)) <= error_codes()


def test_an_alert_is_raised_on_something_that_is_counted() -> None:
    alerts = (ROOT / "docs" / "how-to" / "telemetry.md").read_text(encoding="utf-8")
    counted = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    named = re.findall(r'kind="(\w+)"|`(eprescription\.[a-z_]+(?:\.[a-z_]+)?)`', alerts)
    assert named
    assert {name for pair in named for name in pair if f"`{name}`" not in counted} == {""}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```sh\nls\n```\n", "Nobody knows how an example in sh is run"),
        ("```\nls\n```\n", "Nobody knows how an example in nothing is run"),
        ("```console\nls\n```\n", "Nobody knows how ls is run"),
        ("```console\nmake nothing-of-the-kind\n```\n", "There is no target"),
        ("```console\npip install 'eprescription-sdk[none]'\n```\n", "names an extra"),
        ("```yaml\nEPRESCRIPTION_NONE: 1\n```\n", "No such settings: EPRESCRIPTION_NONE"),
    ],
)
def test_an_example_that_cannot_be_run_fails(tmp_path: Path, text: str, message: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    (example,) = Document.parse(str(page), examples).examples()
    with pytest.raises(AssertionError, match=message):
        example.evaluate()


def test_a_command_that_the_cli_does_not_know_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("*Not run by the tests: a try.*\n\n```console\neprescription no\n```\n")
    (example,) = Document.parse(str(page), examples).examples()
    with pytest.raises(Exception, match="no"):
        example.evaluate()

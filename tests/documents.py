"""How the examples of README and docs are run: an example that does not run is worse than none.

Each fenced block is an example, and its language says how it is run; the blocks of one page run
one after the other, in a folder of their own, with the names that ``run`` gives them.
A line above a block that begins with ``*Not run by the tests:`` says to readers and to us why it
is only looked at.
"""

import ast
import contextlib
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest
from sybil import Document, Example, Region
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown.lexers import DirectiveInHTMLCommentLexer, RawFencedCodeBlockLexer

import eprescription_sdk as ep
from eprescription_sdk.cli.app import app
from eprescription_sdk.cli.credentials import practitioners
from eprescription_sdk.clock import SystemClock, paris_day
from eprescription_sdk.pilot import Dossier, Pilot
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import sample_prescription, sandbox_practitioner, sandbox_settings

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

NOT_RUN = re.compile(r"\*Not run by the tests: (.+)\*$")
"""The mark of an example that is only looked at, with its reason."""

SAID = "_said"
"""What the example before printed, among the names of a page."""

PARSED_ONLY = frozenset({"README.md"})
"""Pages whose commands are shown in short: the pilot guide has each of them run."""

_LEXER = RawFencedCodeBlockLexer(re.compile(r"(?P<language>[^\n]*)\n"))
_HIDDEN = DirectiveInHTMLCommentLexer("invisible-code-block", arguments="python")
_PYTHON = PythonEvaluator()

Runner: TypeAlias = Callable[[Example, bool], None]


def examples(document: Document) -> Iterator[Region]:
    """Every fenced block of a page; directives of the page's own are not examples."""
    for region in _LEXER(document):
        language = region.lexemes["language"].strip()
        if not language.startswith("{"):
            region.parsed = region.lexemes["source"]
            region.evaluator = _evaluator(language)
            yield region
    # What sets the stage for an example, and would only distract a reader.
    for region in _HIDDEN(document):
        region.parsed = region.lexemes["source"]
        region.evaluator = _evaluator("python")
        yield region


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [page for page in sorted(ROOT.glob("docs/**/*.md")) if "_build" not in page.parts]


def run(page: Path, folder: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the examples of a page, from top to bottom.

    Args:
        page: which.
        folder: an empty one, to run in.
        sandbox: started; the examples may name it.
        monkeypatch: undoes what the examples do to the process.

    Returns:
        What they printed.
    """
    monkeypatch.chdir(folder)
    shutil.copytree(ROOT / "examples", folder / "examples")
    # Durations of a tenth: short for the tests, long enough for a machine that does much else.
    profile = ep.ServiceProfile().scaled(0.1)
    settings = sandbox_settings(sandbox, "platform.db", profile=profile)
    for name, value in _write_settings(settings).items():
        monkeypatch.setenv(f"EPRESCRIPTION_{name.upper()}", value)
    credentials = sandbox_practitioner(sandbox)
    document = Document.parse(str(page), examples)
    said = []
    with ep.Client(settings) as client:
        document.namespace |= {
            "__name__": "example",
            "monkeypatch": monkeypatch,
            "ep": ep,
            "sandbox": sandbox,
            "settings": settings,
            "client": client,
            "credentials": credentials,
            "doctor": client.acting_as(credentials),
            "prescription": sample_prescription(),
            "example_dossier": example_dossier,
            "running_pilot": lambda: _running_pilot(client, settings),
        }
        for example in document.examples():
            try:
                example.evaluate()
            except BaseException as error:
                error.add_note(f"It is the example at {page}, line {example.line}.")
                raise
            said.append(document.namespace.get(SAID, ""))
    if sandbox.pending_faults:
        raise AssertionError(f"{page} leaves a fault behind, for the next page to meet.")
    return "".join(said)


def _running_pilot(client: ep.Client, settings: ep.Settings) -> Pilot:
    """The pilot of the examples, started today, for pages about its end."""
    clock = SystemClock()
    Path("pilot.toml").write_text(example_dossier(settings.module), encoding="utf-8")
    pilot = Pilot(client.store, key=settings.key, clock=clock, module=settings.module)
    pilot.apply(Dossier.from_toml("pilot.toml"), by="essai")
    pilot.start(by="essai", reference="essai")
    pilot.record_assessed(by="essai", reference="essai")
    return pilot


def example_dossier(module: str) -> str:
    """The dossier of the examples for this module, with everybody live from today on."""
    text = (ROOT / "examples" / "pilot.toml").read_text(encoding="utf-8")
    today = paris_day(SystemClock().now())
    return re.sub("go_live = .*", f"go_live = {today}", text.replace("exemple-on-1", module))


def _write_settings(settings: ep.Settings) -> dict[str, str]:
    """The same settings for commands, as a file; and those of them that may be variables."""
    values = {
        "environment": settings.environment.value,
        "key": settings.key.hex(),
        "store": str(settings.store),
        **{
            name: getattr(settings, name)
            for name in (
                "service_url", "software_name", "software_version", "authorisation", "instance",
                "module", "finess", "collector_url",
            )
        },
    }  # fmt: skip
    profile = attrs.asdict(settings.profile, filter=lambda field, _: field.name != "faults")
    text = "".join(f'{name} = "{value}"\n' for name, value in values.items())
    text += "[profile]\n" + "".join(
        f"{name} = {json.dumps(value)}\n" for name, value in profile.items()
    )
    Path("settings.toml").write_text(text, encoding="utf-8")
    return values


# --- One example ----------------------------------------------------------------------------------


def _evaluator(language: str) -> Callable[[Example], None]:
    def evaluate(example: Example) -> None:
        runner = RUNNERS.get(language)
        if runner is None:
            raise AssertionError(f"Nobody knows how an example in {language or 'nothing'} is run.")
        runner(example, reason_not_to_run(example) is None)

    return evaluate


def reason_not_to_run(example: Example) -> str | None:
    """What the page says of an example that is only looked at."""
    above = example.document.text[: example.start].rstrip().rpartition("\n")[2]
    mark = NOT_RUN.match(above)
    return mark[1] if mark else None


def _python(example: Example, run: bool) -> None:
    if not run:
        ast.parse(example.parsed)
        return
    if name := re.match(r"# ([\w.]+\.py)\n", example.parsed):
        Path(name[1]).write_text(example.parsed, encoding="utf-8")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        _PYTHON(example)
    example.namespace[SAID] = said.getvalue()


def _text(example: Example, run: bool) -> None:
    """What the example before it prints; … stands for what differs from run to run."""
    if run:
        expected = re.escape(example.parsed.strip()).replace("…", ".*")
        said = example.namespace.get(SAID, "").strip()
        if not re.fullmatch(expected, said):
            raise AssertionError(f"What stands before it prints, unless it is not run:\n{said}")


def _toml(example: Example, run: bool) -> None:
    values = tomllib.loads(example.parsed)
    if not run:
        return
    file = Path("example.toml")
    file.write_text(example.parsed, encoding="utf-8")
    if values.keys() == {"practitioner"}:
        practitioners(file)
    elif "pilot" in values:
        Dossier.from_toml(file)
    else:  # Settings, of which an example may show a few.
        known = tomllib.loads(Path("settings.toml").read_text(encoding="utf-8"))
        ep.Settings.from_mapping(known | values)


def _yaml(example: Example, run: bool) -> None:
    import yaml

    if not all(isinstance(each, dict) for each in yaml.safe_load_all(example.parsed)):
        raise AssertionError("Each document of a manifest is a mapping.")
    _variables(example.parsed)


def _variables(text: str) -> None:
    """Each ``EPRESCRIPTION_…`` that an example sets is one that the settings read."""
    known = {f"EPRESCRIPTION_{field.name.upper()}" for field in attrs.fields(ep.Settings)}
    unknown = set(re.findall(r"\bEPRESCRIPTION_\w+", text)) - known
    if unknown:
        raise AssertionError(f"No such settings: {', '.join(sorted(unknown))}.")


# --- Commands -------------------------------------------------------------------------------------


def _console(example: Example, run: bool) -> None:
    run = run and Path(example.path).name not in PARSED_ONLY
    said = []
    lines = example.parsed.replace("\\\n", " ").splitlines()
    # Where there are prompts, what stands without one is output.
    prompted = [line for line in lines if line.startswith("$ ")]
    for line in prompted or lines:
        words = shlex.split(line.removeprefix("$ "), comments=True)
        if words:
            expected = int(code[1]) if (code := re.search(r"# exit code (\d)", line)) else 0
            said.append(_command(words, run=run, expected=expected))
    example.namespace[SAID] = "".join(said)


def _command(words: list[str], *, run: bool, expected: int) -> str:
    match words:
        case ["eprescription", *arguments]:
            app.parse_args(arguments, exit_on_error=False, print_error=False)
            return _eprescription(arguments, expected) if run else ""
        case ["make", target]:
            if not re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE):
                raise AssertionError(f"There is no target {target}.")
        case ["pip", "install", *packages]:
            _installable(packages)
        case ["python", "-c", code] if run:
            subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        case ["openssl", *arguments] if run:
            # The doubt of a stranger who has none of our software; but not every machine has it.
            if shutil.which("openssl"):
                subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL)
        case ["pytest", *arguments] if run:
            pytest_alone = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.")
            subprocess.run([sys.executable, *pytest_alone, *arguments], check=True)
        case _ if run:
            raise AssertionError(f"Nobody knows how {words[0]} is run: say why it is not.")
        case _:
            pass
    return ""


def _eprescription(arguments: list[str], expected: int) -> str:
    said, stdin = io.StringIO(), sys.stdin
    sys.stdin = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            code = app(
                arguments,
                result_action="return_int_as_exit_code_else_zero",
                exit_on_error=False,
            )
    finally:
        sys.stdin = stdin
    if code != expected:
        raise AssertionError(f"It ends with {code}, and says:\n{said.getvalue()}")
    return said.getvalue()


def _installable(packages: list[str]) -> None:
    project = PROJECT["project"]
    for package in packages:
        name, _, rest = package.partition("[")
        extras = {each.strip() for each in rest.rstrip("]").split(",")} - {""}
        ours = name == project["name"]
        if ours and not extras <= project["optional-dependencies"].keys():
            raise AssertionError(f"{package} names an extra that there is not.")


def _shown(example: Example, run: bool) -> None:
    """A picture in words: another test compares it with the code."""


RUNNERS: dict[str, Runner] = {
    "console": _console,
    "mermaid": _shown,
    "python": _python,
    "text": _text,
    "toml": _toml,
    "yaml": _yaml,
}
"""How an example is run, by its language; an example in any other is a mistake."""

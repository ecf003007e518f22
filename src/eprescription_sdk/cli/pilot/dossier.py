"""The dossier: asked for, checked, applied, handed over; and the letter about open questions."""

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    console,
    opened,
    print_json,
    settings_of,
    write_text,
)
from eprescription_sdk.cli.pilot.asking import ask_dossier
from eprescription_sdk.cli.pilot.shared import By, Reference, pilot_of, today
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot.assessing import assess
from eprescription_sdk.pilot.checks import Finding, Level
from eprescription_sdk.pilot.checks import check as check_dossier
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.pilot.drafting import BY_PATH, draft, open_fields
from eprescription_sdk.pilot.handover import write_handover
from eprescription_sdk.pilot.letter import letter
from eprescription_sdk.pilot.reading import line_of, read_lines
from eprescription_sdk.pilot.unfinished import check_unfinished

DossierFile = Annotated[Path, Parameter(help="TOML file of the dossier.")]
_PRACTITIONER = ("rpps", "situation", "go_live")


def init(
    output: Annotated[Path, Parameter(help="File to write.")] = Path("pilot.toml"),
    /,
    *,
    name: Annotated[str | None, Parameter(help="Of the pilot.")] = None,
    company: Annotated[str | None, Parameter(help="Name of the company.")] = None,
    finess: Annotated[str | None, Parameter(help="FINESS number of the company.")] = None,
    module: Annotated[str | None, Parameter(help="Identity of the module.")] = None,
    profession: Annotated[str | None, Parameter(help="TRE_G15 code, such as 10.")] = None,
    cpam: Annotated[
        tuple[str, ...], Parameter(help="Department of a fund; may be given several times.")
    ] = (),
    practitioner: Annotated[
        tuple[str, ...],
        Parameter(help="RPPS,SITUATION,GO-LIVE of a volunteer; may be given several times."),
    ] = (),
    set_: Annotated[
        tuple[str, ...],
        Parameter(
            name="--set",
            help="Any other answer, as KEY=VALUE: authorisation.number=AB12, kit.shared_on=2025-02"
            "-14; practitioners.KEY=VALUE is for all of them. May be given several times.",
        ),
    ] = (),
    ask: Annotated[
        bool | None,
        Parameter(
            negative="--no-ask",
            help="Ask for what no flag says, or do not; by default only on a terminal.",
        ),
    ] = None,
    force: Annotated[bool, Parameter(help="Replace the file if it exists.")] = False,
) -> None:
    """Begin a dossier: asks its questions on a terminal, takes flags in a pipe, writes a TOML.

    What has no answer stands in the file as a comment, to be filled in later.
    """
    if output.exists() and not force:
        raise InvalidInput(
            "The file exists.", path=str(output), way_out="Name another, or give --force."
        )
    given = {
        "pilot.name": name, "company.name": company, "company.finess": finess,
        "pilot.module": module, "pilot.profession": profession,
        "area.cpam": ",".join(cpam) or None,
    }  # fmt: skip
    document = _from_flags(given, practitioner, set_)
    if ask if ask is not None else sys.stdin.isatty():
        ask_dossier(document)
    write_text(output, draft(document))
    out = console()
    out.print(f"{output} written.", markup=False, soft_wrap=True)
    if missing := open_fields(document):
        out.print(f"{len(missing)} answers are still missing:")
        for path in missing:
            out.print(f"  {path}", markup=False)
    out.print(f"Next: eprescription pilot check {output}", markup=False, soft_wrap=True)


def _from_flags(
    given: Mapping[str, str | None], practitioners: Iterable[str], others: Iterable[str]
) -> dict[str, Any]:
    """What the flags say of a dossier.

    Raises:
        InvalidInput: a value that is none, or an unknown key (each with its path).
    """
    faults: list[tuple[str, str]] = []
    document: dict[str, Any] = {}
    for path, value in given.items():
        if value is not None:
            _put(document, path, value, faults)
    people = [_person(text, index, faults) for index, text in enumerate(practitioners)]
    for text in others:
        path, _, value = text.partition("=")
        if path not in BY_PATH:
            faults.append((path, "This key is unknown."))
        elif path.startswith("practitioners."):
            for each in people:
                _put(each, path.partition(".")[2], value, faults, path)
        else:
            _put(document, path, value, faults)
    if people:
        document["practitioners"] = people
    if faults:
        raise InvalidInput("These flags cannot be taken:", findings=faults)
    return document


def _person(text: str, index: int, faults: list[tuple[str, str]]) -> dict[str, Any]:
    parts = [part.strip() for part in text.split(",")]
    person: dict[str, Any] = {}
    if len(parts) > len(_PRACTITIONER):
        faults.append((f"practitioners[{index}]", "RPPS,SITUATION,GO-LIVE was expected."))
    own: list[tuple[str, str]] = []
    for key, part in zip(_PRACTITIONER, parts, strict=False):
        _put(person, key, part, own, f"practitioners.{key}")
    # Which of them it was.
    faults += [(path.replace(".", f"[{index}].", 1), what) for path, what in own]
    return person


def _put(
    document: dict[str, Any],
    path: str,
    value: str,
    faults: list[tuple[str, str]],
    field: str | None = None,
) -> None:
    """Set one answer, or note why it is none."""
    try:
        read = BY_PATH[field or path].read(value)
    except ValueError as error:
        faults.append((field or path, str(error)))
        return
    table, _, key = path.rpartition(".")
    (document.setdefault(table, {}) if table else document)[key] = read


def check(dossier: DossierFile, /, *, json: AsJson = False) -> int:
    """Hold a dossier against the conditions of the pilot; exit code 1 if it breaks one.

    While answers are missing, it lists them, and the conditions that the others break already.
    """
    lines = read_lines(dossier)
    try:
        findings = check_dossier(Dossier.from_toml(dossier), today())
    except InvalidInput as error:
        places = [place for place, _ in error.findings]
        if places:
            with suppress(InvalidInput):  # what cannot be judged at all is said below
                _say(check_unfinished(dossier, places, today()), lines, json=json)
        raise
    _say(findings, lines, json=json)
    broken = any(finding.level is Level.ERROR for finding in findings)
    if not json:
        out = console()
        out.print("The dossier breaks a condition." if broken else "The dossier can be applied.")
        if not broken:
            out.print(
                f"Next: eprescription pilot apply {dossier} --by NAME --settings FILE",
                markup=False,
                soft_wrap=True,
            )
    return 1 if broken else 0


def _say(findings: Iterable[Finding], lines: Mapping[str, int], *, json: bool) -> None:
    if json:
        print_json(
            [
                {
                    "level": finding.level.value,
                    "path": finding.path,
                    "line": line_of(lines, finding.path),
                    "text": finding.text,
                    "text_fr": finding.text_fr,
                    "page": finding.page,
                }
                for finding in findings
            ]
        )
    else:
        _show_findings(console(), findings, lines)


def _show_findings(out: Console, findings: Iterable[Finding], lines: Mapping[str, int]) -> None:
    for finding in findings:
        line = line_of(lines, finding.path)
        where = f"line {line}, {finding.path}" if line else finding.path
        out.print(
            f"{finding.level.value:<9} {where}: {finding.text} ({finding.page})",
            markup=False,
            soft_wrap=True,
        )


def apply(
    dossier: DossierFile, /, *, by: By, reference: Reference = "", settings: SettingsFile = None,
    dry_run: Annotated[bool, Parameter(help="Only show what would change.")] = False,
) -> None:  # fmt: skip
    """Show what a dossier changes, and apply it to the store."""
    configured = settings_of(settings)
    out = console()
    with opened(configured) as store:
        pilot, wanted = pilot_of(store, configured), Dossier.from_toml(dossier)
        difference = pilot.difference(wanted)
        lines = read_lines(dossier)
        _show_findings(out, difference.findings, lines)
        for change in difference.changes:
            out.print(
                f"{change.path}: {change.before or '—'} → {change.after or '—'}", markup=False
            )
        if not difference:
            out.print("Nothing changes.")
        elif dry_run:
            out.print("Nothing was applied.")
        else:
            _located(lambda: pilot.apply(wanted, by=by, reference=reference), lines)
            out.print("Applied.")
            out.print(
                "Next: eprescription pilot export FOLDER --settings FILE, then, at the launch"
                " meeting, eprescription pilot start --by NAME --reference MINUTES --settings FILE",
                markup=False,
                soft_wrap=True,
            )


def _located(work: Callable[[], object], lines: Mapping[str, int]) -> None:
    """Do something, and give the faults that it finds their lines."""
    try:
        work()
    except InvalidInput as error:
        if not error.findings:
            raise
        raise InvalidInput(
            "The dossier cannot be applied:",
            findings=[
                (f"line {line}, {path}" if (line := line_of(lines, path)) else path, what)
                for path, what in error.findings
            ],
        ) from None


def export(
    output: Annotated[Path, Parameter(help="Folder to write them into.")], /, *,
    settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Write the dossier folder: identification list, planning of installations, dossier.

    It holds RPPS numbers: it is what goes to GIE SESAM-Vitale and the Cnam.
    """
    with opened(settings_of(settings)) as store:
        files = write_handover(store, output, today=today())
    out = console()
    for path in files:
        out.print(str(path), markup=False, soft_wrap=True)
    out.print(
        "Next: send them to GIE SESAM-Vitale and the Cnam, note the days in [declaration] and"
        " [planning] of the dossier, and apply it again.",
        markup=False,
        soft_wrap=True,
    )


def questions(
    *,
    output: Annotated[
        Path | None, Parameter(help="File to write it to; the terminal by default.")
    ] = None,
    settings: SettingsFile = None,
) -> None:
    """The letter (in French) that asks the Cnam to settle the questions still open."""
    configured = settings_of(settings)
    with opened(configured) as store:
        assessment = assess(store, key=configured.key)
        text = letter(assessment, pilot_of(store, configured).dossier, today=today())
    if output is None:
        sys.stdout.write(text)
    else:
        write_text(output, text)
        console().print(f"{output} written.", markup=False, soft_wrap=True)

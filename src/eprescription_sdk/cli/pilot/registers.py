"""The registers: what people record while the pilot runs."""

from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    console,
    group,
    opened,
    print_json,
    settings_of,
    write_text,
)
from eprescription_sdk.cli.pilot.shared import By, Day, Reference, pilot_of
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.trace import FaultOrigin
from eprescription_sdk.pilot import registers as register
from eprescription_sdk.pilot.checklist import checklist_form, read_checklist
from eprescription_sdk.pilot.journal import Anomaly
from eprescription_sdk.pilot.official import read_official
from eprescription_sdk.pilot.questions import Question, answer_of
from eprescription_sdk.pilot.survey import read_answers, survey_form, survey_guide
from eprescription_sdk.traces.gate import enrolments

anomaly = group("The register of anomalies (criterion C3).")
prerequisites = group("The technical prerequisites of rollout (criterion C4): a list of ours.")
questionnaire = group("The satisfaction of the practitioners (criterion C5): a form of ours.")

AnomalyId = Annotated[str, Parameter(help="Your own name for it, such as A-12.")]
Document = Annotated[str, Parameter(help="Name and version of the document.")]
Form = Annotated[Path, Parameter(help="CSV file to write.")]
Sheet = Annotated[Path, Parameter(help="The sheet, filled in.")]

_RECORDED = "Recorded."


def correction(
    version: Annotated[str, Parameter(help="Of the software, as it is released.")], /, *,
    by: By, reference: Reference, day: Day = None, settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Record a corrective release."""
    configured = settings_of(settings)
    with opened(configured) as store:
        note = pilot_of(store, configured).note(by=by, reference=reference, day=day)
        register.record_correction(store, note, version=version)
    console().print(_RECORDED)


def ruling(
    question: Annotated[Question, Parameter(help="As the assessment numbers it.")],
    answer: Annotated[
        str, Parameter(help="strict or lenient; to Q3 also document or act, to Q5 also pilot.")
    ],
    /,
    *,
    by: By,
    reference: Reference,
    day: Day = None,
    settings: SettingsFile = None,
) -> None:
    """Record how the Cnam reads an open question; its letter is cited wherever it counts."""
    try:
        reading = answer_of(question, answer)
    except ValueError:
        names = ", ".join(each.value for each in question.answers)
        raise InvalidInput(
            "This is no answer to the question.", path="answer", way_out=f"Give one of: {names}."
        ) from None
    configured = settings_of(settings)
    with opened(configured) as store:
        note = pilot_of(store, configured).note(by=by, reference=reference, day=day)
        register.record_ruling(store, note, question=question, reading=reading)
    console().print(_RECORDED)


@anomaly.command(name="open")
def open_(
    id: AnomalyId,  # noqa: A002  (what the register calls it)
    title: Annotated[str, Parameter(help="What goes wrong, in a line.")],
    /,
    *,
    operation: Annotated[Operation, Parameter(help="What it concerns.")],
    by: By,
    reference: Reference,
    blocking: Annotated[bool, Parameter(help="It prevents nominal use of the operation.")] = False,
    origin: Annotated[FaultOrigin, Parameter(help="Where it lies.")] = FaultOrigin.SOFTWARE,
    day: Day = None,
    settings: SettingsFile = None,
) -> None:
    """Record an anomaly, or what is now known of it. No patient, no practitioner in the title."""
    configured = settings_of(settings)
    with opened(configured) as store:
        note = pilot_of(store, configured).note(by=by, reference=reference, day=day)
        known = {each.id: each for each in store.read(register.anomalies)}
        found = Anomaly(
            id=id,
            operation=operation,
            blocking=blocking,
            origin=origin,
            title=title,
            opened_on=known[id].opened_on if id in known else note.day,
        )
        register.record_anomaly(store, note, found)
    console().print(_RECORDED)


@anomaly.command
def close(
    id: AnomalyId,  # noqa: A002  (as above)
    /,
    *,
    by: By,
    reference: Reference,
    day: Day = None,
    settings: SettingsFile = None,
) -> None:
    """Record that an anomaly is solved."""
    configured = settings_of(settings)
    with opened(configured) as store:
        note = pilot_of(store, configured).note(by=by, reference=reference, day=day)
        register.close_anomaly(store, note, anomaly=id)
    console().print(_RECORDED)


@anomaly.command(name="list")
def list_(*, settings: SettingsFile = None, json: AsJson = False) -> None:
    """The register as it stands."""
    with opened(settings_of(settings)) as store:
        found = store.read(register.anomalies)
    if json:
        print_json(
            [
                {
                    "id": each.id, "operation": each.operation.value, "blocking": each.blocking,
                    "origin": each.origin.value, "title": each.title,
                    "opened_on": each.opened_on.isoformat(),
                    "closed_on": each.closed_on.isoformat() if each.closed_on else None,
                }
                for each in found
            ]
        )  # fmt: skip
        return
    out = console()
    for each in found:
        state = f"closed {each.closed_on}" if each.closed_on else "open"
        kind = "blocking" if each.blocking else "minor"
        out.print(
            f"{each.id}  {each.operation.value}  {kind}  {each.origin.value}  {each.opened_on}"
            f"  {state}  {each.title}",
            markup=False,
        )
    if not found:
        out.print("The register is empty.")


def attest(
    criterion: Annotated[str, Parameter(help="C4 or C5.")], document: Document, /, *, by: By,
    reference: Reference, day: Day = None, settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Record the document that attests C4 or C5."""
    configured = settings_of(settings)
    with opened(configured) as store:
        note = pilot_of(store, configured).note(by=by, reference=reference, day=day)
        register.record_attestation(store, note, criterion=criterion.upper(), document=document)
    console().print(_RECORDED)


@prerequisites.command(name="form")
def prerequisites_form(output: Form, /) -> None:
    """Write the checklist as a sheet to be filled in."""
    write_text(output, checklist_form())
    console().print(f"{output} written: fill in the last column.", markup=False, soft_wrap=True)


@prerequisites.command(name="record")
def prerequisites_record(
    sheet: Sheet, /, *, document: Document, by: By, reference: Reference, day: Day = None,
    settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Record a checklist that was filled in, with the document that it stands in."""
    configured = settings_of(settings)
    answers = read_checklist(sheet)
    with opened(configured) as store:
        note = pilot_of(store, configured).note(by=by, reference=reference, day=day)
        register.record_attestation(
            store, note, criterion="C4", document=document, checklist=answers
        )
    console().print(_RECORDED)


@questionnaire.command(name="form")
def questionnaire_form(output: Form, /, *, settings: SettingsFile = None) -> None:
    """Write the form as a sheet, one row for each practitioner, and show what is asked."""
    with opened(settings_of(settings)) as store:
        enrolled = store.read(enrolments)
    write_text(output, survey_form([f"PS {each.label}" for each in enrolled]))
    out = console()
    out.print(survey_guide(), markup=False)
    out.print(f"{output} written.", markup=False, soft_wrap=True)


@questionnaire.command(name="record")
def questionnaire_record(
    sheet: Sheet, /, *, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None
) -> None:
    """Record the answers of a sheet (CSV or JSON); later answers replace earlier ones."""
    configured = settings_of(settings)
    with opened(configured) as store:
        note = pilot_of(store, configured).note(by=by, reference=reference, day=day)
        answers = read_answers(sheet, store.read(enrolments))
        for each in answers:
            marks = dict(each.marks)
            register.record_questionnaire(
                store,
                note,
                key=configured.key,
                rpps=each.rpps,
                satisfaction=marks.pop("satisfaction"),
                blocking_remarks=each.blocking_remarks,
                marks=marks,
            )
    console().print(f"{len(answers)} answers recorded.")


def official(
    sheet: Sheet, /, *, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None
) -> None:
    """Record the official figures, once received: columns critere, praticien, chiffre."""
    configured = settings_of(settings)
    figures = read_official(sheet)
    with opened(configured) as store:
        note = pilot_of(store, configured).note(by=by, reference=reference, day=day)
        register.record_official(store, note, figures=figures)
    console().print(f"{len(figures)} figures recorded.")


def journal(
    *,
    since: Annotated[date | None, Parameter(help="First day shown; all by default.")] = None,
    settings: SettingsFile = None,
) -> None:
    """What was recorded, oldest first: day, kind, reference, by whom."""
    with opened(settings_of(settings)) as store:
        lines = store.read(register.events)
    out = console()
    for each in lines:
        if since is None or each.note.day >= since:
            what = each.data.get("step", each.kind)
            out.print(
                f"{each.note.day}  {what:<14} {each.note.reference}  ({each.note.by})",
                markup=False,
            )

"""The journal of the pilot: what was recorded about it, line by line.

Dossiers, steps, corrections, rulings, anomalies, attestations, questionnaires, official figures,
named editions. Rows are only ever added, each with its day, its reference and who recorded it.
What they mean for a criterion is the business of ``criteria``; when a step is legal, of
``lifecycle``.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import attrs

from eprescription_sdk.clock import iso, paris_day
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.pilot.journal import Anomaly, read_anomalies
from eprescription_sdk.pilot.questions import Answer, Question
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces.body import canonical
from eprescription_sdk.traces.gate import enrolment


@attrs.frozen(kw_only=True)
class Note:
    """What every line of the journal carries beside its matter.

    Args:
        day: the day it is about, Europe/Paris; not a day to come.
        by: who recorded it, a person or a team.
        reference: of the letter, minutes or release note that shows it.
        at: when it is recorded, UTC.
    """

    day: date
    by: str
    reference: str
    at: datetime

    def faults(self) -> tuple[tuple[str, str], ...]:
        """What is wrong with it, as paths and sentences."""
        return (
            *blank("by", self.by),
            *blank("reference", self.reference),
            *((("day", "This day is still to come."),) if self.day > paris_day(self.at) else ()),
        )


@attrs.frozen(kw_only=True)
class Event:
    """One line of the journal.

    Args:
        seq: rises with each line.
        kind: ``dossier``, ``step``, ``correction``, ``ruling``, ``anomaly``, ``attestation``,
            ``questionnaire``, ``official`` or ``named_edition``.
        note: day, by whom, reference, time.
        data: the matter; a practitioner stands there as a keyed pseudonym.
    """

    seq: int
    kind: str
    note: Note
    # The data of a dossier holds RPPS numbers.
    data: dict[str, Any] = attrs.field(repr=False)


def record_correction(store: Store, note: Note, *, version: str) -> None:
    """Record a corrective release (p. 6: "les correctifs nécessaires").

    Raises:
        InvalidInput: a blank text or a day to come (each with its path).
    """
    _append(store, "correction", note, {"version": version}, blank("version", version))


def record_ruling(store: Store, note: Note, *, question: Question, reading: Answer) -> None:
    """Record how the Cnam reads an open question; it fixes that question.

    Args:
        store: the pilot's.
        note: day and reference of the letter.
        question: which.
        reading: the answer; to Q3 also the unit, DOCUMENT or ACT, to Q5 also the opening.

    Raises:
        InvalidInput: no answer to this question, a blank text or a day to come (each with its
            path).
    """
    names = ", ".join(answer.value for answer in question.answers)
    faults = [] if reading in question.answers else [("reading", f"One of {names} was expected.")]
    _append(store, "ruling", note, {"question": question.value, "reading": reading.value}, faults)


def record_anomaly(store: Store, note: Note, anomaly: Anomaly) -> None:
    """Record an anomaly, or what is now known of one with the same id.

    Raises:
        InvalidInput: a blank text or days out of order (each with its path).
    """
    faults = [*blank("id", anomaly.id), *blank("title", anomaly.title)]
    if anomaly.opened_on > note.day:
        faults.append(("opened_on", "This day is after the day of the note."))
    if anomaly.closed_on is not None and not anomaly.opened_on <= anomaly.closed_on <= note.day:
        faults.append(("closed_on", "This day is before the opening or after the note."))
    data = {
        "id": anomaly.id,
        "operation": anomaly.operation.value,
        "blocking": anomaly.blocking,
        "origin": anomaly.origin.value,
        "title": anomaly.title,
        "opened_on": anomaly.opened_on.isoformat(),
        "closed_on": anomaly.closed_on.isoformat() if anomaly.closed_on else None,
    }
    _append(store, "anomaly", note, data, faults)


def close_anomaly(store: Store, note: Note, *, anomaly: str) -> None:
    """Record that an anomaly is solved, on the day of the note.

    Args:
        store: the pilot's.
        note: the reference is that of the solution.
        anomaly: its id.

    Raises:
        InvalidInput: no open anomaly has this id, or days are out of order.
    """
    known = {each.id: each for each in store.read(anomalies)}
    found = known.get(anomaly)
    if found is None or found.closed_on is not None:
        raise InvalidInput("No open anomaly has this id.", path="anomaly")
    record_anomaly(store, note, attrs.evolve(found, closed_on=note.day))


def record_attestation(
    store: Store,
    note: Note,
    *,
    criterion: str,
    document: str,
    checklist: Mapping[str, str | None] | None = None,
) -> None:
    """Record the document that attests criterion C4 or C5 (p. 6).

    Args:
        store: the pilot's.
        note: day, by whom, reference.
        criterion: ``"C4"`` or ``"C5"``.
        document: its title or file name.
        checklist: of C4: what is needed for each item, None for nothing (``read_checklist``).

    Raises:
        InvalidInput: another criterion, a checklist of C5, a blank text or a day to come (each
            with its path).
    """
    faults = list(blank("document", document))
    if criterion not in {"C4", "C5"}:
        faults.append(("criterion", "Only C4 and C5 are attested."))
    data: dict[str, Any] = {"criterion": criterion, "document": document}
    if checklist is not None:
        data["checklist"] = dict(checklist)
        if criterion != "C4":
            faults.append(("checklist", "Only C4 has a checklist."))
    _append(store, "attestation", note, data, faults)


def record_questionnaire(
    store: Store,
    note: Note,
    *,
    key: bytes,
    rpps: Rpps,
    satisfaction: int,
    blocking_remarks: tuple[str, ...] = (),
    marks: Mapping[str, int] | None = None,
) -> None:
    """Record one practitioner's answer to the questionnaire (criterion C5, p. 6).

    A later answer of the same practitioner replaces the earlier one.

    Args:
        store: the pilot's.
        note: day, by whom, reference.
        key: the secret of the settings.
        rpps: a practitioner of the pilot.
        satisfaction: from 1 (very dissatisfied) to 5 (very satisfied).
        blocking_remarks: obstacles to rollout, in the practitioner's words; without any patient.
        marks: from 1 to 5, for the other items of the form (``survey``).

    Raises:
        InvalidInput: an unknown practitioner or a mark out of range (each with its path).
    """
    faults = []
    if store.read(lambda tx: enrolment(tx, rpps)) is None:
        faults.append(("rpps", "This practitioner is not in the pilot."))
    if satisfaction not in range(1, 6):
        faults.append(("satisfaction", "The mark goes from 1 to 5."))
    faults.extend(
        (f"marks.{item}", "The mark goes from 1 to 5.")
        for item, mark in (marks or {}).items()
        if mark not in range(1, 6)
    )
    for index, remark in enumerate(blocking_remarks):
        faults.extend(blank(f"blocking_remarks[{index}]", remark))
    data = {
        "rpps": pseudonym(key, "rpps", rpps.value),
        "satisfaction": satisfaction,
        "blocking_remarks": list(blocking_remarks),
        "marks": dict(marks or {}),
    }
    _append(store, "questionnaire", note, data, faults)


def record_official(
    store: Store, note: Note, *, figures: Sequence[Mapping[str, str | None]]
) -> None:
    """Record the figures that the Assurance Maladie gave; they replace earlier ones.

    Args:
        store: the pilot's.
        note: day and reference of the letter.
        figures: ``criterion``, ``practitioner``, ``figure`` (``official.read_official``).

    Raises:
        InvalidInput: no figure, a blank text or a day to come (each with its path).
    """
    faults = [] if figures else [("figures", "There is no figure.")]
    data = {"figures": [dict(each) for each in figures]}
    _append(store, "official", note, data, faults)


def record_named_edition(store: Store, note: Note) -> None:
    """Record that an edition of the report with the practitioners' numbers is made, and why.

    Args:
        store: the pilot's.
        note: who asks for it; the reference says on what ground.

    Raises:
        InvalidInput: a blank text or a day to come (each with its path).
    """
    _append(store, "named_edition", note, {})


def anomalies(tx: Tx) -> tuple[Anomaly, ...]:
    """The register of anomalies as it stands, by first appearance."""
    return read_anomalies(event.data for event in events(tx, "anomaly"))


def events(tx: Tx, kind: str | None = None) -> tuple[Event, ...]:
    """The lines of the journal, oldest first; all, or of one kind."""
    rows = tx.execute(
        "SELECT seq, kind, day, recorded_at, by_whom, reference, data FROM pilot_events"
        " WHERE kind = coalesce(?, kind) ORDER BY seq",
        (kind,),
    )
    return tuple(
        Event(
            seq=seq,
            kind=found,
            note=Note(
                day=date.fromisoformat(day),
                by=by,
                reference=reference,
                at=datetime.fromisoformat(at),
            ),
            data=json.loads(data),
        )
        for seq, found, day, at, by, reference, data in rows
    )


def append(tx: Tx, kind: str, note: Note, data: dict[str, Any]) -> None:
    """Add one line inside a transaction; the caller has checked it."""
    tx.execute(
        "INSERT INTO pilot_events (kind, day, recorded_at, by_whom, reference, data)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (kind, note.day.isoformat(), iso(note.at), note.by, note.reference, canonical(data)),
    )


def _append(
    store: Store,
    kind: str,
    note: Note,
    data: dict[str, Any],
    faults: list[tuple[str, str]] | tuple[tuple[str, str], ...] = (),
) -> None:
    found = (*note.faults(), *faults)
    if found:
        raise InvalidInput("This cannot be recorded:", findings=found)
    store.write(lambda tx: append(tx, kind, note, data))


def blank(path: str, text: str) -> tuple[tuple[str, str], ...]:
    """The fault of a text that says nothing; none otherwise."""
    return () if text.strip() else ((path, "This text is empty."),)

"""Who is enrolled, inside a transaction: what a dossier or a leave writes, and must not undo.

Which step of the pilot applies one, and when that is legal, is in ``lifecycle``.
"""

from collections.abc import Iterator
from datetime import date, datetime

import attrs

from eprescription_sdk.clock import paris_day
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.pilot.registers import Note, append, events
from eprescription_sdk.pilot.steps import Step
from eprescription_sdk.storage import Tx
from eprescription_sdk.traces import gate
from eprescription_sdk.traces.gate import Phase


def applied_dossier(tx: Tx) -> Dossier | None:
    """The dossier as last applied; None before the first time."""
    rows = tx.execute(
        "SELECT data FROM pilot_events WHERE kind = 'dossier' ORDER BY seq DESC LIMIT 1"
    )
    return Dossier.from_json(rows[0][0]) if rows else None


def start_day(tx: Tx) -> date | None:
    """The day the pilot started; None before."""
    starts = [e.note.day for e in events(tx, "step") if e.data["step"] == Step.START.value]
    return starts[0] if starts else None


def write_dossier(tx: Tx, dossier: Dossier, note: Note) -> None:
    """Journal a dossier and bring the enrolments in line; a label, once given, stays."""
    labels = {each.rpps: each.label for each in gate.enrolments(tx)}
    for each in dossier.practitioners:
        label = labels.setdefault(each.rpps, max(labels.values(), default=0) + 1)
        enrolment = gate.Enrolment(
            rpps=each.rpps,
            label=label,
            situation=each.situation,
            go_live=each.go_live,
            withdrawn_on=each.withdrawn_on,
            withdrawn_reason=each.withdrawn_reason,
        )
        gate.enrol(tx, enrolment)
    append(tx, "dossier", note, dossier.to_document())


def last_trace(tx: Tx, key: bytes, rpps: Rpps) -> date | None:
    """The Europe/Paris day of a practitioner's last trace; None without any.

    Args:
        tx: the transaction; every trace is looked at.
        key: the secret of the settings.
        rpps: who.
    """
    body = f'%"rpps":"{pseudonym(key, "rpps", rpps.value)}"%'
    newest = tx.execute("SELECT max(at) FROM traces WHERE body LIKE ?", (body,))[0][0]
    return paris_day(datetime.fromisoformat(newest)) if newest is not None else None


def left_too_early(
    tx: Tx, key: bytes, rpps: Rpps, left: date, *, path: str
) -> tuple[tuple[str, str], ...]:
    """The fault of a day of leaving that comes before the last trace; none otherwise."""
    last = last_trace(tx, key, rpps)
    if last is None or left >= last:
        return ()
    what = f"A trace of {last.isoformat()} is recorded: they cannot have left before."
    return ((path, what),)


def cannot_leave(
    tx: Tx, dossier: Dossier, key: bytes, rpps: Rpps, on: date
) -> tuple[tuple[str, str], ...]:
    """Why a practitioner cannot leave on a day: paths and sentences; none if they can."""
    known = {each.rpps: each for each in dossier.practitioners}
    if rpps not in known:
        return (("rpps", "This practitioner is not in the pilot."),)
    if known[rpps].withdrawn_on is not None:
        return (("rpps", "This practitioner has already left."),)
    return left_too_early(tx, key, rpps, on, path="on")


def without(dossier: Dossier, rpps: Rpps, on: date, reason: str) -> Dossier:
    """A dossier in which a practitioner, still listed, has left."""
    practitioners = tuple(
        attrs.evolve(each, withdrawn_on=on, withdrawn_reason=reason) if each.rpps == rpps else each
        for each in dossier.practitioners
    )
    return attrs.evolve(dossier, practitioners=practitioners)


def undone(
    tx: Tx, applied: Dossier | None, new: Dossier, *, module: str | None, key: bytes
) -> tuple[tuple[str, str], ...]:
    """What a new dossier would undo, though it is recorded: paths and sentences.

    Args:
        tx: the transaction.
        applied: the dossier as it stands; None on the first time.
        new: the one to be applied.
        module: of the settings, when it is known.
        key: the secret of the settings.
    """
    faults = []
    if module is not None and new.pilot.module != module:
        faults.append(("pilot.module", "This is not the module of the settings."))
    if new.extension is not None and not events(tx, "correction"):
        faults.append(("extension", "An extension follows corrections; none is recorded."))
    if applied is None:
        return tuple(faults)
    if gate.phase(tx) is not Phase.PREPARING:
        faults.extend(
            (path, "This identifies the pilot and cannot change once it has started.")
            for path, before, after in (
                ("pilot.profession", applied.pilot.profession, new.pilot.profession),
                ("pilot.module", applied.pilot.module, new.pilot.module),
                ("company.finess", applied.company.finess, new.company.finess),
            )
            if before != after
        )
    return (*faults, *_undone_of_practitioners(tx, applied, new, key))


def _undone_of_practitioners(
    tx: Tx, applied: Dossier, new: Dossier, key: bytes
) -> Iterator[tuple[str, str]]:
    places = {each.rpps: (index, each) for index, each in enumerate(new.practitioners)}
    for index, each in enumerate(applied.practitioners):
        if each.rpps not in places:
            what = (
                f"The practitioner applied as number {index + 1} is no longer listed."
                " Who leaves stays listed, with withdrawn_on and withdrawn_reason."
            )
            yield "practitioners", what
            continue
        place, now = places[each.rpps]
        path = f"practitioners[{place}]"
        if each.withdrawn_on is not None and now.withdrawn_on is None:
            yield f"{path}.withdrawn_on", "This practitioner has left; a withdrawal is not undone."
        if now.withdrawn_on is not None and now.withdrawn_on != each.withdrawn_on:
            where = f"{path}.withdrawn_on"
            yield from left_too_early(tx, key, each.rpps, now.withdrawn_on, path=where)
        moved = [name for name in _WINDOW if getattr(each, name) != getattr(now, name)]
        if moved and last_trace(tx, key, each.rpps) is not None:
            for name in moved:
                yield f"{path}.{name}", "This practitioner has been traced: it cannot change."


_WINDOW = ("go_live", "situation")
"""What a practitioner's figures hang on: changed later, those already reported would change."""

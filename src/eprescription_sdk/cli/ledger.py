"""``eprescription ledger``: what became of a prescription, for the support desk; retention.

It prints prescription numbers and an RPPS only because a person asks for them by name.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from cyclopts import Parameter

from eprescription_sdk import ledger
from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    console,
    group,
    opened,
    print_json,
    progress,
    settings_of,
)
from eprescription_sdk.cli.reconcile import reconcile
from eprescription_sdk.clock import iso
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.ledger import Entry, State
from eprescription_sdk.model.identifiers import PrescriptionNumber, Rpps
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.storage import Tx

app = group(
    "The ledger: find a prescription, settle what is open, close duplicate risks,"
    " forget what is old."
)
app.command(reconcile)

RETENTION_DAYS = 365
_WIDE = 60
"""Columns that a label and a message id need beside each other."""

_STATES_FR = {
    State.SENDING: "en cours d'envoi",
    State.UNCERTAIN: "incertaine",
    State.REGISTERED: "enregistrée",
    State.NOT_REGISTERED: "non enregistrée",
}


@app.command
def find(
    *,
    reference: Annotated[str | None, Parameter(help="The host's own reference.")] = None,
    number: Annotated[str | None, Parameter(help="The prescription number.")] = None,
    prescriber: Annotated[str | None, Parameter(help="The RPPS number; needs --day.")] = None,
    day: Annotated[date | None, Parameter(help="Europe/Paris; needs --prescriber.")] = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> int:
    """Show what became of prescriptions, with the message ids to give to GIE SESAM-Vitale.

    Exit code 1 if nothing is found.
    """
    configured = settings_of(settings)
    look = _look(configured.key, reference, number, prescriber, day)
    with opened(configured) as store:
        found = store.read(look)
    if json:
        print_json([_plain(entry, configured.key) for entry in found])
    else:
        out = console()
        # A number that is copied must not be broken: where it would be, it has its own line.
        between = " " if out.width >= _WIDE else "\n"
        for entry in found:
            for name, value in _told(entry, configured.key):
                out.print(f"{name:<16}{between}{value}", soft_wrap=True, markup=False)
            out.print()
        if not found:
            out.print("Nothing found.")
    return 0 if found else 1


@app.command
def risks(*, settings: SettingsFile = None, json: AsJson = False) -> None:
    """List prescriptions registered after plain paper was given out, until a person closes them."""
    with opened(settings_of(settings)) as store:
        found = store.read(ledger.duplicate_risks)
    if json:
        print_json([{"number": each.number.value, "raised": iso(each.raised_at)} for each in found])
        return
    out = console()
    for each in found:
        out.print(f"{each.number.value}  {iso(each.raised_at)}", soft_wrap=True)
    out.print(f"{len(found)} open.")


@app.command
def close_risk(
    *,
    number: Annotated[str, Parameter(help="The prescription number.")],
    by: Annotated[str, Parameter(help="Who dealt with it.")],
    reason: Annotated[str, Parameter(help="What was done, without a patient's name.")],
    settings: SettingsFile = None,
) -> int:
    """Record that a person dealt with a duplicate risk; exit code 1 if it is not open."""
    now = datetime.now(UTC)
    with opened(settings_of(settings)) as store:
        closed = store.write(
            lambda tx: ledger.close_duplicate_risk(
                tx, PrescriptionNumber(number), by=by, reason=reason, now=now
            )
        )
    console().print("Closed." if closed else "There is no such open risk.")
    return 0 if closed else 1


@app.command
def purge(
    *,
    days: Annotated[int, Parameter(help="Keep what was settled in the last so many days.")] = (
        RETENTION_DAYS
    ),
    dry_run: Annotated[bool, Parameter(help="Only say how many.")] = False,
    settings: SettingsFile = None,
) -> None:
    """Forget whose the settled prescriptions were, leaving a tombstone of each.

    What is open, or an open duplicate risk, is never taken.
    """
    if days < 1:
        raise InvalidInput("Keep at least one day.", path="days")
    before = datetime.now(UTC) - timedelta(days=days)
    with opened(settings_of(settings)) as store:
        if dry_run:
            count = len(store.read(partial(ledger.due, before=before)))
        else:
            with progress("purging") as advance:
                count = ledger.purge(store, before=before, progress=advance)
    console().print(f"{count} would be purged." if dry_run else f"{count} purged.")


def _look(
    key: bytes,
    reference: str | None,
    number: str | None,
    prescriber: str | None,
    day: date | None,
) -> Callable[[Tx], tuple[Entry, ...]]:
    given = (reference is not None, number is not None, prescriber is not None or day is not None)
    if sum(given) != 1 or (prescriber is None) != (day is None):
        raise InvalidInput(
            "Ask for one thing.",
            path="find",
            way_out="Give --reference, or --number, or --prescriber with --day.",
        )
    if reference is not None:
        return partial(ledger.by_reference, reference=pseudonym(key, "reference", reference))
    if number is not None:
        wanted = PrescriptionNumber(number)
        return lambda tx: _one(tx, wanted)
    if prescriber is None or day is None:
        raise AssertionError("one of the three was given")
    rpps = Rpps(prescriber)
    if problem := rpps.problem():
        raise InvalidInput(problem, path="prescriber")
    return partial(ledger.by_prescriber, rpps=rpps, day=day)


def _one(tx: Tx, number: PrescriptionNumber) -> tuple[Entry, ...]:
    found = ledger.find(tx, number=number)
    return (found,) if found else ()


def _plain(entry: Entry, key: bytes) -> dict[str, Any]:
    settled, registered = entry.settled_at, entry.registered_at
    return {
        "number": entry.number.value,
        "state": entry.state.value,
        "cause": entry.cause,
        "fault_code": entry.fault_code,
        "issued_at": iso(entry.issued_at),
        "created_at": iso(entry.created_at),
        "settled_at": iso(settled) if settled else None,
        "registered_at": iso(registered) if registered else None,
        "held_until": iso(entry.lease_until) if settled is None else None,
        "message_ids": list(entry.message_ids),
        "attempts": len(entry.message_ids),
        "prescriber": entry.rpps.value or None,
        "subject": entry.subject,
        # What stands for the number in logs, spans and traces.
        "pseudonym": pseudonym(key, "number", entry.number.value),
        "document_given": entry.document.value if entry.document else None,
        "purged": entry.purged,
    }


def _told(entry: Entry, key: bytes) -> list[tuple[str, str]]:
    plain = _plain(entry, key)
    ids = plain.pop("message_ids")
    rows = [
        (name.replace("_", " "), str(value))
        for name, value in plain.items()
        if value is not None and value is not False
    ]
    rows[1] = ("state", f"{entry.state.value} ({_STATES_FR[entry.state]})")
    return [*rows, *(("message id", each) for each in ids)]

"""The gate: when a trace is lawful, and who is inside the pilot's walls (law 5).

The rows are read in the transaction that acts on them. Only the lifecycle of ``pilot`` writes
the phase and the enrolments, through the functions here.
"""

from datetime import date
from enum import Enum

import attrs

from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.storage import Row, Tx


class Phase(Enum):
    """Where the pilot stands."""

    PREPARING = "preparing"
    RUNNING = "running"
    PROLONGED = "prolonged"
    ASSESSED = "assessed"
    CLOSING = "closing"
    CLOSED = "closed"
    GENERALISED = "generalised"
    ABANDONED = "abandoned"


RECORDING = frozenset({Phase.RUNNING, Phase.PROLONGED, Phase.ASSESSED})
"""The phases in which traces are recorded and shipped."""

OVER = frozenset({Phase.CLOSED, Phase.GENERALISED, Phase.ABANDONED})
"""The phases in which nothing will be recorded or shipped any more."""

LIVE = RECORDING | {Phase.CLOSING, Phase.CLOSED}
"""The phases in which enrolled practitioners prescribe; rollout opens the walls."""


@attrs.frozen(kw_only=True)
class Enrolment:
    """A practitioner of the pilot.

    Args:
        rpps: who.
        label: the number that stands for them in reports ("PS 1").
        situation: id of the practice situation that the pilot is about.
        go_live: the day of their installation, Europe/Paris.
        withdrawn_on: the day they left; from it on they are outside.
        withdrawn_reason: why.
    """

    rpps: Rpps
    label: int
    situation: str
    go_live: date
    withdrawn_on: date | None = None
    withdrawn_reason: str | None = None

    def live_on(self, day: date) -> bool:
        """Whether they are equipped and in the pilot on a day."""
        return self.go_live <= day and (self.withdrawn_on is None or day < self.withdrawn_on)


def phase(tx: Tx, *, hold: bool = False) -> Phase | None:
    """Where the pilot stands; None while no dossier was applied.

    Args:
        tx: the transaction.
        hold: keep the phase from changing before the transaction ends, which must be one that
            writes.
    """
    rows = tx.execute(f"SELECT phase FROM gate{tx.for_share}" if hold else "SELECT phase FROM gate")
    return Phase(rows[0][0]) if rows else None


def held(tx: Tx, rpps: Rpps) -> tuple[Phase | None, Enrolment | None]:
    """Phase, kept from changing before the commit, and one enrolment: in one question."""
    # Only the gate's own row can be kept: the other side of an outer join may be nothing.
    hold = f"{tx.for_share} OF gate" if tx.for_share else ""
    rows = tx.execute(
        f"SELECT phase, {_COLUMNS} FROM gate LEFT JOIN enrolments ON rpps = ?{hold}", (rpps.value,)
    )
    if not rows:
        return None, None
    current, *found = rows[0]
    return Phase(current), None if found[0] is None else _enrolment(tuple(found))


def set_phase(tx: Tx, new: Phase, *, module: str) -> None:
    """Write the phase; legality is the lifecycle's business."""
    tx.execute(
        "INSERT INTO gate (one, phase, module) VALUES (1, ?, ?)"
        " ON CONFLICT (one) DO UPDATE SET phase = excluded.phase, module = excluded.module",
        (new.value, module),
    )


def enrol(tx: Tx, enrolment: Enrolment) -> None:
    """Write one practitioner's enrolment, new or changed."""
    tx.execute(
        "INSERT INTO enrolments VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (rpps) DO UPDATE SET"
        " label = excluded.label, situation = excluded.situation, go_live = excluded.go_live,"
        " withdrawn_on = excluded.withdrawn_on, withdrawn_reason = excluded.withdrawn_reason",
        (
            enrolment.rpps.value,
            enrolment.label,
            enrolment.situation,
            enrolment.go_live.isoformat(),
            enrolment.withdrawn_on.isoformat() if enrolment.withdrawn_on else None,
            enrolment.withdrawn_reason,
        ),
    )


def enrolments(tx: Tx) -> tuple[Enrolment, ...]:
    """All practitioners of the pilot, withdrawn ones included, by label."""
    return tuple(_enrolment(row) for row in tx.execute(f"{_SELECT} ORDER BY label"))


def enrolment(tx: Tx, rpps: Rpps) -> Enrolment | None:
    """One practitioner's enrolment."""
    rows = tx.execute(f"{_SELECT} WHERE rpps = ?", (rpps.value,))
    return _enrolment(rows[0]) if rows else None


_COLUMNS = "rpps, label, situation, go_live, withdrawn_on, withdrawn_reason"
_SELECT = f"SELECT {_COLUMNS} FROM enrolments"


def _enrolment(row: Row) -> Enrolment:
    rpps, label, situation, go_live, withdrawn_on, reason = row
    return Enrolment(
        rpps=Rpps(rpps),
        label=label,
        situation=situation,
        go_live=date.fromisoformat(go_live),
        withdrawn_on=date.fromisoformat(withdrawn_on) if withdrawn_on else None,
        withdrawn_reason=reason,
    )


class Wall(Enum):
    """What the walls say of a practitioner's prescription in production."""

    INSIDE = "inside"
    OUTSIDE = "outside"


def wall(tx: Tx, rpps: Rpps, day: date) -> Wall:
    """Whether a practitioner may prescribe in production on a day.

    Until generalisation is recorded, only who is enrolled and live may.
    """
    current = phase(tx)
    if current is Phase.GENERALISED:
        return Wall.INSIDE
    known = enrolment(tx, rpps) if current in LIVE else None
    return Wall.INSIDE if known is not None and known.live_on(day) else Wall.OUTSIDE


class Withheld(Enum):
    """Why a trace may not be recorded."""

    PHASE = "phase"
    NOT_ENROLLED = "not_enrolled"
    SITUATION = "situation"
    BEFORE_GO_LIVE = "before_go_live"
    WITHDRAWN = "withdrawn"


def withheld(tx: Tx, rpps: Rpps, situation: str, day: date) -> Withheld | None:
    """Why a trace may not be recorded; None if it may.

    The pilot runs, the practitioner is enrolled, their go-live day has come, and the practice
    situation is the pilot's (Cnam, présérie, p. 5 and the note of p. 6).
    """
    current, known = held(tx, rpps)
    if current not in RECORDING:
        return Withheld.PHASE
    if known is None:
        return Withheld.NOT_ENROLLED
    if known.situation != situation:
        return Withheld.SITUATION
    if known.live_on(day):
        return None
    return Withheld.BEFORE_GO_LIVE if day < known.go_live else Withheld.WITHDRAWN

"""Pilots for tests, recorded through the real gate and recorder, at times that a test chooses."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from stdnum import luhn

from eprescription_sdk.clock import iso
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.identifiers import Finess, PrescriptionNumber, Rpps
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.model.trace import (
    CallOutcome,
    CallTrace,
    FaultOrigin,
    Initiator,
    NonDigitalReason,
    PrescriptionTrace,
    RegistrationState,
    Trace,
)
from eprescription_sdk.pilot.assessing import assess
from eprescription_sdk.pilot.assessment import Assessment
from eprescription_sdk.storage import SqliteStore, Store
from eprescription_sdk.traces.gate import Enrolment, Phase, enrol, set_phase
from eprescription_sdk.traces.record import Recorder

KEY = b"a secret for tests, 32 bytes long"
GO_LIVE = date(2026, 3, 2)
SITUATION = "situation-of-the-pilot"
_NAMES = UUID("6f1c5c1e-7f0f-4f0e-9d55-0f7c1d6b2a10")
_STATES = {
    RegistrationState.REGISTERED: CallOutcome.REGISTERED,
    RegistrationState.NOT_REGISTERED: CallOutcome.NOT_REGISTERED,
    RegistrationState.UNCERTAIN: CallOutcome.UNCERTAIN,
}
REGISTERED, REFUSED, UNCERTAIN = RegistrationState


def rpps(label: int) -> Rpps:
    """A fictitious practitioner's number, with its key."""
    stem = f"997{label:07d}"
    return Rpps(stem + luhn.calc_check_digit(stem))


def at(day: int, hour: int = 9, minute: int = 0) -> datetime:
    """A moment of March 2026 (or later: the days go on), UTC."""
    return datetime(2026, 3, 1, hour, minute, tzinfo=UTC) + timedelta(days=day - 1)


class PilotStore:
    """A running pilot, its practitioners live since 2 March 2026."""

    def __init__(self, folder: Path, practitioners: int = 1, store: Store | None = None) -> None:
        self.store: Store = store or SqliteStore(folder / "pilot.db")
        self.recorder = Recorder(KEY, None)
        self.count = 0
        self._waiting: list[Trace] = []
        self.store.write(lambda tx: set_phase(tx, Phase.RUNNING, module="module"))
        for label in range(1, practitioners + 1):
            self.enrol(label)

    def enrol(self, label: int, *, when: datetime | None = None, **changes: Any) -> None:
        """Enrol a practitioner, or change their enrolment; recorded before the go-live by default.

        The journal has of the dossier what an assessment reads.
        """
        fields: dict[str, Any] = {"situation": SITUATION, "go_live": GO_LIVE} | changes
        enrolment = Enrolment(rpps=rpps(label), label=label, **fields)
        self.store.write(lambda tx: enrol(tx, enrolment))
        said = fields | {"rpps": rpps(label).value, "go_live": fields["go_live"].isoformat()}
        if left := fields.get("withdrawn_on"):
            said["withdrawn_on"] = left.isoformat()
        self.event("dossier", when or at(1), {"practitioners": [said]})

    def _common(self, when: datetime, ps: int, changes: dict[str, Any]) -> dict[str, Any]:
        self.count += 1
        return {
            "id": str(uuid5(_NAMES, str(self.count))),
            "at": when,
            "rpps": rpps(ps),
            "situation": SITUATION,
            "finess": Finess("750712184"),
            "software": "Plateforme",
            "version": "1.0",
            "module": "module",
            "instance": "00000000-0000-4000-8000-000000000001",
            "environment": "production",
            "simulation": False,
        } | changes

    def call(
        self,
        when: datetime,
        outcome: CallOutcome,
        *,
        ps: int = 1,
        operation: Operation = Operation.CREATE,
        subject: str | None = None,
        initiator: Initiator = Initiator.PRESCRIBER,
        fault_origin: FaultOrigin | None = None,
        **changes: Any,
    ) -> None:
        """Record a call."""
        self.record(
            CallTrace(
                operation=operation,
                initiator=initiator,
                attempts=1,
                outcome=outcome,
                subject=subject,
                fault_origin=fault_origin,
                **self._common(when, ps, changes),
            )
        )

    def digital(
        self,
        when: datetime,
        state: RegistrationState = REGISTERED,
        *,
        ps: int = 1,
        subject: str | None = None,
        revision: int = 1,
        issued_at: datetime | None = None,
        corrects: str | None = None,
        act: str | None = None,
        call: bool = True,
        **changes: Any,
    ) -> str:
        """Record a digital prescription and its create call; its subject."""
        common = self._common(when, ps, changes)
        subject = subject or f"subject-{self.count}"
        self.record(
            PrescriptionTrace(
                subject=subject,
                revision=revision,
                issued_at=issued_at or when,
                digital=True,
                families=frozenset({Family.MEDICATION}),
                registration=state,
                number=number(subject),
                document_type=DocumentType.HEALTH_PRODUCTS,
                corrects=number(corrects) if corrects else None,
                act=act,
                **common,
            )
        )
        if call:
            self.call(when, _STATES[state], ps=ps, subject=subject, **changes)
        return subject

    def paper(
        self,
        when: datetime,
        families: Iterable[Family] = (Family.MEDICATION,),
        *,
        ps: int = 1,
        subject: str | None = None,
        revision: int = 1,
        issued_at: datetime | None = None,
        after: str | None = None,
        act: str | None = None,
        reason: NonDigitalReason = NonDigitalReason.OTHER,
        **changes: Any,
    ) -> str:
        """Record a paper prescription; its subject."""
        common = self._common(when, ps, changes)
        subject = subject or f"subject-{self.count}"
        self.record(
            PrescriptionTrace(
                subject=subject,
                revision=revision,
                issued_at=issued_at or when,
                digital=False,
                families=frozenset(families),
                reason=reason,
                after=number(after) if after else None,
                act=act,
                **common,
            )
        )
        return subject

    def uses(self, day: int = 3, ps: int = 1) -> None:
        """One successful call of each operation that makes no prescription."""
        self.call(at(day), CallOutcome.FOUND, ps=ps, operation=Operation.CONSULT)
        self.call(at(day), CallOutcome.LISTED, ps=ps, operation=Operation.SEARCH)

    def record(self, trace: Trace) -> None:
        """Keep a trace for the next transaction."""
        self._waiting.append(trace)

    def flush(self) -> list[bool]:
        """Record what waits, in one transaction; whether each was recorded."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return []
        return self.store.write(lambda tx: [self.recorder.record(tx, each) for each in waiting])

    def volume(self, day: date, documents: int, *, ps: int = 1, when: datetime) -> None:
        """Declare a volume."""
        row = (rpps(ps).value, day.isoformat(), documents, iso(when))
        self.store.write(
            lambda tx: tx.execute(
                "INSERT INTO volumes (rpps, day, documents, recorded_at) VALUES (?, ?, ?, ?)", row
            )
        )

    def event(self, kind: str, when: datetime, data: dict[str, Any], reference: str = "r") -> None:
        """Add a line to the journal."""
        row = (kind, when.date().isoformat(), iso(when), "test", reference, json.dumps(data))
        self.store.write(
            lambda tx: tx.execute(
                "INSERT INTO pilot_events (kind, day, recorded_at, by_whom, reference, data)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
        )

    def questionnaire(self, when: datetime, ps: int = 1, remarks: Iterable[str] = ()) -> None:
        """Add a practitioner's answer."""
        who = pseudonym(KEY, "rpps", rpps(ps).value)
        data = {"rpps": who, "satisfaction": 4, "blocking_remarks": list(remarks)}
        self.event("questionnaire", when, data)

    def assess(self, until: datetime | None = None) -> Assessment:
        """The assessment at a cut-off; the end of June 2026 by default."""
        self.flush()
        return assess(self.store, key=KEY, at=until or at(120))


def number(subject: str) -> PrescriptionNumber:
    """The number of a subject."""
    return PrescriptionNumber(subject.upper().replace("-", ""))

"""The life of a pilot: its steps, and what each writes.

Each step writes the phase that the gate reads and its line of the journal in one transaction,
with its day, its reference and who recorded it. Which step is legal when is in ``steps``; what a
phase allows is the business of ``traces.gate``. Only the Assurance Maladie generalises: we
record its letter.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from eprescription_sdk import telemetry
from eprescription_sdk.clock import Clock, paris_day
from eprescription_sdk.errors import IllegalStep, InvalidInput, PilotError
from eprescription_sdk.ledger import open_entries
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.pilot.checks import check, errors, first_go_live
from eprescription_sdk.pilot.difference import Difference, compare
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.pilot.enrolling import (
    applied_dossier,
    cannot_leave,
    start_day,
    undone,
    without,
    write_dossier,
)
from eprescription_sdk.pilot.registers import Event, Note, append, blank, events
from eprescription_sdk.pilot.steps import LEGAL, Step
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces import closing, gate
from eprescription_sdk.traces.closing import Receipt
from eprescription_sdk.traces.gate import Phase
from eprescription_sdk.traces.shipper import Shipper
from eprescription_sdk.traces.signing import Signer


class Pilot:
    """One pilot in one store: a category of practitioners and a module.

    Args:
        store: where it is kept; the store is the truth, not the file of the dossier.
        key: the secret of the settings.
        clock: the time.
        module: identity of the module in the settings; a dossier of another one is refused.
            Without it, the dossier's own counts.
        pinned: id of the closing receipt in the settings, once it is there: no other is written.
    """

    def __init__(
        self,
        store: Store,
        *,
        key: bytes,
        clock: Clock,
        module: str | None = None,
        pinned: str | None = None,
    ) -> None:
        self._store = store
        self._key = key
        self._clock = clock
        self._module = module
        self._pinned = pinned

    # --- Where it stands ------------------------------------------------------------------------

    @property
    def phase(self) -> Phase | None:
        """The phase; None while no dossier was applied."""
        return self._store.read(gate.phase)

    @property
    def legal_steps(self) -> tuple[Step, ...]:
        """What may be done now."""
        return LEGAL[self.phase]

    @property
    def dossier(self) -> Dossier | None:
        """The dossier as last applied."""
        return self._store.read(applied_dossier)

    @property
    def receipt(self) -> Receipt | None:
        """The closing receipt, once the traces are closed."""
        return self._store.read(closing.receipt_of)

    def steps(self) -> tuple[Event, ...]:
        """The steps taken, oldest first."""
        return self._store.read(lambda tx: events(tx, "step"))

    def note(self, *, by: str, reference: str, day: date | None = None) -> Note:
        """A note for the registers, made now; its day is today unless given."""
        now = self._clock.now()
        return Note(day=day or paris_day(now), by=by, reference=reference, at=now)

    # --- The dossier ----------------------------------------------------------------------------

    def difference(self, dossier: Dossier) -> Difference:
        """What applying a dossier would change, and what there is to say about it."""
        return self._store.read(lambda tx: self._difference(tx, dossier))

    def apply(self, dossier: Dossier, *, by: str, reference: str = "") -> Difference:
        """Apply a dossier to the store: enrolments, and the phase on the first time.

        Applying what is already applied writes nothing.

        Args:
            dossier: with no finding of level ERROR.
            by: who applies it.
            reference: of the letter that it follows, if any.

        Raises:
            InvalidInput: the dossier breaks a condition, or undoes what is recorded (each with
                its path).
            IllegalStep: the traces are closed, or the pilot is over.
        """
        note = self.note(by=by, reference=reference)
        # A dossier carries its own references; the letter is optional here.
        _refuse(tuple(fault for fault in note.faults() if fault[0] != "reference"))

        def work(tx: Tx) -> Difference:
            self._legal(tx, Step.APPLY)
            applied = applied_dossier(tx)
            difference = self._difference(tx, dossier)
            _refuse(
                (
                    *errors(difference.findings),
                    *undone(tx, applied, dossier, module=self._module, key=self._key),
                )
            )
            if difference:
                if gate.phase(tx) in (None, Phase.PREPARING):
                    gate.set_phase(tx, Phase.PREPARING, module=dossier.pilot.module)
                write_dossier(tx, dossier, note)
            return difference

        return self._store.write(work)

    # --- The steps ------------------------------------------------------------------------------

    def start(self, *, by: str, reference: str, day: date | None = None) -> None:
        """Start the pilot: from their go-live on, practitioners are traced (p. 5).

        Args:
            by: who records it.
            reference: of the minutes of the launch meeting.
            day: of the start; today if not given. No installation comes before it.

        Raises:
            IllegalStep: it is not being prepared.
            InvalidInput: what must be done before the first installation is not, or the note
                has faults (each with its path).
        """
        note = self.note(by=by, reference=reference, day=day)

        def work(tx: Tx) -> None:
            dossier = self._dossier(tx)
            judged_on = max(paris_day(note.at), first_go_live(dossier) or note.day)
            _refuse(errors(check(dossier, judged_on, started=note.day)))

        self._step(Step.START, Phase.RUNNING, note, work=work)

    def prolong(
        self, *, corrections: Sequence[str], by: str, reference: str, day: date | None = None
    ) -> None:
        """Prolong the pilot, after corrections (p. 4 and 6).

        Args:
            corrections: versions of the corrective releases, as recorded with
                ``registers.record_correction``.
            by: who records it.
            reference: of what was agreed with the Assurance Maladie.
            day: of the prolongation; today if not given.

        Raises:
            IllegalStep: it does not run.
            InvalidInput: no correction, or one that is not recorded (each with its path).
        """

        def work(tx: Tx) -> None:
            known = {event.data["version"] for event in events(tx, "correction")}
            faults = [
                (
                    f"corrections[{index}]",
                    "This corrective release is not recorded yet: record it first.",
                )
                for index, version in enumerate(corrections)
                if version not in known
            ]
            if not corrections:
                faults.append(("corrections", "A prolongation names the correction it follows."))
            _refuse(tuple(faults))

        note = self.note(by=by, reference=reference, day=day)
        data = {"corrections": list(corrections)}
        self._step(Step.PROLONG, Phase.PROLONGED, note, data, work=work)

    def record_assessed(self, *, by: str, reference: str, day: date | None = None) -> None:
        """Record that the assessment was shared with the Assurance Maladie (p. 6).

        Args:
            by: who records it.
            reference: of its minutes.
            day: of the meeting; today if not given.

        Raises:
            IllegalStep: it does not run.
            InvalidInput: the note has faults (each with its path).
        """
        note = self.note(by=by, reference=reference, day=day)
        self._step(Step.ASSESS, Phase.ASSESSED, note)

    def close_traces(
        self,
        *,
        by: str,
        reference: str,
        settle: Callable[[], object] | None = None,
        shipper: Shipper | None = None,
        timeout: float = 30.0,
        force: bool = False,
        signer: Signer | None = None,
        kept: Receipt | None = None,
    ) -> Receipt:
        """Close the traces for good (p. 6: "désactive alors l'envoi des traces postes").

        Calling it again after ``ClosingPending`` goes on; after success it gives the same
        receipt and records nothing more.

        Args:
            by: who closes.
            reference: of the minutes of the deployment meeting.
            settle: called first, such as ``client.reconcile``; what stays uncertain is listed in
                the receipt.
            shipper: sends what still waits; without it that stays unsent, and counted.
            timeout: how long to send, and then to wait for senders, in seconds each.
            force: close although a sender holds its lock; the receipt lists the unconfirmed.
            signer: holds the organisation's key, to sign the receipt with.
            kept: the receipt that is pinned, for a store that was restored from before it.

        Raises:
            IllegalStep: the assessment is not recorded; or a receipt is pinned that neither the
                store has nor ``kept`` is.
            ClosingPending: a sender still holds its lock, or a process stays amid a transaction.
            InvalidInput: the note has faults (each with its path).
        """
        note = self.note(by=by, reference=reference)
        _refuse(note.faults())
        self._store.read(lambda tx: self._legal(tx, Step.CLOSE_TRACES))
        if settle is not None:
            with closing.pending_on_writers():
                settle()
        module = self._store.read(self._dossier).pilot.module
        receipt = closing.close(
            self._store,
            shipper=shipper,
            unsettled=self._unsettled,
            module=module,
            now=self._clock.now,
            timeout=timeout,
            force=force,
            signer=signer,
            pinned=self._pinned,
            kept=kept,
        )

        def work(tx: Tx) -> None:
            # Closing writes its phases and receipt itself; only the line of the journal is left.
            recorded = {event.data.get("receipt") for event in events(tx, "step")}
            if receipt.id not in recorded:
                data = {"step": Step.CLOSE_TRACES.value, "receipt": receipt.id}
                append(tx, "step", note, {**data, "forced": receipt.forced})

        self._store.write(work)
        telemetry.event("pilot.step", kind=Step.CLOSE_TRACES.value, phase=Phase.CLOSED.value)
        return receipt

    def record_generalisation(self, *, by: str, reference: str, day: date | None = None) -> None:
        """Record the Assurance Maladie's letter of generalisation: the walls open (p. 6).

        Args:
            by: who records it.
            reference: of the letter.
            day: of the letter; today if not given.

        Raises:
            IllegalStep: the traces are not closed.
            InvalidInput: the note has faults (each with its path).
        """
        note = self.note(by=by, reference=reference, day=day)
        self._step(Step.GENERALISE, Phase.GENERALISED, note)

    def abandon(self, *, reason: str, by: str, reference: str, day: date | None = None) -> None:
        """End the pilot without rollout: nothing is recorded or shipped any more.

        Args:
            reason: why.
            by: who records it.
            reference: of the decision.
            day: of the decision; today if not given.

        Raises:
            IllegalStep: the pilot is over, or its traces are being closed.
            InvalidInput: the note has faults (each with its path).
        """
        note = self.note(by=by, reference=reference, day=day)
        _refuse(blank("reason", reason))
        self._step(Step.ABANDON, Phase.ABANDONED, note, {"reason": reason})

    def withdraw(self, rpps: Rpps, *, on: date, reason: str, by: str, reference: str) -> None:
        """Record that a practitioner left; they stay listed, with their figures.

        Args:
            rpps: who.
            on: from this day on they are outside; not a day to come.
            reason: why.
            by: who records it.
            reference: of their message.

        Raises:
            IllegalStep: the pilot is over.
            InvalidInput: they are not in the pilot, already left, or were traced later, or the note
                has faults (each with its path).
        """
        note = self.note(by=by, reference=reference, day=on)
        _refuse(blank("reason", reason))

        def work(tx: Tx) -> None:
            dossier = self._dossier(tx)
            _refuse(cannot_leave(tx, dossier, self._key, rpps, on))
            write_dossier(tx, without(dossier, rpps, on, reason), note)

        data = {"rpps": pseudonym(self._key, "rpps", rpps.value), "reason": reason}
        self._step(Step.WITHDRAW, None, note, data, work=work)

    # --- What the steps share -------------------------------------------------------------------

    def _step(
        self,
        step: Step,
        to: Phase | None,
        note: Note,
        data: dict[str, Any] | None = None,
        *,
        work: Callable[[Tx], None] = lambda _: None,
    ) -> None:
        """Take a step in one transaction: its own work, the phase, the line of the journal."""
        _refuse(note.faults())

        def whole(tx: Tx) -> None:
            self._legal(tx, step)
            if to is not None:
                self._in_order(tx, note.day)
            work(tx)
            if to is not None:
                gate.set_phase(tx, to, module=self._dossier(tx).pilot.module)
            append(tx, "step", note, {"step": step.value, **(data or {})})

        self._store.write(whole)
        telemetry.event("pilot.step", kind=step.value, phase=to.value if to else "")

    def _legal(self, tx: Tx, step: Step) -> None:
        current = gate.phase(tx)
        legal = LEGAL[current]
        if step not in legal:
            where = (
                f"while the pilot is {current.value}" if current else "before a dossier is applied"
            )
            names = ", ".join(each.value for each in legal) or "none, the pilot is over"
            raise IllegalStep(f"The step {step.value} is not legal {where}. Legal now: {names}.")

    def _in_order(self, tx: Tx, day: date) -> None:
        steps = [each for each in events(tx, "step") if each.data["step"] != Step.WITHDRAW.value]
        last = max((each.note.day for each in steps), default=day)
        if day < last:
            _refuse((("day", f"A step of {last.isoformat()} is already recorded."),))

    def _difference(self, tx: Tx, dossier: Dossier) -> Difference:
        today = paris_day(self._clock.now())
        return compare(applied_dossier(tx), dossier, check(dossier, today, started=start_day(tx)))

    def _dossier(self, tx: Tx) -> Dossier:
        dossier = applied_dossier(tx)
        if dossier is None:
            raise PilotError("The store has a phase but no dossier.")
        return dossier

    def _unsettled(self, tx: Tx) -> tuple[str, ...]:
        return tuple(
            pseudonym(self._key, "number", entry.number.value) for entry in open_entries(tx)
        )


def _refuse(faults: tuple[tuple[str, str], ...]) -> None:
    if faults:
        raise InvalidInput("The pilot cannot take this step:", findings=faults)

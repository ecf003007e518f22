import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from eprescription_sdk.clock import SimulatedClock
from eprescription_sdk.errors import ClosingPending, IllegalStep, InvalidInput
from eprescription_sdk.ledger import Entry, State, journal
from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.identifiers import Finess, PrescriptionNumber, Rpps
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.model.trace import NonDigitalReason, PrescriptionTrace
from eprescription_sdk.pilot import Dossier, Phase, Pilot, Receipt, Step, record_correction
from eprescription_sdk.pilot.dossier import Act
from eprescription_sdk.pilot.steps import LEGAL
from eprescription_sdk.storage import SqliteStore, Store, sqlite
from eprescription_sdk.traces import gate
from eprescription_sdk.traces.record import Recorder
from tests.pilot.samples import EXAMPLE, RPPS
from tests.processes import child

KEY = b"k" * 32
BY: dict[str, Any] = {"by": "cellule présérie", "reference": "REF-1"}
LAUNCH = datetime(2025, 3, 14, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(LAUNCH)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "pilot.db")
    yield store
    store.close()


@pytest.fixture
def pilot(store: Store, clock: SimulatedClock) -> Pilot:
    return Pilot(store, key=KEY, clock=clock)


@pytest.fixture
def dossier() -> Dossier:
    return Dossier.from_toml(EXAMPLE)


def changed(dossier: Dossier, index: int, **changes: Any) -> Dossier:
    each = list(dossier.practitioners)
    each[index] = attrs.evolve(each[index], **changes)
    return attrs.evolve(dossier, practitioners=tuple(each))


def enrolled(store: Store) -> tuple[gate.Enrolment, ...]:
    return store.read(gate.enrolments)


def take(pilot: Pilot, store: Store, step: Step) -> Any:
    """Take one step with everything that it asks for."""
    match step:
        case Step.APPLY:
            current = pilot.dossier or Dossier.from_toml(EXAMPLE)
            # Something must differ, or nothing is written.
            name = current.pilot.name + "+"
            return pilot.apply(
                attrs.evolve(current, pilot=attrs.evolve(current.pilot, name=name)), by="x"
            )
        case Step.START:
            return pilot.start(**BY)
        case Step.PROLONG:
            record_correction(store, pilot.note(**BY), version="4.2.1")
            return pilot.prolong(corrections=("4.2.1",), **BY)
        case Step.ASSESS:
            return pilot.record_assessed(**BY)
        case Step.CLOSE_TRACES:
            return pilot.close_traces(**BY)
        case Step.GENERALISE:
            return pilot.record_generalisation(**BY)
        case Step.ABANDON:
            return pilot.abandon(reason="arrêt du produit", **BY)
        case Step.WITHDRAW:
            on = pilot.note(**BY).day
            return pilot.withdraw(Rpps(RPPS[5]), on=on, reason="départ", **BY)


ROADS: dict[Phase | None, tuple[Step, ...]] = {
    None: (),
    Phase.PREPARING: (Step.APPLY,),
    Phase.RUNNING: (Step.APPLY, Step.START),
    Phase.PROLONGED: (Step.APPLY, Step.START, Step.PROLONG),
    Phase.ASSESSED: (Step.APPLY, Step.START, Step.ASSESS),
    Phase.CLOSED: (Step.APPLY, Step.START, Step.ASSESS, Step.CLOSE_TRACES),
    Phase.GENERALISED: (
        Step.APPLY, Step.START, Step.ASSESS, Step.CLOSE_TRACES, Step.GENERALISE,
    ),
    Phase.ABANDONED: (Step.APPLY, Step.START, Step.ABANDON),
}  # fmt: skip


@pytest.mark.parametrize("phase", ROADS)
@pytest.mark.parametrize("step", Step)
def test_every_step_in_every_phase(
    pilot: Pilot, store: Store, phase: Phase | None, step: Step
) -> None:
    for each in ROADS[phase]:
        take(pilot, store, each)
    assert pilot.phase is phase
    before = store.read(lambda tx: tx.execute("SELECT count(*) FROM pilot_events"))[0][0]
    if step in LEGAL[phase]:
        take(pilot, store, step)
        return
    with pytest.raises(IllegalStep) as caught:
        take(pilot, store, step)
    for legal in LEGAL[phase]:
        assert legal.value in caught.value.message.split("Legal now:")[1]
    assert pilot.phase is phase
    after = store.read(lambda tx: tx.execute("SELECT count(*) FROM pilot_events"))[0][0]
    # Before it is refused, PROLONG records its correction.
    assert after == before + (step is Step.PROLONG)


def test_the_whole_road(pilot: Pilot, store: Store, clock: SimulatedClock) -> None:
    phases = []
    for step in (
        Step.APPLY, Step.START, Step.PROLONG, Step.ASSESS, Step.PROLONG, Step.ASSESS,
        Step.CLOSE_TRACES, Step.GENERALISE,
    ):  # fmt: skip
        take(pilot, store, step)
        phases.append(pilot.phase)
        clock.advance(timedelta(days=2))
    assert phases == [
        Phase.PREPARING, Phase.RUNNING, Phase.PROLONGED, Phase.ASSESSED, Phase.PROLONGED,
        Phase.ASSESSED, Phase.CLOSED, Phase.GENERALISED,
    ]  # fmt: skip
    assert pilot.legal_steps == ()
    assert [event.data["step"] for event in pilot.steps()] == [
        "start", "prolong", "assess", "prolong", "assess", "close_traces", "generalise",
    ]  # fmt: skip
    assert {event.note.by for event in pilot.steps()} == {BY["by"]}
    assert pilot.steps()[0].note.day == date(2025, 3, 16)
    assert pilot.steps()[1].data["corrections"] == ["4.2.1"]


# --- The dossier ---------------------------------------------------------------------------------


def test_applying_enrols_with_labels_that_stay(
    pilot: Pilot, store: Store, dossier: Dossier
) -> None:
    assert pilot.apply(dossier, by="x").first
    assert [each.rpps.value for each in enrolled(store)] == list(RPPS)
    assert [each.label for each in enrolled(store)] == [1, 2, 3, 4, 5, 6]

    newcomer = attrs.evolve(dossier.practitioners[0], rpps=Rpps("99700000013"), situation="SIT-7")
    reordered = attrs.evolve(dossier, practitioners=(newcomer, *reversed(dossier.practitioners)))
    difference = pilot.apply(reordered, by="x")
    assert not difference.first
    assert {each.rpps.value: each.label for each in enrolled(store)} == {
        **{rpps: label for label, rpps in enumerate(RPPS, start=1)},
        "99700000013": 7,
    }
    assert pilot.dossier == reordered


def test_difference_writes_nothing(pilot: Pilot, store: Store, dossier: Dossier) -> None:
    assert pilot.difference(dossier)
    assert pilot.phase is None
    assert enrolled(store) == ()


def test_applying_again_writes_nothing(pilot: Pilot, store: Store, dossier: Dossier) -> None:
    pilot.apply(dossier, by="x")
    assert not pilot.apply(dossier, by="x")
    count = "SELECT count(*) FROM pilot_events"
    assert store.read(lambda tx: tx.execute(count)) == [(1,)]


def test_a_change_is_shown_and_reaches_the_gate(
    pilot: Pilot, store: Store, dossier: Dossier
) -> None:
    pilot.apply(dossier, by="x")
    difference = pilot.apply(changed(dossier, 2, go_live=date(2025, 3, 24)), by="x")
    (change,) = difference.changes
    assert change.path == "practitioners[2].go_live"
    assert (change.before, change.after) == ("2025-03-18", "2025-03-24")
    assert enrolled(store)[2].go_live == date(2025, 3, 24)


def test_a_dossier_with_errors_is_refused_whole(
    pilot: Pilot, store: Store, dossier: Dossier
) -> None:
    with pytest.raises(InvalidInput) as caught:
        pilot.apply(changed(dossier, 1, salaried=False), by="x")
    assert [path for path, _ in caught.value.findings] == ["practitioners[1].salaried"]
    assert "p. 4" in str(caught.value)
    assert pilot.phase is None
    assert enrolled(store) == ()


def test_a_dossier_still_in_the_making_is_applied(store: Store, dossier: Dossier) -> None:
    early = Pilot(store, key=KEY, clock=SimulatedClock(datetime(2025, 2, 10, tzinfo=UTC)))
    early.apply(attrs.evolve(dossier, kit=None, launch_meeting=None, planning=None), by="x")
    assert early.phase is Phase.PREPARING


def test_by_whom_is_asked(pilot: Pilot, dossier: Dossier) -> None:
    with pytest.raises(InvalidInput) as caught:
        pilot.apply(dossier, by=" ")
    assert [path for path, _ in caught.value.findings] == ["by"]


def test_nobody_is_dropped(pilot: Pilot, dossier: Dossier) -> None:
    pilot.apply(dossier, by="x")
    rest = (*dossier.practitioners[:2], *dossier.practitioners[3:])
    with pytest.raises(InvalidInput, match="number 3 is no longer listed") as caught:
        pilot.apply(attrs.evolve(dossier, practitioners=rest), by="x")
    assert not [rpps for rpps in RPPS if rpps in str(caught.value)]


def test_what_identifies_the_pilot_is_fixed_by_its_start(
    pilot: Pilot, store: Store, dossier: Dossier
) -> None:
    other = attrs.evolve(dossier, pilot=attrs.evolve(dossier.pilot, module="other-module"))
    pilot.apply(dossier, by="x")
    pilot.apply(other, by="x")
    assert store.read(lambda tx: tx.execute("SELECT module FROM gate")) == [("other-module",)]
    pilot.start(**BY)
    with pytest.raises(InvalidInput) as caught:
        pilot.apply(dossier, by="x")
    assert [path for path, _ in caught.value.findings] == ["pilot.module"]


def test_a_dossier_of_another_module_is_refused(
    store: Store, clock: SimulatedClock, dossier: Dossier
) -> None:
    pilot = Pilot(store, key=KEY, clock=clock, module="another")
    with pytest.raises(InvalidInput) as caught:
        pilot.apply(dossier, by="x")
    assert [path for path, _ in caught.value.findings] == ["pilot.module"]


def test_an_extension_follows_a_correction(pilot: Pilot, store: Store, dossier: Dossier) -> None:
    extended = attrs.evolve(dossier, extension=Act(on=date(2025, 3, 10), reference="CNAM-77"))
    with pytest.raises(InvalidInput) as caught:
        pilot.apply(extended, by="x")
    assert [path for path, _ in caught.value.findings] == ["extension"]
    record_correction(store, pilot.note(**BY), version="4.2.1")
    assert pilot.apply(extended, by="x")


# --- The steps -----------------------------------------------------------------------------------


def test_start_asks_what_the_first_installation_needs(store: Store, dossier: Dossier) -> None:
    early = Pilot(store, key=KEY, clock=SimulatedClock(datetime(2025, 2, 10, tzinfo=UTC)))
    early.apply(attrs.evolve(dossier, kit=None), by="x")
    with pytest.raises(InvalidInput) as caught:
        early.start(**BY)
    assert [path for path, _ in caught.value.findings] == ["kit"]
    assert early.phase is Phase.PREPARING
    assert early.steps() == ()


def test_no_installation_comes_before_the_start(
    pilot: Pilot, clock: SimulatedClock, dossier: Dossier
) -> None:
    pilot.apply(dossier, by="x")
    clock.advance(timedelta(days=4))
    with pytest.raises(InvalidInput) as caught:
        pilot.start(**BY)
    assert [path for path, _ in caught.value.findings] == [
        "practitioners[0].go_live", "practitioners[1].go_live",
    ]  # fmt: skip
    pilot.start(**BY, day=date(2025, 3, 17))
    assert pilot.phase is Phase.RUNNING


def test_from_the_start_on_practitioners_are_lawfully_traced(
    pilot: Pilot, store: Store, dossier: Dossier
) -> None:
    doctor, day = Rpps(RPPS[0]), date(2025, 3, 17)
    pilot.apply(dossier, by="x")

    def withheld() -> gate.Withheld | None:
        return store.read(lambda tx: gate.withheld(tx, doctor, "SIT-EX-1", day))

    assert withheld() is gate.Withheld.PHASE
    pilot.start(**BY)
    assert withheld() is None
    pilot.abandon(reason="arrêt", **BY)
    assert withheld() is gate.Withheld.PHASE


@pytest.mark.parametrize(("missing", "path"), [
    ({"by": ""}, "by"), ({"reference": " "}, "reference"), ({"day": date(2025, 3, 15)}, "day"),
])  # fmt: skip
def test_a_step_is_dated_referenced_and_signed(
    pilot: Pilot, dossier: Dossier, missing: dict[str, Any], path: str
) -> None:
    pilot.apply(dossier, by="x")
    with pytest.raises(InvalidInput) as caught:
        pilot.start(**{**BY, **missing})
    assert [where for where, _ in caught.value.findings] == [path]
    assert pilot.phase is Phase.PREPARING


def test_steps_go_forward_in_time(pilot: Pilot, dossier: Dossier) -> None:
    pilot.apply(dossier, by="x")
    pilot.start(**BY)
    with pytest.raises(InvalidInput, match="2025-03-14 is already recorded"):
        pilot.record_assessed(**BY, day=date(2025, 3, 13))
    assert pilot.phase is Phase.RUNNING


def test_a_prolongation_names_a_recorded_correction(
    pilot: Pilot, store: Store, dossier: Dossier
) -> None:
    pilot.apply(dossier, by="x")
    pilot.start(**BY)
    with pytest.raises(InvalidInput, match="names the correction"):
        pilot.prolong(corrections=(), **BY)
    record_correction(store, pilot.note(**BY), version="4.2.1")
    with pytest.raises(InvalidInput) as caught:
        pilot.prolong(corrections=("4.2.1", "4.2.2"), **BY)
    assert [path for path, _ in caught.value.findings] == ["corrections[1]"]
    assert pilot.phase is Phase.RUNNING


def test_who_withdraws_stays_listed_and_is_outside(
    pilot: Pilot, store: Store, clock: SimulatedClock, dossier: Dossier
) -> None:
    doctor = Rpps(RPPS[1])
    pilot.apply(dossier, by="x")
    pilot.start(**BY)
    clock.advance(timedelta(days=10))
    left = date(2025, 3, 22)
    pilot.withdraw(doctor, on=left, reason="départ", **BY)

    assert len(enrolled(store)) == 6
    assert enrolled(store)[1].withdrawn_reason == "départ"
    outside = store.read(lambda tx: gate.wall(tx, doctor, left))
    assert outside is gate.Wall.OUTSIDE
    assert pilot.steps()[-1].data["rpps"] == pseudonym(KEY, "rpps", doctor.value)
    assert pilot.phase is Phase.RUNNING

    with pytest.raises(InvalidInput, match="already left"):
        pilot.withdraw(doctor, on=left, reason="départ", **BY)
    with pytest.raises(InvalidInput, match="not undone") as caught:
        pilot.apply(dossier, by="x")
    assert caught.value.findings[0][0] == "practitioners[1].withdrawn_on"
    same = changed(dossier, 1, withdrawn_on=left, withdrawn_reason="départ")
    assert not pilot.apply(same, by="x")


def trace(store: Store, label: int, when: datetime) -> None:
    """A paper prescription of one practitioner, through the gate."""
    traced = PrescriptionTrace(
        id=str(label), at=when, rpps=Rpps(RPPS[label]), situation=f"SIT-EX-{label + 1}",
        finess=Finess("330781287"), software="x", version="1", module="exemple-on-1",
        instance="i", environment="production", simulation=False, subject=str(label), revision=1,
        issued_at=when, digital=False, families=frozenset({Family.MEDICATION}),
        reason=NonDigitalReason.OTHER,
    )  # fmt: skip
    assert store.write(lambda tx: Recorder(KEY, None).record(tx, traced))


@pytest.mark.parametrize("change", [{"go_live": date(2025, 4, 1)}, {"situation": "SIT-2"}])
def test_what_was_traced_is_not_moved_out_of_the_window(
    pilot: Pilot, store: Store, clock: SimulatedClock, dossier: Dossier, change: dict[str, Any]
) -> None:
    """Else paper of the first weeks could be made to vanish from the figures."""
    pilot.apply(dossier, by="x")
    pilot.start(**BY)
    clock.move_to(datetime(2025, 3, 20, 9, tzinfo=UTC))
    trace(store, 0, clock.now())
    with pytest.raises(InvalidInput) as caught:
        pilot.apply(changed(dossier, 0, **change), by="x")
    (name,) = change
    assert [path for path, _ in caught.value.findings] == [f"practitioners[0].{name}"]
    assert enrolled(store)[0].go_live == date(2025, 3, 17)
    # Who has no trace yet may still be installed later, or elsewhere.
    pilot.apply(changed(dossier, 1, **change), by="x")


def test_nobody_left_before_their_last_trace(
    pilot: Pilot, store: Store, clock: SimulatedClock, dossier: Dossier
) -> None:
    pilot.apply(dossier, by="x")
    pilot.start(**BY)
    clock.move_to(datetime(2025, 3, 21, 23, 30, tzinfo=UTC))  # the 22nd in Paris
    trace(store, 0, clock.now())
    early = {"withdrawn_on": date(2025, 3, 21), "withdrawn_reason": "départ"}
    for attempt in (
        lambda: pilot.withdraw(Rpps(RPPS[0]), on=date(2025, 3, 21), reason="départ", **BY),
        lambda: pilot.apply(changed(dossier, 0, **early), by="x"),
    ):
        with pytest.raises(InvalidInput, match="2025-03-22"):
            attempt()
    pilot.withdraw(Rpps(RPPS[0]), on=date(2025, 3, 22), reason="départ", **BY)
    assert enrolled(store)[0].withdrawn_on == date(2025, 3, 22)


def test_only_a_practitioner_of_the_pilot_withdraws(pilot: Pilot, dossier: Dossier) -> None:
    pilot.apply(dossier, by="x")
    with pytest.raises(InvalidInput, match="not in the pilot") as caught:
        pilot.withdraw(Rpps("99700000013"), on=date(2025, 3, 14), reason="départ", **BY)
    assert "99700000013" not in str(caught.value)
    with pytest.raises(InvalidInput) as blank:
        pilot.withdraw(Rpps(RPPS[0]), on=date(2025, 3, 14), reason="", **BY)
    assert [path for path, _ in blank.value.findings] == ["reason"]


# --- Closing -------------------------------------------------------------------------------------


@pytest.fixture
def assessed(pilot: Pilot, store: Store) -> Pilot:
    for step in ROADS[Phase.ASSESSED]:
        take(pilot, store, step)
    return pilot


def open_entry(number: str) -> Entry:
    now = datetime(2025, 3, 14, 9, tzinfo=UTC)
    return Entry(
        number=PrescriptionNumber(number), subject=f"subject-{number}", state=State.UNCERTAIN,
        reference=None, fingerprint="f", rpps=Rpps(RPPS[0]), situation="SIT-EX-1",
        families=frozenset({Family.MEDICATION}), document_type=DocumentType.HEALTH_PRODUCTS,
        act=None, corrects=None, issued_at=now, test_identity=False, owner="o", epoch=1,
        lease_until=now, created_at=now, last_send_at=now,
    )  # fmt: skip


def test_closing_settles_first_and_lists_what_stays_open(assessed: Pilot, store: Store) -> None:
    seen: list[Phase | None] = []

    def settle() -> str:
        seen.append(assessed.phase)
        store.write(lambda tx: journal(tx, open_entry("01TESTNUMBER")))
        return "ignored"

    receipt = assessed.close_traces(settle=settle, **BY)
    assert seen == [Phase.ASSESSED]
    assert receipt.unsettled == (pseudonym(KEY, "number", "01TESTNUMBER"),)
    assert receipt.module == "exemple-on-1"
    assert receipt.holds()
    assert assessed.receipt == receipt
    assert assessed.steps()[-1].data == {
        "step": "close_traces", "receipt": receipt.id, "forced": False,
    }  # fmt: skip
    assert not [rpps for rpps in RPPS if rpps in json.dumps(receipt.to_json())]


def test_closing_twice_gives_the_same_receipt_and_one_line(assessed: Pilot) -> None:
    first: Receipt = assessed.close_traces(**BY)
    assert assessed.close_traces(**BY) == first
    assert [e.data["step"] for e in assessed.steps()].count("close_traces") == 1


def test_closing_waits_for_a_sender_and_goes_on_later(assessed: Pilot, store: SqliteStore) -> None:
    with store.session_lock().shared() as held:
        assert held
        with pytest.raises(ClosingPending):
            assessed.close_traces(timeout=0.05, **BY)
        assert assessed.phase is Phase.CLOSING
        assert assessed.legal_steps == (Step.CLOSE_TRACES,)
        with pytest.raises(IllegalStep):
            assessed.record_generalisation(**BY)
    assert not assessed.close_traces(**BY).forced
    assert Step.GENERALISE in assessed.legal_steps


def test_a_process_amid_a_transaction_that_holds_up_settling_is_named(
    assessed: Pilot, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.2)
    store.write(lambda _: None)
    with child("tests.storage.children", "hold", store.path, "60") as other:
        assert other.line() == "held"
        with pytest.raises(ClosingPending) as caught:
            assessed.close_traces(settle=lambda: store.write(lambda _: None), **BY)
        assert caught.value.holders == (f"{socket.gethostname()}:{other.pid}",)
    assert assessed.close_traces(**BY).holds()


def test_forced_closing_says_so(assessed: Pilot, store: SqliteStore) -> None:
    with store.session_lock().shared():
        assert assessed.close_traces(timeout=0.05, force=True, **BY).forced
    assert assessed.steps()[-1].data["forced"] is True


def test_what_is_illegal_does_not_even_settle(pilot: Pilot, dossier: Dossier) -> None:
    pilot.apply(dossier, by="x")
    called: list[Callable[[], None]] = []
    with pytest.raises(IllegalStep):
        pilot.close_traces(settle=lambda: called.append(lambda: None), **BY)
    assert called == []


def test_a_failing_step_leaves_phase_and_journal_as_they_were(
    assessed: Pilot, store: Store
) -> None:
    store.write(lambda tx: tx.execute("ALTER TABLE pilot_events RENAME TO gone"))
    with pytest.raises(Exception, match="store failed"):
        assessed.abandon(reason="arrêt", **BY)
    store.write(lambda tx: tx.execute("ALTER TABLE gone RENAME TO pilot_events"))
    assert assessed.phase is Phase.ASSESSED

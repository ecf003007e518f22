"""Retention: terminal entries become tombstones, which still know their number and reference."""

import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

import attrs
import pytest

from eprescription_sdk import ledger
from eprescription_sdk.ledger import DocumentGiven, Entry, State
from eprescription_sdk.ledger.purge import TERMINAL
from eprescription_sdk.ledger.states import OPEN
from eprescription_sdk.model.identifiers import PrescriptionNumber, Rpps
from eprescription_sdk.storage import Store
from tests.ledger.entries import NOW, at, entry

OLD = at(40)
"""After everything here was settled."""


@pytest.fixture
def store(either: Store) -> Store:
    """Both engines."""
    return either


def put(store: Store, state: State, *, name: str = "A", paper: bool = False) -> Entry:
    """An entry in a state, settled at second 30."""
    made = attrs.evolve(
        entry(), number=PrescriptionNumber(name), subject=f"s{name}", reference=f"r{name}"
    )
    given = DocumentGiven.PLAIN if paper else None
    store.write(lambda tx: ledger.journal(tx, made))
    if state is not State.SENDING:
        store.write(
            lambda tx: ledger.settle(
                tx, made.number, state, now=at(30), epoch=1, document=given, message_ids=("m",)
            )
        )
    return made


def found(store: Store, made: Entry) -> Entry:
    entry = store.write(lambda tx: ledger.find(tx, number=made.number))
    assert entry is not None
    return entry


def test_terminal_is_what_is_not_open() -> None:
    assert set(TERMINAL) == set(State) - OPEN


@pytest.mark.parametrize("state", State)
def test_only_what_is_settled_is_purged(state: State, store: Store) -> None:
    made = put(store, state)
    before = found(store, made)
    count = ledger.purge(store, before=OLD)
    assert count == (state not in OPEN)
    after = found(store, made)
    if state in OPEN:
        assert after == before
        return
    assert after.purged
    assert (after.rpps.value, after.situation, after.owner) == ("", "", "")
    assert (after.families, after.act, after.corrects, after.message_ids) == (
        frozenset(), None, None, (),
    )  # fmt: skip
    assert (after.state, after.reference, after.fingerprint) == (
        before.state, before.reference, before.fingerprint,
    )  # fmt: skip
    # Once is enough.
    assert ledger.purge(store, before=OLD) == 0


def test_what_is_younger_stays(store: Store) -> None:
    made = put(store, State.REGISTERED)
    assert store.read(partial(ledger.due, before=at(30))) == ()
    assert ledger.purge(store, before=at(30)) == 0
    assert store.read(partial(ledger.due, before=at(31))) == (made.number.value,)
    assert not found(store, made).purged


def test_an_open_duplicate_risk_keeps_its_entry(store: Store) -> None:
    made = put(store, State.UNCERTAIN, paper=True)
    store.write(lambda tx: ledger.settle(tx, made.number, State.REGISTERED, now=at(31)))
    assert ledger.purge(store, before=OLD) == 0
    store.write(
        lambda tx: ledger.close_duplicate_risk(tx, made.number, by="C", reason="fait", now=at(32))
    )
    assert ledger.purge(store, before=OLD) == 1


def test_a_tombstone_still_binds_its_reference(store: Store) -> None:
    made = put(store, State.REGISTERED)
    ledger.purge(store, before=OLD)
    bound = store.write(lambda tx: ledger.find(tx, reference=made.reference))
    assert bound is not None
    assert bound.number == made.number


def test_a_late_sighting_of_a_tombstone_is_recognised(store: Store) -> None:
    made = put(store, State.NOT_REGISTERED)
    ledger.purge(store, before=OLD)
    changed = store.write(lambda tx: ledger.settle(tx, made.number, State.REGISTERED, now=at(50)))
    assert changed is not None
    assert [risk.number for risk in store.write(ledger.duplicate_risks)] == [made.number]
    feed = store.write(lambda tx: ledger.settlements(tx, after=0, limit=9))
    assert [line.state for line in feed] == [State.NOT_REGISTERED, State.REGISTERED]


def test_the_support_desk_finds_by_reference_and_by_day(store: Store) -> None:
    first = put(store, State.NOT_REGISTERED, name="A")
    second = attrs.evolve(entry(), number=PrescriptionNumber("B"), subject="sB", reference="rA")
    store.write(lambda tx: ledger.journal(tx, second))
    under = store.write(lambda tx: ledger.by_reference(tx, "rA"))
    assert {each.number.value for each in under} == {"A", "B"}
    day = NOW.date()
    mine = store.write(lambda tx: ledger.by_prescriber(tx, first.rpps, day))
    assert {each.number.value for each in mine} == {"A", "B"}
    others = Rpps("99900063480")
    assert store.write(lambda tx: ledger.by_prescriber(tx, others, day)) == ()
    tomorrow = day + timedelta(days=1)
    assert store.write(lambda tx: ledger.by_prescriber(tx, first.rpps, tomorrow)) == ()
    assert store.write(ledger.sizes)[State.SENDING] == 1


def test_the_number_of_a_tombstone_cannot_be_used_again(store: Store) -> None:
    made = put(store, State.REGISTERED)
    ledger.purge(store, before=OLD)
    again = attrs.evolve(made, subject="other", reference=None)
    with pytest.raises(Exception, match=r"(?i)unique|constraint|store"):
        store.write(lambda tx: ledger.journal(tx, again))


def test_what_is_in_the_file_no_longer_names_anybody(tmp_path: Path) -> None:
    from eprescription_sdk.storage import SqliteStore

    store = SqliteStore(tmp_path / "store.db")
    put(store, State.REGISTERED)
    ledger.purge(store, before=OLD)
    rows = store.write(lambda tx: tx.execute("SELECT * FROM ledger"))
    assert entry().rpps.value not in repr(rows)
    store.close()


def test_a_purge_lets_others_write_in_between(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["eprescription_sdk.ledger.purge"], "BATCH", 2)
    made = [put(store, State.NOT_REGISTERED, name=name) for name in "ABCDE"]
    told: list[tuple[int, int]] = []

    def sighted(done: int, total: int) -> None:
        if not told:
            store.write(lambda tx: ledger.settle(tx, made[2].number, State.REGISTERED, now=at(31)))
        told.append((done, total))

    assert ledger.purge(store, before=OLD, progress=sighted) == 4
    assert told == [(2, 5), (4, 5), (5, 5)]
    # Its risk was raised meanwhile: a person still needs to know whose it is.
    assert [found(store, each).purged for each in made] == [True, True, False, True, True]

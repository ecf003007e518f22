"""Entries in a store: journal, claim, settle, find, feed, duplicate risks."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import attrs
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from eprescription_sdk import ledger
from eprescription_sdk.errors import InvalidInput, StoreError
from eprescription_sdk.ledger import DocumentGiven, Entry, State
from eprescription_sdk.ledger.book import entries
from eprescription_sdk.ledger.states import BINDING, OPEN, TRANSITIONS
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.storage import SqliteStore, Store, Tx
from tests.ledger.entries import NOW, OTHER, RPPS, at, entry
from tests.stores import opened

N1, N2 = PrescriptionNumber("N1"), PrescriptionNumber("N2")


@pytest.fixture
def store(either: Store) -> Store:
    return either


def journal(store: Store, *entries: Entry) -> None:
    for each in entries:
        store.write(lambda tx, each=each: ledger.journal(tx, each))  # type: ignore[misc]


def found(store: Store, number: PrescriptionNumber = N1) -> Entry:
    entry = store.read(lambda tx: ledger.find(tx, number=number))
    assert entry is not None
    return entry


def settle(store: Store, state: State, seconds: float = 40, **how: object) -> Entry | None:
    number = how.pop("number", N1)
    return store.write(lambda tx: ledger.settle(tx, number, state, now=at(seconds), **how))  # type: ignore[arg-type]


def claim(store: Store, owner: str, seconds: float) -> Entry | None:
    return store.write(
        lambda tx: ledger.claim(tx, N1, owner=owner, now=at(seconds), lease_until=at(seconds + 30))
    )


# --- round trip -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        entry(),
        entry(reference="r" * 32, act="a" * 32, corrects=N2, test_identity=True),
        entry(
            state=State.NOT_REGISTERED, cause="refused", fault_code="sdkref_invalid",
            registered_at=NOW, message_ids=("uuid:1", "uuid:2"), document=DocumentGiven.PLAIN,
            revision=3, settled_at=at(1),
        ),
    ],
)  # fmt: skip
def test_an_entry_comes_back_as_it_was_journalled(store: Store, written: Entry) -> None:
    journal(store, written)
    assert found(store) == written


def test_a_number_is_journalled_once(store: Store) -> None:
    journal(store, entry())
    with pytest.raises(StoreError):
        journal(store, entry())


def test_an_entry_shows_neither_rpps_nor_number() -> None:
    shown = repr(entry("CANARY1", corrects=PrescriptionNumber("CANARY2")))
    assert "CANARY" not in shown
    assert RPPS.value not in shown
    assert "f" * 32 not in shown


def test_nobody_knows_an_unknown_number(store: Store) -> None:
    assert store.read(lambda tx: ledger.find(tx, number=N1)) is None
    assert settle(store, State.REGISTERED) is None


def test_open_entries_are_those_to_be_settled_oldest_first(store: Store) -> None:
    journal(
        store,
        entry("LATE", created_at=at(2)),
        entry("EARLY", created_at=at(1), state=State.UNCERTAIN),
        entry("THEIRS", created_at=at(3), rpps=OTHER),
        entry("DONE", state=State.REGISTERED),
        entry("GONE", state=State.NOT_REGISTERED),
    )

    def numbers(look: Callable[[Tx], tuple[Entry, ...]]) -> list[str]:
        return [each.number.value for each in store.read(look)]

    assert numbers(ledger.open_entries) == ["EARLY", "LATE", "THEIRS"]
    assert numbers(lambda tx: ledger.open_entries(tx, RPPS)) == ["EARLY", "LATE"]


# --- against a model ------------------------------------------------------------------------


@attrs.define
class Model:
    """What the rules of docs/ledger-states.md make of an entry, in a few lines."""

    state: State = State.SENDING
    epoch: int = 1
    lease: float = 30
    revision: int = 0
    feed: list[State] = attrs.field(factory=list)
    risk: bool = False

    def claim(self, now: float) -> bool:
        if self.state not in OPEN or now < self.lease:
            return False
        self.epoch, self.lease = self.epoch + 1, now + 30
        return True

    def settle(self, state: State, epoch: int | None, now: float) -> bool:
        if state not in TRANSITIONS[self.state]:
            return False
        if state is not State.REGISTERED and epoch not in (None, self.epoch):
            return False
        changed = state is not self.state
        self.risk = self.risk or (state is State.REGISTERED and self.state is State.NOT_REGISTERED)
        self.state, self.lease = state, now
        if changed:
            self.revision += 1
            self.feed.append(state)
        return changed


steps = st.lists(
    st.one_of(
        st.tuples(st.just("claim"), st.floats(0, 60)),
        st.tuples(st.sampled_from(State), st.sampled_from([None, 0, -1]), st.floats(0, 60)),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def shared() -> Iterator[SqliteStore]:
    """One store for all examples, each with a number of its own."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "store.db")
        yield store
        store.close()


class _Undo(Exception):
    """Ends an example's transaction."""


@effort(max_examples=150, deadline=None)
@given(steps=steps)
def test_any_sequence_of_claims_and_settlements_follows_the_rules(
    shared: SqliteStore, steps: list[tuple[object, ...]]
) -> None:
    def example(tx: Tx) -> None:
        ledger.journal(tx, entry())
        model, now = Model(), 0.0
        for step in steps:
            if step[0] == "claim":
                now += step[1]  # type: ignore[operator]
                claimed = ledger.claim(
                    tx, N1, owner=f"host:{now}", now=at(now), lease_until=at(now + 30)
                )
                assert (claimed is not None) == model.claim(now)
            else:
                state, age, wait = step
                now += wait  # type: ignore[operator]
                epoch = None if age is None else model.epoch + age  # type: ignore[operator]
                changed = ledger.settle(tx, N1, state, now=at(now), epoch=epoch)  # type: ignore[arg-type]
                assert (changed is not None) == model.settle(state, epoch, now)  # type: ignore[arg-type]
            stands = ledger.find(tx, number=N1)
            assert stands is not None
            assert (stands.state, stands.epoch, stands.revision, stands.lease_until) == (
                model.state, model.epoch, model.revision, at(model.lease),
            )  # fmt: skip
        feed = ledger.settlements(tx, after=0, limit=100)
        assert [line.state for line in feed] == model.feed
        assert bool(ledger.duplicate_risks(tx)) == model.risk
        raise _Undo

    with pytest.raises(_Undo):
        shared.write(example)


# --- claims and owners ----------------------------------------------------------------------


def test_a_live_lease_is_respected(store: Store) -> None:
    journal(store, entry())
    assert claim(store, "host:2", 29) is None
    taken = claim(store, "host:2", 30)
    assert taken is not None
    assert (taken.owner, taken.epoch, taken.lease_until) == ("host:2", 2, at(60))
    assert claim(store, "host:3", 31) is None


def test_of_two_that_claim_at_once_one_succeeds(place: str) -> None:
    stores = [opened(place) for _ in range(2)]
    journal(stores[0], *(entry(f"N{index}") for index in range(20)))
    start, taken = Barrier(2), []

    def take(store: Store, owner: str) -> None:
        start.wait()
        for index in range(20):
            number = PrescriptionNumber(f"N{index}")

            def work(tx: Tx, number: PrescriptionNumber = number) -> Entry | None:
                return ledger.claim(tx, number, owner=owner, now=at(40), lease_until=at(70))

            if store.write(work):
                taken.append(index)

    threads = [
        Thread(target=take, args=(store, f"host:{index}")) for index, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert sorted(taken) == list(range(20))


@pytest.mark.parametrize("state", [State.UNCERTAIN, State.NOT_REGISTERED])
def test_the_word_of_a_former_owner_is_dropped(store: Store, state: State) -> None:
    journal(store, entry())
    claim(store, "host:2", 40)
    assert settle(store, state, 41, epoch=1, message_ids=["uuid:late"]) is None
    stands = found(store)
    assert (stands.state, stands.owner, stands.message_ids) == (State.SENDING, "host:2", ())
    assert settle(store, state, 42, epoch=2) is not None


def test_a_registration_counts_whoever_saw_it(store: Store) -> None:
    journal(store, entry())
    claim(store, "host:2", 40)
    changed = settle(store, State.REGISTERED, 41, epoch=1, registered_at=at(5))
    assert changed is not None
    assert (changed.state, changed.registered_at, changed.settled_at) == (
        State.REGISTERED, at(5), at(41),
    )  # fmt: skip
    assert settle(store, State.NOT_REGISTERED, 42, epoch=2) is None
    assert found(store).state is State.REGISTERED


def test_a_settlement_keeps_what_was_known(store: Store) -> None:
    journal(store, entry(message_ids=("uuid:1",)))
    settle(store, State.UNCERTAIN, 10, message_ids=["uuid:2"], document=DocumentGiven.NOTHING)
    settle(store, State.UNCERTAIN, 20, last_send_at=at(15))
    stands = found(store)
    assert stands.message_ids == ("uuid:1", "uuid:2")
    assert stands.document is DocumentGiven.NOTHING
    assert stands.last_send_at == at(15)


@pytest.mark.parametrize("first", DocumentGiven)
def test_paper_that_one_caller_gave_out_is_not_forgotten(
    store: Store, first: DocumentGiven
) -> None:
    """Two processes may follow different policies while one is being changed."""
    other = DocumentGiven.NOTHING if first is DocumentGiven.PLAIN else DocumentGiven.PLAIN
    journal(store, entry())
    settle(store, State.UNCERTAIN, 10, document=first)
    settle(store, State.UNCERTAIN, 20, document=other)
    assert found(store).document is DocumentGiven.PLAIN
    settle(store, State.REGISTERED, 30)
    assert [risk.number for risk in store.read(ledger.duplicate_risks)] == [N1]


# --- references -----------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(State))
def test_a_reference_is_bound_once(store: Store, state: State) -> None:
    journal(store, entry("N1", reference="ref", state=state))
    bound = store.read(lambda tx: ledger.find(tx, reference="ref"))
    assert (bound is not None) == (state in BINDING)
    if state in BINDING:
        with pytest.raises(StoreError):
            journal(store, entry("N2", reference="ref"))
    else:
        journal(store, entry("N2", reference="ref"))


def test_entries_without_reference_do_not_meet(store: Store) -> None:
    journal(store, entry("N1"), entry("N2"))
    assert store.read(lambda tx: ledger.find(tx, reference=None)) is None


@pytest.mark.parametrize("later", [State.SENDING, State.REGISTERED])
def test_a_late_registration_does_not_fight_for_its_reference(store: Store, later: State) -> None:
    """Absent for good, corrected under the same reference, and there after all."""
    journal(store, entry("N1", reference="ref"))
    settle(store, State.NOT_REGISTERED, cause="absent")
    journal(store, entry("N2", reference="ref", state=later))
    changed = settle(store, State.REGISTERED, 50)
    assert changed is not None
    assert found(store).state is State.REGISTERED
    bound = store.read(lambda tx: ledger.find(tx, reference="ref"))
    assert bound is not None
    assert bound.number == N2
    assert [risk.number for risk in store.read(ledger.duplicate_risks)] == [N1]


def test_a_late_registration_takes_a_free_reference_again(store: Store) -> None:
    journal(store, entry("N1", reference="ref"))
    settle(store, State.NOT_REGISTERED)
    settle(store, State.REGISTERED, 50)
    bound = store.read(lambda tx: ledger.find(tx, reference="ref"))
    assert bound is not None
    assert bound.number == N1


# --- feed and risks -------------------------------------------------------------------------


def test_the_feed_goes_on_from_a_cursor(store: Store) -> None:
    journal(store, entry("N1"), entry("N2"))
    settle(store, State.UNCERTAIN, 1)
    settle(store, State.REGISTERED, 2, number=N2)
    settle(store, State.UNCERTAIN, 3)
    settle(store, State.REGISTERED, 4)
    page = store.read(lambda tx: ledger.settlements(tx, after=0, limit=2))
    rest = store.read(lambda tx: ledger.settlements(tx, after=page[-1].cursor, limit=2))
    assert [(line.number, line.state, line.at) for line in (*page, *rest)] == [
        (N1, State.UNCERTAIN, at(1)),
        (N2, State.REGISTERED, at(2)),
        (N1, State.REGISTERED, at(4)),
    ]
    assert not store.read(lambda tx: ledger.settlements(tx, after=rest[-1].cursor, limit=2))


@pytest.mark.parametrize(
    ("given", "raised"),
    [(DocumentGiven.PLAIN, True), (DocumentGiven.NOTHING, False), (None, False)],
)
def test_plain_paper_and_a_registration_are_a_risk(
    store: Store, given: DocumentGiven | None, *, raised: bool
) -> None:
    journal(store, entry())
    settle(store, State.UNCERTAIN, document=given)
    assert not store.read(ledger.duplicate_risks)
    settle(store, State.REGISTERED, 50)
    assert bool(store.read(ledger.duplicate_risks)) == raised


def test_a_risk_is_open_until_a_person_closes_it(store: Store) -> None:
    journal(store, entry())
    settle(store, State.NOT_REGISTERED)
    settle(store, State.REGISTERED, 50)
    (risk,) = store.read(ledger.duplicate_risks)
    assert (risk.number, risk.raised_at, risk.closed_at) == (N1, at(50), None)

    def close(number: PrescriptionNumber) -> bool:
        return store.write(
            lambda tx: ledger.close_duplicate_risk(
                tx, number, by="A. Pharmacien", reason="paper taken back", now=NOW + timedelta(1)
            )
        )

    assert not close(N2)
    assert close(N1)
    assert not close(N1)
    assert not store.read(ledger.duplicate_risks)


@pytest.mark.parametrize(("by", "reason", "path"), [(" ", "why", "by"), ("A. P.", "", "reason")])
def test_a_risk_is_closed_by_a_person_with_a_reason(
    store: Store, by: str, reason: str, path: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        store.write(
            lambda tx: ledger.close_duplicate_risk(tx, N1, by=by, reason=reason, now=at(60))
        )
    assert caught.value.path == path


@pytest.mark.parametrize("given", DocumentGiven)
@pytest.mark.parametrize("state", [State.UNCERTAIN, State.NOT_REGISTERED, State.REGISTERED])
def test_paper_given_by_who_does_not_hold_the_entry(
    store: Store, state: State, given: DocumentGiven
) -> None:
    journal(store, entry())
    settle(store, state)
    store.write(lambda tx: ledger.document_given(tx, N2, given, now=at(50)))
    store.write(lambda tx: ledger.document_given(tx, N1, given, now=at(50)))
    paper = given is DocumentGiven.PLAIN
    assert found(store).document is (given if paper else None)
    risks = store.read(ledger.duplicate_risks)
    at_once = paper and state is State.REGISTERED
    assert [risk.raised_at for risk in risks] == [at(50)] * at_once
    settle(store, State.REGISTERED, 60)
    # After NotRegistered paper was given out in any case.
    known = paper or state is State.NOT_REGISTERED
    assert len(store.read(ledger.duplicate_risks)) == known


def test_the_oldest_first(store: Store) -> None:
    journal(
        store,
        entry("N2", created_at=at(2), reference="r"),
        entry("N1", created_at=at(1)),
        entry("N0", created_at=at(2)),
    )
    every = store.read(lambda tx: entries(tx, "rpps = ?", (RPPS.value,)))
    assert [each.number.value for each in every] == ["N1", "N0", "N2"]
    assert every[0] == found(store)
    (one,) = store.read(lambda tx: entries(tx, "reference = ?", ("r",)))
    assert one.number == N2

"""The outbox: claims under a lease, and who may write them back."""

import pytest

from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces import outbox
from eprescription_sdk.traces.gate import Phase
from eprescription_sdk.traces.outbox import Parcel, Shipping
from tests.ledger.entries import at
from tests.traces.samples import record, rows, set_phase


def claim(store: Store, owner: str, seconds: float = 0, limit: int = 2) -> tuple[Parcel, ...]:
    return store.write(
        lambda tx: outbox.claim(
            tx, owner=owner, now=at(seconds), lease_until=at(seconds + 60), limit=limit
        )
    )


def states(store: Store) -> list[str]:
    return [row[0] for row in rows(store, "state", "ORDER BY seq")]


def test_the_oldest_that_nobody_holds_are_claimed(running: Store) -> None:
    record(running, 5)
    assert [parcel.seq for parcel in claim(running, "a")] == [1, 2]
    assert [parcel.seq for parcel in claim(running, "b")] == [3, 4]
    assert [parcel.seq for parcel in claim(running, "c")] == [5]
    assert claim(running, "d") == ()
    assert running.read(outbox.holders) == ("a", "b", "c")


def test_a_lease_that_ran_out_frees_what_it_held(running: Store) -> None:
    record(running, 2)
    claim(running, "dead")
    assert claim(running, "b", 59) == ()
    assert [parcel.seq for parcel in claim(running, "b", 60)] == [1, 2]
    assert running.read(outbox.holders) == ("b",)


@pytest.mark.parametrize("phase", [Phase.CLOSING, Phase.CLOSED, Phase.GENERALISED, Phase.ABANDONED])
def test_nothing_is_claimed_once_traces_must_not_leave(running: Store, phase: Phase) -> None:
    record(running, 2)
    set_phase(running, phase)
    assert claim(running, "a") == ()


def test_a_parcel_shows_no_content(running: Store) -> None:
    record(running)
    (parcel,) = claim(running, "a")
    assert "99700218896" not in repr(parcel)
    assert parcel.link.position == 1


def test_what_became_of_a_claim(running: Store) -> None:
    record(running, 4)
    claim(running, "a", limit=3)

    def work(tx: Tx) -> None:
        outbox.shipped(tx, [1], at(5))
        outbox.quarantine(tx, 2, "HTTP 400", "a")
        outbox.release(tx, [3], "a", tried=True)

    running.write(work)
    assert states(running) == ["shipped", "quarantined", "pending", "pending"]
    assert running.read(outbox.counts) == {
        Shipping.PENDING: 2, Shipping.CLAIMED: 0, Shipping.SHIPPED: 1, Shipping.QUARANTINED: 1,
    }  # fmt: skip
    assert running.write(outbox.replay) == 1
    assert states(running) == ["shipped", "pending", "pending", "pending"]
    assert rows(running, "reason", "WHERE seq = 2") == [(None,)]


def test_a_former_holder_neither_releases_nor_quarantines(running: Store) -> None:
    """It was stopped for long; somebody else holds or has shipped these by now."""
    record(running, 3)
    claim(running, "stopped", limit=3)
    claim(running, "other", 60, limit=3)
    running.write(lambda tx: outbox.shipped(tx, [1], at(61)))

    def work(tx: Tx) -> None:
        outbox.quarantine(tx, 1, "HTTP 400", "stopped")
        outbox.quarantine(tx, 2, "HTTP 400", "stopped")
        outbox.release(tx, [3], "stopped", tried=True)

    running.write(work)
    assert states(running) == ["shipped", "claimed", "claimed"]
    # That a trace arrived is a fact, whoever brought it.
    running.write(lambda tx: outbox.shipped(tx, [2], at(62)))
    assert states(running) == ["shipped", "shipped", "claimed"]


def refused(store: Store) -> list[str]:
    """Four traces, of which the first three are in quarantine, for two reasons; the ids of all."""
    ids = record(store, 4)

    def work(tx: Tx) -> None:
        for place, reason in enumerate(["HTTP 400", "a schema", "HTTP 400"]):
            tx.execute(
                "UPDATE traces SET state = 'quarantined', reason = ?, tries = 1 WHERE id = ?",
                (reason, ids[place]),
            )

    store.write(work)
    return ids


def test_what_is_in_quarantine_can_be_looked_at(running: Store) -> None:
    ids = refused(running)
    found = running.read(lambda tx: [*outbox.quarantined(tx)])
    assert [(one.id, one.reason, one.kind, one.tries) for one in found] == [
        (ids[0], "HTTP 400", "CALL", 1),
        (ids[1], "a schema", "CALL", 1),
        (ids[2], "HTTP 400", "CALL", 1),
    ]
    assert found[0].at.startswith("2026-03-02T10:00")
    # Nobody's number is told, in the body neither.
    assert "99700218896" not in found[0].body
    some = running.read(lambda tx: [*outbox.quarantined(tx, reason="HTTP 400", limit=1)])
    assert some == found[:1]


@pytest.mark.parametrize(
    ("places", "reason", "back"),
    [
        ((), None, {0, 1, 2}),
        ((), "HTTP 400", {0, 2}),
        ((1, 3), None, {1}),
        ((0, 1), "a schema", {1}),
    ],
)
def test_some_of_it_can_be_replayed(
    running: Store, places: tuple[int, ...], reason: str | None, back: set[int]
) -> None:
    ids = refused(running)
    some = [ids[place] for place in places]
    assert running.write(lambda tx: outbox.replay(tx, ids=some, reason=reason)) == len(back)
    left = {one.id for one in running.read(lambda tx: [*outbox.quarantined(tx)])}
    assert left == {ids[place] for place in {0, 1, 2} - back}


def test_what_waits_is_counted_and_dated(running: Store) -> None:
    assert running.read(outbox.oldest) is None
    assert running.read(outbox.newest) == 0
    record(running, 4)
    claim(running, "a")
    assert running.read(outbox.waiting) == 4
    assert running.read(lambda tx: outbox.waiting(tx, until=3)) == 3
    assert running.read(outbox.newest) == 4
    running.write(lambda tx: outbox.shipped(tx, [1, 2, 4], at(5)))
    assert running.read(outbox.waiting) == 1
    oldest = running.read(outbox.oldest)
    assert oldest is not None
    assert oldest.startswith("2026-03-02T10:00")

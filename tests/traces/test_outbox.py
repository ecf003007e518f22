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

"""The outbox: rows waiting to be shipped, claimed under a lease, in a transaction."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

import attrs

from eprescription_sdk.clock import iso
from eprescription_sdk.model.trace import ChainLink
from eprescription_sdk.storage import Tx
from eprescription_sdk.traces.gate import RECORDING, phase


class Shipping(Enum):
    """Where a trace stands on its way out."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SHIPPED = "shipped"
    QUARANTINED = "quarantined"


@attrs.frozen(kw_only=True)
class Parcel:
    """One claimed trace.

    Args:
        seq: its row.
        body: canonical body.
        identity: what the body's pseudonyms stand for.
        link: its link of the chain.
    """

    seq: int
    body: str = attrs.field(repr=False)
    identity: str | None = attrs.field(repr=False)
    link: ChainLink


def claim(
    tx: Tx, *, owner: str, now: datetime, lease_until: datetime, limit: int
) -> tuple[Parcel, ...]:
    """Take the oldest traces nobody holds; none unless the pilot's phase lets traces leave."""
    if phase(tx, hold=True) not in RECORDING:
        return ()
    rows = tx.execute(
        "UPDATE traces SET state = 'claimed', lease_owner = ?, lease_until = ?, tries = tries + 1"
        " WHERE seq IN (SELECT seq FROM traces WHERE state IN ('pending', 'claimed')"
        "  AND (state = 'pending' OR lease_until <= ?) ORDER BY seq LIMIT ?)"
        " RETURNING seq, body, identity, segment, position, hash",
        (owner, iso(lease_until), iso(now), limit),
    )
    return tuple(
        Parcel(
            seq=seq,
            body=body,
            identity=identity,
            link=ChainLink(segment=segment, position=position, hash=hash_),
        )
        for seq, body, identity, segment, position, hash_ in sorted(rows)
    )


def shipped(tx: Tx, seqs: Sequence[int], now: datetime) -> None:
    """The collector has these."""
    for seq in seqs:
        tx.execute(
            "UPDATE traces SET state = 'shipped', shipped_at = ?, lease_owner = NULL WHERE seq = ?",
            (iso(now), seq),
        )


def release(tx: Tx, seqs: Sequence[int], owner: str, *, tried: bool) -> None:
    """These are to be tried again, by anyone, unless somebody else took them over.

    Args:
        tx: the transaction.
        seqs: their rows.
        owner: who held them.
        tried: whether they left, so that they may have arrived although nobody confirmed it.
    """
    for seq in seqs:
        tx.execute(
            "UPDATE traces SET state = 'pending', lease_owner = NULL, tries = tries - ?"
            " WHERE seq = ? AND state = 'claimed' AND lease_owner = ?",
            (0 if tried else 1, seq, owner),
        )


def quarantine(tx: Tx, seq: int, reason: str, owner: str) -> None:
    """This one is not to be tried again until a person looked at it.

    What somebody else took over is theirs to judge: they may have shipped it.
    """
    tx.execute(
        "UPDATE traces SET state = 'quarantined', reason = ?, lease_owner = NULL"
        " WHERE seq = ? AND state = 'claimed' AND lease_owner = ?",
        (reason, seq, owner),
    )


def replay(tx: Tx) -> int:
    """Put everything quarantined back in line; how many."""
    return len(
        tx.execute(
            "UPDATE traces SET state = 'pending', reason = NULL, tries = 0"
            " WHERE state = 'quarantined' RETURNING seq"
        )
    )


def counts(tx: Tx) -> dict[Shipping, int]:
    """How many traces are in each state."""
    found: dict[str, int] = dict(tx.execute("SELECT state, count(*) FROM traces GROUP BY state"))
    return {state: found.get(state.value, 0) for state in Shipping}


def refusals(tx: Tx) -> dict[str, int]:
    """How many traces are in quarantine, by reason."""
    return dict(
        tx.execute(
            "SELECT reason, count(*) FROM traces WHERE state = 'quarantined'"
            " GROUP BY reason ORDER BY reason"
        )
    )


def holders(tx: Tx) -> tuple[str, ...]:
    """Who holds claimed traces."""
    return tuple(
        owner
        for (owner,) in tx.execute(
            "SELECT DISTINCT lease_owner FROM traces WHERE state = 'claimed' ORDER BY 1"
        )
    )

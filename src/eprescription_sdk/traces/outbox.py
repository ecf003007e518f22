"""The outbox: rows waiting to be shipped, claimed under a lease, in a transaction."""

from collections.abc import Iterator, Sequence
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
    if seqs:
        tx.execute(
            "UPDATE traces SET state = 'shipped', shipped_at = ?, lease_owner = NULL"  # noqa: S608
            f" WHERE seq IN {_marks(seqs)}",
            (iso(now), *seqs),
        )


def release(tx: Tx, seqs: Sequence[int], owner: str, *, tried: bool) -> None:
    """These are to be tried again, by anyone, unless somebody else took them over.

    Args:
        tx: the transaction.
        seqs: their rows.
        owner: who held them.
        tried: whether they left, so that they may have arrived although nobody confirmed it.
    """
    if seqs:
        tx.execute(
            "UPDATE traces SET state = 'pending', lease_owner = NULL, tries = tries - ?"  # noqa: S608
            f" WHERE seq IN {_marks(seqs)} AND state = 'claimed' AND lease_owner = ?",
            (0 if tried else 1, *seqs, owner),
        )


def _marks(seqs: Sequence[int]) -> str:
    """One mark for each: a statement for all of them, where each costs a way to the server."""
    return f"({', '.join('?' * len(seqs))})"


def quarantine(tx: Tx, seq: int, reason: str, owner: str) -> None:
    """This one is not to be tried again until a person looked at it.

    What somebody else took over is theirs to judge: they may have shipped it.
    """
    tx.execute(
        "UPDATE traces SET state = 'quarantined', reason = ?, lease_owner = NULL"
        " WHERE seq = ? AND state = 'claimed' AND lease_owner = ?",
        (reason, seq, owner),
    )


@attrs.frozen(kw_only=True)
class Quarantined:
    """One trace in quarantine, for a person to judge; its persons are not told.

    Args:
        id: of the trace.
        kind: ``CALL`` or ``PRESCRIPTION``.
        at: when it was recorded, ISO 8601 in UTC.
        reason: why it must not be tried again.
        tries: how often it was.
        body: as the chain covers it, with pseudonyms.
    """

    id: str
    kind: str
    at: str
    reason: str
    tries: int
    body: str = attrs.field(repr=False)


def quarantined(
    tx: Tx, *, reason: str | None = None, limit: int | None = None
) -> Iterator[Quarantined]:
    """What is in quarantine, oldest first.

    Args:
        tx: a reading transaction.
        reason: only what is there for this reason.
        limit: how many at most.
    """
    rows = tx.iterate(
        "SELECT id, kind, at, reason, tries, body FROM traces WHERE state = 'quarantined'"
        " AND reason = coalesce(?, reason) ORDER BY seq LIMIT ?",
        (reason, _ALL if limit is None else limit),
    )
    for id_, kind, at, why, tries, body in rows:
        yield Quarantined(id=id_, kind=kind, at=at, reason=why, tries=tries, body=body)


_ALL = 2**62


def replay(tx: Tx, *, ids: Sequence[str] = (), reason: str | None = None) -> int:
    """Put what is quarantined back in line; how many.

    The try that was refused is forgotten; earlier ones, of which nobody knows, are not.

    Args:
        tx: the transaction.
        ids: only these; all, if empty.
        reason: only what is there for this reason.
    """
    back = (
        "UPDATE traces SET state = 'pending', reason = NULL, tries = tries - 1"
        " WHERE state = 'quarantined' AND reason = coalesce(?, reason)"
    )
    if not ids:
        return len(tx.execute(f"{back} RETURNING seq", (reason,)))
    return sum(len(tx.execute(f"{back} AND id = ? RETURNING seq", (reason, one))) for one in ids)


def newest(tx: Tx) -> int:
    """The row recorded last; 0 if there is none."""
    seq: int = tx.execute("SELECT coalesce(max(seq), 0) FROM traces")[0][0]
    return seq


def waiting(tx: Tx, *, until: int | None = None) -> int:
    """How many traces are to be shipped yet, claimed ones included.

    Args:
        tx: a reading transaction.
        until: the last row that counts.
    """
    count: int = tx.execute(
        "SELECT count(*) FROM traces WHERE state IN ('pending', 'claimed') AND seq <= ?",
        (_ALL if until is None else until,),
    )[0][0]
    return count


def oldest(tx: Tx) -> str | None:
    """When the trace that waits longest was recorded, ISO 8601 in UTC; None if none waits."""
    rows = tx.execute(
        "SELECT at FROM traces WHERE state IN ('pending', 'claimed') ORDER BY seq LIMIT 1"
    )
    return rows[0][0] if rows else None


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

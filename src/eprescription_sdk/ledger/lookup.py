"""What the support desk looks up, because a person asks for it by name."""

from datetime import date, datetime, time, timedelta

from eprescription_sdk.clock import PARIS, iso
from eprescription_sdk.ledger.book import entries
from eprescription_sdk.ledger.entry import Entry
from eprescription_sdk.ledger.states import State
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.storage import Tx


def by_reference(tx: Tx, reference: str) -> tuple[Entry, ...]:
    """Every entry made under a keyed reference, those that set it free included."""
    return entries(tx, "reference = ?", (reference,))


def by_prescriber(tx: Tx, rpps: Rpps, day: date) -> tuple[Entry, ...]:
    """What one practitioner sent on a Europe/Paris day."""
    begins = datetime.combine(day, time.min, PARIS)
    ends = datetime.combine(day + timedelta(days=1), time.min, PARIS)
    return entries(
        tx, "rpps = ? AND created_at >= ? AND created_at < ?", (rpps.value, iso(begins), iso(ends))
    )


def sizes(tx: Tx) -> dict[State, int]:
    """How many entries are in each state, tombstones included."""
    counted = dict.fromkeys(State, 0)
    for state, count in tx.execute("SELECT state, count(*) FROM ledger GROUP BY state"):
        counted[State(state)] = int(count)
    return counted

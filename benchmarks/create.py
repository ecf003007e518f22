"""What a ``create()`` costs beside the bare request that carries it.

Everybody talks to the server of ``loopback``, over a connection that is kept. The sides, each
sending the same prescription:

- *httpx*: ``httpx.Client().post`` of the very bytes that a create sends, with its headers;
- *create without a store*: validated, encoded, with a cached assertion, through the engine and
  the silent telemetry; its store is a stand-in that runs all work and keeps nothing;
- *whole create*: a SQLite store with every commit synced and a pilot that runs, so each call
  leaves a ledger entry and two chained traces. The next call begins when these are written:
  what is settled behind a prescriber is not in their time;
- *its commit*: the one commit that a create waits for: the same row, handed to the writer of
  another store in the same folder;
- *zeep*: a bare client that sends a structured message with as many leaf elements, and reads
  the same answer.

The table has them as they take turns. What each takes in a tight loop of its own, where nothing
else uses the processor's caches, is printed beside it.

Run: ``python -m benchmarks.create [rounds]``.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import attrs
import httpx

import eprescription_sdk as ep
from benchmarks.bare_zeep import BareZeep, leaves_of
from benchmarks.fhir_forms import ten_lines
from benchmarks.loopback import serving
from benchmarks.stage import (
    CountingTransport,
    NoStore,
    practitioner,
    request_of,
    rows,
    settings,
    start_pilot,
)
from benchmarks.table import Row, show
from benchmarks.turns import Rounds, Side, in_loops, take_turns
from eprescription_sdk import ledger
from eprescription_sdk.ledger import Entry
from eprescription_sdk.storage import SqliteStore, Tx
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.transport import HttpxTransport

ROUNDS, CALLS = 60, 15


def nobody_waits(tx: Tx) -> None:
    """Work whose end means that all work before it is written."""


@attrs.frozen
class Measured:
    """What came out of one prescription."""

    turns: Rounds
    loops: Rounds
    bytes_sent: int
    leaves: int
    registered: int
    traces: int
    sent: int


def measure(
    prescription: ep.Prescription, url: str, folder: Path, *, rounds: int, calls: int
) -> Measured:
    """Let the sides take turns with one prescription."""
    who = practitioner()
    request = request_of(prescription, url, folder / "none.db")
    content, headers = request.content, dict(request.headers)
    zeep = BareZeep(folder, leaves_of(content), url)
    carrier = CountingTransport(HttpxTransport())
    bare = ep.Client(settings(url, folder / "none.db"), store=NoStore(), transport=carrier)
    whole = ep.Client(settings(url, folder / "store.db"))
    raw = httpx.Client()
    with bare, whole, raw:
        whole.store.write(start_pilot)
        without, stored = bare.acting_as(who), whole.acting_as(who)

        def post() -> None:
            assert raw.post(url, content=content, headers=headers).content

        with committing(folder / "commits.db") as commit:
            sides = {
                "httpx": Side(post),
                "bare": Side(lambda: registered(without.create(prescription))),
                "whole": Side(
                    lambda: registered(stored.create(prescription)),
                    lambda: whole.store.write(nobody_waits),
                ),
                "commit": Side(commit),
                "zeep": Side(zeep.send),
            }
            turns = take_turns(sides, rounds=rounds, calls=calls)
            loops = in_loops(sides, rounds=rounds, calls=calls)
        entries, traces = whole.store.write(rows)
        return Measured(
            turns=turns,
            loops=loops,
            bytes_sent=len(content),
            leaves=leaves_of(content),
            registered=entries,
            traces=traces,
            sent=carrier.count,
        )


def registered(outcome: ep.Outcome) -> None:
    """Nothing else is worth measuring."""
    assert isinstance(outcome, ep.Registered), outcome


@contextmanager
def committing(path: Path) -> Iterator[Callable[[], None]]:
    """Commits one ledger row at each call, and waits for it."""
    store, now = SqliteStore(path), datetime.now(UTC)
    entry = Entry(
        number=ep.PrescriptionNumber("SIM"),
        subject=str(uuid4()),
        state=ep.State.SENDING,
        reference=None,
        fingerprint="0" * 64,
        rpps=ep.Rpps("99700218896"),
        situation="teleconsultation",
        families=frozenset({ep.Family.MEDICATION}),
        document_type=ep.DocumentType.HEALTH_PRODUCTS,
        act=None,
        corrects=None,
        issued_at=now,
        test_identity=True,
        owner="localhost:1",
        epoch=1,
        lease_until=now,
        created_at=now,
        last_send_at=now,
    )
    made = 0

    def commit() -> None:
        nonlocal made
        made += 1
        number = ep.PrescriptionNumber(f"SIM{made:017}")
        row = attrs.evolve(entry, number=number, subject=str(uuid4()))
        store.write(lambda tx: ledger.journal(tx, row))

    commit()
    yield commit
    store.close()


def report(what: str, measured: Measured) -> list[Row]:
    """Print the times; the rows of the table."""
    turns, loops = measured.turns, measured.loops
    print(f"{what}: {measured.bytes_sent:,} bytes, {measured.leaves} leaf elements")
    print(f"  {'':<7} {'in turns':>11} {'in loops':>11}")
    for side in turns.seconds:
        print(f"  {side:<7} {turns.microseconds(side):8.0f} µs {loops.microseconds(side):8.0f} µs")
    in_loops_too = ", ".join(
        f"{ratio:.2f}×"
        for ratio in (
            loops.ratio("bare", "httpx"),
            loops.ratio("whole", "httpx", less="commit"),
            loops.ratio("whole", "zeep"),
        )
    )
    print(f"  the three ratios in loops: {in_loops_too}")
    return [
        Row(
            what=f"`create()` without a store, against httpx posting the same bytes: {what}",
            measured=turns.ratio("bare", "httpx"),
            budget=1.8,
        ),
        Row(
            what=f"whole `create()` less its commit, against the same: {what}",
            measured=turns.ratio("whole", "httpx", less="commit"),
            budget=1.8,
        ),
        Row(
            what=f"whole `create()`, against bare zeep sending as many leaf elements: {what}",
            measured=turns.ratio("whole", "zeep"),
            budget=1.0,
        ),
    ]


def main(rounds: int = ROUNDS) -> None:
    """Print the figures."""
    sample = sample_prescription()
    ten = attrs.evolve(ten_lines(), prescriber=sample.prescriber)
    with serving() as url:
        for what, prescription in (("one medicine", sample), ("ten, in full", ten)):
            with TemporaryDirectory() as folder:
                show(
                    report(
                        what, measure(prescription, url, Path(folder), rounds=rounds, calls=CALLS)
                    )
                )


if __name__ == "__main__":
    main(*(int(count) for count in sys.argv[1:]))

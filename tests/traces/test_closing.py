"""Closed is closed, provably (law 6), with real processes."""

import json
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import attrs
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from eprescription_sdk.clock import SimulatedClock, SystemClock
from eprescription_sdk.errors import (
    ClosingPending,
    IllegalStep,
    StoreCorrupt,
    StoreUnavailable,
)
from eprescription_sdk.sandbox import (
    AnswerAfter,
    CommitThenDrop,
    Operation,
    Refuse,
    Sandbox,
)
from eprescription_sdk.storage import Store, postgres, sqlite
from eprescription_sdk.traces import closing, gate, outbox
from eprescription_sdk.traces.closing import Receipt
from eprescription_sdk.traces.gate import Phase
from eprescription_sdk.traces.outbox import Shipping
from eprescription_sdk.traces.record import Recorder, lose
from eprescription_sdk.traces.shipper import Shipper
from eprescription_sdk.traces.signing import PublicKey, Signer
from eprescription_sdk.traces.tde import TdeProfile
from eprescription_sdk.transport import HttpxTransport
from tests.postgres import Postgres
from tests.processes import child
from tests.stores import opened
from tests.traces.samples import (
    KEY,
    MODULE,
    call,
    embedded,
    marker,
    on_a_server,
    open_pilot,
    record,
    rows,
    set_phase,
)
from tests.traces.test_signing import pem, public_pem

NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)


def close(
    store: Store,
    shipper: Shipper | None = None,
    *,
    timeout: float = 5,
    force: bool = False,
    unsettled: tuple[str, ...] = (),
    **further: Any,
) -> Receipt:
    return closing.close(
        store,
        shipper=shipper,
        unsettled=lambda _: unsettled,
        module=MODULE,
        now=lambda: NOW,
        timeout=timeout,
        force=force,
        **further,
    )


@pytest.fixture
def assessed(store: Store) -> Store:
    """A store whose pilot can be closed."""
    open_pilot(store, Phase.ASSESSED)
    return store


@pytest.fixture
def shipper(assessed: Store, sandbox: Sandbox) -> Iterator[Shipper]:
    shipper = make_shipper(assessed, sandbox)
    yield shipper
    shipper.stop()


def make_shipper(store: Store, sandbox: Sandbox, receipt: str | None = None) -> Shipper:
    return Shipper(
        store,
        TdeProfile(),
        HttpxTransport(),
        collector_url=sandbox.collector_url,
        clock=SystemClock(),
        receipt=receipt,
    )


# --- the receipt ----------------------------------------------------------------------------


def test_closing_drains_and_says_what_was_sent(
    assessed: Store, sandbox: Sandbox, shipper: Shipper
) -> None:
    ids = record(assessed, 60)
    assessed.write(lambda tx: lose(tx, "FullError"))
    receipt = close(assessed, shipper, unsettled=("pseudonym",))
    assert set(sandbox.collector.traces) == set(ids)
    assert receipt.counts == {"pending": 0, "claimed": 0, "shipped": 60, "quarantined": 0}
    assert receipt.last_sent[0] in ids
    # A server's time differs by a little.
    assert abs(receipt.closed_at - NOW) < timedelta(seconds=1)
    assert receipt.module == MODULE
    assert receipt.unsettled == ("pseudonym",)
    assert receipt.losses == {"FullError": 1}
    assert (receipt.unconfirmed, receipt.forced, receipt.simulation) == ((), False, False)
    assert [head.position for head in receipt.heads] == [60]
    assert receipt.holds()
    assert assessed.read(gate.phase) is Phase.CLOSED


def test_what_another_sender_holds_is_sent_too(
    assessed: Store, sandbox: Sandbox, shipper: Shipper
) -> None:
    """Closing waits for what it has claimed, before it forbids it to send any more."""
    ids = record(assessed, 6)
    sandbox.script(Operation.TRACE, AnswerAfter(4), times=6)  # a fifth of a second each
    other = make_shipper(assessed, sandbox)
    other.start()
    ends = time.monotonic() + 20
    while not sandbox.collector.received:
        assert time.monotonic() < ends
        time.sleep(0.01)
    receipt = close(assessed, shipper, timeout=20)
    other.stop()
    assert receipt.counts == {"pending": 0, "claimed": 0, "shipped": 6, "quarantined": 0}
    assert set(sandbox.collector.traces) == set(ids)


@on_a_server
def test_the_receipt_goes_by_the_time_of_the_store(
    assessed: Store, sandbox: Sandbox, shipper: Shipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that is an hour behind does not date it before what others sent since."""
    record(assessed, 1)
    began, real = datetime.now(UTC), time.time
    late = SimulatedClock(began - timedelta(hours=1))
    with monkeypatch.context() as machine:
        machine.setattr(time, "time", lambda: real() - 3600)
        monkeypatch.setattr(shipper, "_clock", late)
        receipt = closing.close(
            assessed, shipper=shipper, unsettled=lambda _: (), module=MODULE, now=late.now
        )
    sent = datetime.fromisoformat(receipt.last_sent[1])
    for moment in (sent, receipt.closed_at):
        assert abs(moment - began) < timedelta(minutes=1)


def test_without_a_shipper_what_waits_is_counted(assessed: Store) -> None:
    record(assessed, 3)
    assessed.write(lambda tx: Recorder(KEY, None).record(tx, call(simulation=True)))
    receipt = close(assessed)
    assert receipt.counts["pending"] == 4
    assert receipt.last_sent == ()
    assert receipt.simulation


def test_what_left_and_was_not_confirmed_is_not_called_unsent(
    assessed: Store, sandbox: Sandbox, shipper: Shipper
) -> None:
    ids = record(assessed, 1)
    sandbox.script(Operation.TRACE, CommitThenDrop(), times=1000)
    receipt = close(assessed, shipper, timeout=0.5)
    assert set(sandbox.collector.traces) == set(ids)
    assert receipt.counts["pending"] == 1
    assert list(receipt.unconfirmed) == ids


def test_what_perhaps_arrived_before_it_was_refused_is_not_called_refused_alone(
    assessed: Store, sandbox: Sandbox, shipper: Shipper
) -> None:
    """The answer to the first try was lost. The refusal of the second says nothing of it."""
    perhaps, refused = record(assessed, 2)
    sandbox.script(Operation.TRACE, CommitThenDrop())
    sandbox.script(Operation.TRACE, Refuse(400), times=2)
    ends = time.monotonic() + 20
    while assessed.read(outbox.counts)[Shipping.QUARANTINED] < 2:
        assert time.monotonic() < ends
        shipper.ship_once()
    assert [*sandbox.collector.traces] == [perhaps]
    # One that is put back in line has no other past for that.
    assert assessed.write(outbox.replay) == 2
    first = assessed.read(closing.unconfirmed)
    assert first == (perhaps,)
    sandbox.script(Operation.TRACE, Refuse(400), times=2)
    receipt = close(assessed, shipper)
    assert receipt.refused == {next(iter(receipt.refused)): 2}
    assert receipt.unconfirmed == (perhaps,)
    assert refused not in sandbox.collector.traces


def test_closing_an_unreachable_collector_still_ends(
    assessed: Store, sandbox: Sandbox, shipper: Shipper
) -> None:
    record(assessed, 3)
    with sandbox.refusing_connections():
        receipt = close(assessed, shipper, timeout=0.5)
    assert receipt.counts["pending"] == 3


def test_the_receipt_names_nobody(assessed: Store) -> None:
    record(assessed, 2)
    text = json.dumps(close(assessed).to_json())
    assert "99700218896" not in text


def test_a_changed_receipt_does_not_hold(assessed: Store) -> None:
    receipt = close(assessed)
    read = Receipt.from_json(json.dumps(receipt.to_json()))
    assert read == receipt
    assert read.holds()
    assert not attrs.evolve(read, closed_at=NOW.replace(year=2025)).holds()
    assert not attrs.evolve(read, counts={**read.counts, "pending": 1}).holds()


def test_the_receipt_is_signed_with_the_organisations_key(assessed: Store) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    signed = closing.close(
        assessed,
        shipper=None,
        unsettled=lambda _: (),
        module=MODULE,
        now=lambda: NOW,
        signer=Signer(pem(key)),
    )
    public = PublicKey(public_pem(key))
    read = Receipt.from_json(json.dumps(signed.to_json()))
    assert read.signed_by(public)
    assert close(assessed) == signed
    for altered in (
        attrs.evolve(read, closed_at=NOW.replace(year=2025)),
        attrs.evolve(read, signature=""),
        attrs.evolve(read, signature="no base64"),
    ):
        assert not altered.signed_by(public)
    other = ed25519.Ed25519PrivateKey.generate()
    assert not read.signed_by(PublicKey(public_pem(other)))


def test_the_receipt_counts_what_was_refused_and_why(assessed: Store) -> None:
    record(assessed, 3)
    assessed.write(
        lambda tx: tx.execute(
            "UPDATE traces SET state = 'quarantined', reason = 'HTTP 400' WHERE seq < 3"
        )
    )
    assert close(assessed).refused == {"HTTP 400": 2}


def test_closing_again_gives_the_same_receipt(assessed: Store, place: str) -> None:
    receipt = close(assessed)
    assert close(assessed) == receipt
    other = opened(place)
    assert close(other) == receipt
    set_phase(assessed, Phase.GENERALISED)
    if assessed.path is not None:
        marker(assessed).unlink()
    assert close(other) == receipt
    other.close()


def test_two_that_close_at_once_get_the_same_receipt(assessed: Store, place: str) -> None:
    stores = [opened(place) for _ in range(4)]
    start, receipts = Barrier(4), []

    def one(store: Store) -> None:
        start.wait()
        receipts.append(close(store))

    threads = [Thread(target=one, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({receipt.id for receipt in receipts}) == 1
    assert len(receipts) == 4
    assert assessed.read(closing.receipt_of) == receipts[0]
    if assessed.path is not None:
        assert Receipt.from_json(marker(assessed).read_text()) == receipts[0]
    for store in stores:
        store.close()


def test_a_slow_second_closer_does_not_reopen(
    assessed: Store, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looked at the phase before the first one closed, and acts on it afterwards."""
    other = opened(place)
    read = other.read
    receipts: list[Receipt] = []

    def look(work: Callable[..., object]) -> object:
        seen = read(work)
        if work is gate.phase and not receipts:
            receipts.append(close(assessed))
        return seen

    monkeypatch.setattr(other, "read", look)
    assert close(other) == receipts[0]
    assert assessed.read(gate.phase) is Phase.CLOSED
    other.close()


@pytest.mark.parametrize(
    "phase", [Phase.PREPARING, Phase.RUNNING, Phase.PROLONGED, Phase.ABANDONED]
)
def test_only_an_assessed_pilot_is_closed(store: Store, phase: Phase) -> None:
    open_pilot(store, phase)
    with pytest.raises(IllegalStep):
        close(store)
    assert store.read(gate.phase) is phase


def test_a_store_without_a_pilot_is_not_closed(store: Store) -> None:
    with pytest.raises(IllegalStep):
        close(store)


# --- frozen amid a transaction --------------------------------------------------------------


@embedded
def test_a_process_frozen_amid_a_transaction_is_named(
    assessed: Store, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.2)
    with child("tests.storage.children", "hold", place, "60") as frozen:
        assert frozen.line() == "held"
        frozen.signal(signal.SIGSTOP)
        # No force overcomes it: woken up, it would commit behind the receipt.
        for force in (False, True):
            with pytest.raises(ClosingPending, match="amid a transaction") as caught:
                close(assessed, force=force)
            assert caught.value.holders == (f"{socket.gethostname()}:{frozen.pid}",)
        frozen.signal(signal.SIGKILL)
        assert close(assessed).holds()


@on_a_server
def test_a_person_amid_a_transaction_is_named(
    assessed: Store, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process of ours that is frozen there is ended by the server; see ``test_postgres``."""
    lock = postgres._WRITING[-1]  # noqa: SLF001
    monkeypatch.setattr(postgres, "_WRITING", ("SET LOCAL lock_timeout = 200", lock))
    with psycopg.connect(place, application_name="psql") as person:
        person.execute("SELECT 1 FROM gate FOR UPDATE")
        with pytest.raises(ClosingPending, match="amid a transaction") as caught:
            close(assessed)
        assert caught.value.holders == (f"psql backend {person.info.backend_pid}",)
    assert close(assessed).holds()


def test_who_only_passes_does_not_hold_it_up(
    assessed: Store, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender that looks whether anything may leave takes the lock, and gives it back at once."""
    with child("tests.storage.children", "lock", place) as sender:
        assert sender.line() == "held"
        lock = assessed.session_lock()
        named = lock.holders()
        assert len(named) == 1
        told = iter([("passing:1", *named), (*named, "passing:2")])
        monkeypatch.setattr(type(lock), "holders", lambda _: next(told))
        with pytest.raises(ClosingPending) as caught:
            close(assessed, timeout=0.1)
        assert caught.value.holders == named


# --- backups --------------------------------------------------------------------------------


def snapshot(store: Store, to: Path) -> None:
    """A consistent copy, as a backup makes it."""
    store.close()
    assert store.path is not None
    shutil.copy(store.path, to)


def restore(store: Store, backup: Path) -> None:
    store.close()
    assert store.path is not None
    for name in ("-wal", "-shm"):
        Path(f"{store.path}{name}").unlink(missing_ok=True)
    shutil.copy(backup, store.path)


@embedded
def test_a_restored_backup_neither_records_nor_sends(
    assessed: Store, sandbox: Sandbox, tmp_path: Path
) -> None:
    record(assessed, 5)
    snapshot(assessed, tmp_path / "backup.db")
    receipt = close(assessed)
    restore(assessed, tmp_path / "backup.db")
    assert assessed.read(gate.phase) is Phase.ASSESSED
    before = rows(assessed)
    assert not record(assessed, 5)
    shipper = make_shipper(assessed, sandbox)
    assert shipper.drain(1) == 0
    shipper.stop()
    assert rows(assessed) == before
    assert not sandbox.collector.received
    # Closing it again gives the receipt of the marker, and tells the store.
    assert close(assessed) == receipt
    assert assessed.read(gate.phase) is Phase.CLOSED
    assert assessed.read(closing.receipt_of) == receipt


@embedded
def test_a_pinned_receipt_overrides_a_backup_without_its_marker(
    assessed: Store, sandbox: Sandbox, tmp_path: Path
) -> None:
    record(assessed, 5)
    snapshot(assessed, tmp_path / "backup.db")
    receipt = close(assessed)
    restore(assessed, tmp_path / "backup.db")
    marker(assessed).unlink()
    assert not record(assessed, 1, Recorder(KEY, assessed.path, receipt=receipt.id))
    shipper = make_shipper(assessed, sandbox, receipt=receipt.id)
    assert shipper.drain(1) == 0
    shipper.stop()
    assert not sandbox.collector.received


def test_a_pinned_receipt_overrides_a_restored_database(
    postgres: Postgres, sandbox: Sandbox
) -> None:
    """A server has no place for a marker beside it."""
    database = postgres.database()
    store = opened(postgres.platform(database))
    open_pilot(store, Phase.ASSESSED)
    record(store, 5)
    store.close()
    backup = postgres.database(of=database)
    receipt = close(store)
    store.close()
    restored = opened(postgres.platform(backup))
    assert restored.read(gate.phase) is Phase.ASSESSED
    assert not record(restored, 3, Recorder(KEY, None, receipt=receipt.id))
    shipper = make_shipper(restored, sandbox, receipt=receipt.id)
    assert shipper.drain(1) == 0
    shipper.stop()
    assert not sandbox.collector.received
    assert rows(restored) == [(5,)]
    # Closing it again writes no second receipt; the first one tells it that it is closed.
    for kept in (None, attrs.evolve(receipt, id="other"), attrs.evolve(receipt, forced=True)):
        with pytest.raises(IllegalStep, match=receipt.id):
            close(restored, pinned=receipt.id, kept=kept)
        assert restored.read(gate.phase) is Phase.ASSESSED
    assert close(restored, pinned=receipt.id, kept=receipt) == receipt
    assert restored.read(gate.phase) is Phase.CLOSED
    assert close(restored, pinned=receipt.id) == receipt
    restored.close()


@embedded
def test_a_marker_lost_by_a_crash_is_made_again(assessed: Store) -> None:
    receipt = close(assessed)
    marker(assessed).unlink()
    assert close(assessed) == receipt
    assert Receipt.from_json(marker(assessed).read_text()) == receipt


def test_a_marker_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """No file may have so long a name; the store itself just may."""
    store = opened(str(tmp_path / ("s" * 230)))
    open_pilot(store, Phase.ASSESSED)
    with pytest.raises(StoreUnavailable, match="are closed, but the marker") as caught:
        close(store)
    assert caught.value.path == str(marker(store))
    assert store.read(gate.phase) is Phase.CLOSED
    assert not record(store)
    store.close()


@embedded
@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"id":"x"}'])
def test_a_damaged_marker_keeps_closed_and_says_so(assessed: Store, content: str) -> None:
    close(assessed)
    marker(assessed).write_text(content)
    with pytest.raises(StoreCorrupt) as caught:
        close(assessed)
    assert caught.value.path == str(marker(assessed))
    assert not record(assessed)

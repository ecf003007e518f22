"""Retention: persons go first, rows once closed, and what is left can still be checked."""

import json
from datetime import datetime, timedelta

import attrs
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.chain import Break
from eprescription_sdk.traces.closing import close
from eprescription_sdk.traces.gate import Phase
from eprescription_sdk.traces.record import Recorder
from eprescription_sdk.traces.retention import (
    Checkpoint,
    checkpoint_of,
    purge_traces,
    verify,
)
from eprescription_sdk.traces.signing import PublicKey, Signer
from tests.traces.samples import AT, KEY, MODULE, call, record, rows, set_phase
from tests.traces.test_signing import pem, public_pem

LATER = AT + timedelta(days=400)


def shipped(store: Store, where: str = "") -> None:
    store.write(lambda tx: tx.execute(f"UPDATE traces SET state = 'shipped' {where}"))  # noqa: S608


def record_at(store: Store, recorder: Recorder, *moments: datetime) -> None:
    for moment in moments:
        assert store.write(lambda tx, at=moment: recorder.record(tx, call(at=at)))  # type: ignore[misc]


def closed(store: Store) -> None:
    set_phase(store, Phase.ASSESSED)
    close(store, shipper=None, unsettled=lambda _: (), module=MODULE, now=lambda: AT)


def faults(store: Store, checkpoint: Checkpoint | None = None) -> tuple[Break, ...]:
    return verify(store, checkpoint)


def test_while_the_pilot_runs_only_the_persons_go(running: Store) -> None:
    record(running, 3)
    shipped(running, "WHERE seq < 3")
    made = purge_traces(running, now=LATER)
    assert (made.blanked, made.purged, made.starts) == (2, 0, ())
    # What is still to be shipped keeps them.
    assert [bool(one) for (one,) in rows(running, "identity", "ORDER BY seq")] == [
        False, False, True,
    ]  # fmt: skip
    assert faults(running) == ()


def test_what_is_younger_than_the_retention_stays(running: Store) -> None:
    record(running, 3)
    shipped(running)
    made = purge_traces(running, now=AT + timedelta(days=364))
    assert (made.blanked, made.purged) == (0, 0)
    assert running.read(checkpoint_of) is None


def test_once_closed_rows_go_behind_a_checkpoint(running: Store) -> None:
    recorder = Recorder(KEY, None)
    old, new = AT, AT + timedelta(days=300)
    record_at(running, recorder, old, old, old, new, new)
    links = rows(running, "position, hash", "ORDER BY position")
    closed(running)
    made = purge_traces(running, now=LATER)
    assert (made.blanked, made.purged) == (3, 3)
    assert [(one.position, one.hash) for one in made.starts] == [links[2]]
    assert rows(running, "position", "ORDER BY position") == [(4,), (5,)]
    assert faults(running) == ()
    # The one that was kept elsewhere says the same; none at all does not.
    assert faults(running, Checkpoint.from_json(made.to_json())) == ()
    assert faults(running, Checkpoint(at=AT, before=AT))


def test_the_head_of_each_segment_stays_without_its_persons(running: Store) -> None:
    for _ in range(3):
        record(running, 2)
    closed(running)
    made = purge_traces(running, now=LATER)
    assert (made.blanked, made.purged) == (6, 3)
    assert rows(running, "position, identity") == [(2, None)] * 3
    assert faults(running) == ()


def test_a_segment_may_go_on_from_a_trace_that_was_deleted(running: Store) -> None:
    first, second = Recorder(KEY, None), Recorder(KEY, None)
    record_at(running, first, AT)
    record_at(running, second, AT)
    record_at(running, first, AT)
    closed(running)
    made = purge_traces(running, now=LATER)
    assert (made.purged, len(made.joints)) == (1, 1)
    assert faults(running) == ()


def test_a_checkpoint_is_signed_even_if_it_was_not_at_first(running: Store) -> None:
    record(running, 3)
    closed(running)
    key = ed25519.Ed25519PrivateKey.generate()
    signer, public = Signer(pem(key)), PublicKey(public_pem(key))
    assert not purge_traces(running, now=LATER).signed_by(public)
    signed = purge_traces(running, now=LATER, signer=signer)
    assert (signed.purged, signed.purged_before) == (0, 2)
    assert signed.signed_by(public)
    assert running.read(checkpoint_of) == signed
    assert not attrs.evolve(signed, purged=1).signed_by(public)
    assert not attrs.evolve(signed, signature="no base64").signed_by(public)
    # Without its signature it is what the detached one is made over.
    bare = Checkpoint.from_json(json.loads(signed.to_bytes()))
    assert attrs.evolve(bare, signature=signed.signature) == signed


def test_a_second_purge_goes_on_from_the_first(running: Store) -> None:
    recorder = Recorder(KEY, None)
    record_at(running, recorder, AT, AT, AT + timedelta(days=100), AT + timedelta(days=200))
    closed(running)
    assert purge_traces(running, now=LATER - timedelta(days=30)).purged == 2
    again = purge_traces(running, now=LATER + timedelta(days=90))
    assert (again.purged, again.purged_before) == (1, 2)
    assert running.read(checkpoint_of) == again
    assert faults(running) == ()


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE traces SET body = body || ' ' WHERE position = 4",
        "DELETE FROM traces WHERE position = 4",
        "DELETE FROM traces WHERE position = 5",
    ],
)
def test_tampering_behind_the_checkpoint_shows(running: Store, tamper: str) -> None:
    recorder = Recorder(KEY, None)
    record_at(running, recorder, AT, AT, AT, *[AT + timedelta(days=300)] * 2)
    closed(running)
    purge_traces(running, now=LATER)
    running.write(lambda tx: tx.execute(tamper))
    assert {fault.position for fault in faults(running)} & {4, 5}


def test_a_checkpoint_that_is_none() -> None:
    with pytest.raises(InvalidInput):
        Checkpoint.from_json({"format": "something else"})
    with pytest.raises(InvalidInput):
        Checkpoint.from_json(Checkpoint(at=AT, before=AT).to_json() | {"starts": [{"a": 1}]})


def test_a_retention_is_not_negative(running: Store) -> None:
    with pytest.raises(InvalidInput):
        purge_traces(running, now=AT, retention=timedelta(days=-1))

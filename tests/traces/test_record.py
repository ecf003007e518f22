"""Recording: segments for each incarnation, losses, the memory of being closed."""

import os
from pathlib import Path

import pytest

from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces import chain
from eprescription_sdk.traces.record import Recorder, closed_marker, lose, losses
from tests.traces.samples import KEY, call, embedded, marker, record, rows


def segments(store: Store) -> set[str]:
    return {row[0] for row in store.read(lambda tx: tx.execute("SELECT id FROM segments"))}


def test_a_recorder_keeps_to_its_segment(running: Store) -> None:
    recorder = Recorder(KEY, running.path)
    record(running, 3, recorder)
    record(running, 2, recorder)
    assert len(segments(running)) == 1
    assert rows(running, "position", "ORDER BY seq") == [(1,), (2,), (3,), (4,), (5,)]


def test_each_recorder_has_a_segment_of_its_own(running: Store) -> None:
    record(running, recorder=Recorder(KEY, running.path))
    record(running, recorder=Recorder(KEY, running.path))
    assert len(segments(running)) == 2


def test_a_forked_child_has_a_segment_of_its_own(running: Store) -> None:
    recorder = Recorder(KEY, running.path)
    record(running, 2, recorder)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            record(running, 2, recorder)
            running.close()
            status = 0
        finally:
            os._exit(status)
    record(running, 2, recorder)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    counts = rows(running, "count(*)", "GROUP BY segment ORDER BY 1")
    assert counts == [(2,), (4,)]


def test_a_segment_whose_opening_was_undone_is_opened_again(running: Store) -> None:
    recorder = Recorder(KEY, running.path)

    def undone(tx: Tx) -> None:
        assert recorder.record(tx, call())
        raise KeyError

    with pytest.raises(KeyError):
        running.write(undone)
    assert segments(running) == set()
    record(running, recorder=recorder)
    opening = running.read(lambda tx: tx.execute("SELECT id, previous FROM segments"))
    ((hash_, body),) = rows(running, "hash, body")
    assert hash_ == chain.link(chain.opening(*opening[0]), body)


def test_losses_are_counted_by_reason(store: Store) -> None:
    for reason in ("a", "b", "a"):
        store.write(lambda tx, reason=reason: lose(tx, reason))  # type: ignore[misc]
    assert store.read(losses) == {"a": 2, "b": 1}


def test_a_pinned_receipt_records_nothing(running: Store) -> None:
    recorder = Recorder(KEY, running.path, receipt="some-id")
    assert recorder.closed
    assert not record(running, recorder=recorder)


@embedded
def test_a_marker_records_nothing(running: Store) -> None:
    marker(running).write_text("{}")
    recorder = Recorder(KEY, running.path)
    assert recorder.closed
    assert not record(running, recorder=recorder)


@embedded
def test_a_marker_is_seen_by_those_who_were_there_before_it(running: Store) -> None:
    """Another process closed; a backup was restored; this one goes on."""
    recorder = Recorder(KEY, running.path)
    assert record(running, recorder=recorder)
    marker(running).write_text("{}")
    assert not record(running, 3, recorder)
    assert recorder.closed
    assert rows(running) == [(1,)]


def test_once_closed_the_store_is_not_asked(running: Store) -> None:
    class Untouched:
        def execute(self, *_: object) -> None:
            raise AssertionError

    recorder = Recorder(KEY, None, receipt="some-id")
    assert recorder.record(Untouched(), call()) is False  # type: ignore[arg-type]


def test_the_marker_lies_beside_the_store() -> None:
    assert closed_marker(Path("/a/store.db")) == Path("/a/store.db.closed")

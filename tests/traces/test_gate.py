"""The gate: recorded exactly when lawful (law 5)."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from eprescription_sdk import telemetry
from eprescription_sdk.clock import iso
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces import gate
from eprescription_sdk.traces.gate import Phase, Wall
from eprescription_sdk.traces.record import Recorder
from tests.stores import opened
from tests.traces.samples import (
    AT,
    GO_LIVE,
    KEY,
    MODULE,
    OTHER,
    RPPS,
    SITUATION,
    call,
    enrolment,
    on_a_server,
    record,
    rows,
    set_phase,
)

if TYPE_CHECKING:
    from tests.postgres import Postgres

PARIS = ZoneInfo("Europe/Paris")


class _Undo(Exception):
    """Ends an example's transaction."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store of each engine for all examples."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = f"{folder}/store.db"
        if request.param == "postgresql":
            server: Postgres = request.getfixturevalue("postgres")
            place = stack.enter_context(server.lent())
        store = opened(place)
        yield store
        store.close()


# Days about two changes of the clocks, and moments about midnight there.
days = st.sampled_from([date(2026, 3, 28) + timedelta(days=n) for n in range(4)]) | st.sampled_from(
    [date(2026, 10, 24) + timedelta(days=n) for n in range(4)]
)
moments = st.builds(
    lambda day, seconds: (
        datetime.combine(day, datetime.min.time(), PARIS).astimezone(UTC)
        + timedelta(seconds=seconds)
    ),
    days,
    st.sampled_from([0, -1, 1, 3600, -3600, 7200, -7200, 43200]) | st.integers(-86400, 86400),
)


@effort(max_examples=300, deadline=None)
@given(
    phase=st.none() | st.sampled_from(Phase),
    enrolled=st.booleans(),
    somebody_else=st.booleans(),
    go_live=days,
    withdrawn=st.none() | days,
    situation=st.sampled_from([SITUATION, "cabinet"]),
    at=moments,
)
def test_a_trace_is_recorded_exactly_when_it_is_lawful(
    shared: Store,
    phase: Phase | None,
    *,
    enrolled: bool,
    somebody_else: bool,
    go_live: date,
    withdrawn: date | None,
    situation: str,
    at: datetime,
) -> None:
    def example(tx: Tx) -> None:
        # The store's time decides: at midnight a fraction of a second does.
        local = (at + tx.clock_offset).astimezone(PARIS).date()
        expected = (
            phase in (Phase.RUNNING, Phase.PROLONGED, Phase.ASSESSED)
            and enrolled
            and go_live <= local
            and (withdrawn is None or local < withdrawn)
            and situation == SITUATION
        )
        if phase is not None:
            gate.set_phase(tx, phase, module=MODULE)
        if enrolled:
            gate.enrol(tx, enrolment(go_live=go_live, withdrawn_on=withdrawn))
        if somebody_else:
            gate.enrol(tx, enrolment(rpps=OTHER, label=2, go_live=date(2020, 1, 1)))
        done = Recorder(KEY, None).record(tx, call(at=at, situation=situation))
        assert done == expected
        assert tx.execute("SELECT count(*) FROM traces") == [(int(expected),)]
        raise _Undo

    with pytest.raises(_Undo):
        shared.write(example)


@pytest.mark.parametrize(
    ("phase", "changes", "reason"),
    [
        (Phase.ABANDONED, {}, "phase"),
        (Phase.RUNNING, {"rpps": OTHER}, "not_enrolled"),
        (Phase.RUNNING, {"situation": "cabinet"}, "situation"),
        (Phase.RUNNING, {"at": AT - timedelta(days=2)}, "before_go_live"),
        (Phase.RUNNING, {"at": AT + timedelta(days=9)}, "withdrawn"),
        # Then there is nothing to withhold.
        (Phase.CLOSED, {}, None),
        (Phase.RUNNING, {}, None),
    ],
)
def test_what_is_withheld_is_counted_by_its_reason(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    phase: Phase,
    changes: dict[str, Any],
    reason: str | None,
) -> None:
    counted: list[tuple[str, str]] = []
    monkeypatch.setattr(telemetry, "count", lambda *seen: counted.append(seen))
    set_phase(store, phase)
    left = enrolment(withdrawn_on=GO_LIVE + timedelta(days=10))
    store.write(lambda tx: gate.enrol(tx, left))
    recorder = Recorder(KEY, None)
    done = store.write(lambda tx: recorder.record(tx, call(**changes)))
    assert done is (phase is Phase.RUNNING and reason is None)
    assert counted == ([("trace_withheld", reason)] if reason else [])


LIVE = {Phase.RUNNING, Phase.PROLONGED, Phase.ASSESSED, Phase.CLOSING, Phase.CLOSED}


@pytest.mark.parametrize("phase", [None, *Phase])
@pytest.mark.parametrize(
    ("who", "day", "live"),
    [
        (RPPS, GO_LIVE, True),
        (RPPS, GO_LIVE + timedelta(days=9), True),
        (RPPS, GO_LIVE - timedelta(days=1), False),
        (RPPS, GO_LIVE + timedelta(days=10), False),
        (OTHER, GO_LIVE, False),
    ],
)
def test_the_walls_open_with_generalisation_alone(
    store: Store, phase: Phase | None, who: object, day: date, *, live: bool
) -> None:
    left = GO_LIVE + timedelta(days=10)

    def look(tx: Tx) -> Wall:
        if phase is not None:
            gate.set_phase(tx, phase, module=MODULE)
        gate.enrol(tx, enrolment(withdrawn_on=left))
        return gate.wall(tx, who, day)  # type: ignore[arg-type]

    inside = phase is Phase.GENERALISED or (phase in LIVE and live)
    assert store.write(look) is (Wall.INSIDE if inside else Wall.OUTSIDE)


def test_enrolments_come_back_by_label(store: Store) -> None:
    second = enrolment(
        rpps=OTHER, label=2, withdrawn_on=date(2026, 4, 1), withdrawn_reason="départ"
    )
    changed = enrolment(situation="cabinet")

    def work(tx: Tx) -> None:
        for each in (second, enrolment(), changed):
            gate.enrol(tx, each)

    store.write(work)
    assert store.read(gate.enrolments) == (changed, second)
    assert store.read(lambda tx: gate.enrolment(tx, OTHER)) == second
    assert "99" not in repr(second)


def test_a_phase_that_ends_ends_recording_at_once(running: Store) -> None:
    """The check and the insertion are one transaction: no trace slips in behind a phase."""
    recorder = Recorder(KEY, running.path)
    assert record(running, recorder=recorder)
    set_phase(running, Phase.CLOSING)
    assert not record(running, 5, recorder)
    # Closing may yet be given up: nothing was remembered.
    remembered = recorder.closed
    assert not remembered
    set_phase(running, Phase.CLOSED)
    assert not record(running, recorder=recorder)
    assert recorder.closed
    assert rows(running) == [(1,)]


@on_a_server
def test_the_phase_does_not_change_behind_a_trace_under_way(running: Store, place: str) -> None:
    """Not even by somebody who does not take turns with us: a person with psql."""
    recorder = Recorder(KEY, None)
    with psycopg.connect(place, autocommit=True) as person:
        person.execute("SET lock_timeout = '100ms'")

        def work(tx: Tx) -> None:
            assert recorder.record(tx, call())
            with pytest.raises(psycopg.errors.LockNotAvailable):
                person.execute("UPDATE gate SET phase = 'closing'")

        running.write(work)
        person.execute("UPDATE gate SET phase = 'closing'")
    assert not record(running)


@on_a_server
@pytest.mark.parametrize(
    ("slow", "day", "expected"),
    [
        # The machine is a day behind: the pilot has begun, it does not know it.
        (timedelta(days=1), GO_LIVE - timedelta(days=1), True),
        (timedelta(0), GO_LIVE - timedelta(days=1), False),
        # It is a day ahead: the pilot has not begun.
        (timedelta(days=-1), GO_LIVE, False),
        (timedelta(0), GO_LIVE, True),
    ],
)
def test_the_time_of_the_store_decides_and_the_difference_is_recorded(
    running: Store,
    monkeypatch: pytest.MonkeyPatch,
    slow: timedelta,
    day: date,
    *,
    expected: bool,
) -> None:
    real = time.time
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    recorder = Recorder(KEY, None)
    with monkeypatch.context() as machine:
        machine.setattr(time, "time", lambda: real() - slow.total_seconds())
        assert running.write(lambda tx: recorder.record(tx, call(at=at))) is expected
    found = [json.loads(body) for (body,) in rows(running, "body")]
    assert len(found) == expected
    for body in found:
        assert abs(body["clock_offset_ms"] - slow / timedelta(milliseconds=1)) < 1000
        assert body["at"] == iso(at)

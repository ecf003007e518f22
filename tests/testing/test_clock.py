"""The frozen clock stands, moves when told, and never goes back."""

from datetime import UTC, datetime, timedelta

import pytest

from eprescription_sdk.testing import FrozenClock

START = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)


def test_it_stands_while_durations_pass() -> None:
    clock = FrozenClock(START)
    begun = clock.monotonic()
    clock.sleep(0.01)
    assert clock.monotonic() >= begun + 0.01
    assert clock.now() == START


def test_it_moves_when_told_and_never_back() -> None:
    clock = FrozenClock(START)
    clock.advance(timedelta(minutes=3))
    assert clock.now() == START + timedelta(minutes=3)
    clock.move_to(START)
    assert clock.now() == START + timedelta(minutes=3)
    clock.move_to(START + timedelta(days=1))
    assert clock.now() == START + timedelta(days=1)


def test_it_begins_now_and_wants_a_time_zone() -> None:
    assert abs(FrozenClock().now() - datetime.now(UTC)) < timedelta(seconds=5)
    with pytest.raises(ValueError, match="offset"):
        FrozenClock(datetime(2026, 3, 16))  # noqa: DTZ001  (that is what is wrong with it)

"""The circuit breaker by itself: when it opens, and one probe at a time."""

import pytest

from eprescription_sdk.client.breaker import Breaker, Permit

PAUSE, PATIENCE = 4.0, 10.0


def broken(failures: int = 3) -> Breaker:
    """One that has just opened, at second 0."""
    made = Breaker(failures=failures, pause=PAUSE, patience=PATIENCE)
    opened = [made.unanswered(Permit(probe=False), 0.0) for _ in range(failures)]
    assert opened == [False] * (failures - 1) + [True]
    return made


def test_it_opens_only_when_failures_follow_each_other() -> None:
    made = Breaker(failures=3, pause=PAUSE, patience=PATIENCE)
    for _ in range(5):
        made.unanswered(Permit(probe=False), 0.0)
        made.unanswered(Permit(probe=False), 0.0)
        made.answered()
    assert not made.open
    assert made.admit(0.0) == Permit(probe=False)


def test_open_it_admits_nobody_then_a_single_probe() -> None:
    made = broken()
    assert made.admit(PAUSE / 2 - 0.01) is None
    admitted = [made.admit(PAUSE) for _ in range(50)]
    assert admitted[0] == Permit(probe=True)
    assert admitted[1:] == [None] * 49


def test_the_probes_are_spread() -> None:
    def first(breaker: Breaker) -> float:
        return next(t for t in (n / 100 for n in range(1000)) if breaker.admit(t))

    firsts = [first(broken()) for _ in range(50)]
    assert all(PAUSE / 2 <= second <= PAUSE + 0.01 for second in firsts)
    assert len(set(firsts)) > 10


def test_a_failed_probe_is_followed_by_another_pause() -> None:
    made = broken()
    probe = made.admit(PAUSE)
    assert probe is not None
    assert made.unanswered(probe, 20.0) is False
    assert made.admit(20.0 + PAUSE / 2 - 0.01) is None
    assert made.admit(20.0 + PAUSE) == Permit(probe=True)


def test_what_left_before_it_opened_does_not_bring_a_second_probe() -> None:
    made = broken()
    assert made.admit(PAUSE) == Permit(probe=True)
    made.unanswered(Permit(probe=False), PAUSE)
    assert made.admit(2 * PAUSE + 1) is None


def test_a_probe_that_nobody_reports_does_not_stand_in_the_way_for_ever() -> None:
    made = broken()
    assert made.admit(PAUSE) == Permit(probe=True)
    assert made.admit(PAUSE + PATIENCE) is None
    assert made.admit(2 * PAUSE + PATIENCE) == Permit(probe=True)


def test_after_an_answer_it_takes_all_the_failures_again() -> None:
    made = broken()
    made.answered()
    assert [made.unanswered(Permit(probe=False), 0.0) for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize("probing", [True, False])
def test_an_answer_closes_it_at_once(probing: bool) -> None:
    made = broken()
    if probing:
        made.admit(PAUSE)
    made.answered()
    assert not made.open
    assert made.admit(PAUSE) == Permit(probe=False)

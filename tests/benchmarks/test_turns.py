"""Sides take turns, and a ratio is one of their quickest calls."""

from functools import partial

from benchmarks.turns import Rounds, Side, in_loops, take_turns


def test_sides_take_turns_call_by_call() -> None:
    done: list[str] = []
    sides = {
        "a": Side(lambda: done.append("a"), lambda: done.append("after a")),
        "b": Side(lambda: done.append("b")),
    }
    measured = take_turns(sides, rounds=2, calls=3)
    assert done == ["a", "after a", "b"] * 6
    assert {side: len(seconds) for side, seconds in measured.seconds.items()} == {"a": 2, "b": 2}


def test_in_loops_each_has_all_its_calls_at_once() -> None:
    done: list[str] = []
    sides = {name: Side(partial(done.append, name)) for name in "ab"}
    measured = in_loops(sides, rounds=2, calls=3)
    assert "".join(done) == "aaabbb" * 2
    assert {side: len(seconds) for side, seconds in measured.seconds.items()} == {"a": 2, "b": 2}


def test_a_ratio_is_the_middle_one_of_all_rounds() -> None:
    rounds = Rounds({"a": [4.0, 6.0, 100.0], "b": [2.0, 2.0, 2.0], "c": [1.0, 1.0, 1.0]})
    assert rounds.ratio("a", "b") == 3.0
    assert rounds.ratio("a", "b", less="c") == 2.5
    assert rounds.microseconds("a") == 6e6

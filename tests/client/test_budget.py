"""The retry budget by itself."""

from concurrent.futures import ThreadPoolExecutor

from eprescription_sdk.client.budget import RetryBudget


def test_an_outage_gets_no_more_than_the_burst_and_the_ratio() -> None:
    budget = RetryBudget(ratio=0.1, burst=5)
    extra = 0
    for _ in range(1000):
        budget.called()
        while budget.take():
            extra += 1
    assert 100 <= extra <= 105


def test_what_was_answered_costs_nothing() -> None:
    budget = RetryBudget(ratio=0.0, burst=2)
    for _ in range(100):
        assert budget.take()
        budget.give_back()
    assert [budget.take() for _ in range(3)] == [True, True, False]


def test_who_asks_in_vain_leaves_some_to_the_others() -> None:
    budget = RetryBudget(ratio=0.0, burst=10)
    assert sum(budget.take(again=True) for _ in range(20)) == 8
    assert sum(budget.take() for _ in range(20)) == 2


def test_an_answer_gives_back_the_one_token_that_was_taken() -> None:
    budget = RetryBudget(ratio=0.0, burst=5)
    assert budget.take()
    assert budget.take()
    budget.give_back()
    assert budget.tokens == 4


def test_it_never_holds_more_than_the_burst() -> None:
    budget = RetryBudget(ratio=1.0, burst=3)
    for _ in range(10):
        budget.called()
    assert budget.tokens == 3


def test_threads_do_not_spend_a_token_twice() -> None:
    budget = RetryBudget(ratio=0.0, burst=500)
    with ThreadPoolExecutor(8) as threads:
        took = list(threads.map(lambda _: budget.take(), range(2000)))
    assert sum(took) == 500

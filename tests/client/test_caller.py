"""Who waits for the answer of a create, and what changes when they stop waiting."""

import pytest

from eprescription_sdk.client.caller import Caller


def test_at_first_nothing_was_sent_and_somebody_waits() -> None:
    caller = Caller()
    assert (caller.sent, caller.gone, caller.barred) == (False, False, False)
    # Unless told so, who is told "uncertain" gives out no paper: what was sent may be sent again.
    assert caller.sending()
    caller.leave(lambda _: None)
    assert not caller.barred


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("sent", [False, True])
def test_who_leaves_bars_what_could_become_a_second_prescription(plain: bool, sent: bool) -> None:
    caller = Caller(plain=plain)
    if sent:
        assert caller.sending() is True
    assert caller.leave(lambda seen: f"sent: {seen}") == f"sent: {sent}"
    assert caller.gone is True
    assert caller.barred is (plain or not sent)
    assert caller.sending() is not caller.barred
    assert caller.sent is (sent or not caller.barred)


def test_who_leaves_when_the_answer_is_known_waits_for_it() -> None:
    caller = Caller()
    caller.answered()
    assert caller.leave(lambda _: "told") is None
    assert (caller.gone, caller.barred) == (False, False)

"""One request: what is sent, when it must not leave, and what its answer changes."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.client.breaker import Permit
from eprescription_sdk.client.classify import Verdict
from eprescription_sdk.client.exchange import Line
from eprescription_sdk.errors import CredentialUnavailable
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.outcomes import Attempt, AttemptResult
from eprescription_sdk.model.trace import FaultOrigin
from eprescription_sdk.wire.envelope import Fragment, prepare
from tests.client.by_hand import (
    NOW,
    Answer,
    Hand,
    absent,
    accepted,
    after,
    by_hand,
    fault,
    found,
    lost,
    took,
    unreached,
)

NUMBER = PrescriptionNumber("FAKE1")
CREATE, CONSULT = Operation.CREATE, Operation.CONSULT
TOO_LATE = Verdict(result=AttemptResult.NOT_SENT, detail="too late", origin=FaultOrigin.USER)


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    profile = ep.ServiceProfile(breaker_failures=2, retry_burst=1, retry_ratio=0.0)
    with by_hand(tmp_path, profile=profile) as made:
        yield made


def body(hand: Hand) -> Fragment:
    return prepare(hand.core.codec.encode_consult(NUMBER))


def exchange(hand: Hand, line: Line, *answers: Answer, operation: Operation = CREATE) -> Verdict:
    return hand.run(line.exchange(operation, body(hand), NUMBER), *answers)


def test_what_is_sent(hand: Hand) -> None:
    line = hand.line()
    verdict = exchange(hand, line, took(0.5, accepted))
    assert verdict.result is AttemptResult.REGISTERED
    (request,), (attempt,) = hand.requests, line.attempts
    profile = hand.core.settings.profile
    assert request.url == "https://service.example/create"
    assert request.headers == {
        "Content-Type": "application/soap+xml; charset=utf-8;"
        ' action="urn:ReferenceOrdonnanceNumerique:1.0.0:creer"'
    }
    assert (request.timeout, request.connect_timeout) == (10.0, 3.0)
    assert request.max_bytes == profile.max_reply_bytes
    text = request.content.decode()
    for part in (
        "urn:ReferenceOrdonnanceNumerique:1.0.0:creer</wsa:Action>",
        f">{attempt.message_id}</wsa:MessageID>",
        "<saml:Assertion",
        ":Temps>2026-03-16T09:30:00.000Z<",
        f":Emetteur>{hand.who.national_id}<",
        "SIMULATION-0000",
        "<ref:Numero>FAKE1</ref:Numero>",
    ):
        assert part in text
    assert attempt.message_id.startswith("uuid:")
    assert attempt == Attempt(
        operation="create",
        message_id=attempt.message_id,
        at=NOW,
        duration=0.5,
        result=AttemptResult.REGISTERED,
    )


@pytest.mark.parametrize(
    ("left", "timeout", "connect"), [(25, 10, 3), (5, 5, 3), (2, 2, 2), (0.01, 0.05, 0.05)]
)
def test_no_attempt_lasts_longer_than_the_call(
    hand: Hand, left: float, timeout: float, connect: float
) -> None:
    exchange(hand, hand.line(left), accepted)
    assert hand.requests[0].timeout == pytest.approx(timeout)
    assert hand.requests[0].connect_timeout == pytest.approx(connect)


def test_an_answer_about_another_number_is_none(hand: Hand) -> None:
    engine = hand.line().exchange(CREATE, body(hand), PrescriptionNumber("FAKE2"))
    assert hand.run(engine, accepted).result is AttemptResult.IN_DOUBT


def test_each_attempt_is_a_new_message(hand: Hand) -> None:
    line = hand.line()
    exchange(hand, line, fault("sdkref_unavailable"))
    exchange(hand, line, accepted)
    exchange(hand, line, absent, operation=CONSULT)
    sent = [each for each in hand.asked if each[0] == "send"]
    assert sent == [("send", "create", 1, 0), ("send", "create", 2, 1), ("send", "consult", 3, 0)]
    assert len({each.message_id for each in line.attempts}) == 3
    assert line.attempts[0].fault_code == "sdkref_unavailable"
    assert line.attempts[0].detail == "sdkref_unavailable"


def test_an_assertion_at_hand_is_used_again(hand: Hand) -> None:
    line = hand.line()
    exchange(hand, line, accepted)
    hand.asked.clear()
    exchange(hand, line, accepted)
    assert hand.asked == [("send", "create", 2, 1)]


def test_an_assertion_that_took_its_time(hand: Hand) -> None:
    hand.pin = 4.0
    line = hand.line()
    exchange(hand, line, accepted)
    assert line.attempts[0].at == after(4)
    assert ":Temps>2026-03-16T09:30:04.000Z<" in hand.requests[0].content.decode()


def test_without_an_assertion(hand: Hand) -> None:
    hand.card.gone = True
    with pytest.raises(CredentialUnavailable, match="No card"):
        exchange(hand, hand.line())


@pytest.mark.parametrize("broken", [b"<a", b"\xff\xfe"])
def test_an_assertion_that_is_none(hand: Hand, broken: bytes) -> None:
    hand.card.xml = broken
    with pytest.raises(CredentialUnavailable) as caught:
        exchange(hand, hand.line())
    assert caught.value.message == "The assertion is not well-formed XML."
    assert hand.requests == []


# --- when a create must not leave --------------------------------------------------------------


@pytest.mark.parametrize("pin", [25, 26])
def test_a_create_does_not_leave_when_its_call_is_over(hand: Hand, pin: float) -> None:
    hand.pin = pin
    line = hand.line()
    assert exchange(hand, line) == TOO_LATE
    assert line.attempts == []
    assert exchange(hand, line, absent, operation=CONSULT).result is AttemptResult.ABSENT


@pytest.mark.parametrize(("pin", "leaves"), [(4.9, True), (5, True), (5.1, False)])
def test_a_create_does_not_leave_past_the_time_that_was_journalled(
    hand: Hand, pin: float, leaves: bool
) -> None:
    hand.pin = pin
    line = hand.line()
    line.creates_until = after(5)
    verdict = exchange(hand, line, *[accepted] * leaves)
    assert (verdict != TOO_LATE) is leaves


def test_a_create_does_not_leave_behind_a_caller_who_was_told(hand: Hand) -> None:
    opened(hand)
    hand.clock.move(10)
    line = hand.line()
    line.caller.leave(lambda _: None)
    assert exchange(hand, line) == TOO_LATE
    # The probe is still there for whoever may leave.
    assert hand.core.breaker.admit(hand.clock.monotonic()) == Permit(probe=True)


def test_a_create_does_not_leave_when_its_caller_goes_at_the_last_moment(hand: Hand) -> None:
    line = hand.line()

    class Going(type(line.caller)):  # type: ignore[misc]
        def sending(self) -> bool:
            return False

    line.caller = Going()
    assert exchange(hand, line) == TOO_LATE


def test_a_consult_leaves_whoever_is_gone(hand: Hand) -> None:
    line = hand.line()
    line.caller.leave(lambda _: None)
    assert exchange(hand, line, absent, operation=CONSULT).result is AttemptResult.ABSENT
    assert not line.caller.sent


# --- what the answer changes -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (accepted, True),
        (lost, True),
        (fault("sdkref_invalid"), True),
        (unreached, False),
        (fault("sdkref_unavailable"), False),
    ],
)
def test_whether_a_create_may_have_reached_the_service(
    hand: Hand, answer: Answer, sent: bool
) -> None:
    line = hand.line()
    exchange(hand, line, answer)
    assert line.caller.sent is sent


def test_what_may_have_reached_it_before_still_may(hand: Hand) -> None:
    line = hand.line()
    exchange(hand, line, lost)
    exchange(hand, line, unreached)
    assert line.caller.sent


def test_the_last_failure_is_remembered(hand: Hand) -> None:
    line = hand.line()
    assert line.origin is None
    exchange(hand, line, lost)
    assert line.origin is FaultOrigin.NETWORK


@pytest.mark.parametrize(("code", "kept"), [("sdkref_auth", False), ("sdkref_invalid", True)])
def test_a_credential_that_was_refused_is_forgotten(hand: Hand, code: str, kept: bool) -> None:
    exchange(hand, hand.line(), fault(code))
    assert (hand.who.cached(hand.clock.now()) is not None) is kept


# --- a service that does not answer ------------------------------------------------------------


def opened(hand: Hand) -> None:
    """Two requests of two calls that nobody answers."""
    for _ in range(2):
        exchange(hand, hand.line(), lost)
    assert hand.core.breaker.open


HELD = Verdict(
    result=AttemptResult.NOT_SENT, detail="held back", origin=FaultOrigin.NETWORK, held=True
)


def test_it_is_left_alone_and_then_probed(hand: Hand) -> None:
    opened(hand)
    line = hand.line()
    assert exchange(hand, line) == HELD
    assert line.attempts == []
    hand.clock.move(hand.core.settings.profile.breaker_pause)
    assert exchange(hand, line, accepted).result is AttemptResult.REGISTERED
    assert not hand.core.breaker.open


def test_a_probe_that_is_not_answered_keeps_it_open(hand: Hand) -> None:
    opened(hand)
    hand.clock.move(hand.core.settings.profile.breaker_pause)
    exchange(hand, hand.line(), lost)
    assert exchange(hand, hand.line()) == HELD


def test_further_requests_of_a_call_take_from_the_budget(hand: Hand) -> None:
    hand.core = attrs.evolve(hand.core)
    line = hand.line(60)
    exchange(hand, line, accepted)
    assert hand.core.budget.tokens == 1
    # Answered: what it took is given back.
    exchange(hand, line, accepted)
    assert hand.core.budget.tokens == 1
    exchange(hand, line, unreached)
    assert hand.core.budget.tokens == 0
    assert exchange(hand, line) == HELD
    # The first request of a call is always free.
    assert exchange(hand, hand.line(), accepted).result is AttemptResult.REGISTERED


@pytest.mark.parametrize(
    ("answer", "operation", "left"),
    [
        (accepted, CREATE, 4),
        (fault("sdkref_invalid"), CREATE, 4),
        (fault("sdkref_unavailable"), CREATE, 3),
        (found, CONSULT, 4),
        (absent, CONSULT, 3),
        (lost, CONSULT, 3),
    ],
)
def test_what_ends_a_call_gives_its_token_back(
    tmp_path: Path, answer: Answer, operation: Operation, left: float
) -> None:
    profile = ep.ServiceProfile(retry_burst=4, retry_ratio=0.0)
    with by_hand(tmp_path, profile=profile) as hand:
        line = hand.line()
        exchange(hand, line, unreached)
        exchange(hand, line, answer, operation=operation)
        assert hand.core.budget.tokens == left


def test_who_asks_in_vain_leaves_a_quarter_to_the_others(tmp_path: Path) -> None:
    profile = ep.ServiceProfile(retry_burst=4, retry_ratio=0.0)
    with by_hand(tmp_path, profile=profile) as hand:
        line, other = hand.line(), hand.line()
        for _ in range(4):
            exchange(hand, line, absent, operation=CONSULT)
        assert exchange(hand, line, operation=CONSULT) == HELD
        exchange(hand, other, absent, operation=CONSULT)
        assert exchange(hand, other, absent, operation=CONSULT).result is AttemptResult.ABSENT


def test_a_first_request_gives_nothing_back(hand: Hand) -> None:
    line = hand.line()
    exchange(hand, line, accepted)
    exchange(hand, line, unreached)
    exchange(hand, hand.line(), accepted)
    assert hand.core.budget.tokens == 0


def test_a_probe_takes_no_token_and_gives_none_back(hand: Hand) -> None:
    line = hand.line(60)
    exchange(hand, line, unreached)
    exchange(hand, line, unreached)
    assert hand.core.breaker.open
    assert hand.core.budget.tokens == 0
    hand.clock.move(10)
    assert exchange(hand, line, accepted).result is AttemptResult.REGISTERED
    assert hand.core.budget.tokens == 0


def test_a_call_counts_once_towards_the_budget(tmp_path: Path) -> None:
    profile = ep.ServiceProfile(retry_burst=2, retry_ratio=0.5)
    with by_hand(tmp_path, profile=profile) as hand:
        assert hand.core.budget.take()
        assert hand.core.budget.take()
        line = hand.line()
        exchange(hand, line, unreached)
        assert hand.core.budget.tokens == 0.5
        assert exchange(hand, line) == HELD
        assert hand.core.budget.tokens == 0.5


@pytest.mark.parametrize(("left", "lease"), [(25.0, 30.0), (0.0, 5.0), (-3.0, 5.0)])
def test_the_lease_outlives_the_call(hand: Hand, left: float, lease: float) -> None:
    assert hand.line(left).lease(NOW) == NOW + timedelta(seconds=lease)

"""What reconciling asks, says and writes, entry by entry."""

import random
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.client.breaker import Permit
from eprescription_sdk.client.reconcile import Reconciled, Reconciliation, reconcile
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.ledger import DocumentGiven, Entry, State
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.testing import SAMPLE_RPPS
from tests.client.by_hand import (
    SAID,
    Answer,
    Hand,
    absent,
    after,
    by_hand,
    fault,
    found,
    lost,
    prescribed,
    took,
    unavailable,
)
from tests.client.harness import OTHER_RPPS, practitioner
from tests.client.test_create import call, held, told


@pytest.fixture(autouse=True)
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda _, high: high)


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    profile = ep.ServiceProfile(breaker_failures=100, retry_burst=100)
    with by_hand(tmp_path, uncertain_policy=ep.UncertainPolicy.PLAIN, profile=profile) as made:
        yield made


def uncertain(hand: Hand) -> ep.Uncertain:
    """One that a call left open at the start; the clock is at the horizon."""
    outcome = hand.run(hand.create().run(), unavailable(retry_after=20))
    assert isinstance(outcome, ep.Uncertain)
    hand.asked.clear()
    hand.requests.clear()
    return outcome


def run(
    hand: Hand, *answers: Answer, seconds: float | None = None
) -> tuple[Reconciliation, list[Reconciled]]:
    heard: list[Reconciled] = []
    result = hand.run(
        reconcile(
            hand.core, (hand.who,), correlation_id="corr", seconds=seconds, progress=heard.append
        ),
        *answers,
    )
    assert result.correlation_id == "corr"
    return result, heard


def entry(hand: Hand, number: PrescriptionNumber) -> Entry:
    entry = hand.entry(number)
    assert entry is not None
    return entry


def test_nothing_is_open(hand: Hand) -> None:
    assert run(hand) == (Reconciliation(), [])
    assert hand.asked == ["journal"]


def test_found(hand: Hand) -> None:
    outcome = uncertain(hand)
    before = entry(hand, outcome.number)
    hand.clock.move(60)
    result, heard = run(hand, took(2, found))
    assert result == Reconciliation(registered=1)
    assert hand.asked == ["journal", "journal", ("send", "consult", 1, 0), "journal"]
    assert heard == [
        Reconciled(
            number=outcome.number, prescriber=SAMPLE_RPPS, result="registered", done=1, total=1
        )
    ]
    now = entry(hand, outcome.number)
    assert now == attrs.evolve(
        before,
        state=State.REGISTERED,
        registered_at=SAID,
        owner=hand.core.owner,
        epoch=2,
        revision=2,
        settled_at=after(62),
        lease_until=after(62),
        message_ids=now.message_ids,
    )
    assert len(now.message_ids) == 2
    traced = told(hand, "CALL")[-1]
    assert traced == {
        **call(outcome, hand, operation="consult", initiator="reconcile", outcome="found"),
        "duration_ms": 2000,
        "message_id": now.message_ids[1],
    }
    assert [each["registration"] for each in told(hand, "PRESCRIPTION")] == [
        "uncertain",
        "registered",
    ]


def test_found_where_the_service_does_not_say_when(hand: Hand) -> None:
    outcome = uncertain(hand)

    def unsaid(hand: Hand, request: ep.HttpRequest) -> ep.HttpReply | ep.TransportFailure:
        reply = found(hand, request)
        assert hand.codec.stored is not None
        hand.codec.stored = attrs.evolve(hand.codec.stored, registered_at=None)
        return reply

    run(hand, took(2, unsaid))
    assert entry(hand, outcome.number).registered_at == after(2)


def test_absent_for_good(hand: Hand) -> None:
    outcome = uncertain(hand)
    hand.clock.move(120)
    result, heard = run(hand, took(1, absent))
    assert result == Reconciliation(not_registered=1)
    assert [each.result for each in heard] == ["not_registered"]
    now = entry(hand, outcome.number)
    assert (now.state, now.cause, now.registered_at) == (State.NOT_REGISTERED, "absent", None)
    traced = told(hand, "CALL")[-1]
    assert (traced["outcome"], traced["fault_origin"]) == ("absent", None)


def test_still_open(hand: Hand) -> None:
    outcome = uncertain(hand)
    before = entry(hand, outcome.number)
    result, heard = run(hand, *[absent] * 2, seconds=0.5)
    assert result == Reconciliation(open=1)
    assert [each.result for each in heard] == ["open"]
    assert hand.slept() == [0.2]
    now = entry(hand, outcome.number)
    assert (now.state, now.cause, now.registered_at) == (State.UNCERTAIN, None, None)
    assert now.last_send_at == before.last_send_at
    assert now.lease_until == hand.clock.now()


def test_a_service_that_cannot_be_asked(hand: Hand) -> None:
    uncertain(hand)
    result, _ = run(hand, took(1, lost), seconds=1)
    assert result == Reconciliation(open=1)
    traced = told(hand, "CALL")[-1]
    assert (traced["outcome"], traced["fault_origin"]) == ("failed", "service")
    assert traced["fault_code"] is None


def test_the_credential_is_refused(hand: Hand) -> None:
    outcome = uncertain(hand)
    result, heard = run(hand, fault("sdkref_auth"))
    assert result == Reconciliation(waiting_for_credentials=1)
    assert [each.result for each in heard] == ["waiting_for_credentials"]
    assert entry(hand, outcome.number).state is State.UNCERTAIN
    assert told(hand, "CALL")[-1]["fault_code"] == "sdkref_auth"


def test_there_is_no_credential(hand: Hand) -> None:
    uncertain(hand)
    hand.who.forget()
    hand.card.gone = True
    calls = len(told(hand, "CALL"))
    result, _ = run(hand)
    assert result == Reconciliation(waiting_for_credentials=1)
    # Nothing was asked: there is nothing to trace.
    assert len(told(hand, "CALL")) == calls


def test_of_a_practitioner_who_is_not_there(hand: Hand) -> None:
    outcome = uncertain(hand)
    heard: list[Reconciled] = []
    engine = reconcile(
        hand.core, (practitioner(OTHER_RPPS),), correlation_id="corr", progress=heard.append
    )
    assert hand.run(engine) == Reconciliation(waiting_for_credentials=1)
    assert hand.asked == ["journal"]
    assert heard == [
        Reconciled(
            number=outcome.number,
            prescriber=SAMPLE_RPPS,
            result="waiting_for_credentials",
            done=1,
            total=1,
        )
    ]


def test_a_service_that_is_left_alone_is_not_waited_for(hand: Hand) -> None:
    uncertain(hand)
    for _ in range(100):
        hand.core.breaker.unanswered(Permit(probe=False), hand.clock.monotonic())
    assert run(hand)[0] == Reconciliation(open=1)
    assert hand.asked == ["journal", "journal", "journal"]


def test_who_waits_is_measured(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(
        "eprescription_sdk.telemetry.add", lambda *what, **of: seen.append((what, of))
    )
    uncertain(hand)
    seen.clear()
    hand.run(reconcile(hand.core, (), correlation_id="corr"))
    assert seen == [(("waiting_for_credentials", 1), {"operation": "reconcile"})]


def test_nobody_has_to_listen(hand: Hand) -> None:
    uncertain(hand)
    engine = reconcile(hand.core, (hand.who,), correlation_id="corr")
    assert hand.run(engine, found) == Reconciliation(registered=1)


def test_several_are_counted(hand: Hand) -> None:
    for _ in range(3):
        uncertain(hand)
    hand.clock.move(121)
    result, heard = run(hand, holds_none_but(1), holds_none_but(2), holds_none_but(1))
    assert (result.registered, result.not_registered) == (1, 2)
    assert [(each.done, each.total) for each in heard] == [(1, 3), (2, 3), (3, 3)]


def holds_none_but(which: int) -> Answer:
    """The second of three is there, whatever its content."""

    def answer(hand: Hand, request: ep.HttpRequest) -> ep.HttpReply | ep.TransportFailure:
        if which == 1:
            return absent(hand, request)
        reply = found(hand, request)
        assert hand.codec.stored is not None
        hand.codec.stored = attrs.evolve(hand.codec.stored, fingerprint=None)
        return reply

    return answer


def test_what_another_process_holds_is_left_to_it(hand: Hand) -> None:
    held(hand, lease=60)
    hand.clock.move(59)
    assert run(hand)[0] == Reconciliation(open=1)
    assert hand.asked == ["journal", "journal"]


@pytest.mark.parametrize(("seconds", "lease"), [(None, 30), (3.0, 8)])
def test_it_is_held_as_long_as_it_is_asked_about(
    hand: Hand, seconds: float | None, lease: float
) -> None:
    outcome = uncertain(hand)

    def looked(hand: Hand, request: ep.HttpRequest) -> ep.HttpReply | ep.TransportFailure:
        held = entry(hand, outcome.number)
        assert held.lease_until == after(lease)
        return found(hand, request)

    run(hand, looked, seconds=seconds)


def test_a_call_that_died_leaves_what_the_host_gives_out(hand: Hand) -> None:
    held(hand, lease=1)
    hand.clock.move(2)
    result, _ = run(hand, absent, seconds=0.1)
    assert result.open == 1
    ((number,),) = hand.core.store.write(lambda tx: tx.execute("SELECT number FROM ledger"))
    now = entry(hand, PrescriptionNumber(number))
    assert (now.state, now.document) == (State.UNCERTAIN, DocumentGiven.PLAIN)


def test_one_whose_caller_was_told_keeps_what_they_gave(tmp_path: Path) -> None:
    with by_hand(tmp_path, uncertain_policy=ep.UncertainPolicy.PLAIN) as hand:
        outcome = uncertain(hand)
        hand.core.store.write(lambda tx: tx.execute("UPDATE ledger SET document = NULL"))
        run(hand, absent, seconds=0.1)
        assert entry(hand, outcome.number).document is None


@pytest.mark.parametrize("seconds", [0.0, -1.0, 86_400.0, float("nan")])
def test_a_time_that_is_none(hand: Hand, seconds: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        run(hand, seconds=seconds)
    assert caught.value.path == "seconds"


def test_a_time_of_almost_a_day(hand: Hand) -> None:
    assert run(hand, seconds=86_399.0)[0] == Reconciliation()
    assert run(hand, seconds=0.5)[0] == Reconciliation()


def test_identities_are_those_of_the_entry(hand: Hand) -> None:
    prescription = prescribed(patient=attrs.evolve(prescribed().patient))
    outcome = hand.run(hand.create(prescription).run(), unavailable(retry_after=20))
    run(hand, found)
    assert told(hand, "CALL")[-1]["test_identity"] is True
    assert told(hand, "CALL")[-1]["subject"] == outcome.subject

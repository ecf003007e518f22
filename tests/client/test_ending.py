"""How a create ends for a caller who leaves, and when its driver is stopped."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.client.create import Create
from eprescription_sdk.client.effects import Authenticate, Journal, Send, Settle
from eprescription_sdk.ledger import DocumentGiven, Entry, State
from eprescription_sdk.model.outcomes import Cause, NextStep
from eprescription_sdk.model.trace import Initiator
from tests.client.by_hand import (
    Begun,
    Hand,
    absent,
    accepted,
    after,
    by_hand,
    fault,
    found,
    lost,
    prescribed,
    took,
)
from tests.client.test_create import held, told

if TYPE_CHECKING:
    from eprescription_sdk.storage import Tx


@pytest.fixture(autouse=True)
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda _, high: high)


@pytest.fixture(params=ep.UncertainPolicy)
def hand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hand]:
    with by_hand(tmp_path, uncertain_policy=request.param) as made:
        yield made


def plain(hand: Hand) -> bool:
    return hand.core.document is DocumentGiven.PLAIN


def leave(hand: Hand, call: Create) -> ep.Outcome | None:
    written: list[Callable[[Tx], Any]] = []
    outcome = call.leave(written.append)
    assert len(written) <= 1
    for work in written:
        hand.core.store.write(work)
    return outcome


def only_entry(hand: Hand) -> Entry:
    ((number,),) = hand.core.store.write(lambda tx: tx.execute("SELECT number FROM ledger"))
    entry = hand.entry(ep.PrescriptionNumber(number))
    assert entry is not None
    return entry


# --- a caller who leaves -----------------------------------------------------------------------


def test_who_leaves_before_anything_was_sent(hand: Hand) -> None:
    call = hand.create()
    begun = Begun(hand, call.run()).until(Authenticate)
    outcome = leave(hand, call)
    assert isinstance(outcome, ep.NotRegistered)
    assert (outcome.cause, outcome.attempts) == (Cause.NOT_SENT, ())
    assert outcome.advice.step is NextStep.PRINT_PLAIN
    entry = only_entry(hand)
    assert (entry.state, entry.cause) == (State.NOT_REGISTERED, "not_sent")
    assert (entry.document, entry.lease_until) == (None, hand.clock.now())
    assert outcome.number == entry.number
    (traced,) = told(hand, "CALL")
    assert (traced["outcome"], traced["fault_origin"]) == ("not_registered", "network")
    assert (traced["initiator"], traced["attempts"]) == ("prescriber", 0)
    # What could only become a second prescription does not leave.
    assert isinstance(begun.finish(), ep.NotRegistered)
    assert hand.sent() == []
    assert len(told(hand, "CALL")) == 1


def test_who_leaves_before_the_journal_is_told_that_nothing_was_sent(hand: Hand) -> None:
    call = hand.create(prescribed(reference="réf"))
    begun = Begun(hand, call.run())
    assert isinstance(leave(hand, call), ep.NotRegistered)
    # What was not journalled yet is not sent any more.
    outcome = begun.finish()
    assert isinstance(outcome, ep.NotRegistered)
    assert hand.sent() == []
    assert only_entry(hand).state is State.NOT_REGISTERED


def test_who_leaves_while_it_is_sent(hand: Hand) -> None:
    call = hand.create(initiator=Initiator.SUPPORT)
    begun = Begun(hand, call.run(), took(3, accepted)).until(Send)
    hand.clock.move(2)
    outcome = leave(hand, call)
    assert isinstance(outcome, ep.Uncertain)
    assert (outcome.duration, outcome.attempts) == (2.0, ())
    step = NextStep.PRINT_PLAIN if plain(hand) else NextStep.HOLD
    assert outcome.advice.step is step
    entry = only_entry(hand)
    assert (entry.state, entry.document) == (State.UNCERTAIN, hand.core.document)
    # Its engine goes on, and keeps the lease.
    assert entry.lease_until == after(30)
    assert told(hand, "CALL")[0]["initiator"] == "support"

    later = begun.finish()
    assert isinstance(later, ep.Registered)
    assert only_entry(hand).state is State.REGISTERED
    left, behind = told(hand, "CALL")
    assert (left["outcome"], behind["outcome"]) == ("uncertain", "registered")
    # What happens behind a caller is no use of theirs.
    assert (behind["initiator"], behind["attempts"]) == ("reconcile", 1)
    risks = hand.core.store.write(lambda tx: tx.execute("SELECT number FROM duplicate_risks"))
    assert len(risks) == plain(hand)


def test_what_the_caller_knew_is_not_counted_again(hand: Hand) -> None:
    call = hand.create()
    begun = Begun(hand, call.run(), took(1, lost), took(1, absent), found)
    begun.until(Send).step()
    begun.until(Send)
    outcome = leave(hand, call)
    assert isinstance(outcome, ep.Uncertain)
    assert len(outcome.attempts) == 1
    assert only_entry(hand).message_ids == outcome.message_ids
    later = begun.finish()
    assert isinstance(later, ep.Registered)
    assert [each["attempts"] for each in told(hand, "CALL")] == [1, 2]
    assert told(hand, "CALL")[0]["fault_origin"] == "network"


def test_nothing_more_was_asked_behind_the_caller(hand: Hand) -> None:
    call = hand.create()
    begun = Begun(hand, call.run(), fault("sdkref_unavailable", retry_after=3)).until(Send)
    begun.step()
    outcome = leave(hand, call)
    assert isinstance(outcome, ep.NotRegistered)
    hand.clock.move(30)
    assert isinstance(begun.finish(), ep.NotRegistered)
    # One trace: that of the caller who left.
    assert [each["attempts"] for each in told(hand, "CALL")] == [1]


def test_who_leaves_when_the_answer_is_known_gets_it(hand: Hand) -> None:
    call = hand.create()
    begun = Begun(hand, call.run(), accepted).until(Settle)
    assert leave(hand, call) is None
    assert isinstance(begun.finish(), ep.Registered)
    assert [each["initiator"] for each in told(hand, "CALL")] == ["prescriber"]


def test_who_leaves_while_another_call_sends(hand: Hand) -> None:
    held(hand, lease=60)
    call = hand.create(prescribed(reference="réf"))
    begun = Begun(hand, call.run())
    begun.step()
    outcome = leave(hand, call)
    assert isinstance(outcome, ep.Uncertain)
    entry = only_entry(hand)
    assert outcome.number == entry.number
    assert entry.document is (DocumentGiven.PLAIN if plain(hand) else None)
    assert hand.traces() == []
    begun.engine.close()


def test_who_left_with_plain_paper_before_the_reference_was_seen_to_be_bound(hand: Hand) -> None:
    held(hand, lease=60)
    call = hand.create(prescribed(reference="réf"))
    begun = Begun(hand, call.run())
    assert isinstance(leave(hand, call), ep.NotRegistered)
    begun.step()
    assert isinstance(begun.effect, Settle)
    begun.step()
    assert only_entry(hand).document is DocumentGiven.PLAIN
    begun.engine.close()


def test_who_leaves_while_a_dead_call_is_settled(hand: Hand) -> None:
    held(hand, lease=1)
    hand.clock.move(2)
    call = hand.create(prescribed(reference="réf"))
    begun = Begun(hand, call.run(), found).until(Send)
    outcome = leave(hand, call)
    assert isinstance(outcome, ep.Uncertain)
    entry = only_entry(hand)
    assert (entry.state, entry.document) == (State.UNCERTAIN, hand.core.document)
    assert isinstance(begun.finish(), ep.Registered)


def test_a_dead_call_is_claimed_until_this_one_is_over(hand: Hand) -> None:
    held(hand, lease=1)
    hand.clock.move(2)
    call = hand.create(prescribed(reference="réf"))
    begun = Begun(hand, call.run(), found).until(Send)
    assert only_entry(hand).lease_until == after(2 + 25 + 5)
    assert isinstance(begun.finish(), ep.Registered)


# --- a driver that is stopped ------------------------------------------------------------------


def stop(hand: Hand, call: Create) -> None:
    work = call.interrupted()
    assert work is not None
    hand.core.store.write(work)
    assert call.interrupted() is None


def test_stopped_before_anything_was_journalled(hand: Hand) -> None:
    assert hand.create().interrupted() is None


def test_stopped_before_anything_was_sent(hand: Hand) -> None:
    call = hand.create()
    engine = call.run()
    journal = engine.send(None)
    assert isinstance(journal, Journal)
    hand.do(journal)
    engine.close()
    stop(hand, call)
    entry = only_entry(hand)
    assert (entry.state, entry.cause) == (State.NOT_REGISTERED, "not_sent")
    assert (entry.document, entry.lease_until) == (None, hand.clock.now())
    assert told(hand, "CALL") == []


def test_stopped_while_it_is_sent(hand: Hand) -> None:
    call = hand.create()
    begun = Begun(hand, call.run(), fault("sdkref_unavailable"), accepted).until(Send)
    begun.step()
    begun.until(Send)
    begun.engine.close()
    stop(hand, call)
    entry = only_entry(hand)
    assert (entry.state, entry.cause, entry.document) == (
        State.UNCERTAIN,
        None,
        hand.core.document,
    )
    assert (entry.fault_code, len(entry.message_ids)) == ("sdkref_unavailable", 1)
    assert entry.lease_until == hand.clock.now()


def test_stopped_when_the_answer_is_known(hand: Hand) -> None:
    call = hand.create()
    Begun(hand, call.run(), accepted).until(Settle).engine.close()
    assert call.interrupted() is None


# --- what the caller is told, once -------------------------------------------------------------


@pytest.mark.parametrize("leaving", [False, True])
def test_a_call_is_measured_once_as_its_caller_saw_it(
    hand: Hand, monkeypatch: pytest.MonkeyPatch, leaving: bool
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(
        "eprescription_sdk.telemetry.duration", lambda *measured: seen.append(measured)
    )
    call = hand.create()
    begun = Begun(hand, call.run(), took(2, accepted)).until(Send)
    if leaving:
        hand.clock.move(1)
        leave(hand, call)
    begun.finish()
    word, milliseconds = ("uncertain", 1000.0) if leaving else ("registered", 2000.0)
    assert seen == [("create", word, milliseconds)]


def test_waiting_for_the_credential(hand: Hand) -> None:
    def refused(hand: Hand, request: Any) -> Any:
        hand.card.gone = True
        return fault("sdkref_auth")(hand, request)

    outcome = hand.run(hand.create().run(), took(1, lost), refused)
    assert isinstance(outcome, ep.Uncertain)
    assert outcome.waits_for_credentials
    assert only_entry(hand).last_send_at == after(1)


def test_a_late_registration_has_the_time_it_was_found_where_none_is_said(hand: Hand) -> None:
    def unsaid(hand: Hand, request: Any) -> Any:
        reply = found(hand, request)
        assert hand.codec.stored is not None
        hand.codec.stored = attrs.evolve(hand.codec.stored, registered_at=None)
        return reply

    outcome = hand.run(hand.create().run(), took(1, lost), took(1, unsaid))
    assert isinstance(outcome, ep.Registered)
    assert outcome.registered_at == after(2)
    assert only_entry(hand).registered_at == after(2)

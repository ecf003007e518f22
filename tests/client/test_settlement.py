"""What is written when an answer is known, and what a trace that fails undoes: nothing."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.client.settlement import call_trace, record, settlement
from eprescription_sdk.ledger import Entry, State
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.outcomes import Attempt, AttemptResult, Cause
from eprescription_sdk.model.trace import CallOutcome, CallTrace, FaultOrigin, Initiator
from eprescription_sdk.storage import Tx
from eprescription_sdk.testing import SAMPLE_RPPS, SAMPLE_SITUATION
from eprescription_sdk.traces.record import losses
from tests.client.by_hand import NOW, Answer, Hand, accepted, by_hand, fault, unavailable
from tests.client.test_create import told


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    with by_hand(tmp_path) as made:
        yield made


def attempt(
    operation: str, result: AttemptResult, message_id: str, fault_code: str | None = None
) -> Attempt:
    return Attempt(
        operation=operation,
        message_id=message_id,
        at=NOW,
        duration=0.1,
        result=result,
        fault_code=fault_code,
    )


ATTEMPTS = (
    attempt("create", AttemptResult.NOT_PROCESSED, "one", "first"),
    attempt("create", AttemptResult.IN_DOUBT, "two", "second"),
    attempt("consult", AttemptResult.FAILED, "three"),
    attempt("consult", AttemptResult.FOUND, "four"),
)


LEFT_OPEN = unavailable(retry_after=20)


def opened(hand: Hand, answer: Answer = LEFT_OPEN) -> Entry:
    """The entry of a call that one answer ended: it left it open, by default."""
    outcome = hand.run(hand.create().run(), answer)
    entry = hand.entry(outcome.number)
    assert entry is not None
    return entry


def trace(hand: Hand, outcome: CallOutcome, attempts: tuple[Attempt, ...] = ATTEMPTS) -> CallTrace:
    return call_trace(
        hand.core,
        rpps=SAMPLE_RPPS,
        situation=SAMPLE_SITUATION,
        operation=Operation.CONSULT,
        initiator=Initiator.SUPPORT,
        attempts=attempts,
        outcome=outcome,
        duration=1.2345,
        origin=FaultOrigin.NETWORK,
        subject="subject",
    )


def test_a_failure_is_traced_with_its_last_fault_and_its_origin(hand: Hand) -> None:
    failed, found = trace(hand, CallOutcome.FAILED), trace(hand, CallOutcome.FOUND)
    assert (failed.fault_code, failed.fault_origin) == ("second", FaultOrigin.NETWORK)
    assert (found.fault_code, found.fault_origin) == (None, None)
    assert (failed.attempts, failed.message_id, failed.duration_ms) == (4, "four", 1234)
    assert (failed.operation, failed.initiator) == (Operation.CONSULT, Initiator.SUPPORT)
    assert (failed.subject, failed.test_identity, failed.at) == ("subject", False, NOW)
    assert trace(hand, CallOutcome.FAILED, ()).message_id is None


def test_which_messages_are_kept(hand: Hand) -> None:
    entry = opened(hand)
    hand.core.store.write(
        settlement(hand.core, entry, State.UNCERTAIN, attempts=ATTEMPTS, call=None)
    )
    now = hand.entry(entry.number)
    assert now is not None
    assert now.message_ids == (*entry.message_ids, "one", "two", "four")
    assert now.fault_code == "second"
    # A state that stays makes no new truth.
    assert now.revision == 1
    assert len(told(hand, "PRESCRIPTION")) == 1


def test_a_former_owner_is_not_heard_save_that_it_is_registered(hand: Hand) -> None:
    entry = opened(hand)
    former = attrs.evolve(entry, epoch=0)

    def settle(state: State, **how: Any) -> State:
        hand.core.store.write(settlement(hand.core, former, state, attempts=(), call=None, **how))
        now = hand.entry(entry.number)
        assert now is not None
        return now.state

    assert settle(State.NOT_REGISTERED, cause=Cause.ABSENT) is State.UNCERTAIN
    assert settle(State.REGISTERED, registered_at=NOW) is State.REGISTERED


def test_a_number_that_another_prescription_has_by_now_is_not_touched(hand: Hand) -> None:
    entry = opened(hand)
    traces = len(hand.traces())
    other = attrs.evolve(entry, subject="another")
    hand.core.store.write(
        settlement(
            hand.core,
            other,
            State.REGISTERED,
            attempts=(),
            call=trace(hand, CallOutcome.REGISTERED),
        )
    )
    assert hand.entry(entry.number) == entry
    assert len(hand.traces()) == traces


def test_a_tombstone_makes_no_trace(hand: Hand) -> None:
    entry = opened(hand)
    hand.core.store.write(lambda tx: tx.execute("UPDATE ledger SET rpps = ''"))
    hand.core.store.write(settlement(hand.core, entry, State.REGISTERED, attempts=(), call=None))
    assert len(told(hand, "PRESCRIPTION")) == 1
    assert hand.core.store.write(losses) == {}


def test_a_sighting_after_all_is_counted(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[str, str]] = []
    monkeypatch.setattr("eprescription_sdk.telemetry.count", lambda *what: counted.append(what))
    entry = opened(hand, fault("sdkref_invalid"))
    again = settlement(hand.core, entry, State.REGISTERED, attempts=(), call=None)
    hand.core.store.write(again)
    hand.core.store.write(again)
    assert counted == [("registration_reopened", "refused")]
    assert [each["revision"] for each in told(hand, "PRESCRIPTION")] == [1, 2]


def test_a_trace_that_fails_is_counted_and_undoes_nothing(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError

    monkeypatch.setattr("eprescription_sdk.traces.record.chain.link", broken)
    outcome = hand.run(hand.create().run(), accepted)
    assert isinstance(outcome, ep.Registered)
    entry = hand.entry(outcome.number)
    assert entry is not None
    assert entry.state is State.REGISTERED
    assert hand.traces() == []
    assert hand.core.store.write(losses) == {"RuntimeError": 2}


def _broken() -> CallTrace:
    raise ZeroDivisionError


def test_whether_it_was_recorded(hand: Hand) -> None:
    made = trace(hand, CallOutcome.FOUND)

    def refused(tx: Tx) -> bool:
        return record(hand.core, tx, lambda: attrs.evolve(made, situation="cabinet"))

    assert hand.core.store.write(lambda tx: record(hand.core, tx, lambda: made)) is True
    assert hand.core.store.write(refused) is False
    assert hand.core.store.write(partial(record, hand.core, make=_broken)) is False
    assert hand.core.store.write(losses) == {"ZeroDivisionError": 1}


def test_a_loss_that_cannot_be_counted_undoes_nothing(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("eprescription_sdk.client.settlement.lose", broken)
    assert hand.core.store.write(partial(record, hand.core, make=_broken)) is False
    assert isinstance(hand.run(hand.create().run(), accepted), ep.Registered)

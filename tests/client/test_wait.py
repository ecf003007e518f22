"""``wait=`` bounds how long the prescriber is kept; the engine goes on behind (law 2, law 3)."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.ledger import State
from eprescription_sdk.model.outcomes import Cause, NextStep
from eprescription_sdk.sandbox import (
    AnswerAfter,
    CommitThenDrop,
    DropBeforeCommit,
    FaultCode,
    Operation,
    StaleConsult,
)
from eprescription_sdk.testing import sample_prescription
from tests.client.harness import (
    QUICK,
    World,
    brief,
    eventually,
    mark,
    practitioner,
    provider,
    traces,
    world,
)

PATIENT = attrs.evolve(QUICK, deadline=8.0, attempt_timeout=4.0)
"""A call that may last far longer than its caller waits."""


def soon(stage: World, prescription: ep.Prescription | None = None, wait: float = 0.4) -> Any:
    """A create whose caller waits briefly, and is not kept much longer."""
    started = time.monotonic()
    outcome = stage.side.create(prescription or sample_prescription(), wait=wait)
    assert time.monotonic() - started < wait + 3.0
    return outcome


def test_the_answer_that_comes_behind_is_in_the_feed(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, profile=PATIENT, pilot=True) as stage:
        stage.sandbox.script(Operation.CREATE, AnswerAfter(12))
        outcome = soon(stage)
        assert isinstance(outcome, ep.Uncertain)
        assert outcome.advice.step is NextStep.HOLD
        entry = stage.entry(outcome.number)
        assert entry.state is State.UNCERTAIN
        # Whoever sends keeps its lease: nobody takes the entry over meanwhile.
        assert entry.lease_until > stage.clock.now()
        assert stage.side.reconcile(stage.who).open == 1
        stage.idle()
        assert stage.entry(outcome.number).state is State.REGISTERED
        assert [line.state for line in stage.feed()] == [State.UNCERTAIN, State.REGISTERED]
        assert stage.sandbox.count(outcome.number.value) == 1
        # One call of the prescriber's, with what they were told; the rest is not their use.
        told = [(t["initiator"], t["outcome"]) for t in traces(stage.store) if t["kind"] == "CALL"]
        assert told == [("prescriber", "uncertain"), ("reconcile", "registered")]


def test_what_was_lost_is_settled_behind(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, profile=PATIENT) as stage:
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        stage.sandbox.script(Operation.CONSULT, StaleConsult(8))
        outcome = soon(stage)
        assert isinstance(outcome, ep.Uncertain)
        stage.idle()
        assert stage.entry(outcome.number).state is State.REGISTERED


class _Slow:
    """A card whose PIN is being typed."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def assertion(self, now: Any) -> Any:
        time.sleep(self.seconds)
        return provider().assertion(now)


def test_what_was_not_sent_never_will_be(side: str, tmp_path: Path) -> None:
    """The caller is told to give out plain paper: to send it then would make two of it."""
    who = practitioner(assertions=_Slow(1.0))
    with world(tmp_path, side, profile=PATIENT, who=who) as stage:
        outcome = soon(stage, sample_prescription(reference="réf"))
        assert isinstance(outcome, ep.NotRegistered)
        assert outcome.cause is Cause.NOT_SENT
        entry = stage.entry(outcome.number)
        assert (entry.state, entry.cause) == (State.NOT_REGISTERED, "not_sent")
        stage.idle()
        assert stage.sandbox.calls == []
        assert [line.state for line in stage.feed()] == [State.NOT_REGISTERED]
        # The reference is free at once.
        again = stage.side.create(sample_prescription(reference="réf"))
        assert isinstance(again, ep.Registered)


def test_between_two_attempts_nothing_was_sent_either(
    side: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eprescription_sdk.client.create.full_jitter", lambda *_: 3.0)
    with world(tmp_path, side, profile=PATIENT) as stage:
        stage.sandbox.script(Operation.CREATE, FaultCode("sdkref_unavailable"))
        outcome = soon(stage, wait=1.0)
        assert isinstance(outcome, ep.NotRegistered)
        stage.idle()
        assert len(stage.sandbox.calls) == 1
        assert stage.sandbox.registrations == []


def test_plain_paper_given_out_while_it_goes_on_is_a_duplicate_risk(
    side: str, tmp_path: Path
) -> None:
    policy = ep.UncertainPolicy.PLAIN
    with world(tmp_path, side, profile=PATIENT, policy=policy) as stage:
        stage.sandbox.script(Operation.CREATE, AnswerAfter(8))
        outcome = soon(stage)
        assert outcome.advice.step is NextStep.PRINT_PLAIN
        stage.idle()
        assert [risk.number for risk in stage.risks()] == [outcome.number]


def test_under_the_plain_policy_nothing_is_sent_again_behind(side: str, tmp_path: Path) -> None:
    policy = ep.UncertainPolicy.PLAIN
    with world(tmp_path, side, profile=PATIENT, policy=policy, unique=True) as stage:
        stage.sandbox.script(Operation.CREATE, DropBeforeCommit())
        stage.sandbox.script(Operation.CONSULT, AnswerAfter(8))
        outcome = soon(stage)
        assert isinstance(outcome, ep.Uncertain)
        stage.later()
        stage.idle()
        stage.side.reconcile(stage.who)
        assert stage.entry(outcome.number).state is State.NOT_REGISTERED
        creates = [c for c in stage.sandbox.calls if c.operation is Operation.CREATE]
        assert len(creates) == 1


@pytest.mark.parametrize("policy", ep.UncertainPolicy)
def test_who_follows_a_reference_is_bounded_too(policy: ep.UncertainPolicy, tmp_path: Path) -> None:
    """The second caller gives out what the policy says while the first still sends."""
    with world(tmp_path, "sync", profile=PATIENT, policy=policy) as stage:
        stage.sandbox.script(Operation.CREATE, AnswerAfter(16))
        prescription = sample_prescription(text=mark(), reference="réf")
        first: list[ep.Outcome] = []
        thread = threading.Thread(target=lambda: first.append(stage.side.create(prescription)))
        thread.start()
        eventually(lambda: len(stage.sandbox.calls) == 1)
        second = soon(stage, prescription)
        assert isinstance(second, ep.Uncertain)
        thread.join()
        stage.idle()
        assert isinstance(first[0], ep.Registered)
        assert second.number == first[0].number
        given = policy is ep.UncertainPolicy.PLAIN
        assert [risk.number for risk in stage.risks()] == [second.number] * given


@pytest.mark.parametrize("sending", [True, False], ids=["still sent", "registered"])
def test_paper_given_before_the_reference_was_found_bound_is_a_duplicate_risk(
    sending: bool, side: str, tmp_path: Path
) -> None:
    """Who leaves before the ledger answers is told to give out plain paper, whatever the policy."""
    with world(tmp_path, side, profile=PATIENT) as stage, ThreadPoolExecutor(1) as threads:
        prescription = sample_prescription(text=mark(), reference="réf")
        with ep.Client(stage.settings, clock=stage.clock) as other:
            if sending:
                stage.sandbox.script(Operation.CREATE, AnswerAfter(16))
            first = threads.submit(other.acting_as(stage.who).create, prescription)
            if sending:
                eventually(lambda: len(stage.sandbox.calls) == 1)
            else:
                first.result()
            stage.store.submit(lambda _: time.sleep(1.0))
            second = soon(stage, prescription)
            assert isinstance(second, ep.NotRegistered)
            assert second.advice.step is NextStep.PRINT_PLAIN
            stage.idle()
            registered = first.result()
            assert isinstance(registered, ep.Registered)
        assert [risk.number for risk in stage.risks()] == [registered.number]
        assert stage.sandbox.count(registered.number.value) == len(stage.sandbox.registrations) == 1


def test_what_is_not_sent_any_more_leaves_the_probe_to_others(side: str, tmp_path: Path) -> None:
    """The service is back, and the next call finds it so."""
    card = _Slow(0.0)
    profile = attrs.evolve(PATIENT, breaker_failures=1, breaker_pause=0.01)
    with world(tmp_path, side, profile=profile, who=practitioner(assertions=card)) as stage:
        with stage.sandbox.refusing_connections():
            stage.side.create(sample_prescription(), wait=0.6)
        stage.idle()
        breaker = stage.side.client._core.breaker  # noqa: SLF001
        assert breaker.open
        card.seconds = 1.0
        stage.who.forget()
        assert isinstance(soon(stage), ep.NotRegistered)
        stage.idle()
        assert stage.sandbox.calls == []
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)
        assert not breaker.open


def test_closing_ends_what_goes_on_and_leaves_word(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, profile=PATIENT) as stage:
        stage.sandbox.script(Operation.CREATE, AnswerAfter(60))
        outcome = soon(stage)
        started = time.monotonic()
        stage.side.close()
        assert time.monotonic() - started < 4
        entry = stage.entry(outcome.number)
        # Its owner is gone and said so: the next process need not wait for the lease.
        assert entry.state is State.UNCERTAIN
        assert entry.lease_until <= stage.clock.now()


def test_closing_under_a_caller_who_waits_is_an_answer_too(tmp_path: Path) -> None:
    with world(tmp_path, profile=PATIENT) as stage:
        stage.sandbox.script(Operation.CREATE, AnswerAfter(60))
        told: list[ep.Outcome] = []
        thread = threading.Thread(
            target=lambda: told.append(stage.side.create(sample_prescription(), wait=3.0))
        )
        thread.start()
        eventually(lambda: len(stage.sandbox.calls) == 1)
        stage.side.close()
        thread.join(20)
        assert [type(outcome) for outcome in told] == [ep.Uncertain]
        assert stage.only_entry().state is State.UNCERTAIN


@pytest.mark.parametrize("wait", [None, 60.0])
def test_a_patient_caller_gets_the_answer(wait: float | None, side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, profile=brief(2.0)) as stage:
        outcome = stage.side.create(sample_prescription(), wait=wait)
        assert isinstance(outcome, ep.Registered)


def test_an_error_reaches_the_caller_who_waits(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        prescription = sample_prescription(reference="réf")
        stage.side.create(prescription)
        other = attrs.evolve(prescription, execution_reading=ep.ExecutionReading.OPPOSED)
        with pytest.raises(ep.ReferenceConflict):
            stage.side.create(other, wait=1.0)

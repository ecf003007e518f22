"""In doubt, only a consult settles; absent is final only past the in-flight horizon (law 1)."""

import threading
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.clock import SimulatedClock
from eprescription_sdk.ledger import State
from eprescription_sdk.model.exchange import StoredPrescription
from eprescription_sdk.model.outcomes import AttemptResult, Cause, NextStep
from eprescription_sdk.sandbox import (
    CommitLate,
    CommitThenDrop,
    DropBeforeCommit,
    ExpiredCredential,
    Operation,
    StaleConsult,
    Unavailable,
)
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.wire.reference_body import ReferenceCodec
from tests.client.harness import LATER, OTHER_RPPS, World, brief, mark, practitioner
from tests.client.harness import world as usual_world

world = partial(usual_world, profile=brief(0.3))
"""Calls here are short: what counts is what comes after them."""


def in_doubt(
    stage: World, *, reference: str | None = None, text: str = "1 par jour"
) -> ep.Uncertain:
    """A prescription that was cut before the service took it."""
    stage.sandbox.script(Operation.CREATE, DropBeforeCommit())
    outcome = stage.side.create(sample_prescription(reference=reference, text=text))
    assert isinstance(outcome, ep.Uncertain)
    return outcome


def test_absent_is_not_final_before_the_horizon(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        outcome = in_doubt(stage)
        stage.clock.advance(timedelta(seconds=stage.settings.profile.in_flight_horizon - 2))
        result = stage.side.reconcile(stage.who, seconds=0.1)
        assert (result.open, result.not_registered) == (1, 0)
        assert stage.entry(outcome.number).state is State.UNCERTAIN

        stage.clock.advance(timedelta(seconds=3))
        result = stage.side.reconcile(stage.who, seconds=0.1)
        assert (result.open, result.not_registered) == (0, 1)
        entry = stage.entry(outcome.number)
        assert (entry.state, entry.cause) == (State.NOT_REGISTERED, Cause.ABSENT.value)
        assert [line.state for line in stage.feed()] == [State.UNCERTAIN, State.NOT_REGISTERED]


def test_reconcile_consults_and_never_creates(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, unique=True, trusted_unique=True) as stage:
        stage.sandbox.script(Operation.CREATE, DropBeforeCommit(), times=100)
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Uncertain)
        stage.later()
        before = len(stage.sandbox.calls)
        stage.side.reconcile(stage.who, seconds=0.1)
        assert {call.operation for call in stage.sandbox.calls[before:]} == {Operation.CONSULT}


def test_reconcile_without_credentials_leaves_it_waiting_visibly(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        outcome = in_doubt(stage)
        stage.later()
        for credentials in ((), (practitioner(OTHER_RPPS),)):
            result = stage.side.reconcile(*credentials)
            assert result == ep.Reconciliation(waiting_for_credentials=1)
        assert stage.entry(outcome.number).state is State.UNCERTAIN
        assert stage.sandbox.calls[-1].operation is not Operation.CREATE


def test_an_expired_session_leaves_it_waiting_visibly(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        in_doubt(stage)
        stage.later()
        stage.sandbox.script(Operation.CONSULT, ExpiredCredential())
        assert stage.side.reconcile(stage.who) == ep.Reconciliation(waiting_for_credentials=1)
        assert stage.side.reconcile(stage.who) == ep.Reconciliation(not_registered=1)


def test_the_next_acting_as_settles_in_the_background(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        stage.sandbox.script(Operation.CONSULT, ExpiredCredential())
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Uncertain)
        assert outcome.waits_for_credentials
        assert stage.entry(outcome.number).state is State.UNCERTAIN
        stage.side.arrive(practitioner(OTHER_RPPS))
        assert stage.entry(outcome.number).state is State.UNCERTAIN
        stage.side.arrive(practitioner())
        stage.side.wait_until(lambda: stage.entry(outcome.number).state is State.REGISTERED)
        assert stage.sandbox.count(outcome.number.value) == 1


def test_closing_ends_what_settles_in_the_background(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, profile=_SLOW) as stage:
        in_doubt(stage)
        stage.sandbox.script(Operation.CONSULT, Unavailable(), times=1000)
        stage.side.arrive(practitioner())
        stage.side.wait_until(lambda: len(stage.sandbox.calls) > 4)
        started = time.monotonic()
        stage.side.close()
        assert time.monotonic() - started < 2
        assert not [t for t in threading.enumerate() if t.name.startswith("eprescription-behind")]
        seen = len(stage.sandbox.calls)
        time.sleep(0.3)
        assert len(stage.sandbox.calls) == seen


_SLOW = ep.ServiceProfile(
    connect_timeout=1, attempt_timeout=1, deadline=4, backoff_base=0.01, backoff_cap=0.05
)


@pytest.mark.parametrize("policy", ep.UncertainPolicy)
def test_the_advice_while_uncertain_is_the_policy(
    policy: ep.UncertainPolicy, side: str, tmp_path: Path
) -> None:
    with world(tmp_path, side, policy=policy) as stage:
        step = in_doubt(stage).advice.step
    assert step is (NextStep.HOLD if policy is ep.UncertainPolicy.HOLD else NextStep.PRINT_PLAIN)


def registered_unknown(stage: World) -> ep.Uncertain:
    """A prescription that is registered, and whose call ended without knowing."""
    stage.sandbox.script(Operation.CREATE, CommitThenDrop())
    stage.sandbox.script(Operation.CONSULT, ExpiredCredential())
    outcome = stage.side.create(sample_prescription())
    assert isinstance(outcome, ep.Uncertain)
    return outcome


@pytest.mark.parametrize("policy", ep.UncertainPolicy)
def test_plain_paper_then_registered_is_a_duplicate_risk(
    policy: ep.UncertainPolicy, side: str, tmp_path: Path
) -> None:
    with world(tmp_path, side, policy=policy) as stage:
        outcome = registered_unknown(stage)
        assert stage.risks() == ()
        stage.side.reconcile(stage.who)
        assert stage.entry(outcome.number).state is State.REGISTERED
        if policy is ep.UncertainPolicy.HOLD:
            assert stage.risks() == ()
            return
        (risk,) = stage.risks()
        assert risk.number == outcome.number
        # It stays until a person closes it, whatever else happens.
        stage.side.reconcile(stage.who)
        stage.side.consult(outcome.number)
        assert len(stage.risks()) == 1
        closed = stage.side.client.close_duplicate_risk(
            outcome.number, by="Camille", reason="papier repris"
        )
        assert closed
        assert stage.risks() == ()
        assert not stage.side.client.close_duplicate_risk(
            outcome.number, by="Camille", reason="encore"
        )


def test_a_registration_sighted_after_all_reopens_the_entry(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        number = sighted_late(stage)
        assert stage.entry(number).state is State.NOT_REGISTERED
        stage.side.consult(number)
        assert stage.entry(number).state is State.REGISTERED
        # After NotRegistered the patient left with paper, whatever the policy.
        assert [risk.number for risk in stage.risks()] == [number]
        assert stage.feed()[-1].state is State.REGISTERED


def sighted_late(stage: World, reference: str | None = None) -> ep.PrescriptionNumber:
    """A prescription that is registered although the ledger came to think it absent."""
    stage.sandbox.script(Operation.CREATE, CommitThenDrop())
    # Stale for longer than the horizon: what no service may do, and one day does.
    stage.sandbox.script(Operation.CONSULT, StaleConsult(16))
    outcome = stage.side.create(sample_prescription(reference=reference))
    assert isinstance(outcome, ep.Uncertain)
    stage.later()
    assert stage.side.reconcile(stage.who).not_registered == 1
    time.sleep(0.8)
    return outcome.number


def test_a_late_sighting_whose_reference_is_taken_by_its_successor(
    side: str, tmp_path: Path
) -> None:
    """The reference was free again, so a second number was registered: that is the risk."""
    with world(tmp_path, side) as stage:
        late = sighted_late(stage, reference="réf")
        successor = stage.side.create(sample_prescription(reference="réf"))
        assert isinstance(successor, ep.Registered)
        stage.side.consult(late)
        assert stage.entry(late).state is State.REGISTERED
        assert [risk.number for risk in stage.risks()] == [late]
        # The reference still answers with what it is bound to.
        again = stage.side.create(
            attrs.evolve(sample_prescription(reference="réf"), issued_at=None)
        )
        assert isinstance(again, ep.Registered)
        assert again.number == successor.number


@attrs.define
class _Altering(ReferenceCodec):
    """A codec whose consult answers differ from what the service said."""

    change: dict[str, Any] = attrs.Factory(dict)

    def decode_consult(self, body: bytes) -> StoredPrescription | None:
        stored = super().decode_consult(body)
        return attrs.evolve(stored, **self.change) if stored else None


def test_without_an_echo_number_and_prescriber_suffice(side: str, tmp_path: Path) -> None:
    codec = _Altering({"fingerprint": None})
    with world(tmp_path, side, codec=codec) as stage:
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)


def test_other_content_under_our_number_is_neither_registered_nor_absent(
    side: str, tmp_path: Path
) -> None:
    """It may be ours, rewritten by the service: to call it absent could register it twice."""
    codec = _Altering({"fingerprint": "autre"})
    with world(tmp_path, side, codec=codec) as stage:
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Uncertain)
        stage.later()
        assert stage.side.reconcile(stage.who, seconds=0.1).open == 1
        codec.change = {}
        assert stage.side.reconcile(stage.who).registered == 1


def test_somebody_elses_prescription_under_our_number_is_not_ours(
    side: str, tmp_path: Path
) -> None:
    codec = _Altering({"fingerprint": None, "prescriber": OTHER_RPPS})
    with world(tmp_path, side, codec=codec) as stage:
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Uncertain)
        stage.later()
        assert stage.side.reconcile(stage.who).not_registered == 1


def test_a_consult_answered_with_another_prescription_is_no_answer(
    side: str, tmp_path: Path
) -> None:
    """A doctor must never be shown the prescription of another patient."""
    codec = _Altering({"number": ep.PrescriptionNumber("AUTRE")})
    with world(tmp_path, side, codec=codec) as stage:
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        with pytest.raises(ep.UnreadableReply):
            stage.side.consult(outcome.number)


def test_message_ids_do_not_pile_up_while_it_waits(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        outcome = in_doubt(stage)
        for _ in range(3):
            stage.side.reconcile(stage.who, seconds=0.05)
        created = [a.message_id for a in outcome.attempts if a.operation == "create"]
        assert list(stage.entry(outcome.number).message_ids) == created


class _Jumping(ReferenceCodec):
    """Reads a consult, and the machine's clock is set ahead meanwhile."""

    clock: SimulatedClock

    def decode_consult(self, body: bytes) -> StoredPrescription | None:
        stored = super().decode_consult(body)
        self.clock.advance(LATER)
        return stored


def test_a_clock_set_ahead_does_not_end_the_horizon(side: str, tmp_path: Path) -> None:
    """The request is on its way while the service says "absent": that proves nothing yet."""
    codec = _Jumping()
    with usual_world(tmp_path, side, codec=codec) as stage:
        codec.clock = stage.clock
        stage.sandbox.script(Operation.CREATE, CommitLate(12))
        outcome = stage.side.create(sample_prescription())
        results = [attempt.result for attempt in outcome.attempts]
        assert results.count(AttemptResult.ABSENT) > 1
        assert isinstance(outcome, ep.Registered)
        stage.agrees()


def test_late_commits_land_before_the_horizon(side: str, tmp_path: Path) -> None:
    with usual_world(tmp_path, side) as stage:
        content = mark()
        stage.sandbox.script(Operation.CREATE, CommitLate(16))
        prescription = sample_prescription(text=content, reference="réf")
        outcome = stage.side.create(prescription, wait=0.35)
        assert isinstance(outcome, ep.Uncertain)
        # Asked again at once, it is consulted, not created.
        again = stage.side.create(prescription)
        assert isinstance(again, ep.Registered)
        assert again.number == outcome.number
        assert stage.holding(content) == 1

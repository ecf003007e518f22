"""In doubt, only a consult settles; absent is final only past the in-flight horizon (law 1)."""

import random
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.client.breaker import Permit
from eprescription_sdk.client.doubt import Finding, agrees, settle_doubt
from eprescription_sdk.client.effects import Send
from eprescription_sdk.clock import SimulatedClock
from eprescription_sdk.ledger import Entry, State
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
from eprescription_sdk.testing import SAMPLE_RPPS, sample_prescription
from eprescription_sdk.wire.reference_body import ReferenceCodec
from tests.client.by_hand import (
    SAID,
    Answer,
    Begun,
    Codec,
    Hand,
    absent,
    accepted,
    after,
    by_hand,
    fault,
    found,
    holds,
    lost,
    took,
    unavailable,
    unreached,
)
from tests.client.harness import LATER, OTHER_RPPS, SCALE, World, brief, mark, practitioner
from tests.client.harness import world as usual_world

world = partial(usual_world, profile=brief(0.6))
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
        stage.clock.advance(timedelta(seconds=stage.settings.profile.in_flight_horizon - 6))
        result = stage.side.reconcile(stage.who, seconds=0.3)
        assert (result.open, result.not_registered) == (1, 0)
        assert stage.entry(outcome.number).state is State.UNCERTAIN

        stage.clock.advance(timedelta(seconds=7))
        result = stage.side.reconcile(stage.who, seconds=0.3)
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
        stage.side.reconcile(stage.who, seconds=0.3)
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
    stage.sandbox.script(Operation.CONSULT, StaleConsult(24))
    outcome = stage.side.create(sample_prescription(reference=reference))
    assert isinstance(outcome, ep.Uncertain)
    stage.later()
    assert stage.side.reconcile(stage.who).not_registered == 1
    time.sleep(24 * SCALE)
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
        assert stage.side.reconcile(stage.who, seconds=0.3).open == 1
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
        outcome = stage.side.create(prescription, wait=0.7)
        assert isinstance(outcome, ep.Uncertain)
        # Asked again at once, it is consulted, not created.
        again = stage.side.create(prescription)
        assert isinstance(again, ep.Registered)
        assert again.number == outcome.number
        assert stage.holding(content) == 1


# --- by hand -----------------------------------------------------------------------------------


class TestByHand:
    """Every way that a doubt can end, request by request."""

    @pytest.fixture(autouse=True)
    def longest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of all random pauses the longest."""
        monkeypatch.setattr(random, "uniform", lambda _, high: high)

    @pytest.fixture
    def hand(self, tmp_path: Path) -> Iterator[Hand]:
        with by_hand(tmp_path) as made:
            yield made

    def doubted(self, hand: Hand, **changes: Any) -> Entry:
        """An entry in doubt, whose last bytes left at the start."""
        hand.run(hand.create().run(), unavailable(retry_after=20))
        ((number,),) = hand.core.store.write(lambda tx: tx.execute("SELECT number FROM ledger"))
        entry = hand.entry(ep.PrescriptionNumber(number))
        assert entry is not None
        hand.core.breaker.answered()
        hand.asked.clear()
        return attrs.evolve(entry, **changes)

    def settle(self, hand: Hand, *answers: Answer, seconds: float = 25, **how: Any) -> Finding:
        entry = how.pop("entry", None) or self.doubted(hand)
        return hand.run(settle_doubt(hand.line(seconds), entry, **how), *answers)

    def test_found(self, hand: Hand) -> None:
        assert self.settle(hand, took(2, found)) == Finding(registered=True, registered_at=SAID)

    def test_what_this_call_sent_starts_the_horizon(self, hand: Hand) -> None:
        entry = self.doubted(hand)
        hand.clock.move(130)
        sent = hand.clock.now()
        finding = self.settle(hand, absent, seconds=0.1, entry=entry, sent_at=sent)
        assert finding == Finding(registered=None, last_send_at=sent)

    def test_a_clock_that_is_set_ahead_meanwhile_proves_nothing(self, hand: Hand) -> None:
        def ahead(hand: Hand, request: ep.HttpRequest) -> ep.HttpReply | ep.TransportFailure:
            hand.clock.slept = 1000
            return absent(hand, request)

        assert self.settle(hand, ahead, absent, absent, seconds=1).registered is None

    @pytest.mark.parametrize(("moment", "settled"), [(119, False), (120, True), (121, True)])
    def test_absent_proves_something_from_the_horizon_on(
        self, hand: Hand, moment: float, settled: bool
    ) -> None:
        entry = self.doubted(hand)
        hand.clock.move(moment)
        finding = self.settle(hand, absent, seconds=0.1, entry=entry)
        assert finding == Finding(registered=False if settled else None)

    def test_the_horizon_is_that_of_the_last_send_of_the_consults_own_time(
        self, hand: Hand
    ) -> None:
        """A consult that left before it proves nothing, however late it is answered."""
        entry = self.doubted(hand, last_send_at=after(-115))
        finding = self.settle(hand, took(9, absent), absent, entry=entry)
        assert finding.registered is False
        assert hand.slept() == [0.2]

    def test_the_pauses_double_and_end_with_the_call(self, hand: Hand) -> None:
        finding = self.settle(hand, *[absent] * 4, seconds=2.9)
        assert finding.registered is None
        assert hand.slept() == [0.2, 0.4, 0.8]

    @pytest.mark.parametrize(("asked", "slept"), [(3, [3.0]), (10, [10.0]), (11, []), (24, [])])
    def test_a_pause_that_is_asked_for(self, hand: Hand, asked: float, slept: list[float]) -> None:
        answers = [unavailable(retry_after=asked), *[found] * len(slept)]
        assert self.settle(hand, *answers).registered is (True if slept else None)
        assert hand.slept() == slept

    def test_a_pause_to_the_end_of_the_call_is_not_made(self, hand: Hand) -> None:
        assert self.settle(hand, unavailable(retry_after=9), seconds=9).registered is None
        assert hand.slept() == []

    def test_a_longer_backoff_than_is_waited_for_on_demand(self, tmp_path: Path) -> None:
        profile = ep.ServiceProfile(retry_after_cap=0.3)
        with by_hand(tmp_path, profile=profile) as hand:
            finding = self.settle(hand, absent, absent, absent, found)
            assert finding.registered
            assert hand.slept() == [0.2, 0.4, 0.8]

    def test_the_credential_is_refused(self, hand: Hand) -> None:
        assert self.settle(hand, fault("sdkref_auth")) == Finding(
            registered=None, waits_for_credentials=True
        )

    def test_there_is_no_credential(self, hand: Hand) -> None:
        entry = self.doubted(hand)
        hand.who.forget()
        hand.card.gone = True
        assert self.settle(hand, entry=entry) == Finding(
            registered=None, waits_for_credentials=True
        )

    def test_another_fault_is_asked_about_again(self, hand: Hand) -> None:
        assert self.settle(hand, fault("sdkref_invalid"), found).registered

    @pytest.mark.parametrize("patient", [True, False])
    def test_a_service_that_is_left_alone_is_waited_for_or_not(
        self, hand: Hand, patient: bool
    ) -> None:
        entry = self.doubted(hand)
        for _ in range(10):
            hand.core.breaker.unanswered(Permit(probe=False), hand.clock.monotonic())
        answers = [found] * patient
        finding = self.settle(hand, *answers, entry=entry, patient=patient)
        assert finding.registered is (True if patient else None)
        assert not finding.waits_for_credentials
        assert bool(hand.slept()) is patient

    @pytest.mark.parametrize(
        ("fingerprint", "prescriber", "registered"),
        [
            ("", SAMPLE_RPPS, True),
            ("", OTHER_RPPS, True),
            (None, SAMPLE_RPPS, True),
            (None, OTHER_RPPS, False),
            ("other", OTHER_RPPS, False),
            ("other", SAMPLE_RPPS, None),
        ],
    )
    def test_whose_it_is(
        self,
        hand: Hand,
        fingerprint: str | None,
        prescriber: ep.Rpps,
        registered: bool | None,
    ) -> None:
        entry = self.doubted(hand)
        hand.clock.move(200)
        finding = self.settle(hand, holds(fingerprint, prescriber), entry=entry, seconds=0.1)
        assert finding.registered is registered

    def test_a_tombstone_knows_the_number_alone(self, hand: Hand) -> None:
        entry = self.doubted(hand, rpps=ep.Rpps(""), fingerprint="")
        assert self.settle(hand, holds(None, OTHER_RPPS), entry=entry).registered

    def test_what_is_held_under_another_number_is_not_ours(self, hand: Hand) -> None:
        entry = self.doubted(hand)
        stored = StoredPrescription(
            number=ep.PrescriptionNumber("AUTRE"),
            prescriber=SAMPLE_RPPS,
            registered_at=None,
            fingerprint=hand.codec.frozen,
        )
        assert not agrees(hand.core, entry, stored)
        assert agrees(hand.core, entry, attrs.evolve(stored, number=entry.number))

    def test_an_answer_about_another_number_proves_nothing(self, hand: Hand) -> None:
        def mistaken(hand: Hand, request: ep.HttpRequest) -> ep.HttpReply | ep.TransportFailure:
            reply = holds(None, OTHER_RPPS)(hand, request)
            assert hand.codec.stored is not None
            other = ep.PrescriptionNumber("AUTRE")
            hand.codec.stored = attrs.evolve(hand.codec.stored, number=other)
            return reply

        entry = self.doubted(hand)
        hand.clock.move(200)
        assert self.settle(hand, mistaken, entry=entry, seconds=0.1).registered is None

    def test_a_codec_that_cannot_ask(self, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
        entry = self.doubted(hand)
        monkeypatch.setattr(Codec, "encode_consult", lambda *_: 1 / 0)
        assert self.settle(hand, entry=entry) == Finding(registered=None)
        assert hand.asked == []

    # --- sent again, where a number is accepted once ---

    @pytest.fixture
    def unique(self, tmp_path: Path) -> Iterator[Hand]:
        profile = ep.ServiceProfile(unique_by_number=True, max_attempts=3)
        with by_hand(tmp_path, profile=profile) as made:
            yield made

    def test_absent_then_sent_again(self, unique: Hand) -> None:
        outcome = unique.run(
            unique.create().run(), took(1, lost), took(2, absent), took(3, accepted)
        )
        assert isinstance(outcome, ep.Registered)
        assert unique.sent() == ["create", "consult", "create"]
        assert unique.slept() == []
        assert outcome.registered_at == SAID

    def test_what_was_asked_does_not_count_as_sent(self, unique: Hand) -> None:
        outcome = unique.run(
            unique.create().run(), lost, lost, lost, lost, took(1, absent), took(1, accepted)
        )
        assert isinstance(outcome, ep.Registered)

    def test_sent_again_while_anything_is_left(self, unique: Hand) -> None:
        outcome = unique.run(unique.create().run(), took(1, lost), took(23.5, absent), accepted)
        assert isinstance(outcome, ep.Registered)

    def test_sent_again_as_often_as_the_profile_says(self, unique: Hand) -> None:
        outcome = unique.run(
            unique.create().run(),
            took(1, lost), absent, took(1, lost), absent, took(1, lost), absent, took(20, absent),
        )  # fmt: skip
        assert isinstance(outcome, ep.Uncertain)
        assert unique.sent().count("create") == 3
        entry = unique.entry(outcome.number)
        assert entry is not None
        # The pauses: after the first and after the second time it was sent again.
        assert entry.last_send_at == after(3 + 0.2)

    def test_what_cannot_have_arrived_does_not_start_the_horizon_again(self, unique: Hand) -> None:
        outcome = unique.run(
            unique.create().run(),
            took(1, lost), absent, took(1, unreached), absent, took(1, fault("sdkref_unavailable")),
            took(25, absent),
        )  # fmt: skip
        assert isinstance(outcome, ep.Uncertain)
        entry = unique.entry(outcome.number)
        assert entry is not None
        assert entry.last_send_at == after(1)

    def test_not_sent_again_when_the_call_is_over(self, unique: Hand) -> None:
        outcome = unique.run(unique.create().run(), took(1, lost), took(24, absent))
        assert isinstance(outcome, ep.Uncertain)
        assert unique.sent() == ["create", "consult"]

    def test_not_sent_again_behind_a_caller_who_got_paper(self, tmp_path: Path) -> None:
        profile = ep.ServiceProfile(unique_by_number=True)
        plain = ep.UncertainPolicy.PLAIN
        with by_hand(tmp_path, profile=profile, uncertain_policy=plain) as hand:
            call = hand.create()
            answers = took(1, lost), took(1, absent), took(25, absent)
            begun = Begun(hand, call.run(), *answers).until(Send)
            begun.step()
            begun.until(Send)
            assert isinstance(call.leave(lambda _: None), ep.Uncertain)
            assert isinstance(begun.finish(), ep.Uncertain)
            assert hand.sent() == ["create", "consult", "consult"]

    def test_an_answer_that_is_not_clear_is_not_answered_with_another_sending(
        self, unique: Hand
    ) -> None:
        outcome = unique.run(
            unique.create().run(), took(1, lost), took(1, holds("other")), took(25, lost)
        )
        assert isinstance(outcome, ep.Uncertain)
        assert unique.sent() == ["create", "consult", "consult"]

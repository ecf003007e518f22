"""The life of a create, effect by effect: what is asked, told and written."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.client.advice import REGISTERED
from eprescription_sdk.client.effects import Authenticate
from eprescription_sdk.errors import Delivery
from eprescription_sdk.ledger import DocumentGiven, Entry, State
from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.faults import Processed
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.outcomes import Attempt, AttemptResult, Cause, NextStep
from eprescription_sdk.model.problems import Level, Problem
from eprescription_sdk.testing import SAMPLE_RPPS, SAMPLE_SITUATION
from tests.client.by_hand import (
    NOW,
    SAID,
    Begun,
    Hand,
    absent,
    accepted,
    after,
    by_hand,
    failed,
    fault,
    found,
    lost,
    prescribed,
    took,
    unavailable,
    unreached,
)
from tests.client.harness import OTHER_RPPS


@pytest.fixture(autouse=True)
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all random pauses the longest."""
    monkeypatch.setattr(random, "uniform", lambda _, high: high)


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    with by_hand(tmp_path) as made:
        yield made


def journalled(hand: Hand, outcome: ep.Outcome, number: PrescriptionNumber | None) -> Entry:
    """The entry of ``prescribed()`` as it is before the first byte."""
    assert number is not None
    assert outcome.subject is not None
    return Entry(
        number=number,
        subject=outcome.subject,
        state=State.SENDING,
        reference=None,
        fingerprint=hand.core.keyed("content", hand.codec.frozen),
        rpps=SAMPLE_RPPS,
        situation=SAMPLE_SITUATION,
        families=frozenset({Family.MEDICATION}),
        document_type=DocumentType.HEALTH_PRODUCTS,
        act=None,
        corrects=None,
        issued_at=NOW - timedelta(minutes=1),
        test_identity=True,
        owner=hand.core.owner,
        epoch=1,
        lease_until=after(30),
        created_at=NOW,
        last_send_at=after(25),
    )


def call(told: ep.Outcome, hand: Hand, **changes: object) -> dict[str, object]:
    """The trace of a call; what is not said is that of one that registered at once."""
    core = hand.core
    return {
        "kind": "CALL", "operation": "create", "initiator": "prescriber", "outcome": "registered",
        "at": hand.clock.now().isoformat(timespec="microseconds"),
        "attempts": len(told.attempts), "duration_ms": round(told.duration * 1000),
        "message_id": told.message_ids[-1] if told.attempts else None,
        "fault_code": None, "fault_origin": None, "subject": told.subject,
        "rpps": core.keyed("rpps", SAMPLE_RPPS.value), "situation": SAMPLE_SITUATION,
        "finess": "330781287", "software": "exemple", "version": "1.0",
        "module": "exemple-ordonnance", "instance": core.settings.instance,
        "environment": "sandbox", "simulation": True, "test_identity": True,
        "clock_offset_ms": 0,
        **changes,
    }  # fmt: skip


def told(hand: Hand, kind: str) -> list[dict[str, object]]:
    return [each for each in hand.traces() if each["kind"] == kind]


# --- registered --------------------------------------------------------------------------------


def test_registered(hand: Hand) -> None:
    hand.pin = 2.0
    outcome = hand.run(hand.create().run(), took(0.25, accepted))
    assert hand.asked == ["journal", ("authenticate", NOW), ("send", "create", 1, 0), "settle"]
    assert isinstance(outcome, ep.Registered)
    assert outcome == ep.Registered(
        attempts=(
            Attempt(
                operation="create",
                message_id=outcome.message_ids[0],
                at=after(2),
                duration=0.25,
                result=AttemptResult.REGISTERED,
            ),
        ),
        duration=2.25,
        advice=REGISTERED,
        simulation=True,
        subject=outcome.subject,
        correlation_id="corr",
        number=outcome.number,
        registered_at=SAID,
    )
    assert hand.entry(outcome.number) == attrs.evolve(
        journalled(hand, outcome, outcome.number),
        state=State.REGISTERED,
        registered_at=SAID,
        message_ids=outcome.message_ids,
        revision=1,
        settled_at=after(2.25),
        lease_until=after(2.25),
    )
    prescription, traced = hand.traces()
    assert traced == call(outcome, hand)
    assert prescription == {
        **{name: value for name, value in traced.items() if name in prescription},
        "kind": "PRESCRIPTION", "act": None, "after": None, "corrects": None, "digital": True,
        "document_type": "57833-6", "families": ["medication"],
        "issued_at": "2026-03-16T09:29:00.000000+00:00", "number": prescription["number"],
        "reason": None, "reason_code": None, "registration": "registered", "revision": 1,
    }  # fmt: skip
    assert prescription["number"]


def test_each_attempt_is_given_what_is_left_of_the_call(hand: Hand) -> None:
    outcome = hand.run(
        hand.create().run(),
        took(9, fault("sdkref_unavailable")),
        took(9, fault("sdkref_unavailable")),
        accepted,
    )
    assert isinstance(outcome, ep.Registered)
    times = [(each.timeout, each.connect_timeout) for each in hand.requests]
    assert times == [(10.0, 3.0), (10.0, 3.0), (pytest.approx(6.4), 3.0)]
    assert hand.slept() == [0.2, 0.4]
    assert [each[2:] for each in hand.asked if each[0] == "send"] == [(1, 0), (2, 1), (3, 2)]


def test_what_is_kept_of_reference_act_and_correction(hand: Hand) -> None:
    refused = hand.run(hand.create().run(), fault("sdkref_invalid"))
    assert isinstance(refused, ep.NotRegistered)
    prescription = prescribed(reference="réf", act="acte", corrects=refused.number)
    outcome = hand.run(hand.create(prescription).run(), accepted)
    assert isinstance(outcome, ep.Registered)
    entry = hand.entry(outcome.number)
    assert entry is not None
    assert entry.reference == hand.core.keyed("reference", "réf")
    assert entry.act == hand.core.keyed("act", "acte")
    assert entry.corrects == refused.number
    trace = told(hand, "PRESCRIPTION")[-1]
    assert trace["act"] == entry.act
    assert trace["corrects"] == told(hand, "PRESCRIPTION")[0]["number"]


def test_issued_now_where_the_host_does_not_say_when(hand: Hand) -> None:
    outcome = hand.run(hand.create(attrs.evolve(prescribed(), issued_at=None)).run(), accepted)
    assert isinstance(outcome, ep.Registered)
    entry = hand.entry(outcome.number)
    assert entry is not None
    assert entry.issued_at == NOW


# --- not registered ----------------------------------------------------------------------------


def test_refused(hand: Hand) -> None:
    outcome = hand.run(hand.create().run(), took(1, fault("sdkref_invalid", sender=True)))
    assert hand.asked[-2:] == [("send", "create", 1, 0), "settle"]
    assert isinstance(outcome, ep.NotRegistered)
    assert (outcome.cause, outcome.problems, outcome.duration) == (Cause.REFUSED, (), 1.0)
    assert outcome.advice.step is NextStep.CORRECT
    assert "contenu" in outcome.advice.text_fr
    assert outcome.attempts[0].fault_code == "sdkref_invalid"
    assert outcome.fault is not None
    assert outcome.fault.processed is Processed.PROCESSED
    assert (outcome.fault.code, outcome.fault.known) == ("sdkref_invalid", True)
    assert hand.entry(outcome.number) == attrs.evolve(
        journalled(hand, outcome, outcome.number),
        state=State.NOT_REGISTERED,
        cause="refused",
        fault_code="sdkref_invalid",
        message_ids=outcome.message_ids,
        revision=1,
        settled_at=after(1),
        lease_until=after(1),
    )
    assert told(hand, "CALL") == [
        call(
            outcome,
            hand,
            outcome="not_registered",
            fault_code="sdkref_invalid",
            fault_origin="software",
        )
    ]
    assert told(hand, "PRESCRIPTION")[0]["registration"] == "not_registered"


def test_refused_for_the_credential_which_is_not_used_again(hand: Hand) -> None:
    outcome = hand.run(hand.create().run(), fault("sdkref_auth"))
    assert isinstance(outcome, ep.NotRegistered)
    assert outcome.cause is Cause.REFUSED
    assert outcome.advice.step is NextStep.PRINT_PLAIN
    assert "carte" in outcome.advice.text_fr
    assert hand.who.cached(hand.clock.now()) is None
    assert told(hand, "CALL")[0]["fault_origin"] == "user"


def test_not_processed_is_tried_again_as_often_as_the_profile_says(hand: Hand) -> None:
    outcome = hand.run(hand.create().run(), *[fault("sdkref_unavailable")] * 5)
    assert isinstance(outcome, ep.NotRegistered)
    assert (outcome.cause, outcome.fault) == (Cause.NOT_SENT, None)
    assert hand.slept() == [0.2, 0.4, 0.8, 1.6]
    entry = hand.entry(outcome.number)
    assert entry is not None
    assert (entry.cause, entry.fault_code) == ("not_sent", "sdkref_unavailable")
    assert entry.message_ids == outcome.message_ids
    assert len(entry.message_ids) == 5
    assert told(hand, "CALL")[0]["fault_origin"] == "service"


@pytest.mark.parametrize(
    ("asked", "slept", "outcome"),
    [
        (3.0, [3.0], ep.Registered),
        (10.0, [10.0], ep.Registered),
        (11.0, [], ep.NotRegistered),
    ],
)
def test_a_pause_that_the_service_asks_for(
    hand: Hand, asked: float, slept: list[float], outcome: type
) -> None:
    answers = [fault("sdkref_unavailable", retry_after=asked), *[accepted] * len(slept)]
    assert type(hand.run(hand.create().run(), *answers)) is outcome
    assert hand.slept() == slept


def test_no_pause_reaches_the_end_of_the_call(hand: Hand) -> None:
    """Nothing would be left for the attempt after it."""
    outcome = hand.run(hand.create().run(), took(16, fault("sdkref_unavailable", retry_after=9)))
    assert isinstance(outcome, ep.NotRegistered)
    assert hand.slept() == []


def test_a_connection_that_is_refused_for_good(hand: Hand) -> None:
    outcome = hand.run(hand.create().run(), failed(Delivery.REJECTED))
    assert isinstance(outcome, ep.NotRegistered)
    assert outcome.cause is Cause.NOT_SENT
    assert outcome.attempts[0].detail == "ConnectError"
    assert told(hand, "CALL")[0]["fault_origin"] == "software"


def test_nobody_is_there(hand: Hand) -> None:
    outcome = hand.run(hand.create().run(), *[unreached] * 5)
    assert isinstance(outcome, ep.NotRegistered)
    assert {each.result for each in outcome.attempts} == {AttemptResult.NOT_SENT}
    assert told(hand, "CALL")[0]["fault_origin"] == "network"


def test_without_a_credential_nothing_is_sent(hand: Hand) -> None:
    hand.card.gone = True
    outcome = hand.run(hand.create().run())
    assert hand.asked == ["journal", ("authenticate", NOW), "settle"]
    assert isinstance(outcome, ep.NotRegistered)
    assert outcome.cause is Cause.NOT_SENT
    assert "session" in outcome.advice.text_fr
    assert outcome.attempts == ()
    assert told(hand, "CALL") == [
        call(outcome, hand, outcome="not_registered", fault_origin="user")
    ]


@pytest.mark.parametrize(("slept", "sent"), [(25.0, True), (26.0, False)])
def test_nothing_is_sent_when_the_machine_slept_past_what_was_journalled(
    hand: Hand, slept: float, sent: bool
) -> None:
    """Its own clock for durations stood still with it; another process may have settled this."""
    begun = Begun(hand, hand.create().run(), accepted).until(Authenticate)
    hand.clock.slept = slept
    outcome = begun.finish()
    assert isinstance(outcome, ep.Registered) is sent
    assert bool(hand.requests) is sent


def test_of_another_prescriber_nothing_is_even_journalled(hand: Hand) -> None:
    other = prescribed()
    prescriber = attrs.evolve(
        other.prescriber,
        rpps=OTHER_RPPS,
        situation=attrs.evolve(other.prescriber.situation, id="cabinet"),
    )
    outcome = hand.run(hand.create(attrs.evolve(other, prescriber=prescriber)).run())
    assert hand.asked == []
    assert isinstance(outcome, ep.NotRegistered)
    assert outcome.problems == tuple(
        Problem(
            level=Level.ERROR,
            code="RX-OTHER-PRESCRIBER",
            path=path,
            text="The prescription is not that of the practitioner who acts.",
            text_fr="L'ordonnance n'est pas au nom du praticien authentifié.",
        )
        for path in ("prescriber.rpps", "prescriber.situation.id")
    )
    assert (outcome.cause, outcome.number, outcome.subject) == (Cause.INVALID, None, None)
    assert outcome.advice.step is NextStep.CORRECT
    assert outcome.advice.text_fr == outcome.problems[0].text_fr


@pytest.mark.parametrize("enrolled", [True, False])
def test_the_walls_of_the_pilot(tmp_path: Path, enrolled: bool) -> None:
    with by_hand(tmp_path, pilot=enrolled, environment=ep.Environment.PRODUCTION) as hand:
        call = hand.create()
        outcome = hand.run(call.run(), *[accepted] * enrolled)
        assert isinstance(outcome, ep.Registered) == enrolled
        if isinstance(outcome, ep.NotRegistered):
            assert hand.asked == ["journal"]
            assert (outcome.cause, outcome.number) == (Cause.NOT_IN_PILOT, None)
            assert outcome.advice.step is NextStep.PRINT_PLAIN
            assert hand.entries() == 0
            assert call.interrupted() is None


# --- in doubt ----------------------------------------------------------------------------------


def test_in_doubt_and_found(hand: Hand) -> None:
    outcome = hand.run(hand.create().run(), took(2, lost), took(1, found))
    assert hand.asked[2:] == [("send", "create", 1, 0), ("send", "consult", 2, 0), "settle"]
    assert isinstance(outcome, ep.Registered)
    assert outcome.registered_at == SAID
    entry = hand.entry(outcome.number)
    assert entry is not None
    # The consult that found it is kept for the support, and it was the last send that counted.
    assert entry.message_ids == outcome.message_ids
    assert (entry.state, entry.registered_at) == (State.REGISTERED, SAID)
    assert told(hand, "CALL") == [call(outcome, hand)]


def test_in_doubt_until_the_call_is_over(hand: Hand) -> None:
    outcome = hand.run(hand.create().run(), took(10, lost), took(7, absent), took(7.9, absent))
    assert hand.sent() == ["create", "consult", "consult"]
    assert isinstance(outcome, ep.Uncertain)
    assert outcome.advice.step is NextStep.HOLD
    assert not outcome.waits_for_credentials
    assert hand.entry(outcome.number) == attrs.evolve(
        journalled(hand, outcome, outcome.number),
        state=State.UNCERTAIN,
        last_send_at=after(10),
        message_ids=outcome.message_ids[:1],
        document=DocumentGiven.NOTHING,
        revision=1,
        settled_at=hand.clock.now(),
        lease_until=hand.clock.now(),
    )
    assert told(hand, "CALL") == [call(outcome, hand, outcome="uncertain", fault_origin="network")]


def test_in_doubt_and_the_service_is_left_alone(tmp_path: Path) -> None:
    """The call waits for the next probe: its caller is still there."""
    profile = ep.ServiceProfile(breaker_failures=1)
    with by_hand(tmp_path, profile=profile) as hand:
        outcome = hand.run(hand.create().run(), took(1, lost), found)
        assert isinstance(outcome, ep.Registered)
        assert sum(hand.slept()) >= profile.breaker_pause


@pytest.mark.parametrize(
    ("spent", "asked", "slept"), [(0, 10, [10.0]), (0, 11, []), (17, 8, [8.0]), (17, 9, [])]
)
def test_a_pause_asked_for_comes_before_the_consult(
    hand: Hand, spent: float, asked: float, slept: list[float]
) -> None:
    answers = [took(spent, unavailable(retry_after=asked)), *[found] * len(slept)]
    outcome = hand.run(hand.create().run(), *answers)
    assert hand.slept() == slept
    assert hand.sent() == ["create", *["consult"] * len(slept)]
    if isinstance(outcome, ep.Uncertain):
        entry = hand.entry(outcome.number)
        assert entry is not None
        assert entry.last_send_at == after(spent)
        assert told(hand, "CALL")[0]["fault_origin"] == "service"


@pytest.mark.parametrize(("spent", "consults"), [(25, 0), (24.9, 1)])
def test_in_doubt_when_the_call_is_over(hand: Hand, spent: float, consults: int) -> None:
    outcome = hand.run(hand.create().run(), took(spent, lost), *[took(1, absent)] * consults)
    assert isinstance(outcome, ep.Uncertain)
    assert hand.sent() == ["create", *["consult"] * consults]
    entry = hand.entry(outcome.number)
    assert entry is not None
    assert entry.last_send_at == after(spent)
    assert told(hand, "CALL")[0]["fault_origin"] == "network"


def test_in_doubt_and_absent_past_the_horizon(tmp_path: Path) -> None:
    with by_hand(tmp_path, profile=ep.ServiceProfile(in_flight_horizon=10.0)) as hand:
        outcome = hand.run(hand.create().run(), took(1, lost), took(10, absent), absent)
        assert isinstance(outcome, ep.NotRegistered)
        assert (outcome.cause, outcome.fault) == (Cause.ABSENT, None)
        entry = hand.entry(outcome.number)
        assert entry is not None
        assert (entry.state, entry.cause) == (State.NOT_REGISTERED, "absent")
        assert told(hand, "CALL")[0]["fault_origin"] == "network"


# --- the same reference ------------------------------------------------------------------------


def bound(hand: Hand, *answers: object) -> ep.Outcome:
    """The first call of a reference."""
    return hand.run(hand.create(prescribed(reference="réf")).run(), *answers)  # type: ignore[arg-type]


def test_the_same_reference_has_the_same_outcome(hand: Hand) -> None:
    first = bound(hand, accepted)
    assert isinstance(first, ep.Registered)
    hand.asked.clear()
    again = bound(hand)
    assert hand.asked == ["journal"]
    assert isinstance(again, ep.Registered)
    assert (again.number, again.registered_at) == (first.number, SAID)
    assert (again.subject, again.attempts) == (first.subject, ())
    assert len(hand.traces()) == 2


def test_the_same_reference_with_other_content(hand: Hand) -> None:
    bound(hand, accepted)
    other = attrs.evolve(prescribed(reference="réf"), issued_at=NOW)
    with pytest.raises(ep.ReferenceConflict) as caught:
        hand.run(hand.create(other).run())
    assert caught.value.path == "reference"
    assert caught.value.way_out == "Give a new prescription a new reference."


def test_the_time_that_the_host_did_not_give_is_no_other_content(hand: Hand) -> None:
    given = attrs.evolve(prescribed(reference="réf"), issued_at=None)
    first = hand.run(hand.create(given).run(), accepted)
    hand.clock.move(60)
    again = hand.run(hand.create(given).run())
    assert isinstance(first, ep.Registered)
    assert isinstance(again, ep.Registered)
    assert again.number == first.number


def test_a_reference_that_another_call_sends_is_waited_for(hand: Hand) -> None:
    """Its owner died: its lease runs out, and whoever waits settles it by consulting."""
    held(hand, lease=12.02)
    call = hand.create(prescribed(reference="réf"))
    outcome = hand.run(call.run(), took(0.25, found))
    assert isinstance(outcome, ep.Registered)
    assert set(hand.slept()) == {0.05}
    assert len(hand.slept()) == 241
    assert hand.sent() == ["consult"]
    entry = hand.entry(outcome.number)
    assert entry is not None
    assert (entry.state, entry.epoch, entry.owner) == (State.REGISTERED, 2, hand.core.owner)
    (traced,) = told(hand, "CALL")
    assert (traced["outcome"], traced["attempts"]) == ("registered", 1)


def held(hand: Hand, *, lease: float) -> None:
    """Journal the sample under its reference, as a call that goes no further."""
    engine = hand.create(prescribed(reference="réf")).run()
    hand.do(engine.send(None))
    engine.close()
    hand.core.store.write(
        lambda tx: tx.execute(
            "UPDATE ledger SET lease_until = ?, owner = 'another'",
            (after(lease).isoformat(timespec="microseconds"),),
        )
    )
    hand.asked.clear()


def test_a_lease_that_ends_now_is_over(hand: Hand) -> None:
    held(hand, lease=0)
    outcome = hand.run(hand.create(prescribed(reference="réf")).run(), found)
    assert isinstance(outcome, ep.Registered)
    assert hand.slept() == []


def test_a_reference_is_waited_for_to_the_end_of_the_call(tmp_path: Path) -> None:
    profile = ep.ServiceProfile(deadline=0.12, attempt_timeout=0.1, connect_timeout=0.1)
    with by_hand(tmp_path, profile=profile) as hand:
        held(hand, lease=60)
        outcome = hand.run(hand.create(prescribed(reference="réf")).run())
        assert isinstance(outcome, ep.Uncertain)
        assert hand.slept()[:3] == [0.05, 0.05, 0.02]
        assert outcome.duration < 0.13


def test_a_reference_that_another_call_still_sends_when_this_one_is_over(hand: Hand) -> None:
    held(hand, lease=60)
    outcome = hand.run(hand.create(prescribed(reference="réf")).run())
    assert isinstance(outcome, ep.Uncertain)
    assert hand.sent() == []
    assert outcome.duration == pytest.approx(25)
    assert hand.asked[-1] == "settle"
    entry = hand.entry(outcome.number)
    assert entry is not None
    # Its own prescriber keeps the document: nothing is noted, and nothing is traced.
    assert (entry.state, entry.document) == (State.SENDING, None)
    assert hand.traces() == []


def test_plain_paper_is_noted_where_another_call_still_sends(tmp_path: Path) -> None:
    with by_hand(tmp_path, uncertain_policy=ep.UncertainPolicy.PLAIN) as hand:
        held(hand, lease=60)
        outcome = hand.run(hand.create(prescribed(reference="réf")).run())
        assert isinstance(outcome, ep.Uncertain)
        assert outcome.advice.step is NextStep.PRINT_PLAIN
        entry = hand.entry(outcome.number)
        assert entry is not None
        assert entry.document is DocumentGiven.PLAIN


def test_a_reference_whose_call_came_to_nothing_while_it_was_waited_for(hand: Hand) -> None:
    held(hand, lease=60)
    engine = hand.create(prescribed(reference="réf")).run()
    waiting = engine.send(hand.do(engine.send(None)))
    hand.do(waiting)
    hand.core.store.write(
        lambda tx: tx.execute(
            "UPDATE ledger SET state = 'not_registered', cause = 'refused',"
            " fault_code = 'sdkref_auth'"
        )
    )
    looked = engine.send(None)
    with pytest.raises(StopIteration) as stop:
        engine.send(hand.do(looked))
    outcome = stop.value.value
    assert isinstance(outcome, ep.NotRegistered)
    assert outcome.cause is Cause.REFUSED
    assert outcome.fault is not None
    assert outcome.fault.code == "sdkref_auth"
    assert "carte" in outcome.advice.text_fr


# --- the minter --------------------------------------------------------------------------------


@attrs.frozen
class Minter:
    number: str
    simulated: bool = True

    def mint(self, prescription: ep.Prescription) -> PrescriptionNumber:
        return PrescriptionNumber(self.number)


def test_a_number_that_breaks_the_rule(hand: Hand) -> None:
    hand.core = attrs.evolve(hand.core, minter=Minter("pas un numéro"))
    with pytest.raises(ep.ConfigurationError) as caught:
        hand.run(hand.create().run())
    assert caught.value.path == "minter"
    assert caught.value.way_out == "A number has 1 to 64 digits and capital letters."
    assert hand.asked == []


def test_a_number_that_was_given_before(hand: Hand) -> None:
    hand.core = attrs.evolve(hand.core, minter=Minter("FAKE1"))
    assert isinstance(hand.run(hand.create().run(), accepted), ep.Registered)
    with pytest.raises(ep.ConfigurationError) as caught:
        hand.run(hand.create().run())
    assert caught.value.path == "minter"
    assert caught.value.way_out is not None
    assert "restored backup" in caught.value.way_out
    assert hand.asked[-1] == "journal"


# --- who waits ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wait", "patience"), [(None, None), (3.0, 3.0), (24.9, 24.9), (25.0, None), (60.0, None)]
)
def test_the_caller_leaves_before_the_call_ends_or_not_at_all(
    hand: Hand, wait: float | None, patience: float | None
) -> None:
    assert hand.create(wait=wait).patience == patience


@pytest.mark.parametrize("wait", [0.0, -1.0, float("nan")])
def test_a_time_to_wait_that_is_none(hand: Hand, wait: float) -> None:
    with pytest.raises(ep.InvalidInput) as caught:
        _ = hand.create(wait=wait).patience
    assert caught.value.path == "wait"

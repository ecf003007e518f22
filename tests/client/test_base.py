"""What a client does without the service: paper records, volumes, the feed, duplicate risks."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import eprescription_sdk as ep
from eprescription_sdk.clock import paris_day
from eprescription_sdk.ledger import DocumentGiven
from eprescription_sdk.sandbox import CommitThenDrop, ExpiredCredential, FaultCode, Operation
from eprescription_sdk.testing import SAMPLE_RPPS, sample_prescription
from tests.client.harness import OTHER_RPPS, World, practitioner, traces, world

PAPER: dict[str, Any] = {
    "families": {ep.Family.MEDICATION},
    "reason": ep.NonDigitalReason.SERVICE_FAILURE,
}

WRONG_PAPER: dict[str, tuple[dict[str, Any], str]] = {
    "no family": ({"families": set()}, "families"),
    "a number that is none": ({"after": ep.PrescriptionNumber("a b")}, "after"),
    "a time without its offset": ({"issued_at": datetime(2026, 3, 2)}, "issued_at"),  # noqa: DTZ001
    "a code for another reason": ({"reason_code": "A1"}, "reason_code"),
    **{
        f"as a code: {text!r}": (
            {"reason": ep.NonDigitalReason.OTHER, "reason_code": text}, "reason_code"
        )
        for text in ("", "DUPONT", "a1", "1", "2990999", "A1234", "É1", "A1\n", "A 1")
    },
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_PAPER)
def test_a_paper_record_that_says_something_wrong_is_refused(
    name: str, side: str, tmp_path: Path
) -> None:
    change, path = WRONG_PAPER[name]
    with world(tmp_path, side, pilot=True) as stage:
        with pytest.raises(ep.InvalidInput) as caught:
            stage.side.paper(**PAPER | change)
        assert caught.value.path == path
        assert traces(stage.store) == []


def test_every_reason_is_recorded_and_other_may_have_a_code(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, pilot=True) as stage:
        for reason in ep.NonDigitalReason:
            assert stage.side.paper(families={ep.Family.DEVICE}, reason=reason)
        other = ep.NonDigitalReason.OTHER
        for code in ("A", "IMP", "X1", "ECR123"):
            assert stage.side.paper(families={ep.Family.DEVICE}, reason=other, reason_code=code)
        kept = [(trace["reason"], trace["reason_code"]) for trace in traces(stage.store)]
    assert kept[: len(ep.NonDigitalReason)] == [(each.value, None) for each in ep.NonDigitalReason]
    assert kept[len(ep.NonDigitalReason) :] == [
        ("other", code) for code in ("A", "IMP", "X1", "ECR123")
    ]


def _lost(stage: World) -> ep.Uncertain:
    """Registered, and nobody knows."""
    stage.sandbox.script(Operation.CREATE, CommitThenDrop())
    stage.sandbox.script(Operation.CONSULT, ExpiredCredential())
    outcome = stage.side.create(sample_prescription())
    assert isinstance(outcome, ep.Uncertain)
    return outcome


def test_paper_given_after_all_is_a_risk_once_the_prescription_is_found(
    side: str, tmp_path: Path
) -> None:
    """The host was to hold the document, and says now that the patient left with paper."""
    with world(tmp_path, side, policy=ep.UncertainPolicy.HOLD) as stage:
        outcome = _lost(stage)
        stage.side.paper(**PAPER, after=outcome.number)
        assert stage.entry(outcome.number).document is DocumentGiven.PLAIN
        assert stage.risks() == ()
        stage.later()
        assert stage.side.reconcile(stage.who).registered == 1
        assert [risk.number for risk in stage.risks()] == [outcome.number]


def test_paper_in_place_of_a_registered_prescription_is_a_risk_at_once(
    side: str, tmp_path: Path
) -> None:
    with world(tmp_path, side) as stage:
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        stage.side.paper(**PAPER, after=outcome.number)
        assert [risk.number for risk in stage.risks()] == [outcome.number]


def test_paper_after_a_refused_one_is_no_risk(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, pilot=True) as stage:
        stage.sandbox.script(Operation.CREATE, FaultCode("sdkref_invalid", sender=True))
        outcome = stage.side.create(sample_prescription())
        assert stage.side.paper(**PAPER, after=outcome.number)
        assert stage.risks() == ()
        *_, paper = traces(stage.store)
    assert paper["after"] is not None


def test_nobody_raises_a_risk_on_the_prescription_of_another(tmp_path: Path) -> None:
    with world(tmp_path) as stage:
        outcome = stage.side.create(sample_prescription())
        client = stage.side.client
        assert isinstance(client, ep.Client)
        other = client.acting_as(practitioner(OTHER_RPPS))
        other.record_non_digital(**PAPER, after=outcome.number)
        assert stage.risks() == ()


WRONG_VOLUMES: dict[str, tuple[dict[str, Any], str]] = {
    "an RPPS that breaks its key": ({"prescriber": ep.Rpps("10001234567")}, "prescriber"),
    "tomorrow": ({"day": paris_day(datetime.now(UTC)) + timedelta(days=2)}, "day"),
    "a moment": ({"day": datetime(2026, 3, 2, tzinfo=UTC)}, "day"),
    "a negative count": ({"documents": -1}, "documents"),
    "half a document": ({"documents": 0.5}, "documents"),
    "more than a hand can sign": ({"documents": 10_001}, "documents"),
}


@pytest.mark.parametrize("name", WRONG_VOLUMES)
def test_a_volume_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    change, path = WRONG_VOLUMES[name]
    right: dict[str, Any] = {"prescriber": SAMPLE_RPPS, "day": date(2026, 3, 2), "documents": 41}
    with world(tmp_path) as stage:
        with pytest.raises(ep.InvalidInput) as caught:
            stage.side.client.declare_volume(**right | change)
        assert caught.value.path == path
        assert "10001234567" not in str(caught.value)
        assert stage.store.read(lambda tx: tx.execute("SELECT * FROM volumes")) == []
        today = paris_day(stage.clock.now())
        stage.side.client.declare_volume(**right | {"day": today, "documents": 0})


def test_a_risk_is_closed_by_a_person_with_a_reason(tmp_path: Path) -> None:
    with world(tmp_path) as stage:
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        stage.side.paper(**PAPER, after=outcome.number)
        close = stage.side.client.close_duplicate_risk
        for by, reason, path in (
            ("", "repris", "by"),
            (" ", "repris", "by"),
            ("C", "\t", "reason"),
        ):
            with pytest.raises(ep.InvalidInput) as caught:
                close(outcome.number, by=by, reason=reason)
            assert caught.value.path == path
        assert len(stage.risks()) == 1
        assert close(outcome.number, by="Camille", reason="papier repris")
        assert stage.risks() == ()


def test_several_consumers_read_the_feed_at_their_own_pace(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        first = stage.side.create(sample_prescription())
        whole = stage.feed()
        assert [line.number for line in whole] == [first.number]
        second = stage.side.create(sample_prescription())
        stage.store.write(lambda _: None)
        late = list(stage.side.client.settlements(after=whole[-1].cursor))
        assert [line.number for line in late] == [second.number]
        assert stage.feed() == whole + late

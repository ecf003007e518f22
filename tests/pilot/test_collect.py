"""Which rows count, on which day, at which cut-off."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.trace import CallOutcome, Initiator
from eprescription_sdk.pilot.collect import Collector
from eprescription_sdk.pilot.facts import Facts, Kind
from eprescription_sdk.pilot.rows import facts_of_store
from tests.pilot.pilots import GO_LIVE, KEY, REFUSED, SITUATION, UNCERTAIN, PilotStore, at, rpps


@pytest.fixture
def pilot(tmp_path: Path) -> Iterator[PilotStore]:
    made = PilotStore(tmp_path)
    yield made
    made.store.close()


def facts(pilot: PilotStore, until: datetime | None = None) -> Facts:
    pilot.flush()
    return pilot.store.read(lambda tx: facts_of_store(tx, KEY, until or at(120)))


def documents(pilot: PilotStore, until: datetime | None = None) -> dict[tuple[date, int], int]:
    return dict(facts(pilot, until).practitioners[0].documents)


def test_a_late_truth_replaces_the_earlier_one(pilot: PilotStore) -> None:
    subject = pilot.digital(at(3), UNCERTAIN)
    pilot.digital(at(5), subject=subject, revision=2, issued_at=at(3))
    assert documents(pilot) == {(date(2026, 3, 3), Kind.REGISTERED): 1}
    # At an earlier cut-off nothing is known of it yet.
    assert documents(pilot, at(4)) == {(date(2026, 3, 3), Kind.UNCERTAIN): 1}


def test_the_highest_revision_counts_whatever_the_order(pilot: PilotStore) -> None:
    pilot.digital(at(3), subject="s", revision=3)
    pilot.digital(at(4), REFUSED, subject="s", revision=2, issued_at=at(3))
    assert documents(pilot) == {(date(2026, 3, 3), Kind.REGISTERED): 1}


def test_an_earlier_cut_off_does_not_move(pilot: PilotStore) -> None:
    pilot.digital(at(3), UNCERTAIN)
    pilot.paper(at(4))
    pilot.volume(date(2026, 3, 4), 5, when=at(4, 20))
    pilot.event("anomaly", at(4), {
        "id": "A", "operation": "create", "blocking": True, "origin": "software",
        "opened_on": "2026-03-04", "closed_on": None, "title": "t",
    })  # fmt: skip
    before = facts(pilot, at(5))
    pilot.digital(at(6), subject="subject-1", revision=2, issued_at=at(3))
    pilot.paper(at(7))
    pilot.volume(date(2026, 3, 4), 9, when=at(8))
    pilot.event("anomaly", at(8), {
        "id": "A", "operation": "create", "blocking": True, "origin": "software",
        "opened_on": "2026-03-04", "closed_on": "2026-03-08", "title": "t",
    })  # fmt: skip
    pilot.event("correction", at(8), {"version": "2"})
    pilot.flush()
    # Dated before the cut-off, and recorded after it.
    pilot.enrol(1, when=at(8), withdrawn_on=date(2026, 3, 4), withdrawn_reason="départ")
    pilot.enrol(2, when=at(8))
    pilot.enrol(3, go_live=date(2026, 3, 9))
    assert facts(pilot, at(5)) == before
    assert facts(pilot) != before


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        # Winter: Paris is an hour ahead; summer, from 29 March 2026: two.
        (datetime(2026, 3, 28, 22, 59, tzinfo=UTC), date(2026, 3, 28)),
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), date(2026, 3, 30)),
        # Back to winter on 25 October 2026.
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), date(2026, 10, 26)),
    ],
)
def test_days_are_paris_days(pilot: PilotStore, moment: datetime, day: date) -> None:
    pilot.digital(moment)
    end = datetime(2026, 12, 1, tzinfo=UTC)
    (found,) = facts(pilot, end).practitioners
    assert list(found.documents) == [(day, Kind.REGISTERED)]
    assert list(found.creates) == [(day, Kind.REGISTERED)]


def test_the_cut_off_is_included(pilot: PilotStore) -> None:
    pilot.digital(at(3, 9, 30))
    assert facts(pilot, at(3, 9, 30)).traces == 2
    assert facts(pilot, at(3, 9, 29)).traces == 0


def test_what_does_not_count_is_told_apart_by_reason(pilot: PilotStore) -> None:
    pilot.digital(at(3))
    pilot.digital(at(3), test_identity=True)
    pilot.digital(at(3), environment="sandbox")
    pilot.digital(at(3), environment="qualification", call=False)
    for initiator in (Initiator.RECONCILE, Initiator.SUPPORT, Initiator.PROBE):
        pilot.call(at(3), CallOutcome.FOUND, initiator=initiator)
    found = facts(pilot)
    assert found.apart == {
        "probe": 1,
        "qualification": 1,
        "reconcile": 1,
        "sandbox": 2,
        "support": 1,
        "test_identity": 2,
    }
    assert found.traces == 10
    assert documents(pilot) == {(date(2026, 3, 3), Kind.REGISTERED): 1}


def test_only_the_situation_of_the_pilot_counts(pilot: PilotStore) -> None:
    pilot.digital(at(3))
    pilot.digital(at(3), situation="the other practice")
    # The gate already refuses the other one.
    assert pilot.flush() == [True, True, False, False]
    # Were the pilot's situation changed, what was recorded under the old one is told apart.
    pilot.enrol(1, situation="the other practice")
    pilot.digital(at(4), situation="the other practice", call=False)
    assert documents(pilot) == {(date(2026, 3, 4), Kind.REGISTERED): 1}
    assert facts(pilot).apart == {"other_situation": 2}
    assert SITUATION != "the other practice"


def test_simulation_shows(pilot: PilotStore) -> None:
    pilot.digital(at(3))
    assert not facts(pilot).simulation
    pilot.digital(at(4), simulation=True)
    assert facts(pilot).simulation
    assert not facts(pilot, at(3, 20)).simulation


def test_a_link_between_practitioners_ties_nothing(pilot: PilotStore) -> None:
    pilot.enrol(2)
    failed = pilot.digital(at(3), REFUSED, ps=1)
    pilot.paper(at(3), ps=2, after=failed)
    pilot.digital(at(3), ps=2, corrects=failed)
    one, two = facts(pilot).practitioners
    assert dict(one.documents) == {(date(2026, 3, 3), Kind.NOT_REGISTERED): 1}
    assert two.documents[date(2026, 3, 3), Kind.PAPER] == 1


def test_an_act_may_span_midnight(pilot: PilotStore) -> None:
    pilot.digital(at(3, 22, 50), act="a")
    pilot.digital(at(3, 23, 10), act="a")
    (one,) = facts(pilot).practitioners
    assert sum(one.acts.values()) == 1
    assert dict(one.since(date(2026, 3, 4)).acts) == {Kind.REGISTERED: 1}
    assert dict(one.since(date(2026, 3, 4)).documents) == {Kind.REGISTERED: 1}


def test_rulings_and_corrections_are_read(pilot: PilotStore) -> None:
    pilot.event("ruling", at(4), {"question": "Q3", "reading": "lenient"})
    pilot.event("correction", at(9), {"version": "1.2"})
    pilot.event("correction", at(5), {"version": "1.1"})
    found = facts(pilot)
    assert {
        question.value: reading.value for question, reading in found.journal.readings.items()
    } == {"Q3": "lenient"}
    assert found.journal.corrections == (date(2026, 3, 5), date(2026, 3, 9))


def test_who_is_not_equipped_yet_is_not_there(pilot: PilotStore) -> None:
    pilot.enrol(2, go_live=date(2026, 3, 10))
    assert [one.number for one in facts(pilot, at(9)).practitioners] == [1]
    assert [one.number for one in facts(pilot, at(10)).practitioners] == [1, 2]


@pytest.mark.parametrize(
    "body",
    [
        "not JSON",
        "[]",
        "{}",
        '{"at":"2026-03-03T09:00:00.000000+00:00"}',
        '{"at":3}',
    ],
)
def test_a_damaged_body_is_named_and_not_quoted(body: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Collector(at(9)).trace("segment", 7, "hash", body)
    assert caught.value.path == "segment/7"
    assert body not in str(caught.value)


def test_an_unknown_value_is_damage(pilot: PilotStore) -> None:
    pilot.call(at(3), CallOutcome.FOUND)
    pilot.flush()
    (body,) = pilot.store.read(lambda tx: tx.execute("SELECT body FROM traces"))[0]
    collector = Collector(at(9))
    fields = json.loads(body) | {"outcome": "splendid"}
    collector.enrolment(
        {
            "practitioner": fields["rpps"],
            "label": 1,
            "situation": SITUATION,
            "go_live": GO_LIVE.isoformat(),
            "withdrawn_on": None,
            "withdrawn_reason": None,
            "recorded_at": fields["at"],
        }
    )
    with pytest.raises(InvalidInput):
        collector.trace("segment", 1, "hash", json.dumps(fields))


def test_no_rpps_is_in_the_facts(pilot: PilotStore) -> None:
    pilot.digital(at(3))
    pilot.event("attestation", at(4), {"criterion": "C4", "document": f"de {rpps(1).value}"})
    found = facts(pilot)
    assert rpps(1).value not in repr(found)
    assert found.journal.attestations["C4"] == "de PS 1"

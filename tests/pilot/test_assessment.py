"""The assessment as a whole, and its JSON."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from eprescription_sdk.clock import SimulatedClock
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.model.trace import CallOutcome, Initiator
from eprescription_sdk.pilot.assessing import assess
from eprescription_sdk.pilot.questions import Question, Reading
from eprescription_sdk.pilot.results import Criterion, Verdict
from eprescription_sdk.traces.record import lose
from tests.pilot.pilots import KEY, REFUSED, PilotStore, at, number, rpps


@pytest.fixture
def pilot(tmp_path: Path) -> Iterator[PilotStore]:
    made = PilotStore(tmp_path, practitioners=2)
    yield made
    made.store.close()


def lively(pilot: PilotStore) -> None:
    """Two practitioners, one of whom is short of one half when read strictly."""
    for day in range(3, 9):
        pilot.digital(at(day), ps=1)
        pilot.paper(at(day), ps=2)
    pilot.digital(at(3), REFUSED, ps=2)
    pilot.digital(at(4), ps=2)
    pilot.digital(at(9), test_identity=True)
    pilot.uses()
    pilot.volume(date(2026, 3, 4), 3, ps=2, when=at(4, 20))


def test_both_bundles_and_an_overall_verdict(pilot: PilotStore) -> None:
    lively(pilot)
    pilot.event("attestation", at(9), {"criterion": "C4", "document": "d"})
    pilot.event("attestation", at(9), {"criterion": "C5", "document": "d"})
    assessment = pilot.assess()
    assert assessment.strict[Criterion.C1].verdict is Verdict.NOT_MET
    assert assessment.strict.verdict is Verdict.NOT_MET
    assert assessment.results(Reading.LENIENT) is assessment.lenient
    assert assessment.to_dict()["overall"] == {
        "strict": assessment.strict.verdict.value,
        "lenient": assessment.lenient.verdict.value,
    }


def test_an_empty_pilot_can_be_assessed(tmp_path: Path) -> None:
    pilot = PilotStore(tmp_path, practitioners=0)
    assessment = pilot.assess()
    assert {result.verdict for result in assessment.strict.criteria} == {Verdict.NOT_ASSESSABLE}
    assert assessment.opens_on is None
    json.dumps(assessment.to_dict())
    pilot.store.close()


def test_a_flip_is_named_from_both_bundles(pilot: PilotStore) -> None:
    pilot.enrol(2, withdrawn_on=date(2026, 3, 2), withdrawn_reason="départ")
    pilot.digital(at(3), REFUSED)
    pilot.paper(at(3))
    flips = {(flip.bundle, flip.question, flip.criterion) for flip in pilot.assess().flips}
    # Strictly 0 of 2 for C1: counting what was sent would do. Nothing else alone would.
    assert (Reading.STRICT, Question.Q2, Criterion.C1) in flips
    assert (Reading.LENIENT, Question.Q2, Criterion.C1) in flips
    assert {question for bundle, question, _ in flips if bundle is Reading.STRICT} == {Question.Q2}


def test_a_ruling_fixes_both_bundles_and_leaves_the_table(pilot: PilotStore) -> None:
    pilot.digital(at(3), REFUSED)
    pilot.paper(at(3))
    pilot.event("ruling", at(9), {"question": "Q2", "reading": "lenient"})
    assessment = pilot.assess()
    ruling = assessment.rulings[Question.Q2]
    assert (ruling.reading, ruling.day, ruling.reference) == (
        Reading.LENIENT,
        date(2026, 3, 9),
        "r",
    )
    assert assessment.strict.readings[Question.Q2] is Reading.LENIENT
    assert assessment.strict[Criterion.C1].practitioners[0].verdict is Verdict.MET
    assert Question.Q2 not in {flip.question for flip in assessment.flips}


def test_coverage_and_trend(pilot: PilotStore) -> None:
    lively(pilot)
    assessment = pilot.assess()
    second = assessment.practitioners[1]
    # On 4 March: one digital and one paper traced, three declared.
    assert (second.coverage.declared, second.coverage.traced, second.coverage.missing) == (3, 2, 1)
    assert assessment.coverage == second.coverage
    assert (second.registered, second.not_registered, second.paper) == (1, 1, 6)
    third, fourth = assessment.trend[:2]
    assert (third.day, third.registered, third.digital, third.total) == (
        date(2026, 3, 3), 1, 2, 3,
    )  # fmt: skip
    assert fourth.missing == 1
    assert [day.day for day in assessment.trend] == sorted(day.day for day in assessment.trend)


def test_the_distance_is_in_plain_french(pilot: PilotStore) -> None:
    lively(pilot)
    first, second = pilot.assess().practitioners
    assert first.distance_fr[Reading.STRICT].startswith("Objectif de 50 % atteint : 6 sur 6")
    # 1 of 9: seven more make 8 of 16.
    assert second.distance_fr[Reading.STRICT] == (
        "Encore 7 ordonnances numériques enregistrées de suite pour atteindre 50 % "
        "(1 sur 9, soit 11,1 %)."
    )
    assert pilot.assess().distance_c2_fr[Reading.STRICT].startswith("Objectif de 70 % atteint : 7")


def test_a_withdrawn_practitioner_keeps_figures_and_reason(pilot: PilotStore) -> None:
    lively(pilot)
    pilot.flush()
    pilot.enrol(2, withdrawn_on=date(2026, 3, 20), withdrawn_reason="départ")
    second = pilot.assess().practitioners[1]
    assert second.withdrawn_reason == "départ"
    assert second.paper == 6
    assert second.distance_fr[Reading.STRICT].startswith("Retiré")
    assert pilot.assess(at(19)).practitioners[1].withdrawn_on is None


def test_inputs_say_what_was_read(pilot: PilotStore) -> None:
    lively(pilot)
    pilot.call(at(9), CallOutcome.FOUND, initiator=Initiator.PROBE)
    pilot.store.write(lambda tx: lose(tx, "store"))
    inputs = pilot.assess().inputs
    assert inputs.apart == {"probe": 1, "test_identity": 2}
    assert inputs.traces == inputs.counted + 3
    assert inputs.losses == {"store": 1}
    assert inputs.volumes == 1
    (head,) = inputs.heads
    assert head.position == inputs.traces


def test_a_wrong_key_is_an_error_and_not_a_bad_figure(pilot: PilotStore) -> None:
    lively(pilot)
    pilot.flush()
    with pytest.raises(ConfigurationError, match="key"):
        assess(pilot.store, key=b"another key", at=at(20))


def test_now_is_what_the_clock_says(pilot: PilotStore) -> None:
    lively(pilot)
    pilot.flush()
    clock = SimulatedClock(at(3, 12))
    assessment = assess(pilot.store, key=KEY, clock=clock)
    assert timedelta(0) <= assessment.cut_off - at(3, 12) < timedelta(minutes=1)
    assert assessment.trend[-1].day == date(2026, 3, 3)


def test_the_json_is_exact_and_names_nobody(pilot: PilotStore) -> None:
    lively(pilot)
    subject = pilot.digital(at(9))
    assessment = pilot.assess()
    document = assessment.to_dict()
    text = json.dumps(document, ensure_ascii=False)
    assert json.loads(text) == document
    for hidden in (rpps(1).value, rpps(2).value, number(subject).value):
        assert hidden not in text
    c1 = document["strict"]["criteria"]["C1"]
    assert c1["threshold"] == {"num": 1, "den": 2}
    assert c1["practitioners"][1]["figure"] == {
        "num": 1, "den": 9, "percent": "11,1 %", "unit": "document",
    }  # fmt: skip
    assert c1["practitioners"][1]["label"] == "PS 2"
    assert document["rule_version"] == "2025-03/1"
    assert document["strict"]["readings"]["Q10"] == "strict"


def test_the_same_store_gives_the_same_json(pilot: PilotStore) -> None:
    lively(pilot)
    assert pilot.assess().to_dict() == pilot.assess().to_dict()

"""The pilot's walls: who may create in production before rollout (law 5)."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.clock import paris_day
from eprescription_sdk.ledger import State
from eprescription_sdk.model.outcomes import Cause, NextStep
from eprescription_sdk.sandbox import CommitThenDrop, ExpiredCredential, Operation
from eprescription_sdk.storage import Tx
from eprescription_sdk.testing import SAMPLE_RPPS, SAMPLE_SITUATION, sample_prescription
from eprescription_sdk.traces.gate import Enrolment, Phase, enrol, set_phase
from tests.client.harness import OTHER_RPPS, World, practitioner, start_pilot, traces, world

PRODUCTION = ep.Environment.PRODUCTION
LONG_AGO = date(2020, 1, 1)

Standing = Callable[[Tx, date], None]


def _live(phase: Phase) -> Standing:
    return lambda tx, _: start_pilot(tx, phase=phase)


def _other_enrolled(tx: Tx, _: date) -> None:
    set_phase(tx, Phase.RUNNING, module="exemple-ordonnance")
    enrol(tx, Enrolment(rpps=OTHER_RPPS, label=1, situation=SAMPLE_SITUATION, go_live=LONG_AGO))


def _tomorrow(tx: Tx, today: date) -> None:
    start_pilot(tx, go_live=today + timedelta(days=1))


def _today(tx: Tx, today: date) -> None:
    start_pilot(tx, go_live=today)


def _withdrawn(on: int) -> Standing:
    def standing(tx: Tx, today: date) -> None:
        start_pilot(tx)
        enrolled = Enrolment(
            rpps=SAMPLE_RPPS, label=1, situation=SAMPLE_SITUATION, go_live=LONG_AGO
        )
        enrol(
            tx,
            attrs.evolve(
                enrolled, withdrawn_on=today + timedelta(days=on), withdrawn_reason="départ"
            ),
        )

    return standing


def _generalised(tx: Tx, _: date) -> None:
    set_phase(tx, Phase.GENERALISED, module="exemple-ordonnance")


STANDINGS: dict[str, tuple[Standing, bool]] = {
    "no pilot": (lambda _tx, _today: None, False),
    "not enrolled": (_other_enrolled, False),
    "preparing": (_live(Phase.PREPARING), False),
    "live tomorrow": (_tomorrow, False),
    "live today": (_today, True),
    "live": (_live(Phase.RUNNING), True),
    "prolonged": (_live(Phase.PROLONGED), True),
    "assessed": (_live(Phase.ASSESSED), True),
    "withdrawn today": (_withdrawn(0), False),
    "withdrawn tomorrow": (_withdrawn(1), True),
    "closing": (_live(Phase.CLOSING), True),
    "closed": (_live(Phase.CLOSED), True),
    "generalised, not enrolled": (_generalised, True),
    "abandoned": (_live(Phase.ABANDONED), False),
}


def stand(stage: World, standing: Standing) -> None:
    today = paris_day(stage.clock.now())
    stage.store.write(lambda tx: standing(tx, today))


@pytest.mark.parametrize("name", STANDINGS)
def test_in_production_only_who_is_live_may_create(name: str, side: str, tmp_path: Path) -> None:
    standing, allowed = STANDINGS[name]
    with world(tmp_path, side, environment=PRODUCTION) as stage:
        stand(stage, standing)
        outcome = stage.side.create(sample_prescription(reference="réf"))
        if allowed:
            assert isinstance(outcome, ep.Registered)
            assert len(stage.sandbox.registrations) == 1
        else:
            assert isinstance(outcome, ep.NotRegistered)
            assert outcome.cause is Cause.NOT_IN_PILOT
            assert outcome.number is None
            assert outcome.attempts == ()
            assert outcome.advice.step is NextStep.PRINT_PLAIN
            assert stage.sandbox.calls == []
            assert stage.entries() == []


@pytest.mark.parametrize("environment", [ep.Environment.SANDBOX, ep.Environment.QUALIFICATION])
def test_elsewhere_there_are_no_walls(
    environment: ep.Environment, side: str, tmp_path: Path
) -> None:
    with world(tmp_path, side, environment=environment) as stage:
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)


def test_what_was_sent_is_not_undone_by_leaving_the_pilot(side: str, tmp_path: Path) -> None:
    """Told "not in the pilot", the host would hand out paper for what is registered."""
    with world(tmp_path, side, environment=PRODUCTION) as stage:
        stand(stage, _today)
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        stage.sandbox.script(Operation.CONSULT, ExpiredCredential())
        prescription = sample_prescription(reference="réf")
        first = stage.side.create(prescription)
        assert isinstance(first, ep.Uncertain)
        stand(stage, _withdrawn(0))
        traced = traces(stage.side.client.store)
        again = stage.side.create(prescription)
        assert isinstance(again, ep.Registered)
        assert again.number == first.number
        # The ledger learns it; a revision would be a trace of somebody who has left.
        assert stage.entry(first.number).state is State.REGISTERED
        assert traces(stage.side.client.store) == traced != []
        assert isinstance(stage.side.create(sample_prescription()), ep.NotRegistered)


def test_reading_is_open_to_all(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, environment=PRODUCTION) as stage:
        assert stage.side.search(ep.SearchQuery(prescriber=SAMPLE_RPPS)) == []


def test_a_prescription_of_somebody_else_is_invalid(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        outcome = stage.side.create(sample_prescription(), who=practitioner(OTHER_RPPS))
        assert isinstance(outcome, ep.NotRegistered)
        assert outcome.cause is Cause.INVALID
        assert [problem.code for problem in outcome.problems] == ["RX-OTHER-PRESCRIBER"]
        assert outcome.advice.step is NextStep.CORRECT
        assert stage.sandbox.calls == []
        assert stage.entries() == []

"""After the closing, calls go on and leave the tables of the traces alone (law 6)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

import eprescription_sdk as ep
from eprescription_sdk.sandbox import CommitThenDrop, ExpiredCredential, Operation
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.traces import closing
from eprescription_sdk.traces.gate import Phase, set_phase
from tests.client.harness import World, traces, world
from tests.stores import statements

TABLES = ("traces", "segments", "losses")
MODULE = "exemple-ordonnance"


def close(stage: World) -> None:
    stage.store.write(lambda tx: set_phase(tx, Phase.ASSESSED, module=MODULE))
    closing.close(
        stage.store,
        shipper=None,
        unsettled=lambda _: (),
        module=MODULE,
        now=lambda: datetime.now(UTC),
    )


def touching(seen: list[str]) -> list[str]:
    return [sql for sql in seen if any(table in sql for table in TABLES)]


@pytest.mark.parametrize("generalised", [False, True])
def test_calls_go_on_and_no_statement_touches_a_trace(
    side: str, tmp_path: Path, *, generalised: bool
) -> None:
    with (
        statements() as seen,
        world(tmp_path, side, pilot=True, environment=ep.Environment.PRODUCTION) as stage,
    ):
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)
        recorded = len(traces(stage.store))
        assert touching(seen)
        close(stage)
        if generalised:
            stage.store.write(lambda tx: set_phase(tx, Phase.GENERALISED, module=MODULE))
        seen.clear()

        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        stage.store.write(lambda _: None)
        learnt = len(seen)
        assert stage.side.consult(outcome.number).number == outcome.number
        assert stage.side.search(ep.SearchQuery(prescriber=stage.who.rpps))
        # What was uncertain is settled still.
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        stage.sandbox.script(Operation.CONSULT, ExpiredCredential())
        assert isinstance(stage.side.create(sample_prescription()), ep.Uncertain)
        assert stage.side.reconcile(stage.who).registered == 1
        assert not stage.side.paper(
            families={ep.Family.IMAGING}, reason=ep.NonDigitalReason.PATIENT_REQUEST
        )
        assert any("ledger" in sql for sql in seen)
        assert touching(seen) == []
        # Who is inside the walls is read until rollout.
        assert any("enrolments" in sql for sql in seen[learnt:]) is not generalised
        assert len(traces(stage.store)) == recorded


def test_another_client_learns_it_from_the_store_once(side: str, tmp_path: Path) -> None:
    """Of a store without its marker, as on a server: it is asked at the first trace alone."""
    with world(tmp_path, side, pilot=True) as stage:
        stage.store.write(lambda tx: set_phase(tx, Phase.CLOSED, module=MODULE))
        stage.store.close()
        with statements() as seen:
            stage.side.create(sample_prescription())
            stage.store.write(lambda _: None)
            assert any("enrolments" in sql for sql in seen)
            seen.clear()
            stage.side.create(sample_prescription())
            stage.store.write(lambda _: None)
            assert not any("enrolments" in sql or "gate" in sql for sql in seen)
            assert touching(seen) == []

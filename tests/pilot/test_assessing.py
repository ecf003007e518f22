"""Where an assessment comes from: a store or an export, and what it says about failures."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from eprescription_sdk.errors import ConfigurationError, InvalidInput
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.trace import CallOutcome, FaultOrigin
from eprescription_sdk.pilot import Assessment, Criterion, assess
from eprescription_sdk.pilot.export import ROWS, write_export
from eprescription_sdk.pilot.verify import verify_export
from tests.pilot.generated import UNTIL, generate
from tests.pilot.pilots import KEY, PilotStore, at
from tests.pilot.samples import BAD, GOOD, MIXED, assessment
from tests.postgres import Postgres
from tests.stores import opened

SCHEMA = Path(__file__).parents[2] / "docs" / "pilot-assessment.schema.json"


@pytest.fixture
def pilot(tmp_path: Path) -> PilotStore:
    return PilotStore(tmp_path, 2)


def test_a_store_and_its_export_give_the_same(tmp_path: Path) -> None:
    pilot = generate(7, tmp_path / "store")
    write_export(pilot.store, tmp_path / "out", key=KEY, at=UNTIL)
    own = assess(pilot.store, key=KEY, at=UNTIL).to_dict()
    for folder in (tmp_path / "out", str(tmp_path / "out")):
        assert assess(folder).to_dict() == own
    earlier = assess(tmp_path / "out", at=at(12)).to_dict()
    mine = assess(pilot.store, key=KEY, at=at(12)).to_dict()
    assert earlier == mine != own


def test_machines_that_share_a_pilot_get_the_same(postgres: Postgres, tmp_path: Path) -> None:
    """On PostgreSQL too, from its store and from its export."""

    def figures(assessment: Assessment) -> dict[str, Any]:
        document = assessment.to_dict()
        # Segments are named by chance.
        document["inputs"]["heads"] = None
        return document

    own = generate(11, tmp_path / "own").assess(UNTIL)
    with postgres.lent() as address:
        store = opened(address)
        assert figures(generate(11, tmp_path, store).assess(UNTIL)) == figures(own)
        write_export(store, tmp_path / "out", key=KEY, at=UNTIL)
        assert figures(assess(tmp_path / "out")) == figures(own)
        assert verify_export(tmp_path / "out").findings == ()
        store.close()


def test_a_damaged_export_is_named_by_its_line(pilot: PilotStore, tmp_path: Path) -> None:
    pilot.digital(at(3))
    pilot.flush()
    write_export(pilot.store, tmp_path / "out", key=KEY, at=at(9))
    rows = tmp_path / "out" / ROWS
    rows.write_text(rows.read_text(encoding="utf-8").replace('{"segment"', "{", 1))
    with pytest.raises(InvalidInput) as caught:
        assess(tmp_path / "out")
    assert caught.value.path == f"{rows}:1"


def test_what_cannot_be_assessed_is_an_error(pilot: PilotStore, tmp_path: Path) -> None:
    write_export(pilot.store, tmp_path / "out", key=KEY, at=at(9))
    with pytest.raises(InvalidInput, match="ends before"):
        assess(tmp_path / "out", at=at(10))
    with pytest.raises(ConfigurationError, match="key"):
        assess(pilot.store)
    with pytest.raises(ConfigurationError, match="time zone"):
        assess(pilot.store, key=KEY, at=datetime(2026, 3, 9))  # noqa: DTZ001  (what is refused)
    with pytest.raises(InvalidInput, match="manifest"):
        assess(tmp_path)


def failures(pilot: PilotStore) -> None:
    for origin, code, times in (
        (FaultOrigin.SERVICE, "known_1", 2),
        (FaultOrigin.SERVICE, "strange", 3),
        (FaultOrigin.SOFTWARE, "strange", 1),
        (FaultOrigin.NETWORK, None, 4),
        (None, None, 1),
    ):
        for number in range(times):
            pilot.call(
                at(3), CallOutcome.FAILED, ps=1 + number % 2, operation=Operation.SEARCH,
                fault_origin=origin, fault_code=code,
            )  # fmt: skip
    pilot.call(at(3), CallOutcome.LISTED, operation=Operation.SEARCH)
    pilot.flush()


def test_failures_are_counted_by_class_and_code(pilot: PilotStore) -> None:
    failures(pilot)
    known = assess(pilot.store, key=KEY, at=at(9), known_faults={"known_1": 1})
    (use,) = (
        one for one in known.strict[Criterion.C3].operations if one.operation is Operation.SEARCH
    )
    assert (use.calls, use.succeeded, use.software_failures, use.unknown_faults) == (12, 1, 1, 4)
    assert {(one.origin, one.code, one.known, one.calls) for one in use.failures} == {
        (FaultOrigin.SERVICE, "known_1", True, 2),
        (FaultOrigin.SERVICE, "strange", False, 3),
        (FaultOrigin.SOFTWARE, "strange", False, 1),
        (FaultOrigin.NETWORK, None, None, 4),
        (None, None, None, 1),
    }
    second = known.strict[Criterion.C3].practitioners[1]
    assert sum(one.calls for use in second.operations for one in use.failures) == 4


def test_without_the_table_no_code_is_called_unknown(pilot: PilotStore) -> None:
    failures(pilot)
    use = pilot.assess(at(9)).strict[Criterion.C3].operations[2]
    assert use.unknown_faults == 0
    assert {one.known for one in use.failures} == {None}


def test_verifying_takes_the_table_from_the_assessment(pilot: PilotStore, tmp_path: Path) -> None:
    failures(pilot)
    known = assess(pilot.store, key=KEY, at=at(9), known_faults=["known_1"])
    write_export(pilot.store, tmp_path / "out", key=KEY, at=at(9))
    assert verify_export(tmp_path / "out", assessment=known.to_dict()).findings == ()


@pytest.mark.parametrize("seed", range(3))
def test_the_published_schema_holds(tmp_path: Path, seed: int) -> None:
    validate = fastjsonschema.compile(json.loads(SCHEMA.read_text(encoding="utf-8")))
    pilot = generate(seed, tmp_path)
    pilot.event("ruling", at(24), {"question": "Q3", "reading": "act"})
    pilot.event("ruling", at(24), {"question": "Q5", "reading": "pilot"})
    figures = [{"criterion": "C1", "practitioner": "PS 1", "figure": "1/3"},
               {"criterion": "C2", "practitioner": None, "figure": "70 %"}]  # fmt: skip
    pilot.event("official", at(24), {"figures": figures})
    documents = [assess(pilot.store, key=KEY, at=UNTIL, known_faults=[]).to_dict()]
    documents += [assessment(*each).to_dict() for each in ((MIXED, GOOD), (GOOD, GOOD), (BAD, BAD))]
    for document in documents:
        validate(json.loads(json.dumps(document)))
    with pytest.raises(fastjsonschema.JsonSchemaException):
        validate({**documents[0], "surprise": 1})

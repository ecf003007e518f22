"""Traces and telemetry never fail a prescription (law 3); losses are counted with a reason."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import eprescription_sdk as ep
from eprescription_sdk import telemetry
from eprescription_sdk.ledger import State
from eprescription_sdk.model.trace import Initiator
from eprescription_sdk.sandbox import CommitThenDrop, FaultCode, Operation
from eprescription_sdk.testing import SAMPLE_RPPS, sample_prescription
from tests.client.harness import World, brief, traces, world


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was counted, by name and reason."""
    seen: list[tuple[str, str]] = []
    monkeypatch.setattr(
        telemetry, "count", lambda name, reason, amount=1: seen.append((name, reason))
    )
    return seen


def run(stage: World, sql: str) -> None:
    stage.store.write(lambda tx: tx.execute(sql))


def test_a_lawful_create_leaves_its_two_traces(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, pilot=True) as stage:
        outcome = stage.side.create(sample_prescription())
        prescription, call = traces(stage.store)
        assert (prescription["kind"], call["kind"]) == ("PRESCRIPTION", "CALL")
        assert prescription["subject"] == call["subject"] == outcome.subject
        assert (prescription["registration"], prescription["revision"]) == ("registered", 1)
        assert (call["operation"], call["outcome"], call["attempts"]) == ("create", "registered", 1)
        assert call["initiator"] == Initiator.PRESCRIBER.value
        assert stage.losses() == {}


def test_a_later_truth_is_a_higher_revision(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, pilot=True) as stage:
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        stage.sandbox.script(Operation.CONSULT, FaultCode("sdkref_auth"))
        stage.side.create(sample_prescription())
        stage.side.reconcile(stage.who)
        stage.side.reconcile(stage.who)
        told = [
            (t.get("revision"), t.get("registration") or t["outcome"], t.get("initiator"))
            for t in traces(stage.store)
        ]
        assert told == [
            (1, "uncertain", None),
            (None, "uncertain", "prescriber"),
            (2, "registered", None),
            (None, "found", "reconcile"),
        ]


def test_the_fault_that_was_met_is_in_the_trace(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, pilot=True, profile=brief(0.5)) as stage:
        stage.sandbox.script(Operation.CREATE, FaultCode("desir_550"))
        stage.side.create(sample_prescription())
        entry = stage.only_entry()
        assert (entry.state, entry.fault_code) == (State.UNCERTAIN, "desir_550")
        call = traces(stage.store)[-1]
        assert (call["fault_code"], call["fault_origin"]) == ("desir_550", "service")


BROKEN: dict[str, tuple[list[str], Callable[[dict[str, int]], bool]]] = {
    "no table of traces": (["DROP TABLE traces"], lambda losses: sum(losses.values()) == 2),
    "no segments": (["DROP TABLE segments"], lambda losses: sum(losses.values()) == 2),
    "no gate": (["DROP TABLE gate"], lambda losses: sum(losses.values()) == 2),
    "nothing to count in either": (
        ["DROP TABLE traces", "ALTER TABLE losses RENAME TO gone", "CREATE TABLE losses (x)"],
        lambda _: True,
    ),
}


@contextmanager
def broken(stage: World, name: str) -> Iterator[None]:
    for sql in BROKEN[name][0]:
        run(stage, sql)
    yield


@pytest.mark.parametrize("name", BROKEN)
def test_a_trace_that_fails_changes_neither_answer_nor_ledger(
    name: str, side: str, tmp_path: Path, counted: list[tuple[str, str]]
) -> None:
    with world(tmp_path, side, pilot=True) as stage, broken(stage, name):
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        assert stage.entry(outcome.number).state is State.REGISTERED
        assert [name for name, _ in counted].count("trace_lost") == 2
        if name != "nothing to count in either":
            assert BROKEN[name][1](stage.losses())
        else:
            assert [name for name, _ in counted].count("loss_not_counted") == 2
        assert ("settlement_failed", "StoreError") not in counted
        # Reading goes on as well.
        assert stage.side.consult(outcome.number).number == outcome.number
        assert len(stage.side.search(ep.SearchQuery(prescriber=SAMPLE_RPPS))) == 1


def test_a_trace_that_cannot_be_made_undoes_nothing(
    side: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: list[tuple[str, str]]
) -> None:
    from eprescription_sdk.client import settlement

    def fail(*_: Any) -> Any:
        raise LookupError("a bug in making the trace")

    monkeypatch.setattr(settlement, "prescription_trace", fail)
    with world(tmp_path, side, pilot=True) as stage:
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        assert stage.entry(outcome.number).state is State.REGISTERED
        assert stage.losses() == {"LookupError": 1}
        assert ("trace_lost", "LookupError") in counted


def test_a_registration_that_reopens_is_counted(
    side: str, tmp_path: Path, counted: list[tuple[str, str]]
) -> None:
    with world(tmp_path, side) as stage:
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        stage.entry(outcome.number)
        run(stage, "UPDATE ledger SET state = 'not_registered', cause = 'absent'")
        stage.side.consult(outcome.number)
        assert stage.entry(outcome.number).state is State.REGISTERED
        assert ("registration_reopened", "absent") in counted


def test_paper_is_recorded_only_when_lawful(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        assert paper(stage) is False
    with world(tmp_path / "pilot", side, pilot=True) as stage:
        assert paper(stage) is True
        (trace,) = traces(stage.store)
        assert (trace["digital"], trace["reason"], trace["revision"]) == (
            False, "patient_request", 1,
        )  # fmt: skip
        with pytest.raises(ep.InvalidInput):
            paper(stage, families=())


def test_paper_that_cannot_be_recorded_does_not_stop_the_prescriber(
    side: str, tmp_path: Path, counted: list[tuple[str, str]]
) -> None:
    with world(tmp_path, side, pilot=True) as stage:
        run(stage, "DROP TABLE traces")
        assert paper(stage) is False
        assert [name for name, _ in counted] == ["trace_lost"]


def paper(stage: World, families: tuple[ep.Family, ...] = (ep.Family.IMAGING,)) -> bool:
    reason = ep.NonDigitalReason.PATIENT_REQUEST
    return stage.side.paper(families=families, reason=reason)

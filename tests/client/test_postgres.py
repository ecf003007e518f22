"""Whole calls on a store that machines share, through a pooler in transaction mode."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.sandbox import Operation
from eprescription_sdk.storage import Store, open_store
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.traces import closing, outbox
from eprescription_sdk.traces.gate import Phase, set_phase
from tests.client.harness import World, traces, world
from tests.postgres import ROLE, Postgres, pgbouncer


@pytest.fixture
def stores(postgres: Postgres) -> Iterator[tuple[Store, Store]]:
    """Of two machines."""
    database = postgres.database()
    with pgbouncer(postgres) as port:
        pooled = f"postgresql://{ROLE}@127.0.0.1:{port}/{database}"
        made = [open_store(pooled, direct_dsn=postgres.platform(database)) for _ in range(2)]
        yield made[0], made[1]
        for each in made:
            each.close()


def test_a_pilot_from_the_first_call_to_the_closing(
    side: str, stores: tuple[Store, Store], tmp_path: Path
) -> None:
    here, there = stores
    with world(
        tmp_path, side, store=here, pilot=True, environment=ep.Environment.PRODUCTION
    ) as stage:
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        assert stage.only_entry().number == outcome.number
        assert [line.number for line in stage.feed()] == [outcome.number]
        kinds = [trace["kind"] for trace in traces(there)]
        assert sorted(kinds) == ["CALL", "PRESCRIPTION"]

        there.write(lambda tx: set_phase(tx, Phase.ASSESSED, module="exemple-ordonnance"))
        receipt = closing.close(
            there,
            shipper=stage.side.client.shipper,
            unsettled=lambda _: (),
            module="exemple-ordonnance",
            now=SystemClock().now,
        )
        assert receipt.counts["shipped"] == 2
        assert len(stage.sandbox.collector.traces) == 2
        # Care goes on; nothing is traced.
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)
        assert len(traces(here)) == 2
        assert here.read(outbox.counts)[outbox.Shipping.PENDING] == 0


def test_two_machines_with_one_reference_send_once(
    stores: tuple[Store, Store], tmp_path: Path
) -> None:
    def create(stage: World) -> ep.Outcome:
        return stage.side.create(prescription)

    prescription = attrs.evolve(sample_prescription(reference="réf"))
    with world(tmp_path, store=stores[0]) as stage:
        other = ep.Client(stage.settings, clock=stage.clock, store=stores[1])
        doctor = other.acting_as(stage.who)
        with ThreadPoolExecutor(8) as threads:
            futures = [
                threads.submit(doctor.create, prescription)
                if index % 2
                else threads.submit(create, stage)
                for index in range(8)
            ]
        outcomes = [future.result() for future in futures]
        other.close()
        assert all(isinstance(outcome, ep.Registered) for outcome in outcomes)
        assert len({getattr(outcome, "number", None) for outcome in outcomes}) == 1
        sent = [call for call in stage.sandbox.calls if call.operation is Operation.CREATE]
        assert len(sent) == 1
        assert len(stage.entries()) == 1

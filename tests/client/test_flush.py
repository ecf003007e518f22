"""``flush``: what was recorded until now has left, on both clients."""

import asyncio
from pathlib import Path

import eprescription_sdk as ep
from eprescription_sdk.testing import sample_prescription
from tests.client.harness import World, traces, world


def flush(stage: World, seconds: float) -> bool:
    client = stage.side.client
    if isinstance(client, ep.AsyncClient):
        return asyncio.run(client.flush(seconds))
    return client.flush(seconds)


def test_the_traces_of_a_call_have_left_when_it_returns(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, pilot=True) as stage:
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)
        # Nobody waited for the settlement that records them.
        assert flush(stage, 20)
        mine = {trace["id"] for trace in traces(stage.store)}
        assert len(mine) == 2
        assert set(stage.sandbox.collector.traces) == mine


def test_it_says_when_they_have_not(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, pilot=True) as stage:
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)
        with stage.sandbox.refusing_connections():
            assert not flush(stage, 0.3)

"""A client made, and used, before a fork works on both sides of it; each by itself."""

import asyncio
import os
from pathlib import Path

import pytest

import eprescription_sdk as ep
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.traces.retention import verify_store
from tests.client.harness import World, traces, world
from tests.stores import opened

CHILDREN = 3


def create(stage: World) -> ep.Outcome:
    """In a child: on an event loop of its own, where the client is asynchronous."""
    client = stage.side.client
    if isinstance(client, ep.Client):
        return client.acting_as(stage.who).create(sample_prescription())

    async def created(client: ep.AsyncClient) -> ep.Outcome:
        return await client.acting_as(stage.who).create(sample_prescription())

    return asyncio.run(created(client))


def forked(stage: World) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        status = 0 if isinstance(create(stage), ep.Registered) else 2
        # What is settled behind the caller is written before the end.
        stage.store.close()
    finally:
        os._exit(status)


@pytest.mark.parametrize("used", [False, True], ids=["made", "used"])
def test_a_client_works_on_both_sides_of_a_fork(
    side: str, place: str, tmp_path: Path, *, used: bool
) -> None:
    store = opened(place)
    with world(tmp_path, side, store=store, pilot=True) as stage:
        if used:
            assert isinstance(stage.side.create(sample_prescription()), ep.Registered)
        children = [forked(stage) for _ in range(CHILDREN)]
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)
        ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        assert ends == [0] * CHILDREN
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)
        creates = used + CHILDREN + 2
        assert len(stage.sandbox.registrations) == creates
        assert len(traces(store)) == 2 * creates
        stage.agrees()
        # Each process has a segment of the chain of its own.
        segments = store.read(lambda tx: tx.execute("SELECT count(DISTINCT segment) FROM traces"))
        assert segments == [(CHILDREN + 1,)]
        assert store.read(verify_store) == ()
    store.close()

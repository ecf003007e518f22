"""The blocking loop when its client is being closed."""

import threading
from pathlib import Path

import pytest

from eprescription_sdk.client.driver import Driver, Stopped
from eprescription_sdk.client.effects import Engine, Settle, Sleep
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.storage import SqliteStore
from eprescription_sdk.traces.record import lose, losses
from eprescription_sdk.transport import HttpxTransport


def test_a_known_answer_is_written_and_nothing_else_begins(tmp_path: Path) -> None:
    def known() -> Engine[str]:
        yield Settle(lambda tx: lose(tx, "written"))
        return "known"

    def waiting() -> Engine[str]:
        yield Sleep(60)
        return "too late"

    store, transport, stopping = SqliteStore(tmp_path / "s.db"), HttpxTransport(), threading.Event()
    driver = Driver(store, SystemClock(), transport, stopping=stopping)
    stopping.set()
    try:
        assert driver.run(known()) == "known"
        assert store.write(losses) == {"written": 1}
        with pytest.raises(Stopped):
            driver.run(waiting())
    finally:
        transport.close()
        store.close()

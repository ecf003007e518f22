"""A request that is late writes nothing any more."""

import socket
import time
from types import SimpleNamespace
from typing import Any

import httpcore
import pytest

from eprescription_sdk.transport.deadline import Deadline, install
from tests.transport.servers import serving


def test_what_was_held_up_past_its_end_is_not_written() -> None:
    """A process may be stopped after it connected; woken up, it must not send what is given up."""
    received = []

    def behave(connection: socket.socket) -> None:
        received.append(connection.recv(100))

    deadline = Deadline()
    transport: Any = SimpleNamespace(_pool=SimpleNamespace(_network_backend=httpcore.SyncBackend()))
    with serving(behave) as server:
        install(transport, deadline)
        with deadline.within(0.05):
            host, port = server.url.split("/")[2].split(":")
            stream = transport._pool._network_backend.connect_tcp(host, int(port))  # noqa: SLF001
            time.sleep(0.06)
            with pytest.raises(TimeoutError):
                stream.write(b"too late")
        stream.close()
    assert received in ([], [b""])

"""A request that is late writes nothing any more."""

import socket
import time

import httpcore
import pytest

from eprescription_sdk.transport.deadline import Backend, Deadline
from tests.transport.servers import serving


def test_what_was_held_up_past_its_end_is_not_written() -> None:
    """A process may be stopped after it connected; woken up, it must not send what is given up."""
    received = []

    def behave(connection: socket.socket) -> None:
        received.append(connection.recv(100))

    deadline = Deadline()
    backend = Backend(httpcore.SyncBackend(), deadline)
    with serving(behave) as server:
        host, port = server.url.split("/")[2].split(":")
        with deadline.within(0.2):
            stream = backend.connect_tcp(host, int(port))
            time.sleep(0.21)
            with pytest.raises(TimeoutError):
                stream.write(b"too late")
        stream.close()
    assert received in ([], [b""])

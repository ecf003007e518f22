"""What a transport will not do, whatever the server says: on every one of them."""

import asyncio
import gzip
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from eprescription_sdk.errors import Delivery, TransportFailure
from eprescription_sdk.transport import (
    AsyncHttpx2Transport,
    AsyncHttpxTransport,
    Httpx2Transport,
    HttpxTransport,
)
from eprescription_sdk.xml import MAX_BYTES
from tests.client.hostile import measured
from tests.transport import servers
from tests.transport.servers import serving
from tests.transport.transports import PLAIN, Send, request

GIGABYTE = gzip.compress(bytes(1 << 24)) * 64


def encoded(encoding: str, content: bytes) -> servers.Behaviour:
    def behave(connection: socket.socket) -> None:
        servers.read_request(connection)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nContent-Encoding: {encoding}"
        connection.sendall(head.encode() + b"\r\n\r\n" + content)

    return behave


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(send: Send, status: int) -> None:
    with serving(servers.answer) as elsewhere:

        def behave(connection: socket.socket) -> None:
            servers.read_request(connection)
            head = f"HTTP/1.1 {status} X\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n"
            connection.sendall(head.encode())

        with serving(behave) as server:
            reply = send(request(server.url))
        assert (reply.status, reply.content) == (status, b"")
        assert elsewhere.requests == []


def test_a_gigabyte_of_gzip_stays_what_it_weighs(send: Send) -> None:
    """A server that compresses although it was asked not to is not unfolded."""
    with serving(encoded("gzip", GIGABYTE)) as server, measured() as memory:
        reply = send(request(server.url, max_bytes=MAX_BYTES, timeout=10.0))
    assert reply.content == GIGABYTE
    assert memory.megabytes < 50


def test_a_small_encoded_reply_comes_as_it_is(send: Send) -> None:
    content = gzip.compress(b"<ok/>")
    with serving(encoded("gzip", content)) as server:
        assert send(request(server.url)).content == content


def test_an_endless_reply_is_cut(send: Send) -> None:
    sent = []

    def behave(connection: socket.socket) -> None:
        servers.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            sent.append(0x10000)

    with (
        serving(behave) as server,
        measured() as memory,
        pytest.raises(TransportFailure, match="ReplyTooLarge") as caught,
    ):
        send(request(server.url, max_bytes=1 << 20, timeout=10.0))
    assert caught.value.delivery is Delivery.UNKNOWN
    assert memory.megabytes < 50
    assert sum(sent) < 20 << 20


_LAST = servers.ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)


class Crowd:
    """A server that holds every request a while, and counts how many it held at once."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, connection: socket.socket) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            servers.read_request(connection)
            time.sleep(0.3)
        finally:
            # Before the answer: whoever has it may send the next one at once.
            with self._lock:
                self._now -= 1
        connection.sendall(_LAST)


CALLERS = 70
CAP = 50


@pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport])
def test_threads_share_a_capped_pool(kind: type[HttpxTransport]) -> None:
    crowd = Crowd()
    with serving(crowd) as server, ThreadPoolExecutor(CALLERS) as pool:
        transport = kind(PLAIN)
        asked = request(server.url, timeout=8.0, connect_timeout=5.0)
        replies = list(pool.map(transport.send, [asked] * CALLERS))
        transport.close()
    assert {reply.status for reply in replies} == {200}
    assert CAP // 2 < crowd.most <= CAP


@pytest.mark.parametrize("kind", [AsyncHttpxTransport, AsyncHttpx2Transport])
def test_tasks_share_a_capped_pool(kind: type[AsyncHttpxTransport]) -> None:
    crowd = Crowd()

    async def run(url: str) -> list[int]:
        transport = kind(PLAIN)
        asked = request(url, timeout=8.0, connect_timeout=5.0)
        replies = await asyncio.gather(*(transport.send(asked) for _ in range(CALLERS)))
        await transport.close()
        return [reply.status for reply in replies]

    with serving(crowd) as server:
        assert set(asyncio.run(run(server.url))) == {200}
    assert CAP // 2 < crowd.most <= CAP


def test_a_full_pool_is_not_waited_for_beyond_the_connect_time() -> None:
    """What waited for a connection in vain was not sent."""
    release = threading.Event()

    def behave(connection: socket.socket) -> None:
        servers.read_request(connection)
        release.wait(10)
        connection.sendall(servers.ANSWER)

    with serving(behave) as server, ThreadPoolExecutor(CAP) as pool:
        transport = HttpxTransport(PLAIN)
        held = [
            pool.submit(transport.send, request(server.url, timeout=9.0, connect_timeout=5.0))
            for _ in range(CAP)
        ]
        ends = time.monotonic() + 5
        failure = None
        while failure is None and time.monotonic() < ends:
            try:
                transport.send(request(server.url, timeout=0.3, connect_timeout=0.1))
            except TransportFailure as error:
                failure = error if error.message == "PoolTimeout" else None
        release.set()
        assert all(each.result().status == 200 for each in held)
        transport.close()
    assert failure is not None
    assert failure.delivery is Delivery.NOT_SENT


@pytest.mark.parametrize("missing", [Httpx2Transport, AsyncHttpx2Transport])
def test_a_library_that_is_missing_is_named(
    missing: type[Httpx2Transport | AsyncHttpx2Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from eprescription_sdk.errors import MissingExtra

    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(MissingExtra, match="httpx2"):
        missing()

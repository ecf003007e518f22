"""Which connection carries a request, on real sockets."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import attrs
import pytest
import trustme

from eprescription_sdk.errors import Delivery, TransportFailure
from eprescription_sdk.model.exchange import HttpReply
from eprescription_sdk.transport import (
    AsyncHttpx2Transport,
    AsyncHttpxTransport,
    Httpx2Transport,
    HttpxTransport,
    connections,
    httpx_transport,
)
from tests.transport import servers
from tests.transport.servers import serving
from tests.transport.transports import PLAIN, request


@attrs.define
class Counting:
    """A server that answers, and knows of each connection whether its client left."""

    answers: int = 99
    hold: threading.Event | None = None
    left: list[bool] = attrs.field(factory=list)

    def __call__(self, connection: socket.socket) -> None:
        place = len(self.left)
        self.left.append(False)
        for _ in range(self.answers):
            # A client that is gone sends nothing.
            if not servers.read_request(connection):
                self.left[place] = True
                return
            if self.hold is not None:
                self.hold.wait(20)
            connection.sendall(servers.ANSWER)


class Both:
    """A blocking transport in threads, or an asynchronous one: one way to call both."""

    def __init__(self, kind: type[HttpxTransport] | type[AsyncHttpxTransport]) -> None:
        self._carrier = kind(PLAIN)
        self._pool = ThreadPoolExecutor(60)

    async def send(self, url: str, **changes: Any) -> HttpReply:
        asked = request(url, **changes)
        if isinstance(self._carrier, AsyncHttpxTransport):
            return await self._carrier.send(asked)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._carrier.send, asked)

    async def close(self) -> None:
        if isinstance(self._carrier, AsyncHttpxTransport):
            await self._carrier.close()
        else:
            self._carrier.close()


@pytest.fixture(params=[HttpxTransport, Httpx2Transport, AsyncHttpxTransport, AsyncHttpx2Transport])
def carrier(request: pytest.FixtureRequest) -> Both:
    return Both(request.param)


@contextmanager
def counting(server: Counting) -> Iterator[str]:
    with serving(server) as listening:
        yield listening.url


def test_one_that_the_server_closed_is_not_used_again(carrier: Both) -> None:
    server = Counting(answers=1)

    async def play(url: str) -> None:
        await carrier.send(url)
        await asyncio.sleep(0.1)
        assert (await carrier.send(url)).status == 200
        await carrier.close()

    with counting(server) as url:
        asyncio.run(play(url))
    assert len(server.left) == 2


def test_the_one_used_last_is_used_first_and_the_others_go_in_time(
    carrier: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx_transport, "KEPT_AT_REST", 0.3)
    server = Counting(hold=threading.Event())

    async def play(url: str) -> None:
        assert server.hold is not None
        first = [asyncio.ensure_future(carrier.send(url)) for _ in range(3)]
        await _until(lambda: len(server.left) == 3)
        server.hold.set()
        await asyncio.gather(*first)
        for _ in range(5):
            await asyncio.sleep(0.1)
            await carrier.send(url)
        await _until(lambda: sum(server.left) == 2)
        await carrier.close()

    with counting(server) as url:
        asyncio.run(play(url))
    assert len(server.left) == 3


def test_one_in_use_when_all_are_closed_brings_no_answer(carrier: Both) -> None:
    server = Counting(hold=threading.Event())

    async def play(url: str) -> None:
        assert server.hold is not None
        going = asyncio.ensure_future(carrier.send(url))
        await _until(lambda: bool(server.left))
        await asyncio.sleep(0.1)
        threading.Timer(0.2, server.hold.set).start()
        await carrier.close()
        with pytest.raises(TransportFailure) as caught:
            await going
        assert caught.value.delivery is Delivery.UNKNOWN

    with counting(server) as url:
        asyncio.run(play(url))


def test_after_closing_nothing_is_kept(carrier: Both) -> None:
    server = Counting()

    async def play(url: str) -> None:
        await carrier.close()
        assert (await carrier.send(url)).status == 200
        await _until(lambda: server.left == [True])

    with counting(server) as url:
        asyncio.run(play(url))


def test_where_all_are_in_use_none_is_waited_for_beyond_the_connect_time(
    carrier: Both,
) -> None:
    """What waited for a connection in vain was not sent."""
    server = Counting(hold=threading.Event())

    async def play(url: str) -> None:
        assert server.hold is not None
        send = partial(carrier.send, url, timeout=20.0)
        held = [asyncio.ensure_future(send(connect_timeout=10.0)) for _ in range(connections.MOST)]
        await _until(lambda: len(server.left) == connections.MOST)
        with pytest.raises(TransportFailure, match="PoolTimeout") as caught:
            await send(connect_timeout=0.2)
        assert caught.value.delivery is Delivery.NOT_SENT
        server.hold.set()
        assert {reply.status for reply in await asyncio.gather(*held)} == {200}
        await carrier.close()

    with counting(server) as url:
        asyncio.run(play(url))


@pytest.mark.parametrize("kind", [AsyncHttpxTransport, AsyncHttpx2Transport])
def test_what_still_comes_for_a_caller_who_left_reaches_nobody_else(
    kind: type[AsyncHttpxTransport],
) -> None:
    server = Counting(hold=threading.Event())

    async def play(url: str) -> None:
        assert server.hold is not None
        transport = kind(PLAIN)
        going = asyncio.ensure_future(transport.send(request(url)))
        await _until(lambda: bool(server.left))
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
        server.hold.set()
        assert (await transport.send(request(url))).status == 200
        await transport.close()

    with counting(server) as url:
        asyncio.run(play(url))
    assert len(server.left) == 2


STRAY = b"HTTP/1.1 500 Stray\r\nContent-Length: 3\r\n\r\nold"


@pytest.mark.parametrize("stray", [STRAY, b"more than it said"], ids=["an answer", "a rest"])
@pytest.mark.parametrize("secured", [False, True])
def test_what_comes_behind_an_answer_is_not_the_next_answer(
    secured: bool, stray: bytes, carrier: Both
) -> None:
    """A fault that nobody asked for would refuse what is registered."""

    def behave(connection: socket.socket) -> None:
        while servers.read_request(connection):
            if isinstance(connection, ssl.SSLSocket):
                # Two records that reach the client at once.
                connection.setsockopt(socket.IPPROTO_TCP, _CORK, 1)
                connection.sendall(servers.ANSWER)
                connection.sendall(stray)
                connection.setsockopt(socket.IPPROTO_TCP, _CORK, 0)
            else:
                connection.sendall(servers.ANSWER + stray)

    async def play(url: str) -> None:
        for _ in range(3):
            assert (await carrier.send(url)).content == b"ok"
        await carrier.close()

    authority = trustme.CA()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server_side)
    authority.configure_trust(PLAIN)
    with serving(behave, server_side if secured else None) as server:
        asyncio.run(play(server.url))


_CORK = getattr(socket, "TCP_CORK", socket.TCP_NODELAY)


def test_each_of_many_at_once_gets_its_own_answer(carrier: Both) -> None:
    def echo(connection: socket.socket) -> None:
        while said := servers.read_request(connection).partition(b"\r\n\r\n")[2]:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)

    async def play(url: str) -> None:
        async def ask(who: int) -> None:
            for turn in range(20):
                content = f"{who} {turn}".encode()
                assert (await carrier.send(url, content=content)).content == content

        await asyncio.gather(*map(ask, range(8)))
        await carrier.close()

    with serving(echo) as server:
        asyncio.run(play(server.url))


def test_credentials_in_an_address_are_sent(carrier: Both) -> None:
    seen: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        seen.append(servers.read_request(connection))
        connection.sendall(servers.ANSWER)

    async def play(url: str) -> None:
        await carrier.send(url.replace("http://", "http://gardien:mot%20cl%C3%A9@"))
        await carrier.close()

    with serving(behave) as server:
        asyncio.run(play(server.url))
    (head,) = seen
    assert b"Authorization: Basic Z2FyZGllbjptb3QgY2zDqQ==\r\n" in head
    assert b"gardien" not in head


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  (what the server's threads do)
            await asyncio.sleep(0.01)

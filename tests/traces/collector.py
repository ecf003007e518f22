"""A collector on a bare socket: it counts what reaches the socket, and may be in a bad mood.

The sandbox's reads what it gets; here only ids, arrivals and bytes matter, thousands of them.
"""

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Coroutine
from typing import Any, Self

_ANSWER = b"HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n"
PATIENCE = 10


class Collector:
    """Listens on the loopback, in a thread of its own, while it is entered.

    Args:
        fails: the share of requests that it fails: it answers 503, drops the connection before or
            after it has stored the trace, or stores it and answers 500.
    """

    def __init__(self, fails: float = 0.0) -> None:
        self._fails = fails
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._transports: set[asyncio.Transport] = set()
        self._port = 0
        self.deaf = True
        self.socket_count = 0
        """Connections made and bytes received: any sign of a sender changes it."""
        self.requests = 0
        self.failures = 0
        self.arrivals: Counter[str] = Counter()
        """How often each trace was stored, by its id."""
        self.contents: dict[str, set[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._deafen())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def restart(self) -> None:
        """Cut every connection, refuse new ones for a moment, and listen again."""

        async def again() -> None:
            await self._deafen()
            await asyncio.sleep(0.05)
            await self._listen()

        self._do(again())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _listen(self) -> None:
        self.deaf = False
        self._server = await self._loop.create_server(
            lambda: _Connection(self), "127.0.0.1", self._port, reuse_address=True
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def _deafen(self) -> None:
        # asyncio fails on a connection that was accepted just before its server is closed.
        self.deaf = True
        for listening in self._server.sockets:
            self._loop.remove_reader(listening.fileno())
        for transport in list(self._transports):
            transport.abort()
        while len(asyncio.all_tasks()) > 1 or self._transports:  # noqa: ASYNC110  (nothing tells)
            await asyncio.sleep(0.001)
        self._server.close()

    def answer(self, body: bytes) -> bytes | None:
        """What one request is answered; None drops its connection."""
        self.requests += 1
        mood = random.randrange(4) if random.random() < self._fails else None  # noqa: S311
        self.failures += mood is not None
        if mood in (0, 1):
            return _ANSWER % 503 if mood else None
        trace: str = json.loads(body)["id"]
        self.arrivals[trace] += 1
        self.contents.setdefault(trace, set()).add(body)
        if mood is None:
            return _ANSWER % 201
        return _ANSWER % 500 if mood == 2 else None


class _Connection(asyncio.Protocol):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._collector.deaf:
            transport.abort()
        self._collector._transports.add(transport)  # noqa: SLF001  (one thing in two classes)
        self._collector.socket_count += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._collector._transports.discard(self._transport)  # noqa: SLF001

    def data_received(self, data: bytes) -> None:
        self._collector.socket_count += len(data)
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self._received = rest[length:]
        answer = self._collector.answer(rest[:length])
        if answer is None:
            self._transport.abort()
        else:
            self._transport.write(answer)

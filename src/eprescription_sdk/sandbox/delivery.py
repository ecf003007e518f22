"""How the reference sandbox leaves an answer unfinished: cut, reset, endless or never begun.

Starlette is imported here, so this module is imported only when a sandbox starts.
"""

import asyncio
import socket
import struct
from collections.abc import Iterable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from eprescription_sdk.sandbox import answers
from eprescription_sdk.sandbox.answers import NOTICE_HEADER

# Time for the client to read the first half of a body before the connection is reset: a
# reset throws away what the client has not read yet.
_SETTLE_SECONDS = 0.02

Connections = dict[tuple[str, int], asyncio.Transport]
"""The open connections, by the client's address: what lets the application cut them."""


class Cut(Response):
    """Sends some bytes, or none, and then cuts the connection.

    Args:
        connections: where to find the connection.
        chunks: what to send first, with the headers; None sends not one byte.
        announced: the ``Content-Length`` to announce, or None for a chunked body.
        reset: reset the connection, else close it politely.
        limit: bytes after which to stop.
    """

    def __init__(
        self,
        connections: Connections,
        *,
        chunks: Iterable[bytes] | None = None,
        announced: int | None = None,
        reset: bool = True,
        limit: int | None = None,
    ) -> None:
        super().__init__(status_code=200)
        self._connections = connections
        self._chunks = chunks
        self._announced = announced
        self._reset = reset
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what there is to send, cut the connection, and wait until it is gone."""
        client = scope.get("client")
        transport = self._connections.get((client[0], client[1])) if client else None
        if transport is None:
            return  # the client has already left
        if self._chunks is not None:
            await self._send_some(transport, self._chunks, send)
        if self._reset:
            reset_connection(transport)
        else:
            transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _send_some(
        self, transport: asyncio.Transport, chunks: Iterable[bytes], send: Send
    ) -> None:
        headers = [(b"content-type", answers.CONTENT_TYPE.encode()), _raw(NOTICE_HEADER)]
        if self._announced is not None:
            headers.append((b"content-length", str(self._announced).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sent = 0
        for chunk in chunks:
            if transport.is_closing() or (self._limit is not None and sent >= self._limit):
                break
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            sent += len(chunk)
            await asyncio.sleep(0)
        if self._reset and not transport.is_closing():
            await asyncio.sleep(_SETTLE_SECONDS)


def reset_connection(transport: asyncio.Transport) -> None:
    """Cut a connection with a TCP reset: nothing queued is sent any more."""
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _raw(header: tuple[str, str]) -> tuple[bytes, bytes]:
    return header[0].lower().encode(), header[1].encode()

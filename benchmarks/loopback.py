"""A téléservice reduced to its answer: what both sides of a comparison talk to.

An HTTP/1.1 server in a process of its own, as quick as Python makes it. It reads the whole
request, takes the number from it, and answers that the prescription with this number is
registered: always as many bytes. It checks nothing.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NUMBER = b"<ref:Numero>"
_BODY = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>'
    b'<r:CreerResponse xmlns:r="urn:eprescription-sdk:reference:1"><r:CodeCR>00</r:CodeCR>'
    b"<r:Numero>%s</r:Numero><r:EnregistreeLe>2026-03-02T09:30:00+00:00</r:EnregistreeLe>"
    b"</r:CreerResponse></soap:Body></soap:Envelope>"
)
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml; charset=utf-8\r\n"
    b"Content-Length: %d\r\n\r\n"
)


class _Answering(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data = self._data + data if self._data else data
        end = self._data.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        head = self._data[:end].lower()
        at = head.index(b"content-length:") + 15
        length = int(head[at : head.index(b"\r\n", at)])
        if len(self._data) < end + length:
            return
        start = self._data.find(_NUMBER, end) + len(_NUMBER)
        body = _BODY % self._data[start : self._data.index(b"<", start)]
        self._data = b""
        self._transport.write(_HEAD % len(body) + body)


@contextmanager
def serving() -> Iterator[str]:
    """The server's address, while it runs."""
    command = [sys.executable, "-m", "benchmarks.loopback"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0, backlog=512)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}/service", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())

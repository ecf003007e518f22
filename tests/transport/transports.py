"""Every transport, so that a test is written once: both libraries, both ways."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from eprescription_sdk.model.exchange import HttpReply, HttpRequest
from eprescription_sdk.transport import (
    AsyncHttpx2Transport,
    AsyncHttpxTransport,
    Httpx2Transport,
    HttpxTransport,
)

Send = Callable[..., HttpReply]


def request(url: str, **changes: Any) -> HttpRequest:
    values: dict[str, Any] = {
        "url": url,
        "headers": {"Content-Type": "text/plain"},
        "content": b"content",
        "timeout": 2.0,
        "connect_timeout": 1.0,
        "max_bytes": 1024,
    }
    return HttpRequest(**values | changes)


PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody; reading all the authorities takes its time."""


class Blocking:
    """Sends with a blocking transport of one library."""

    def __init__(self, kind: type[HttpxTransport]) -> None:
        self.kind = kind

    def __call__(self, *requests: HttpRequest, context: ssl.SSLContext = PLAIN) -> HttpReply:
        transport = self.kind(context)
        try:
            return [transport.send(each) for each in requests][-1]
        finally:
            transport.close()


class Asynchronous:
    """Sends with an asynchronous transport of one library."""

    def __init__(self, kind: type[AsyncHttpxTransport]) -> None:
        self.kind = kind

    def __call__(self, *requests: HttpRequest, context: ssl.SSLContext = PLAIN) -> HttpReply:
        async def run() -> HttpReply:
            transport = self.kind(context)
            try:
                return [await transport.send(each) for each in requests][-1]
            finally:
                await transport.close()

        return asyncio.run(run())


TRANSPORTS: dict[str, Send] = {
    "httpx-sync": Blocking(HttpxTransport),
    "httpx-async": Asynchronous(AsyncHttpxTransport),
    "httpx2-sync": Blocking(Httpx2Transport),
    "httpx2-async": Asynchronous(AsyncHttpx2Transport),
}

"""Transports on httpx, blocking and asynchronous."""

import ssl
import time
from collections.abc import Mapping

import httpx

from eprescription_sdk.errors import Delivery, TransportFailure
from eprescription_sdk.model.exchange import HttpReply, HttpRequest
from eprescription_sdk.transport.delivery import Wire, delivery

# httpcore's asynchronous pool slows down with many connections.
_LIMITS = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=4.0)


def _timeouts(request: HttpRequest) -> httpx.Timeout:
    return httpx.Timeout(
        request.timeout, connect=request.connect_timeout, pool=request.connect_timeout
    )


def _headers(request: HttpRequest) -> dict[str, str]:
    # An encoded reply could unfold to any size; the service is not asked for one.
    return {"Accept-Encoding": "identity", **request.headers}


def _failure(error: Exception, wire: Wire) -> TransportFailure:
    # The text of the original may hold addresses; its name says enough.
    return TransportFailure(type(error).__name__, delivery=delivery(error, wire))


class _Collector:
    """Gathers a reply within its size and time."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._ends = time.monotonic() + request.timeout
        self._content = bytearray()

    def add(self, chunk: bytes) -> None:
        self._content += chunk
        if len(self._content) > self._request.max_bytes:
            raise TransportFailure("ReplyTooLarge", delivery=Delivery.UNKNOWN)
        if time.monotonic() > self._ends:
            raise TransportFailure("ReplyTooSlow", delivery=Delivery.UNKNOWN)

    def reply(self, status: int, headers: Mapping[str, str]) -> HttpReply:
        lowered = {name.lower(): value for name, value in headers.items()}
        return HttpReply(status=status, headers=lowered, content=bytes(self._content))


class HttpxTransport:
    """Carries requests on ``httpx.Client``; safe to share between threads.

    Args:
        ssl_context: for mutual TLS; None trusts the system's authorities.
    """

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._client = httpx.Client(
            verify=ssl_context or True, limits=_LIMITS, trust_env=False, follow_redirects=False
        )

    def send(self, request: HttpRequest) -> HttpReply:
        """The whole reply, whatever its status.

        Raises:
            TransportFailure: no answer, with what is known of the delivery.
        """
        wire = Wire()
        collector = _Collector(request)
        try:
            with self._client.stream(
                "POST",
                request.url,
                content=request.content,
                headers=_headers(request),
                timeout=_timeouts(request),
                extensions={"trace": wire},
            ) as response:
                for chunk in response.iter_raw():
                    collector.add(chunk)
                return collector.reply(response.status_code, response.headers)
        except (httpx.HTTPError, OSError) as error:
            raise _failure(error, wire) from None

    def close(self) -> None:
        """Give connections back."""
        self._client.close()


class AsyncHttpxTransport:
    """Carries requests on ``httpx.AsyncClient``.

    Args:
        ssl_context: for mutual TLS; None trusts the system's authorities.
    """

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._client = httpx.AsyncClient(
            verify=ssl_context or True, limits=_LIMITS, trust_env=False, follow_redirects=False
        )

    async def send(self, request: HttpRequest) -> HttpReply:
        """The whole reply, whatever its status.

        Raises:
            TransportFailure: no answer, with what is known of the delivery.
        """
        wire = Wire()
        collector = _Collector(request)
        try:
            async with self._client.stream(
                "POST",
                request.url,
                content=request.content,
                headers=_headers(request),
                timeout=_timeouts(request),
                extensions={"trace": wire.watch},
            ) as response:
                async for chunk in response.aiter_raw():
                    collector.add(chunk)
                return collector.reply(response.status_code, response.headers)
        except (httpx.HTTPError, OSError) as error:
            raise _failure(error, wire) from None

    async def close(self) -> None:
        """Give connections back."""
        await self._client.aclose()

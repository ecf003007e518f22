"""Transports on httpx and on httpx2, blocking and asynchronous: one implementation.

httpx2 is the successor of httpx and has the same names; it is imported when it is first used.
"""

import asyncio
import os
import ssl
import weakref
from collections.abc import Mapping
from typing import Any, Protocol

import httpx

from eprescription_sdk.errors import Delivery, MissingExtra, TransportFailure
from eprescription_sdk.model.exchange import HttpReply, HttpRequest
from eprescription_sdk.transport.deadline import Deadline, install
from eprescription_sdk.transport.delivery import Wire, delivery, reason
from eprescription_sdk.transport.tls import tls_context


def _library2() -> Any:
    try:
        import httpx2
    except ModuleNotFoundError:
        raise MissingExtra("httpx2") from None
    return httpx2


def _limits(http: Any) -> Any:
    # httpcore's asynchronous pool slows down with many connections.
    return http.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=4.0)


def _options(http: Any, request: HttpRequest) -> dict[str, Any]:
    return {
        "content": request.content,
        # An encoded reply could unfold to any size; the service is not asked for one, and one
        # that comes all the same is handed over as it is.
        "headers": {"Accept-Encoding": "identity", **request.headers},
        "timeout": http.Timeout(
            request.timeout, connect=request.connect_timeout, pool=request.connect_timeout
        ),
    }


def _failures(http: Any) -> tuple[type[Exception], ...]:
    # An address that cannot be read is an InvalidURL, which is no HTTPError; running out of
    # time is an OSError.
    return (http.HTTPError, http.InvalidURL, OSError)


def _failure(error: Exception, wire: Wire) -> TransportFailure:
    return TransportFailure(reason(error, wire), delivery=delivery(error, wire))


class _Collector:
    """Gathers a reply within its size."""

    def __init__(self, request: HttpRequest) -> None:
        self._most = request.max_bytes
        self._content = bytearray()

    def add(self, chunk: bytes) -> None:
        self._content += chunk
        if len(self._content) > self._most:
            raise TransportFailure("ReplyTooLarge", delivery=Delivery.UNKNOWN)

    def reply(self, status: int, headers: Mapping[str, str]) -> HttpReply:
        lowered = {name.lower(): value for name, value in headers.items()}
        return HttpReply(status=status, headers=lowered, content=bytes(self._content))


class HttpxTransport:
    """Carries requests on ``httpx.Client``; safe to share between threads.

    Args:
        ssl_context: for mutual TLS; None trusts the public authorities.
    """

    _http: Any = httpx

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl_context = ssl_context or tls_context()
        self._deadline = Deadline()
        self._inherited: list[Any] = []
        self._client = self._open()
        _transports.add(self)

    def _open(self) -> Any:
        http = self._http
        carrier = http.HTTPTransport(
            verify=self._ssl_context, limits=_limits(http), trust_env=False
        )
        install(carrier, self._deadline)
        return http.Client(transport=carrier, trust_env=False, follow_redirects=False)

    def after_fork_in_child(self) -> None:
        """Leave the connections to the parent: two processes on one would mix their bytes."""
        # Kept, so that nothing is said on them in closing.
        self._inherited.append(self._client)
        self._client = self._open()

    def send(self, request: HttpRequest) -> HttpReply:
        """The whole reply, whatever its status.

        Raises:
            TransportFailure: no answer, with what is known of the delivery.
        """
        wire = Wire()
        collector = _Collector(request)
        try:
            with (
                self._deadline.within(request.timeout),
                self._client.stream(
                    "POST",
                    request.url,
                    **_options(self._http, request),
                    extensions={"trace": wire},
                ) as response,
            ):
                for chunk in response.iter_raw():
                    collector.add(chunk)
                return collector.reply(response.status_code, response.headers)
        except _failures(self._http) as error:
            raise _failure(error, wire) from None

    def close(self) -> None:
        """Give connections back."""
        self._client.close()


class AsyncHttpxTransport:
    """Carries requests on ``httpx.AsyncClient``.

    Args:
        ssl_context: for mutual TLS; None trusts the public authorities.
    """

    _http: Any = httpx

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl_context = ssl_context or tls_context()
        self._inherited: list[Any] = []
        self._client = self._open()
        _transports.add(self)

    def _open(self) -> Any:
        http = self._http
        return http.AsyncClient(
            verify=self._ssl_context, limits=_limits(http), trust_env=False, follow_redirects=False
        )

    def after_fork_in_child(self) -> None:
        """Leave the connections to the parent: two processes on one would mix their bytes."""
        # Kept, so that nothing is said on them in closing.
        self._inherited.append(self._client)
        self._client = self._open()

    async def send(self, request: HttpRequest) -> HttpReply:
        """The whole reply, whatever its status.

        Raises:
            TransportFailure: no answer, with what is known of the delivery.
        """
        wire = Wire()
        collector = _Collector(request)
        try:
            async with (
                asyncio.timeout(request.timeout),
                self._client.stream(
                    "POST",
                    request.url,
                    **_options(self._http, request),
                    extensions={"trace": wire.watch},
                ) as response,
            ):
                async for chunk in response.aiter_raw():
                    collector.add(chunk)
                return collector.reply(response.status_code, response.headers)
        except _failures(self._http) as error:
            raise _failure(error, wire) from None

    async def close(self) -> None:
        """Give connections back."""
        await self._client.aclose()


class Httpx2Transport(HttpxTransport):
    """Carries requests on ``httpx2.Client``; safe to share between threads.

    Args:
        ssl_context: for mutual TLS; None trusts the public authorities.

    Raises:
        MissingExtra: the extra ``httpx2`` is not installed.
    """

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._http = _library2()
        super().__init__(ssl_context)


class AsyncHttpx2Transport(AsyncHttpxTransport):
    """Carries requests on ``httpx2.AsyncClient``, faster with many in flight.

    Args:
        ssl_context: for mutual TLS; None trusts the public authorities.

    Raises:
        MissingExtra: the extra ``httpx2`` is not installed.
    """

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._http = _library2()
        super().__init__(ssl_context)


class _Forkable(Protocol):
    def after_fork_in_child(self) -> None:
        """Start afresh in a child."""


_transports: "weakref.WeakSet[_Forkable]" = weakref.WeakSet()


def _renew() -> None:
    for transport in list(_transports):
        transport.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)

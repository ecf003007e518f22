"""Transports on httpx and on httpx2, blocking and asynchronous: one implementation.

httpx2 is the successor of httpx and has the same names. Either is imported when it is first used:
httpx brings what its own command needs, and takes as long to load as half of this library.
A request is handed to a connection of the library's core, httpcore: what the client above it
adds, cookies, redirects, flows of authentication and the merging of headers, has no place here,
and takes half the time of a request.
"""

import os
import ssl
import weakref
from asyncio import timeout
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

import attrs

from eprescription_sdk.errors import Delivery, MissingExtra, TransportFailure
from eprescription_sdk.model.exchange import HttpReply, HttpRequest
from eprescription_sdk.transport.connections import AsyncConnections, Connections, Origin
from eprescription_sdk.transport.deadline import Backend, Deadline
from eprescription_sdk.transport.delivery import Wire, delivery, reason
from eprescription_sdk.transport.tls import tls_context

KEPT_AT_REST = 4.0
"""How long a connection waits for its next request, in seconds."""


@attrs.frozen
class _Library:
    """httpx or httpx2, and its core."""

    http: Any
    core: Any

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What a request may fail with."""
        # An address that cannot be read is an InvalidURL; running out of time is an OSError.
        core = self.core
        return (
            core.NetworkError, core.TimeoutException, core.ProtocolError,
            core.UnsupportedProtocol, core.ConnectionNotAvailable,
            self.http.InvalidURL, OSError,
        )  # fmt: skip


def _httpx() -> _Library:
    import httpcore
    import httpx

    return _Library(httpx, httpcore)


def _httpx2() -> _Library:
    try:
        import httpcore2
        import httpx2
    except ModuleNotFoundError:
        raise MissingExtra("httpx2") from None
    return _Library(httpx2, httpcore2)


@attrs.frozen
class _Address:
    """Where a request goes, as the core wants it."""

    url: Any
    origin: Origin
    headers: tuple[tuple[bytes, bytes], ...]


@lru_cache(maxsize=32)
def _address(library: _Library, text: str) -> _Address:
    url, core = library.http.URL(text), library.core
    if url.scheme not in ("http", "https"):
        raise core.UnsupportedProtocol("An address begins with http:// or https://.")
    # An encoded reply could unfold to any size; the service is not asked for one, and one
    # that comes all the same is handed over as it is.
    headers = [
        (b"Host", url.netloc), (b"Accept", b"*/*"), (b"Accept-Encoding", b"identity"),
        (b"User-Agent", b"eprescription-sdk"),
    ]  # fmt: skip
    if url.userinfo:
        words = f"{url.username}:{url.password}".encode()
        headers.append((b"Authorization", b"Basic " + b64encode(words)))
    target = core.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    origin = target.origin
    return _Address(target, (origin.scheme, origin.host, origin.port), tuple(headers))


def _request(core: Any, address: _Address, request: HttpRequest, trace: Any) -> Any:
    # What the request names takes the place of ours: twice, a server would read the first.
    given = [(name.encode("ascii"), value.encode()) for name, value in request.headers.items()]
    named = {name.lower() for name, _ in given}
    ours = [each for each in address.headers if each[0].lower() not in named]
    most = request.timeout
    return core.Request(
        b"POST",
        address.url,
        headers=[*ours, *given, (b"Content-Length", b"%d" % len(request.content))],
        content=request.content,
        extensions={
            "timeout": {"connect": request.connect_timeout, "read": most, "write": most},
            "trace": trace,
        },
    )


class _Collector:
    """Gathers a reply within its size."""

    def __init__(self, request: HttpRequest) -> None:
        self._most = request.max_bytes
        self._content = bytearray()

    def add(self, chunk: bytes) -> None:
        self._content += chunk
        if len(self._content) > self._most:
            raise TransportFailure("ReplyTooLarge", delivery=Delivery.UNKNOWN)

    def reply(self, response: Any) -> HttpReply:
        content = bytes(self._content)
        return HttpReply(status=response.status, headers=_headers(response), content=content)


def _headers(response: Any) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in response.headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _failure(error: Exception, wire: Wire) -> TransportFailure:
    return TransportFailure(reason(error, wire), delivery=delivery(error, wire))


class HttpxTransport:
    """Carries requests on the connections of httpx; safe to share between threads.

    Args:
        ssl_context: for mutual TLS; None trusts the public authorities.
    """

    _find_library = staticmethod(_httpx)

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._library = self._find_library()
        self._ssl_context = ssl_context or tls_context()
        self._deadline = Deadline()
        self._inherited: list[Any] = []
        self._connections = Connections(self._connect)
        _transports.add(self)

    def _connect(self, origin: Origin) -> Any:
        core = self._library.core
        return core.HTTPConnection(
            core.Origin(*origin),
            ssl_context=self._ssl_context,
            keepalive_expiry=KEPT_AT_REST,
            network_backend=Backend(core.SyncBackend(), self._deadline),
        )

    def after_fork_in_child(self) -> None:
        """Leave the connections to the parent: two processes on one would mix their bytes."""
        # Kept, so that nothing is said on them in closing.
        self._inherited.append(self._connections)
        self._connections = Connections(self._connect)

    def send(self, request: HttpRequest) -> HttpReply:
        """The whole reply, whatever its status.

        Raises:
            TransportFailure: no answer, with what is known of the delivery.
        """
        wire = Wire()
        collector = _Collector(request)
        try:
            address = _address(self._library, request.url)
            with (
                self._deadline.within(request.timeout),
                self._connections.lent(address.origin, request.connect_timeout) as connection,
            ):
                built = _request(self._library.core, address, request, wire)
                response = connection.handle_request(built)
                try:
                    for chunk in response.stream:
                        collector.add(chunk)
                finally:
                    response.close()
            return collector.reply(response)
        except self._library.failures as error:
            raise _failure(error, wire) from None

    def close(self) -> None:
        """Give connections back, those in use too."""
        self._connections.close()


class AsyncHttpxTransport:
    """Carries requests on the asynchronous connections of httpx.

    Args:
        ssl_context: for mutual TLS; None trusts the public authorities.
    """

    _find_library = staticmethod(_httpx)

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._library = self._find_library()
        self._ssl_context = ssl_context or tls_context()
        self._inherited: list[Any] = []
        self._connections = AsyncConnections(self._connect)
        _transports.add(self)

    def _connect(self, origin: Origin) -> Any:
        core = self._library.core
        return core.AsyncHTTPConnection(
            core.Origin(*origin), ssl_context=self._ssl_context, keepalive_expiry=KEPT_AT_REST
        )

    def after_fork_in_child(self) -> None:
        """Leave the connections to the parent: two processes on one would mix their bytes."""
        # Kept, so that nothing is said on them in closing.
        self._inherited.append(self._connections)
        self._connections = AsyncConnections(self._connect)

    async def send(self, request: HttpRequest) -> HttpReply:
        """The whole reply, whatever its status.

        Raises:
            TransportFailure: no answer, with what is known of the delivery.
        """
        wire = Wire()
        collector = _Collector(request)
        try:
            address = _address(self._library, request.url)
            async with (
                timeout(request.timeout),
                self._connections.lent(address.origin, request.connect_timeout) as connection,
            ):
                built = _request(self._library.core, address, request, wire.watch)
                response = await connection.handle_async_request(built)
                try:
                    async for chunk in response.stream:
                        collector.add(chunk)
                finally:
                    await response.aclose()
            return collector.reply(response)
        except self._library.failures as error:
            raise _failure(error, wire) from None

    async def close(self) -> None:
        """Give connections back, those in use too."""
        await self._connections.close()


class Httpx2Transport(HttpxTransport):
    """Carries requests on the connections of httpx2; safe to share between threads.

    Args:
        ssl_context: for mutual TLS; None trusts the public authorities.

    Raises:
        MissingExtra: the extra ``httpx2`` is not installed.
    """

    _find_library = staticmethod(_httpx2)


class AsyncHttpx2Transport(AsyncHttpxTransport):
    """Carries requests on the asynchronous connections of httpx2, faster with many in flight.

    Args:
        ssl_context: for mutual TLS; None trusts the public authorities.

    Raises:
        MissingExtra: the extra ``httpx2`` is not installed.
    """

    _find_library = staticmethod(_httpx2)


class _Forkable(Protocol):
    def after_fork_in_child(self) -> None:
        """Start afresh in a child."""


_transports: "weakref.WeakSet[_Forkable]" = weakref.WeakSet()


def _renew() -> None:
    for transport in list(_transports):
        transport.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)

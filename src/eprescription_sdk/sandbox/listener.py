"""Sockets, event loop and thread of the reference sandbox.

uvicorn's HTTP/1.1 protocol is used without uvicorn's own server loop: the sandbox must be
able to refuse connections, to cut them, and to start and stop at once. uvicorn is imported
here, so this module is imported only when a sandbox starts.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from eprescription_sdk.sandbox.app import Application
from eprescription_sdk.sandbox.delivery import reset_connection
from eprescription_sdk.sandbox.tls import Alerting

_T = TypeVar("_T")
_PATIENCE_SECONDS = 10.0


class _Protocol(H11Protocol):
    """uvicorn's protocol, which notes its connection so that it can be cut."""

    def __init__(self, listener: "Listener", config: Config, state: ServerState) -> None:
        super().__init__(config=config, server_state=state, app_state={})
        self._listener = listener
        self.access_log = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._listener.refusing:
            reset_connection(transport)
        elif self.client is not None:
            self._listener.connections[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client is not None:
            self._listener.connections.pop(self.client, None)
        super().connection_lost(exc)


class Listener:
    """A listening socket and the thread that serves it.

    Args:
        make_application: makes the application, on the event loop.
        host: the address to listen on.
        port: the port, or 0 for a free one.
        tls: how to serve https; None serves http.

    Raises:
        OSError: the address cannot be listened on.
    """

    def __init__(
        self,
        make_application: Callable[[], Application],
        *,
        host: str,
        port: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self.refusing = False
        self._placeholder = _bound(host, port)
        self.port: int = self._placeholder.getsockname()[1]
        self._host = host
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._run, name="eprescription-reference-sandbox", daemon=True
        )
        self._thread.start()
        self._application = self._on_loop(_later(make_application))
        self.connections = self._application.connections
        self._config = Config(
            self._application.asgi,
            # Ours to own: the loop, the logging (none) and who the client is.
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            ws="none",
        )
        self._config.load()
        self._state = ServerState()
        self.resume()

    def resume(self) -> None:
        """Listen, on the port held so far."""
        self._on_loop(self._listen)

    def refuse(self) -> None:
        """Reset every connection and refuse new ones, but keep the port."""
        self._on_loop(self._deafen)

    def stop(self) -> None:
        """Cut everything, let held requests go, end the thread."""
        self._on_loop(self._wind_down)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_SECONDS)

    async def _listen(self) -> None:
        self.refusing = False
        self._server = await self._loop.create_server(self._protocol, sock=self._placeholder)

    def _protocol(self) -> asyncio.BaseProtocol:
        protocol = _Protocol(self, self._config, self._state)
        return protocol if self._tls is None else Alerting(self._loop, protocol, self._tls)

    async def _deafen(self) -> None:
        self.refusing = True
        self._server.close()
        for transport in list(self.connections.values()):
            reset_connection(transport)
        # Bound but not listening: connections are refused, and nobody else takes the port.
        self._placeholder = _bound(self._host, self.port)

    async def _wind_down(self) -> None:
        if self.refusing:
            self._placeholder.close()
        else:
            self.refusing = True
            self._server.close()
        self._application.close()
        for transport in list(self.connections.values()):
            reset_connection(transport)
        if self._state.tasks:
            _, late = await asyncio.wait(self._state.tasks, timeout=1.0)
            for task in late:
                task.cancel()
        # One turn of the loop, in which transports close their sockets.
        await asyncio.sleep(0)

    def _on_loop(self, call: Callable[[], Awaitable[_T]]) -> _T:
        async def run() -> _T:
            return await call()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(_PATIENCE_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()


def _later(make: Callable[[], _T]) -> Callable[[], Awaitable[_T]]:
    async def made() -> _T:
        return make()

    return made


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only on a socket that says it is TCP.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.setblocking(False)  # noqa: FBT003  (the standard library's signature)
    except OSError:
        sock.close()
        raise
    return sock

"""A deadline for a whole blocking request.

httpx limits each read and write, so a peer that drips one byte at a time holds a request for
ever. Here each of them is given no more than what is left of the request. On an event loop
``asyncio.timeout`` does this.
"""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpcore


_LEAST = 0.001
"""A time-out of nothing would mean that the socket does not wait at all."""


class Deadline(threading.local):
    """When the request of this thread must end; a blocking request stays in its thread."""

    _at: float | None = None

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """A block whose reads and writes end after so many seconds."""
        self._at = time.monotonic() + seconds
        try:
            yield
        finally:
            self._at = None

    @property
    def over(self) -> bool:
        """Whether the request should have ended."""
        return self._at is not None and time.monotonic() > self._at

    def left(self, timeout: float | None) -> float | None:
        """The shorter of a time-out and what is left."""
        if self._at is None:
            return timeout
        left = max(_LEAST, self._at - time.monotonic())
        return left if timeout is None else min(timeout, left)


class Backend:
    """Opens connections, of httpcore or httpcore2, that keep a deadline."""

    def __init__(self, backend: "httpcore.NetworkBackend", deadline: Deadline) -> None:
        self._backend = backend
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> "_Stream":
        """A connection to a host and port."""
        stream = self._backend.connect_tcp(
            host, port, self._deadline.left(timeout), local_address, socket_options
        )
        return _Stream(stream, self._deadline)


class _Stream:
    def __init__(self, stream: "httpcore.NetworkStream", deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._deadline.over:
            # A process that was stopped meanwhile: others may rely on it that nothing leaves now.
            raise TimeoutError
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "_Stream":
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Stream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

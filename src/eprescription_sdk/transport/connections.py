"""Which connection carries a request: the one used last of those at rest, or a new one.

The pools of httpcore look through all their connections and requests for each request, twice;
with fifty in flight that costs more than the requests do. Here a connection in use belongs to its
request alone, and those at rest lie on a stack: whatever their number, the top is taken.
"""

import asyncio
import ssl
import threading
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

Origin = tuple[bytes, bytes, int]
"""Scheme, host and port."""

MOST = 50
"""The most connections of one client."""


class PoolTimeout(OSError):
    """Every connection was in use for too long; nothing was sent."""


class _All:
    """Connections in use, and those that wait for a request, by origin, the last used on top."""

    def __init__(self) -> None:
        self.used: set[Any] = set()
        self._stacks: dict[Origin, deque[Any]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._closed = False

    def take(self, origin: Origin) -> tuple[Any | None, list[Any]]:
        """A good connection, if there is one, and those to be closed."""
        spent: list[Any] = []
        with self._lock:
            stack = self._stacks[origin]
            while stack:
                connection = stack.pop()
                if connection.is_available() and not connection.has_expired():
                    return connection, spent
                spent.append(connection)
        return None, spent

    def put(self, origin: Origin, connection: Any) -> list[Any]:
        """Keep a connection that is good for another request; those to be closed."""
        with self._lock:
            if self._closed or not connection.is_idle() or _unread(connection):
                return [connection]
            stack = self._stacks[origin]
            stack.append(connection)
            # One in and at most one out: what nobody needs any more goes in time.
            if len(stack) > 1 and stack[0].has_expired():
                return [stack.popleft()]
        return []

    def close(self) -> list[Any]:
        """All of them; none is kept any more."""
        with self._lock:
            self._closed = True
            waiting = [connection for stack in self._stacks.values() for connection in stack]
            self._stacks.clear()
        return [*waiting, *tuple(self.used)]


def _unread(connection: Any) -> bool:
    """Whether more came than the answer: it would be read as the answer to the next request.

    What the socket still holds, the library sees by itself when the connection is taken.
    """
    # No public name tells.
    http = connection._connection  # noqa: SLF001
    if http._h11_state.trailing_data[0]:  # noqa: SLF001
        return True
    secured = http._network_stream.get_extra_info("ssl_object")  # noqa: SLF001
    if not isinstance(secured, ssl.SSLObject):
        return False
    # On an event loop, records wait in memory until they are deciphered.
    try:
        secured.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        return True
    return True


class Connections:
    """The connections of a blocking transport; safe to share between threads.

    Args:
        connect: makes a connection to an origin; it connects with its first request.
    """

    def __init__(self, connect: Callable[[Origin], Any]) -> None:
        self._connect = connect
        self._places = threading.Semaphore(MOST)
        self._all = _All()

    @contextmanager
    def lent(self, origin: Origin, patience: float) -> Iterator[Any]:
        """A connection for one request, waited for no longer than ``patience`` seconds.

        Raises:
            PoolTimeout: all were in use.
        """
        if not self._places.acquire(timeout=patience):
            raise PoolTimeout
        try:
            connection, spent = self._all.take(origin)
            connection = connection or self._connect(origin)
            self._all.used.add(connection)
            try:
                _close(spent)
                yield connection
            except BaseException:
                # What still comes on it belongs to nobody.
                connection.close()
                raise
            finally:
                self._all.used.discard(connection)
            _close(self._all.put(origin, connection))
        finally:
            self._places.release()

    def close(self) -> None:
        """Close all, those in use too."""
        _close(self._all.close())


def _close(connections: list[Any]) -> None:
    for connection in connections:
        connection.close()


class AsyncConnections:
    """The connections of an asynchronous transport: the same on an event loop.

    Args:
        connect: makes a connection to an origin; it connects with its first request.
    """

    def __init__(self, connect: Callable[[Origin], Any]) -> None:
        self._connect = connect
        self._places = asyncio.Semaphore(MOST)
        self._all = _All()

    @asynccontextmanager
    async def lent(self, origin: Origin, patience: float) -> AsyncIterator[Any]:
        """A connection for one request, waited for no longer than ``patience`` seconds.

        Raises:
            PoolTimeout: all were in use.
        """
        await self._place(patience)
        try:
            connection, spent = self._all.take(origin)
            connection = connection or self._connect(origin)
            self._all.used.add(connection)
            try:
                # Whoever is cancelled meanwhile gives both back.
                await _aclose(spent)
                yield connection
            except BaseException:
                # What still comes on it belongs to nobody.
                await connection.aclose()
                raise
            finally:
                self._all.used.discard(connection)
            await _aclose(self._all.put(origin, connection))
        finally:
            self._places.release()

    async def _place(self, patience: float) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(patience):
                await self._places.acquire()
        except TimeoutError:
            raise PoolTimeout from None

    async def close(self) -> None:
        """Close all, those in use too."""
        await _aclose(self._all.close())


async def _aclose(connections: list[Any]) -> None:
    for connection in connections:
        await connection.aclose()

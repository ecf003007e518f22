"""Stores on both engines, named by one text, so that other processes can open them too."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from eprescription_sdk.storage import Store, open_store, sqlite


def opened(place: str) -> Store:
    """The store at a path or an address."""
    return open_store(place if place.startswith("postgresql:") else Path(place))


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement that embedded stores run on connections opened meanwhile."""
    seen: list[str] = []
    opening = sqlite._open  # noqa: SLF001  (the one place where connections are made)

    def note(_cursor: object, sql: str, _bindings: object) -> bool:
        seen.append(sql)
        return True

    def traced(path: Path, flags: int) -> apsw.Connection:
        connection = opening(path, flags)
        connection.exec_trace = note
        return connection

    sqlite._open = traced  # noqa: SLF001
    try:
        yield seen
    finally:
        sqlite._open = opening  # noqa: SLF001

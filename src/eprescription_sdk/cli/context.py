"""What commands share: settings, store, and how results are shown."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from eprescription_sdk.client.core import store_of
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.ports import TraceProfile
from eprescription_sdk.settings import Settings
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.shipper import Shipper
from eprescription_sdk.traces.sinks import Sink
from eprescription_sdk.traces.tde import TdeProfile
from eprescription_sdk.transport import HttpxTransport
from eprescription_sdk.transport.tls import context_of

SettingsFile = Annotated[
    Path | None,
    Parameter(
        name="--settings",
        help="TOML file with the settings; by default they come from EPRESCRIPTION_… variables.",
    ),
]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]


def console(*, quiet: bool = False) -> Console:
    """Where people read: as wide as the terminal, plain in a pipe; ``quiet`` prints nothing."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 100, quiet=quiet)


def settings_of(file: Path | None) -> Settings:
    """The settings of a command.

    Raises:
        ConfigurationError: they cannot be read.
    """
    return Settings.from_toml(file) if file else Settings.from_env()


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The store of the settings, closed afterwards."""
    store = store_of(settings)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def shipping(
    settings: Settings,
    store: Store,
    *,
    profile: TraceProfile | None = None,
    sink: Sink | None = None,
) -> Iterator[Shipper | None]:
    """A shipper of the store's traces; None when neither settings nor sink say where to.

    Args:
        settings: name the collector.
        store: holds the traces.
        profile: the format; the public ``tde`` by default.
        sink: where the traces go instead of the collector.
    """
    if settings.collector_url is None and sink is None:
        yield None
        return
    shipper = Shipper(
        store,
        profile or TdeProfile(),
        HttpxTransport(context_of(settings)) if sink is None else None,
        collector_url=settings.collector_url,
        sink=sink,
        clock=SystemClock(),
        receipt=settings.closing_receipt,
    )
    try:
        yield shipper
    finally:
        shipper.stop()


@contextmanager
def progress(what: str, out: Console | None = None) -> Iterator[Callable[[int, int], None]]:
    """On a terminal, a bar that shows how many of how many are done; elsewhere nothing.

    Args:
        what: is being done.
        out: what else is printed meanwhile goes here, above the bar.
    """
    shown = out or console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def print_json(document: Any) -> None:
    """One JSON document on standard output, for scripts."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def write_json(path: Path, document: Any) -> None:
    """A JSON document in a file, readable by a person."""
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")

"""What commands share: settings, store, and how results are shown."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from eprescription_sdk.client.core import store_of
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.files import json_of, read
from eprescription_sdk.ports import TraceProfile
from eprescription_sdk.settings import Settings
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.closing import Receipt
from eprescription_sdk.traces.files import DirectorySink, writing
from eprescription_sdk.traces.shipper import Shipper
from eprescription_sdk.traces.signing import Signer
from eprescription_sdk.transport import HttpxTransport
from eprescription_sdk.transport.tls import context_of

SettingsFile = Annotated[
    Path | None,
    Parameter(
        name="--settings",
        help="TOML file with the settings; by default they come from EPRESCRIPTION_… variables.",
    ),
]
SigningKey = Annotated[
    Path | None, Parameter(help="The organisation's private key in PEM, to sign with.")
]
AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON.")]


def _default(value: Any) -> str | None:
    """A default as one would type it; what is off or empty goes without saying."""
    if value is None or value is False or value in ("", ()):
        return None
    return str(getattr(value, "value", value))


OPTIONS = Parameter(negative=(), show_default=_default)
"""What all options have in common: no --no-force, no --empty-correction."""


def group(what: str) -> App:
    """A group of commands; the help of each is made alone, so it does not inherit."""
    return App(help=what, default_parameter=OPTIONS)


def console(*, quiet: bool = False) -> Console:
    """Where people read: as wide as the terminal, or as COLUMNS says; ``quiet`` prints nothing."""
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if known else 100, quiet=quiet)


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
    profile: TraceProfile,
    *,
    to: Path | None = None,
    signer: Signer | None = None,
) -> Iterator[Shipper | None]:
    """A shipper of the store's traces; None when nothing says where to.

    Args:
        settings: name the collector.
        store: holds the traces.
        profile: the format.
        to: directory that daily files are dropped in instead.
        signer: signs their manifests.
    """
    if settings.collector_url is None and to is None:
        yield None
        return
    sink = DirectorySink(to, profile, signer=signer) if to is not None else None
    shipper = Shipper(
        store,
        profile,
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


def read_receipt(path: Path) -> Receipt:
    """The closing receipt of a file.

    Raises:
        InvalidInput: it holds none.
    """
    try:
        return Receipt.from_json(read(path).decode())
    except Exception:  # noqa: BLE001  (whatever the file holds, it is no receipt)
        raise InvalidInput("This is not a closing receipt.", path=str(path)) from None


def signer_of(key: Path | None) -> Signer | None:
    """The signer that a person named.

    Raises:
        ConfigurationError: the key cannot be read.
    """
    return Signer.from_file(key) if key is not None else None


def as_json(document: Any) -> str:
    """A document as JSON that a person reads."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def print_json(document: Any) -> None:
    """One JSON document on standard output, for scripts."""
    sys.stdout.write(as_json(document))


def write_json(path: Path, document: Any) -> None:
    """A JSON document in a file, readable by a person."""
    write_text(path, as_json(document))


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """A text in a file, its lines ended as they are.

    Args:
        path: an older file is replaced.
        text: what is written.
        private: only its owner reads it.

    Raises:
        ConfigurationError: it cannot be written there.
    """
    with writing(path):
        if private:
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
        path.write_bytes(text.encode())


def read_json(path: Path) -> Any:
    """The JSON document of a file.

    Raises:
        InvalidInput: it cannot be read.
    """
    try:
        return json_of(read(path))
    except (OSError, ValueError):
        raise InvalidInput("This is not a readable JSON file.", path=str(path)) from None

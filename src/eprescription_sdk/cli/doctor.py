"""``eprescription doctor``: what a person should know before the next prescription."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import attrs

from eprescription_sdk import ledger
from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    console,
    opened,
    print_json,
    settings_of,
)
from eprescription_sdk.errors import StoreError
from eprescription_sdk.ledger import State
from eprescription_sdk.settings import Environment, Settings
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces import gate, outbox
from eprescription_sdk.traces.outbox import Shipping
from eprescription_sdk.traces.record import closed_marker, losses


@attrs.frozen
class Line:
    """One finding.

    Args:
        level: ``ok``, ``warning`` or ``error``.
        what: in one sentence.
        way_out: what to do about it.
    """

    level: str
    what: str
    way_out: str = ""


def doctor(*, settings: SettingsFile = None, json: AsJson = False) -> int:
    """Look at settings, store, pilot and reachability; exit code 1 if something is wrong."""
    lines = tuple(_examine(settings_of(settings)))
    failed = any(line.level == "error" for line in lines)
    if json:
        print_json({"healthy": not failed, "findings": [attrs.asdict(line) for line in lines]})
        return int(failed)
    out = console()
    icons = {"ok": "[green]✔[/green]", "warning": "[yellow]![/yellow]", "error": "[red]✘[/red]"}
    for line in lines:
        out.print(
            f"{icons[line.level]} {line.what}" + (f"\n  → {line.way_out}" if line.way_out else "")
        )
    return int(failed)


def _examine(settings: Settings) -> Iterator[Line]:
    environment = settings.environment
    yield Line("ok", f"environment {environment.value}, service profile {settings.profile.name}")
    if environment is not Environment.SANDBOX and "ours" in settings.profile.name:
        yield Line(
            "warning",
            "The service profile is the reference one of this SDK.",
            "Fill it from the official specification.",
        )
    yield from _reach("service", settings.service_url)
    if settings.collector_url is None:
        yield Line(
            "warning", "No collector: traces are recorded and not shipped.", "Set collector_url."
        )
    else:
        yield from _reach("collector", settings.collector_url)
    try:
        with opened(settings) as store:
            # A write, not a look: it is what the next prescription needs.
            store.write(lambda tx: tx.execute("SELECT 1"))
            yield Line("ok", f"store {settings.store} can be written")
            yield from store.read(lambda tx: tuple(_store(tx, store, settings)))
    except StoreError as error:
        yield Line("error", str(error), error.way_out or "")


def _reach(what: str, url: str) -> Iterator[Line]:
    address = urlsplit(url)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), timeout=3).close()
    except OSError as error:
        yield Line(
            "error",
            f"The {what} cannot be reached ({type(error).__name__}).",
            "Check the address and the network.",
        )
    else:
        yield Line("ok", f"{what} reached")


def _store(tx: Tx, store: Store, settings: Settings) -> Iterator[Line]:
    phase = gate.phase(tx)
    if phase is None:
        level = "error" if settings.environment is Environment.PRODUCTION else "warning"
        yield Line(
            level,
            "No dossier is applied: nobody may prescribe in production.",
            "eprescription pilot apply DOSSIER",
        )
    else:
        yield Line("ok", f"pilot {phase.value}, {len(gate.enrolments(tx))} practitioners enrolled")
    if store.path is not None and closed_marker(store.path).exists():
        yield Line("ok", "the traces are closed for good")
    entries = ledger.open_entries(tx)
    waiting = sum(entry.state is State.UNCERTAIN for entry in entries)
    if waiting:
        yield Line(
            "warning",
            f"{waiting} prescriptions are uncertain.",
            "They settle at their practitioner's next session, or by reconcile().",
        )
    risks = len(ledger.duplicate_risks(tx))
    if risks:
        yield Line(
            "warning",
            f"{risks} prescriptions are at risk of being dispensed twice.",
            "Call the practitioner, then client.close_duplicate_risk().",
        )
    counts = outbox.counts(tx)
    if counts[Shipping.QUARANTINED]:
        yield Line(
            "warning",
            f"{counts[Shipping.QUARANTINED]} traces are in quarantine.",
            "Mend what the collector refused, then: eprescription traces replay",
        )
    if counts[Shipping.PENDING]:
        yield Line("ok", f"{counts[Shipping.PENDING]} traces wait to be shipped")
    for reason, count in losses(tx).items():
        yield Line("warning", f"{count} traces were lost ({reason}).")

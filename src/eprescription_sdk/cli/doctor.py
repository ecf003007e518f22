"""``eprescription doctor``: what a person should know before the next prescription."""

import socket
from collections.abc import Iterator
from contextlib import suppress
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
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import ConfigurationError, StoreError
from eprescription_sdk.ledger import State
from eprescription_sdk.settings import Environment, Settings
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces import gate, outbox
from eprescription_sdk.traces.outbox import Shipping
from eprescription_sdk.traces.record import closed_marker, losses
from eprescription_sdk.transport import delivery
from eprescription_sdk.transport.tls import client_certificate, context_of


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
    yield from _certificate(settings)
    yield from _reach("service", settings.service_url, settings)
    if settings.collector_url is None:
        yield Line(
            "warning", "No collector: traces are recorded and not shipped.", "Set collector_url."
        )
    else:
        yield from _reach("collector", settings.collector_url, settings)
    try:
        with opened(settings) as store:
            # A write, not a look: it is what the next prescription needs.
            store.write(lambda tx: tx.execute("SELECT 1"))
            yield Line("ok", f"store {settings.store} can be written")
            yield from store.read(lambda tx: tuple(_store(tx, store, settings)))
    except StoreError as error:
        yield Line("error", str(error), error.way_out or "")


def _certificate(settings: Settings) -> Iterator[Line]:
    """The organisation's certificate of mutual TLS, and how long it lasts."""
    try:
        certificate = client_certificate(settings)
    except ConfigurationError as error:
        yield Line("error", str(error), error.way_out or "")
        return
    if certificate is None:
        if settings.service_url.startswith("https:"):
            yield Line(
                "warning",
                "No organisation certificate: a service that wants one will refuse every call.",
                "Set tls_certificate.",
            )
        return
    days = certificate.days_left(SystemClock().now())
    ends = f"{certificate.not_after:%Y-%m-%d}"
    if days < 0:
        yield Line("error", f"The organisation certificate expired on {ends}.", _RENEW)
    elif days < _SOON:
        yield Line(
            "warning", f"The organisation certificate ends on {ends}, in {days} days.", _RENEW
        )
    else:
        yield Line("ok", f"organisation certificate good until {ends}, {days} days")


_SOON = 60
"""Days in which a certificate should be renewed: ordering one takes weeks."""
_RENEW = "Order a new one, and change tls_certificate before the day."


def _reach(what: str, url: str, settings: Settings) -> Iterator[Line]:
    address = urlsplit(url)
    host, port = address.hostname or "", address.port
    try:
        with socket.create_connection(
            (host, port or (443 if address.scheme == "https" else 80)), timeout=3
        ) as connection:
            if address.scheme == "https":
                _shake_hands(connection, host, settings)
    except ConfigurationError as error:
        yield Line("error", str(error), error.way_out or "")
    except OSError as error:
        meaning, way_out = delivery.EXPLAINED.get(
            delivery.reason(error, delivery.Wire()),
            (
                f"The {what} cannot be reached ({type(error).__name__}).",
                "Check the address and the network.",
            ),
        )
        yield Line("error", meaning, way_out)
    else:
        yield Line("ok", f"{what} reached")


def _shake_hands(connection: socket.socket, host: str, settings: Settings) -> None:
    """Raises what the service has against our certificate, or we against its own."""
    with context_of(settings).wrap_socket(connection, server_hostname=host) as secured:
        # Under TLS 1.3 the service judges our certificate after the handshake is over for us.
        secured.settimeout(1)
        with suppress(TimeoutError):
            secured.recv(1)


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

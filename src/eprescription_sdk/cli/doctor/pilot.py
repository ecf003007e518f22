"""The pilot: its phase, and where its traces stand."""

from collections.abc import Iterator

from eprescription_sdk.cli.doctor.finding import Finding, error, ok, warning
from eprescription_sdk.settings import Environment, Settings
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces import gate, outbox
from eprescription_sdk.traces.closing import receipt_of
from eprescription_sdk.traces.outbox import Shipping
from eprescription_sdk.traces.record import closed_marker, losses


def pilot(store: Store, settings: Settings) -> Iterator[Finding]:
    """What the gate and the outbox say.

    Raises:
        StoreError: the store cannot be read.
    """
    yield from store.read(lambda tx: tuple(_phase(tx, settings)))
    receipt = store.read(receipt_of)
    if receipt is not None or (store.path is not None and closed_marker(store.path).exists()):
        yield ok("closing", "the traces are closed for good")
    if receipt is not None and settings.closing_receipt != receipt.id:
        yield warning(
            "closing",
            "The settings do not name the closing receipt.",
            f'Set closing_receipt = "{receipt.id}": a restored backup then stays closed.',
        )
    if receipt is None and settings.closing_receipt is not None:
        yield warning(
            "closing",
            f"This store is older than the closing receipt {settings.closing_receipt}.",
            "Tell it so: eprescription pilot close-traces --kept RECEIPT",
        )
    yield from store.read(lambda tx: tuple(_outbox(tx)))


def _phase(tx: Tx, settings: Settings) -> Iterator[Finding]:
    phase = gate.phase(tx)
    if phase is None:
        kind = error if settings.environment is Environment.PRODUCTION else warning
        yield kind(
            "pilot",
            "No dossier is applied: nobody may prescribe in production.",
            "eprescription pilot apply DOSSIER",
        )
    else:
        yield ok("pilot", f"pilot {phase.value}, {len(gate.enrolments(tx))} practitioners enrolled")


def _outbox(tx: Tx) -> Iterator[Finding]:
    counts = outbox.counts(tx)
    if counts[Shipping.QUARANTINED]:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in outbox.refusals(tx).items())
        yield warning(
            "quarantine",
            f"{counts[Shipping.QUARANTINED]} traces are in quarantine: {reasons}",
            "Mend what the collector refused, then: eprescription traces replay",
        )
    if counts[Shipping.PENDING]:
        waits = "were never sent" if gate.phase(tx) in gate.OVER else "wait to be shipped"
        yield ok("outbox", f"{counts[Shipping.PENDING]} traces {waits}")
    for reason, count in losses(tx).items():
        yield warning(
            "losses",
            f"{count} traces were lost ({reason}).",
            "Mend the cause; declare the volume, so that the assessment shows what is missing.",
        )

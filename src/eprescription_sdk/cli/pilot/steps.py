"""The steps of the pilot, from its start to generalisation."""

from datetime import date
from pathlib import Path

from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    console,
    opened,
    print_json,
    settings_of,
    shipping,
    write_json,
)
from eprescription_sdk.cli.pilot.shared import By, Day, Reference, pilot_of
from eprescription_sdk.model.identifiers import Rpps


def status(*, settings: SettingsFile = None, json: AsJson = False) -> None:
    """Where the pilot stands, and what may be done now."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot = pilot_of(store, configured)
        phase, legal = pilot.phase, pilot.legal_steps
    name = phase.value if phase else None
    if json:
        print_json({"phase": name, "legal_steps": [step.value for step in legal]})
        return
    out = console()
    out.print(f"phase  {name or 'no dossier applied'}")
    out.print(f"legal  {', '.join(step.value for step in legal) or 'none: the pilot is over'}")


def start(*, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None) -> None:
    """Start the pilot: from their go-live on, practitioners are traced."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot_of(store, configured).start(by=by, reference=reference, day=day)


def prolong(
    *, correction: tuple[str, ...], by: By, reference: Reference, day: Day = None,
    settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Prolong the pilot after corrective releases that are recorded."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot_of(store, configured).prolong(
            corrections=correction, by=by, reference=reference, day=day
        )


def withdraw(
    rpps: str, *, on: date, reason: str, by: By, reference: Reference,
    settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Record that a practitioner left; they stay listed."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot_of(store, configured).withdraw(
            Rpps.parse(rpps), on=on, reason=reason, by=by, reference=reference
        )


def assessed(
    *, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None
) -> None:
    """Record that the assessment was shared with the Assurance Maladie."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot_of(store, configured).record_assessed(by=by, reference=reference, day=day)


def close_traces(
    *, by: By, reference: Reference, receipt: Path, timeout: float = 30.0, force: bool = False,
    settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Close the traces for good and write the receipt.

    What is uncertain is not settled here, for want of the practitioners' credentials: it is
    listed in the receipt. Settle first with ``client.reconcile``.
    """
    configured = settings_of(settings)
    with opened(configured) as store, shipping(configured, store) as shipper:
        closed = pilot_of(store, configured).close_traces(
            by=by, reference=reference, shipper=shipper, timeout=timeout, force=force
        )
    write_json(receipt, closed.to_json())
    out = console()
    out.print(f"Closed. Receipt {closed.id} written to {receipt}.")
    out.print(f'Pin it in the settings: closing_receipt = "{closed.id}"')


def generalise(
    *, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None
) -> None:
    """Record the Assurance Maladie's letter of generalisation: the walls open."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot_of(store, configured).record_generalisation(by=by, reference=reference, day=day)


def abandon(
    *, reason: str, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None
) -> None:
    """End the pilot without rollout."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot_of(store, configured).abandon(reason=reason, by=by, reference=reference, day=day)

"""``eprescription pilot``: check and apply the dossier, take the steps, close the traces."""

from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

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
from eprescription_sdk.clock import SystemClock, paris_day
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.pilot.checks import Finding, Level
from eprescription_sdk.pilot.checks import check as check_dossier
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.pilot.lifecycle import Pilot
from eprescription_sdk.settings import Settings
from eprescription_sdk.storage import Store

app = App(help="The pilot (présérie): its dossier, its steps, the closing of its traces.")

By = Annotated[str, Parameter(help="Who records this.")]
Reference = Annotated[str, Parameter(help="Of the letter or minutes that show it.")]
Day = Annotated[date | None, Parameter(help="Day of the step; today by default.")]


def _pilot(store: Store, settings: Settings) -> Pilot:
    return Pilot(store, key=settings.key, clock=SystemClock(), module=settings.module)


def _show_findings(out: Console, findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        out.print(f"{finding.level.value:<9} {finding.path}: {finding.text} ({finding.page})")


@app.command
def check(dossier: Path, *, json: AsJson = False) -> int:
    """Hold a dossier against the conditions of the pilot; exit code 1 if it breaks one."""
    findings = check_dossier(Dossier.from_toml(dossier), paris_day(SystemClock().now()))
    broken = any(finding.level is Level.ERROR for finding in findings)
    if json:
        print_json(
            [
                {
                    "level": finding.level.value,
                    "path": finding.path,
                    "text": finding.text,
                    "text_fr": finding.text_fr,
                    "page": finding.page,
                }
                for finding in findings
            ]
        )
    else:
        out = console()
        _show_findings(out, findings)
        out.print("The dossier breaks a condition." if broken else "The dossier can be applied.")
    return 1 if broken else 0


@app.command
def apply(
    dossier: Path, *, by: By, reference: Reference = "", settings: SettingsFile = None,
    dry_run: bool = False,
) -> None:  # fmt: skip
    """Show what a dossier changes, and apply it to the store."""
    configured = settings_of(settings)
    out = console()
    with opened(configured) as store:
        pilot, wanted = _pilot(store, configured), Dossier.from_toml(dossier)
        difference = pilot.difference(wanted)
        _show_findings(out, difference.findings)
        for change in difference.changes:
            out.print(f"{change.path}: {change.before or '—'} → {change.after or '—'}")
        if not difference:
            out.print("Nothing changes.")
        elif dry_run:
            out.print("Nothing was applied.")
        else:
            pilot.apply(wanted, by=by, reference=reference)
            out.print("Applied.")


@app.command
def status(*, settings: SettingsFile = None, json: AsJson = False) -> None:
    """Where the pilot stands, and what may be done now."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot = _pilot(store, configured)
        phase, legal = pilot.phase, pilot.legal_steps
    name = phase.value if phase else None
    if json:
        print_json({"phase": name, "legal_steps": [step.value for step in legal]})
        return
    out = console()
    out.print(f"phase  {name or 'no dossier applied'}")
    out.print(f"legal  {', '.join(step.value for step in legal) or 'none: the pilot is over'}")


@app.command
def start(*, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None) -> None:
    """Start the pilot: from their go-live on, practitioners are traced."""
    configured = settings_of(settings)
    with opened(configured) as store:
        _pilot(store, configured).start(by=by, reference=reference, day=day)


@app.command
def prolong(
    *, correction: tuple[str, ...], by: By, reference: Reference, day: Day = None,
    settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Prolong the pilot after corrective releases that are recorded."""
    configured = settings_of(settings)
    with opened(configured) as store:
        _pilot(store, configured).prolong(
            corrections=correction, by=by, reference=reference, day=day
        )


@app.command
def withdraw(
    rpps: str, *, on: date, reason: str, by: By, reference: Reference,
    settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Record that a practitioner left; they stay listed."""
    configured = settings_of(settings)
    with opened(configured) as store:
        _pilot(store, configured).withdraw(
            Rpps.parse(rpps), on=on, reason=reason, by=by, reference=reference
        )


@app.command
def assessed(
    *, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None
) -> None:
    """Record that the assessment was shared with the Assurance Maladie."""
    configured = settings_of(settings)
    with opened(configured) as store:
        _pilot(store, configured).record_assessed(by=by, reference=reference, day=day)


@app.command(name="close-traces")
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
        closed = _pilot(store, configured).close_traces(
            by=by, reference=reference, shipper=shipper, timeout=timeout, force=force
        )
    write_json(receipt, closed.to_json())
    out = console()
    out.print(f"Closed. Receipt {closed.id} written to {receipt}.")
    out.print(f'Pin it in the settings: closing_receipt = "{closed.id}"')


@app.command
def generalise(
    *, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None
) -> None:
    """Record the Assurance Maladie's letter of generalisation: the walls open."""
    configured = settings_of(settings)
    with opened(configured) as store:
        _pilot(store, configured).record_generalisation(by=by, reference=reference, day=day)


@app.command
def abandon(
    *, reason: str, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None
) -> None:
    """End the pilot without rollout."""
    configured = settings_of(settings)
    with opened(configured) as store:
        _pilot(store, configured).abandon(reason=reason, by=by, reference=reference, day=day)

"""The steps of the pilot, from its start to generalisation."""

from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    SigningKey,
    as_json,
    console,
    opened,
    print_json,
    read_receipt,
    settings_of,
    shipping,
    signer_of,
)
from eprescription_sdk.cli.pilot.shared import By, Day, Reference, pilot_of
from eprescription_sdk.cli.traces import Directory, ProfileName, profile_of
from eprescription_sdk.ledger import open_entries
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.pilot.lifecycle import Pilot
from eprescription_sdk.pilot.steps import Step
from eprescription_sdk.traces.files import put


def status(*, settings: SettingsFile = None, json: AsJson = False) -> None:
    """Where the pilot stands, and what may be done now."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot = pilot_of(store, configured)
        if not json:
            _show(pilot)
            return
        phase, legal = pilot.phase, pilot.legal_steps
    print_json(
        {
            "phase": phase.value if phase else None,
            "legal_steps": [step.value for step in legal],
        }
    )


Reason = Annotated[str, Parameter(help="Why, without a patient's name.")]
_COMMANDS = {
    Step.APPLY: "apply DOSSIER",
    Step.START: "start",
    Step.PROLONG: "prolong --correction VERSION",
    Step.ASSESS: "assessed",
    Step.CLOSE_TRACES: "close-traces --receipt FILE",
    Step.GENERALISE: "generalise",
    Step.ABANDON: "abandon --reason WHY",
    Step.WITHDRAW: "withdraw RPPS --on DAY --reason WHY",
}
"""How each step is taken; all but the first say ``--by`` and ``--reference`` too."""


def _show(pilot: Pilot) -> None:
    """Where the pilot stands, and the commands that are legal now."""
    phase, legal = pilot.phase, pilot.legal_steps
    out = console()
    out.print(f"phase  {phase.value if phase else 'no dossier applied'}")
    for step in legal:
        reference = "" if step is Step.APPLY else " --reference REF"
        out.print(
            f"legal  {step.value:<12}  eprescription pilot {_COMMANDS[step]} --by NAME{reference}",
            markup=False,
            soft_wrap=True,
        )
    if not legal:
        out.print("legal  none: the pilot is over")


def start(*, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None) -> None:
    """Start the pilot: from their go-live on, practitioners are traced."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot = pilot_of(store, configured)
        pilot.start(by=by, reference=reference, day=day)
        _show(pilot)


def prolong(
    *, correction: Annotated[tuple[str, ...], Parameter(help="Version of one; again for each.")],
    by: By, reference: Reference, day: Day = None,
    settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Prolong the pilot after corrective releases that are recorded."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot = pilot_of(store, configured)
        pilot.prolong(corrections=correction, by=by, reference=reference, day=day)
        _show(pilot)


def withdraw(
    rpps: Annotated[str, Parameter(help="Of the practitioner.")], /, *,
    on: Annotated[date, Parameter(help="Last day.")],
    reason: Reason, by: By, reference: Reference,
    settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Record that a practitioner left; they stay listed."""
    configured, who = settings_of(settings), Rpps.parse(rpps)
    with opened(configured) as store:
        pilot = pilot_of(store, configured)
        pilot.withdraw(who, on=on, reason=reason, by=by, reference=reference)
        _show(pilot)
        unsettled = len(store.read(lambda tx: open_entries(tx, who)))
    if unsettled:
        console().print(
            f"Prescriptions of theirs that are not settled: {unsettled}. What is learnt of them"
            " from now on is in the ledger, and not in the assessment.",
            soft_wrap=True,
        )


def assessed(
    *, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None
) -> None:
    """Record that the assessment was shared with the Assurance Maladie."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot = pilot_of(store, configured)
        pilot.record_assessed(by=by, reference=reference, day=day)
        _show(pilot)


Kept = Annotated[
    Path | None,
    Parameter(help="The receipt that the settings name, for a store restored from before it."),
]


def close_traces(
    *, by: By, reference: Reference,
    receipt: Annotated[Path, Parameter(help="File to write it to, as JSON.")],
    timeout: Annotated[float, Parameter(help="Seconds to wait for the other processes.")] = 30.0,
    force: Annotated[
        bool, Parameter(help="Close though one does not answer; the receipt says what is unsure.")
    ] = False,
    sign_key: SigningKey = None, profile: ProfileName = "tde", to: Directory = None,
    kept: Kept = None, settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Close the traces for good and write the receipt.

    What still waits is shipped first, in the format and to the place that were shipped in before.
    What is uncertain is not settled here, for want of the practitioners' credentials: it is
    listed in the receipt. Settle first, with ``ledger reconcile`` or ``client.reconcile``.
    """
    configured = settings_of(settings)
    chosen, signer = profile_of(profile), signer_of(sign_key)
    with (
        opened(configured) as store,
        shipping(configured, store, chosen, to=to, signer=signer) as shipper,
    ):
        closed = pilot_of(store, configured).close_traces(
            by=by, reference=reference, shipper=shipper, timeout=timeout, force=force,
            signer=signer, kept=read_receipt(kept) if kept else None,
        )  # fmt: skip
    out = console()
    # First: should the file fail, a person knows that it is done all the same.
    out.print(f"Closed. Receipt {closed.id}.", markup=False)
    put(receipt, as_json(closed.to_json()).encode())
    out.print(f"Written to {receipt}.", markup=False, soft_wrap=True)
    counts = closed.counts
    out.print(
        f"{counts['shipped']} traces sent, {counts['pending'] + counts['claimed']} not sent,"
        f" {counts['quarantined']} refused; {len(closed.unconfirmed)} of those not sent or refused"
        " may have arrived all the same.",
        soft_wrap=True,
    )
    out.print(f"{len(closed.unsettled)} prescriptions uncertain.")
    out.print(f'Pin it in the settings: closing_receipt = "{closed.id}"')
    out.print("Next, with the Assurance Maladie's letter: eprescription pilot generalise")
    if signer is not None and not closed.signature:
        out.print("They had been closed before, without a key: the receipt is not signed.")


def generalise(
    *, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None
) -> None:
    """Record the Assurance Maladie's letter of generalisation: the walls open."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot = pilot_of(store, configured)
        pilot.record_generalisation(by=by, reference=reference, day=day)
        _show(pilot)


def abandon(
    *, reason: Reason, by: By, reference: Reference, day: Day = None, settings: SettingsFile = None
) -> None:
    """End the pilot without rollout."""
    configured = settings_of(settings)
    with opened(configured) as store:
        pilot = pilot_of(store, configured)
        pilot.abandon(reason=reason, by=by, reference=reference, day=day)
        _show(pilot)

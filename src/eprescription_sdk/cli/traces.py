"""``eprescription traces``: try a format, ship what waits, see where it stands, replay, purge."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    console,
    opened,
    print_json,
    settings_of,
    shipping,
)
from eprescription_sdk.cli.ports import port
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.ports import TraceProfile
from eprescription_sdk.traces import gate, outbox
from eprescription_sdk.traces.declared import DeclaredProfile
from eprescription_sdk.traces.fictitious import Emission, emissions
from eprescription_sdk.traces.files import DirectorySink, replace
from eprescription_sdk.traces.record import losses
from eprescription_sdk.traces.retention import RETENTION_DAYS, purge_traces
from eprescription_sdk.traces.signing import Signer
from eprescription_sdk.traces.tde import TdeProfile

app = App(help="Workstation traces: try a format, ship them, see where they stand.")

SHOWN = 3
"""The first fictitious traces are one of each kind: those are shown whole."""

ProfileName = Annotated[
    str,
    Parameter(
        help="The format: 'tde', the TOML file of a declared one, or 'module:Class' of a port."
    ),
]
SigningKey = Annotated[
    Path | None, Parameter(help="The organisation's private key in PEM, to sign with.")
]


@app.command
def check(profile: ProfileName, *, json: AsJson = False) -> int:
    """What a format would emit, on fictitious traces; exit code 1 if one does not conform."""
    chosen = profile_of(profile)
    emitted = emissions(chosen)
    refused = [each for each in emitted if each.reason is not None]
    if json:
        print_json(_report(chosen, emitted))
        return 1 if refused else 0
    out = console()
    out.print(f"profile      {chosen.name}", markup=False)
    out.print(f"posted to    …/{chosen.resource} as {chosen.content_type}", markup=False)
    for each in emitted[:SHOWN]:
        out.print(f"\n{each.label}:", markup=False)
        out.print(_text(each) or each.reason, markup=False, soft_wrap=True)
    out.print(f"\n{len(emitted) - len(refused)} of {len(emitted)} fictitious traces conform.")
    for each in refused:
        out.print(f"✘ {each.label}: {each.reason}", markup=False)
    return 1 if refused else 0


def _report(profile: TraceProfile, emitted: tuple[Emission, ...]) -> dict[str, Any]:
    return {
        "profile": profile.name,
        "content_type": profile.content_type,
        "resource": profile.resource,
        "conforms": all(each.reason is None for each in emitted),
        "traces": [
            {"label": each.label, "content": _text(each), "reason": each.reason} for each in emitted
        ],
    }


def _text(emission: Emission) -> str | None:
    if emission.content is None:
        return None
    return emission.content.decode("utf-8", errors="replace")


def profile_of(name: str) -> TraceProfile:
    """The profile that a person named.

    Raises:
        ConfigurationError: there is no such profile.
    """
    if name == "tde":
        return TdeProfile()
    if ":" not in name or name.endswith(".toml"):
        return DeclaredProfile.from_toml(Path(name))
    profile: TraceProfile = port(name, "profile")
    return profile


@app.command
def ship(
    *,
    settings: SettingsFile = None,
    profile: ProfileName = "tde",
    to: Annotated[
        Path | None, Parameter(help="Drop daily files in this directory, instead of posting.")
    ] = None,
    sign_key: SigningKey = None,
    seconds: float = 60.0,
    json: AsJson = False,
) -> int:
    """Ship what waits, for at most so many seconds; exit code 1 if something still waits."""
    configured = settings_of(settings)
    chosen = profile_of(profile)
    signer = Signer.from_file(sign_key) if sign_key else None
    sink = DirectorySink(to, chosen, signer=signer) if to else None
    with opened(configured) as store:
        with shipping(configured, store, profile=chosen, sink=sink) as shipper:
            if shipper is None:
                raise ConfigurationError("There is no collector to ship to.", path="collector_url")
            sent = shipper.drain(seconds)
        waiting = store.read(outbox.counts)[outbox.Shipping.PENDING]
    if json:
        print_json({"sent": sent, "waiting": waiting})
    else:
        console().print(f"{sent} traces sent, {waiting} still waiting.")
    return 1 if waiting else 0


@app.command
def status(*, settings: SettingsFile = None, json: AsJson = False) -> None:
    """How many traces wait, were sent, are in quarantine, or were lost, and why."""
    with opened(settings_of(settings)) as store:
        phase = store.read(gate.phase)
        counts = {state.value: count for state, count in store.read(outbox.counts).items()}
        refused = store.read(outbox.refusals)
        lost = store.read(losses)
    if json:
        print_json(
            {
                "phase": phase.value if phase else None,
                "traces": counts,
                "refused": refused,
                "lost": lost,
            }
        )
        return
    out = console()
    out.print(f"phase        {phase.value if phase else 'no dossier applied'}")
    for name, count in counts.items():
        out.print(f"{name:<12} {count}")
    for reason, count in refused.items():
        out.print(f"refused      {count} ({reason})", markup=False)
    for reason, count in lost.items():
        out.print(f"lost         {count} ({reason})", markup=False)


@app.command
def replay(*, settings: SettingsFile = None) -> None:
    """Put everything in quarantine back in line."""
    with opened(settings_of(settings)) as store:
        count = store.write(outbox.replay)
    console().print(f"{count} traces are in line again.")


@app.command
def purge(
    checkpoint: Path,
    *,
    settings: SettingsFile = None,
    days: int = RETENTION_DAYS,
    sign_key: SigningKey = None,
) -> None:
    """Delete traces older than the retention, and leave a checkpoint in their place.

    Parameters
    ----------
    checkpoint
        File that the checkpoint is written to, as JSON; with a key, its signature beside it.
    days
        How long traces are kept, in days.
    """
    clock = SystemClock()
    signer = Signer.from_file(sign_key) if sign_key else None
    with opened(settings_of(settings)) as store:
        made = purge_traces(store, now=clock.now(), retention=timedelta(days=days))
    content = made.to_bytes()
    if signer is not None:
        replace(Path(f"{checkpoint}.sig"), signer.sign(content))
    replace(checkpoint, content)
    console().print(f"{made.purged} traces deleted, {made.blanked} persons' columns emptied.")

"""``eprescription traces``: try a format, ship, see what waits or was refused, replay, purge."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from json import loads
from pathlib import Path
from typing import Annotated, Any

import attrs
from cyclopts import Parameter
from rich.live import Live

from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    SigningKey,
    console,
    group,
    opened,
    print_json,
    settings_of,
    shipping,
    signer_of,
)
from eprescription_sdk.cli.ports import port
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import ConfigurationError, StoreError
from eprescription_sdk.ports import TraceProfile
from eprescription_sdk.storage import Store
from eprescription_sdk.traces import gate, outbox
from eprescription_sdk.traces.declared import DeclaredProfile
from eprescription_sdk.traces.fictitious import Emission, emissions
from eprescription_sdk.traces.record import losses
from eprescription_sdk.traces.retention import RETENTION_DAYS, purge_traces
from eprescription_sdk.traces.shipper import Shipment, Shipper
from eprescription_sdk.traces.tde import TdeProfile

app = group("Workstation traces: try a format, ship them, see where they stand.")

SHOWN = 3
"""The first fictitious traces are one of each kind: those are shown whole."""

ProfileName = Annotated[
    str,
    Parameter(
        help="The format: 'tde', the TOML file of a declared one, or 'module:Class' of a port."
    ),
]
Directory = Annotated[
    Path | None, Parameter(help="Drop daily files in this directory, instead of posting.")
]
OneReason = Annotated[str | None, Parameter(help="Only what is there for this reason.")]
LOOK_SECONDS = 0.1
"""Between two looks whether somebody asks to end."""


@app.command
def check(profile: ProfileName, /, *, json: AsJson = False) -> int:
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
    if not all(each.anchored for each in emitted if each.content):
        out.print("Not every one carries its hash: heads leave with manifests and receipt alone.")
    for each in refused:
        out.print(f"✘ {each.label}: {each.reason}", markup=False)
    return 1 if refused else 0


def _report(profile: TraceProfile, emitted: tuple[Emission, ...]) -> dict[str, Any]:
    return {
        "profile": profile.name,
        "content_type": profile.content_type,
        "resource": profile.resource,
        "conforms": all(each.reason is None for each in emitted),
        "anchored": all(each.anchored for each in emitted if each.content),
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
    to: Directory = None,
    sign_key: SigningKey = None,
    once: Annotated[bool, Parameter(help="End when nothing waits, or after --seconds.")] = False,
    seconds: Annotated[float, Parameter(help="How long --once may take.")] = 60.0,
    every: Annotated[float, Parameter(help="Seconds between two lines of progress.")] = 5.0,
    json: AsJson = False,
) -> int:
    """Ship traces as they come, until interrupted (Ctrl-C, SIGTERM) or closed.

    A request under way is finished first; a second signal ends it at once. What waits then is
    shipped the next time. With --once, exit code 1 says that something still waits.
    """
    configured = settings_of(settings)
    chosen = profile_of(profile)
    tally = _Tally()
    with opened(configured) as store:
        with shipping(configured, store, chosen, to=to, signer=signer_of(sign_key)) as shipper:
            if shipper is None:
                raise ConfigurationError("There is no collector to ship to.", path="collector_url")
            if once:
                shipper.drain(seconds, progress=tally.add)
            else:
                shipper.start(progress=tally.add)
                _watch(store, shipper, tally, every=every, quiet=json)
        waiting = store.read(outbox.waiting)
    if json:
        print_json({"sent": tally.sent, "quarantined": tally.quarantined, "waiting": waiting})
    else:
        console().print(tally.told(waiting))
    return 1 if once and waiting else 0


class _Tally:
    """What a shipper did so far."""

    def __init__(self) -> None:
        self.sent = 0
        self.quarantined = 0
        self._refusing = False

    def add(self, shipment: Shipment) -> None:
        """Take one batch."""
        self.sent += shipment.sent
        self.quarantined += shipment.quarantined
        self._refusing = bool(shipment.failed)

    def told(self, waiting: int) -> str:
        """One line for a person."""
        text = f"{self.sent} traces sent, {waiting} still waiting"
        if self.quarantined:
            text += f", {self.quarantined} put in quarantine"
        return text + (": they cannot be delivered at present." if self._refusing else ".")


def _watch(store: Store, shipper: Shipper, tally: _Tally, *, every: float, quiet: bool) -> None:
    """Tell what a shipper does, while it runs and nobody asks it to end."""
    out = console()
    shown, next_look = "", 0.0
    with _asked_to_end() as asked, Live(console=out, auto_refresh=False) as live:
        while shipper.running and not asked:
            time.sleep(LOOK_SECONDS)
            if time.monotonic() < next_look:
                continue
            next_look = time.monotonic() + every
            # A store that cannot be read now is the shipper's to wait for.
            with suppress(StoreError):
                if store.read(gate.phase) in gate.OVER:
                    return
                text = tally.told(store.read(outbox.waiting))
                if text == shown or quiet:
                    continue
                shown = text
                if out.is_terminal:
                    live.update(text, refresh=True)
                else:
                    out.print(text)


@contextmanager
def _asked_to_end() -> Iterator[list[int]]:
    """Holds the first SIGINT or SIGTERM that comes in the block; the next acts as ever."""
    asked: list[int] = []

    def ask(number: int, _: object) -> None:
        asked.append(number)
        put_back()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    try:
        yield asked
    finally:
        put_back()


@app.command
def status(*, settings: SettingsFile = None, json: AsJson = False) -> None:
    """How many traces wait, were sent, are in quarantine, or were lost, and why."""
    with opened(settings_of(settings)) as store:
        phase = store.read(gate.phase)
        counts = {state.value: count for state, count in store.read(outbox.counts).items()}
        oldest = store.read(outbox.oldest)
        refused = store.read(outbox.refusals)
        lost = store.read(losses)
    if json:
        print_json(
            {
                "phase": phase.value if phase else None,
                "traces": counts,
                "oldest_waiting": oldest,
                "refused": refused,
                "lost": lost,
            }
        )
        return
    out = console()
    out.print(f"phase        {phase.value if phase else 'no dossier applied'}")
    for name, count in counts.items():
        out.print(f"{name:<12} {count}")
    if oldest is not None:
        out.print(f"waiting      since {oldest}")
    for reason, count in refused.items():
        out.print(f"refused      {count} ({reason})", markup=False)
    for reason, count in lost.items():
        out.print(f"lost         {count} ({reason})", markup=False)


@app.command
def quarantine(
    *,
    settings: SettingsFile = None,
    reason: OneReason = None,
    limit: Annotated[int, Parameter(help="How many to show at most.")] = 20,
    json: AsJson = False,
) -> None:
    """What was refused and why: the reasons with their counts, then each trace, oldest first.

    As JSON, each has its body with it, pseudonyms in the place of persons.
    """
    with opened(settings_of(settings)) as store:
        reasons = store.read(outbox.refusals)
        found = store.read(lambda tx: [*outbox.quarantined(tx, reason=reason, limit=limit)])
    if json:
        traces = [attrs.asdict(one) | {"body": loads(one.body)} for one in found]
        print_json({"reasons": reasons, "traces": traces})
        return
    out = console()
    for each, count in reasons.items():
        out.print(f"{count} × {each}", markup=False, soft_wrap=True)
    for one in found:
        line = f"{one.id}  {one.at}  {one.kind}  {one.reason}"
        out.print(line, markup=False, soft_wrap=True)
    if not reasons:
        out.print("Nothing is in quarantine.")


@app.command
def replay(*ids: str, settings: SettingsFile = None, reason: OneReason = None) -> None:
    """Put what is in quarantine back in line: all of it, or some.

    Parameters
    ----------
    ids
        Of the traces, as ``traces quarantine`` shows them; all, if none is named.
    """
    with opened(settings_of(settings)) as store:
        count = store.write(lambda tx: outbox.replay(tx, ids=ids, reason=reason))
    console().print(f"{count} traces are in line again.")


@app.command
def purge(
    checkpoint: Path,
    /,
    *,
    settings: SettingsFile = None,
    days: int = RETENTION_DAYS,
    sign_key: SigningKey = None,
) -> None:
    """Delete traces older than the retention, and leave a checkpoint in their place.

    Parameters
    ----------
    checkpoint
        File that the checkpoint is written to, as JSON; with a key, its signature beside it. The
        store and later exports keep both too.
    days
        How long traces are kept, in days.
    """
    signer = signer_of(sign_key)
    with opened(settings_of(settings)) as store:
        made = purge_traces(
            store,
            now=SystemClock().now(),
            retention=timedelta(days=days),
            signer=signer,
            path=checkpoint,
        )
    console().print(f"{made.purged} traces deleted, {made.blanked} persons' columns emptied.")

"""``eprescription traces``: ship what waits, see where it stands, replay the quarantine."""

from cyclopts import App

from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    console,
    opened,
    print_json,
    settings_of,
    shipping,
)
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.traces import gate, outbox
from eprescription_sdk.traces.record import losses

app = App(help="Workstation traces: ship them, see where they stand.")


@app.command
def ship(*, settings: SettingsFile = None, seconds: float = 60.0, json: AsJson = False) -> int:
    """Ship what waits, for at most so many seconds; exit code 1 if something still waits."""
    configured = settings_of(settings)
    with opened(configured) as store:
        with shipping(configured, store) as shipper:
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
    """How many traces wait, were sent, are in quarantine, or were lost."""
    with opened(settings_of(settings)) as store:
        phase = store.read(gate.phase)
        counts = {state.value: count for state, count in store.read(outbox.counts).items()}
        lost = store.read(losses)
    if json:
        print_json({"phase": phase.value if phase else None, "traces": counts, "lost": lost})
        return
    out = console()
    out.print(f"phase        {phase.value if phase else 'no dossier applied'}")
    for name, count in counts.items():
        out.print(f"{name:<12} {count}")
    for reason, count in lost.items():
        out.print(f"lost         {count} ({reason})")


@app.command
def replay(*, settings: SettingsFile = None) -> None:
    """Put everything in quarantine back in line."""
    with opened(settings_of(settings)) as store:
        count = store.write(outbox.replay)
    console().print(f"{count} traces are in line again.")

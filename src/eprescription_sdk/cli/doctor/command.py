"""The command: runs every look, shows what was found, and sets the exit code."""

from collections.abc import Iterator
from typing import Annotated

import attrs
from cyclopts import Parameter

from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    console,
    opened,
    print_json,
    settings_of,
)
from eprescription_sdk.cli.doctor.configuration import configuration
from eprescription_sdk.cli.doctor.finding import Finding, failed
from eprescription_sdk.cli.doctor.network import network
from eprescription_sdk.cli.doctor.pilot import pilot
from eprescription_sdk.cli.doctor.storing import storing
from eprescription_sdk.cli.ports import Code2d, Codec, Minter
from eprescription_sdk.errors import ConfigurationError, StoreError
from eprescription_sdk.settings import Settings

_MARKS = {"ok": "[green]✔[/green]", "warning": "[yellow]![/yellow]", "error": "[red]✘[/red]"}


def doctor(
    *,
    settings: SettingsFile = None,
    minter: Minter = None,
    codec: Codec = None,
    code2d: Code2d = None,
    trace_profile: Annotated[
        str, Parameter(help="The format of traces: 'tde', a TOML file, or 'module:attribute'.")
    ] = "tde",
    json: AsJson = False,
) -> int:
    """Look at settings, ports, certificates, clocks, network, store and pilot.

    Exit code 1 if something must be mended before the next prescription.
    """
    named = {"minter": minter, "codec": codec, "code2d": code2d}
    found = tuple(_examine(settings_of(settings), named, trace_profile))
    wrong = any(each.level == "error" for each in found)
    if json:
        print_json({"healthy": not wrong, "findings": [attrs.asdict(each) for each in found]})
        return int(wrong)
    out = console()
    for each in found:
        out.print(f"{_MARKS[each.level]} {_plain(each.what)}")
        if each.way_out:
            out.print(f"  → {_plain(each.way_out)}")
    return int(wrong)


def _plain(text: str) -> str:
    # Square brackets are rich's markup, and the codes of our errors stand in them.
    return text.replace("[", r"\[")


def _examine(
    settings: Settings, named: dict[str, str | None], trace_profile: str
) -> Iterator[Finding]:
    yield from configuration(settings, named, trace_profile)
    yield from network(settings)
    try:
        with opened(settings) as store:
            yield from storing(store, settings)
            yield from pilot(store, settings)
    except (ConfigurationError, StoreError) as raised:
        yield failed("store", raised)

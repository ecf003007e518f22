"""``eprescription assess``: how the pilot stands today, or stood at an earlier moment."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    console,
    opened,
    print_json,
    settings_of,
)
from eprescription_sdk.cli.tables import show_assessment
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot.assessment import assess as compute
from eprescription_sdk.pilot.assessment import to_json
from eprescription_sdk.pilot.export import write_export
from eprescription_sdk.pilot.report import write_report


def assess(
    *,
    settings: SettingsFile = None,
    at: Annotated[
        datetime | None, Parameter(help="Cut-off, with a time zone; now by default.")
    ] = None,
    html: Annotated[Path | None, Parameter(help="Write the report here.")] = None,
    export: Annotated[Path | None, Parameter(help="Write the export into this folder.")] = None,
    json: AsJson = False,
) -> None:
    """Assess the five criteria under both readings of every open question."""
    configured = settings_of(settings)
    if at is not None and at.tzinfo is None:
        raise InvalidInput("The cut-off has no time zone.", path="--at")
    with opened(configured) as store:
        assessment = compute(store, key=configured.key, at=at)
        if html is not None:
            write_report(assessment, html)
        if export is not None:
            write_export(store, export, key=configured.key, at=assessment.cut_off)
    if json:
        print_json(to_json(assessment))
        return
    out = console()
    show_assessment(out, assessment)
    for what, path in (("report", html), ("export", export)):
        if path is not None:
            out.print(f"{what}: {path}")

"""``eprescription assess``: how the pilot stands today, or stood at an earlier moment."""

import itertools
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    SigningKey,
    console,
    opened,
    print_json,
    settings_of,
    signer_of,
)
from eprescription_sdk.cli.tables import assessment_view
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot.assessing import assess as compute
from eprescription_sdk.pilot.assessment import Assessment
from eprescription_sdk.pilot.export import write_export
from eprescription_sdk.pilot.lifecycle import Pilot
from eprescription_sdk.pilot.named import named_edition
from eprescription_sdk.pilot.report import write_report
from eprescription_sdk.settings import Settings
from eprescription_sdk.storage import Store


def assess(
    *,
    settings: SettingsFile = None,
    at: Annotated[
        datetime | None, Parameter(help="Cut-off, with a time zone; now by default.")
    ] = None,
    html: Annotated[Path | None, Parameter(help="Write the report here.")] = None,
    named: Annotated[
        bool,
        Parameter(
            help="Show the RPPS in the report; the journal keeps who asked (--by) and on what"
            " ground (--reference).",
        ),
    ] = False,
    by: Annotated[str, Parameter(help="Who asks for a named edition.")] = "",
    reference: Annotated[str, Parameter(help="The ground for a named edition.")] = "",
    export: Annotated[Path | None, Parameter(help="Write the export into this folder.")] = None,
    sign_key: SigningKey = None,
    watch: Annotated[
        bool, Parameter(help="Stay, and assess again and again; Ctrl-C ends it.")
    ] = False,
    every: Annotated[float, Parameter(help="Seconds between two looks of --watch.")] = 30.0,
    rounds: Annotated[int | None, Parameter(help="End --watch after so many looks.")] = None,
    json: AsJson = False,
) -> None:
    """Assess the five criteria under both readings of every open question."""
    configured = settings_of(settings)
    if at is not None and at.tzinfo is None:
        raise InvalidInput("The cut-off has no time zone.", path="--at")
    if named and html is None:
        raise InvalidInput("A named edition is a report.", path="--named", way_out="Give --html.")
    with opened(configured) as store:
        if watch:
            if at or html or export or json:
                raise InvalidInput("Watching goes with no other output.", path="--watch")
            _watch(store, configured, every=every, rounds=rounds)
            return
        assessment = _compute(store, configured, at)
        if html is not None:
            pilot = Pilot(store, key=configured.key, clock=SystemClock())
            edition = (
                named_edition(store, pilot.note(by=by, reference=reference)) if named else None
            )
            dossier = pilot.dossier
            name = dossier.pilot.name if dossier else ""
            write_report(assessment, html, name=name, edition=edition)
        if export is not None:
            signer = signer_of(sign_key)
            write_export(store, export, key=configured.key, at=assessment.cut_off, signer=signer)
    if json:
        print_json(assessment.to_dict())
        return
    out = console()
    out.print(assessment_view(assessment))
    for what, path in (("report", html), ("export", export)):
        if path is not None:
            out.print(f"{what}: {path}", markup=False, soft_wrap=True)


def _compute(store: Store, settings: Settings, at: datetime | None = None) -> Assessment:
    return compute(store, key=settings.key, at=at, known_faults=settings.profile.faults)


def _watch(store: Store, settings: Settings, *, every: float, rounds: int | None) -> None:
    """Show the assessment, afresh each time; one below the other in a pipe.

    The last one stays when Ctrl-C ends it, and may be longer than the screen.
    """
    out = console()
    for look in range(rounds) if rounds is not None else itertools.count():
        if look:
            time.sleep(every)
        view = assessment_view(_compute(store, settings))
        out.clear()  # does nothing in a pipe
        out.print(view)

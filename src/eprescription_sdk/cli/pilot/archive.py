"""The archive: what is kept of a pilot that is over, before its traces are purged."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from eprescription_sdk.cli.context import (
    SettingsFile,
    SigningKey,
    console,
    opened,
    read_json,
    settings_of,
    signer_of,
)
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.pilot.assessing import assess
from eprescription_sdk.settings import Settings
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.archive import write_archive
from eprescription_sdk.traces.retention import checkpoint_of


def archive(
    path: Path, /, *, assessment: Path | None = None, purge_days: int | None = None,
    sign_key: SigningKey = None, settings: SettingsFile = None,
) -> None:  # fmt: skip
    """Archive what is kept once traces are closed, or the pilot abandoned; no person is in it.

    Then the traces may be purged: here with --purge-days, in one go, or later with
    ``traces purge``.

    Parameters
    ----------
    path
        File that the archive is written to, as JSON; with a key, its signature beside it.
    assessment
        JSON of the last assessment, to keep with it; made now, if none is named.
    purge_days
        Also purge traces older than so many days; the archive holds the checkpoint.
    """
    configured = settings_of(settings)
    signer = signer_of(sign_key)
    with opened(configured) as store:
        given = read_json(assessment) if assessment else _assessment(store, configured)
        checkpoint = write_archive(
            store,
            path,
            now=SystemClock().now(),
            assessment=given,
            retention=timedelta(days=purge_days) if purge_days is not None else None,
            signer=signer,
        )
    out = console()
    out.print(f"Archived in {path}.", markup=False)
    if purge_days is None:
        out.print("The traces may be purged now: eprescription traces purge")
    elif checkpoint is not None:
        out.print(f"{checkpoint.purged} traces deleted, {checkpoint.blanked} emptied of persons.")


def _assessment(store: Store, settings: Settings) -> dict[str, Any] | None:
    """Today's, in the edition without names; none once traces are missing from it."""
    checkpoint = store.read(checkpoint_of)
    if checkpoint is not None and checkpoint.starts:
        return None
    return assess(store, key=settings.key, known_faults=settings.profile.faults).to_dict()

"""``eprescription verify``: check an export's chains and recompute its figures."""

import json
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from eprescription_sdk.cli.context import AsJson, console, print_json
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot.verify import Verification, verify_export
from eprescription_sdk.traces.closing import Receipt


def verify(
    export: Path,
    *,
    assessment: Annotated[
        Path | None, Parameter(help="JSON of an assessment to compare the figures with.")
    ] = None,
    receipt: Annotated[
        Path | None, Parameter(help="Closing receipt, whose chain heads the export must reach.")
    ] = None,
    json: AsJson = False,
) -> int:
    """Check the chains of an export and recompute the criteria; exit code 1 if it does not hold."""
    anchors = Receipt.from_json(receipt.read_text(encoding="utf-8")).heads if receipt else ()
    result = verify_export(
        export, assessment=_read(assessment) if assessment else None, anchors=anchors
    )
    if json:
        print_json(
            {
                "holds": result.holds,
                "rows": result.rows,
                "findings": [{"where": one.where, "what": one.what} for one in result.findings],
            }
        )
    else:
        show_verification(console(), result)
    return 0 if result.holds else 1


def show_verification(out: Console, result: Verification) -> None:
    """Print what verifying came to."""
    if result.holds:
        out.print(f"[green]✔[/green] {result.rows} rows: the chains hold, the figures agree.")
        return
    for finding in result.findings:
        out.print(f"[red]✘[/red] {finding.where}: {finding.what}")


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InvalidInput("This is not a readable JSON file.", path=str(path)) from None
    return document

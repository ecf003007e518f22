"""``eprescription verify``: check an export's chains and recompute its figures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from eprescription_sdk.cli.context import AsJson, console, print_json, read_json, read_receipt
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.files import read
from eprescription_sdk.model.trace import ChainLink
from eprescription_sdk.pilot.export import signature_of
from eprescription_sdk.pilot.results import Criterion, Verdict
from eprescription_sdk.pilot.verify import Verification, verify_export
from eprescription_sdk.traces.chain import link_of
from eprescription_sdk.traces.signing import PublicKey


def verify(
    export: Annotated[Path, Parameter(help="Folder of the export.")],
    /,
    *,
    assessment: Annotated[
        Path | None, Parameter(help="JSON of an assessment to compare the figures with.")
    ] = None,
    receipt: Annotated[
        Path | None, Parameter(help="Closing receipt, whose chain heads the export must reach.")
    ] = None,
    anchor: Annotated[
        tuple[Path, ...],
        Parameter(
            help="Manifest of a day's file, whose chain heads the export must reach; again"
            " for each. With --key, its signature is checked too."
        ),
    ] = (),
    key: Annotated[
        Path | None,
        Parameter(
            help="The organisation's public key or certificate in PEM: export, checkpoint and"
            " receipt must be signed with it. Needed once traces were purged."
        ),
    ] = None,
    json: AsJson = False,
) -> int:
    """Check the chains of an export and recompute the criteria; exit code 1 if it does not hold."""
    public = PublicKey.from_file(key) if key else None
    result = verify_export(
        export,
        assessment=_assessment(assessment) if assessment else None,
        anchors=[head for each in anchor for head in _heads(each, public)],
        receipt=read_receipt(receipt) if receipt else None,
        key=public,
    )
    if json:
        print_json(
            {
                "holds": result.holds,
                "rows": result.rows,
                "purged": _purged(result),
                "verdicts": _verdicts(result),
                "findings": [{"where": one.where, "what": one.what} for one in result.findings],
            }
        )
    else:
        out = console()
        show_verification(out, result)
        for criterion, (strict, lenient) in _recomputed(result):
            readings = f"{strict.label_fr} (stricte), {lenient.label_fr} (favorable)"
            out.print(f"{criterion.value} {criterion.label_fr} : {readings}", soft_wrap=True)
    return 0 if result.holds else 1


def show_verification(out: Console, result: Verification) -> None:
    """Print what verifying came to."""
    for finding in result.findings:
        out.print(Text.assemble(("✘ ", "red"), f"{finding.where}: {finding.what}"))
    if result.holds and result.checkpoint is None:
        out.print(f"[green]✔[/green] {result.rows} rows: the chains hold, the figures agree.")
    elif result.holds:
        out.print(f"[green]✔[/green] {result.rows} rows: the chains hold from the checkpoint on.")
    if purged := _purged(result):
        out.print(f"{purged} traces were purged before it: figures are of what is left.")


def _recomputed(result: Verification) -> Iterator[tuple[Criterion, tuple[Verdict, Verdict]]]:
    """What each criterion comes to under both bundles, from the rows as they are."""
    made = result.assessment
    if made is not None:
        for criterion in Criterion:
            yield criterion, (made.strict[criterion].verdict, made.lenient[criterion].verdict)


def _verdicts(result: Verification) -> dict[str, dict[str, str]]:
    return {
        criterion.value: {"strict": strict.value, "lenient": lenient.value}
        for criterion, (strict, lenient) in _recomputed(result)
    }


def _purged(result: Verification) -> int:
    """How many traces are behind the checkpoint."""
    made = result.checkpoint
    return made.purged + made.purged_before if made is not None else 0


def _heads(manifest: Path, key: PublicKey | None) -> Iterator[ChainLink]:
    document = read_json(manifest)
    if key is not None and not key.signed(read(manifest), signature_of(manifest)):
        raise InvalidInput("The manifest is not signed with this key.", path=str(manifest))
    try:
        yield from [link_of(head) for head in document["heads"]]
    except (KeyError, TypeError, ValueError):
        raise InvalidInput("This is not the manifest of a day.", path=str(manifest)) from None


def _assessment(path: Path) -> dict[str, Any]:
    document = read_json(path)
    if not isinstance(document, dict):
        raise InvalidInput("This is not an assessment.", path=str(path))
    return document

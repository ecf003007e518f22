"""The command: it shows progress while the pilot plays, then what it came to."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from eprescription_sdk.cli.context import console
from eprescription_sdk.cli.demo.finale import Finale, finish
from eprescription_sdk.cli.demo.plan import RELUCTANT, plan
from eprescription_sdk.cli.demo.play import Score, play
from eprescription_sdk.cli.demo.stage import SCALE, opening_clock, set_stage
from eprescription_sdk.cli.material import material
from eprescription_sdk.cli.tables import show_assessment
from eprescription_sdk.cli.verify import show_verification
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.pilot.questions import Reading
from eprescription_sdk.pilot.results import Criterion
from eprescription_sdk.sandbox import Sandbox

STORE = "simulation.db"


def demo(*, output: Path = Path("demo-output")) -> int:
    """Play a whole pilot against the sandbox: a SIMULATION, with a report at its end.

    Parameters
    ----------
    output
        Folder for report, assessment, receipt and export; an earlier demo's are replaced.
    """
    started = time.monotonic()
    out = console()
    out.print("[bold]SIMULATION[/bold] · six fictitious practitioners, two weeks, our own sandbox")
    _clear(output)
    dossier = Dossier.from_toml(material("pilot.toml"))
    clock = opening_clock(dossier)
    with Sandbox(clock=clock, scale=SCALE) as sandbox:
        stage = set_stage(sandbox, clock, dossier, output / STORE)
        first_days = [each.go_live for each in dossier.practitioners]
        documents = plan(first_days, len(stage.cases))
        with stage.client:
            with _progress(out, len(documents)) as advance:
                score = play(stage, documents, advance)
            finale = finish(stage, score, output)
    _show(out, score, finale, output)
    out.print(f"{time.monotonic() - started:.0f} s · SIMULATION")
    return 0 if finale.holds else 1


def _clear(output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    for name in ("report.html", "assessment.json", "receipt.json"):
        (output / name).unlink(missing_ok=True)
    # The store with all that lies beside it: log, lock, and the marker that it is closed.
    for path in output.glob(f"{STORE}*"):
        path.unlink()


@contextmanager
def _progress(out: Console, total: int) -> Iterator[Callable[[str], None]]:
    if not out.is_terminal:
        shown: set[str] = set()
        done = 0

        def line(day: str) -> None:
            nonlocal done
            done += 1
            if day not in shown:
                shown.add(day)
                out.print(f"{day}  document {done} of {total}")

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=out) as bars:
        task = bars.add_task("", total=total)
        yield lambda day: bars.update(task, advance=1, description=day)


def _show(out: Console, score: Score, finale: Finale, output: Path) -> None:
    outcomes = ", ".join(f"{count} {name}" for name, count in score.outcomes.most_common())
    paper = ", ".join(
        f"{count} {reason.replace('_', ' ')}" for reason, count in score.paper.most_common()
    )
    out.print(f"\ndigital       {outcomes}")
    out.print(f"paper         {paper}")
    out.print(
        f"lost answers  {len(score.lost)}, each registered exactly once"
        if not finale.doubled
        else f"lost answers  {finale.doubled} of {len(score.lost)} are not registered once"
    )
    out.print(f"settled late  {score.settled_later}")
    out.print(
        f"turned away   {'1 practitioner outside the pilot' if score.turned_away else 'nobody'}"
    )
    if score.midway is not None:
        reluctant = score.midway.strict[Criterion.C1].practitioners[RELUCTANT]
        way = score.midway.practitioners[RELUCTANT].distance_fr[Reading.STRICT]
        figure = reluctant.figure.percent_fr if reluctant.figure else "—"
        out.print(f"on the eve of the reminder, {reluctant.label} stood at {figure}: {way}")
    show_assessment(out, finale.assessment)
    receipt = finale.receipt
    out.print(f"\n[bold]Closed for good[/bold], receipt {receipt.id}")
    out.print(f"  traces sent {finale.shipped}, received by the collector {finale.received}")
    out.print(
        f"  afterwards {finale.afterwards} prescriptions registered,"
        f" {finale.received_afterwards} traces received"
    )
    show_verification(out, finale.verification)
    out.print("\n[bold]Written[/bold]")
    for name in ("report.html", "assessment.json", "receipt.json", "export"):
        out.print(f"  {output / name}", soft_wrap=True)

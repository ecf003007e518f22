"""For the practitioners: who could reach the goal, before; their own week, during."""

import sys
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    console,
    opened,
    print_json,
    settings_of,
    write_text,
)
from eprescription_sdk.cli.pilot.shared import today
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.pilot.card import card as card_of
from eprescription_sdk.pilot.checks import MINIMUM
from eprescription_sdk.pilot.rehearsal import EXPECTED_SHARE
from eprescription_sdk.pilot.rehearsal import rehearse as rehearse_counts


def rehearse(
    counts: Annotated[Path, Parameter(help="CSV of what each volunteer wrote last month.")],
    /,
    *,
    share: Annotated[
        float, Parameter(help="Of the prescriptions in the perimeter, those taken to be digital.")
    ] = float(EXPECTED_SHARE),
    json: AsJson = False,
) -> int:
    """Which volunteers could reach C1, from last month's counts; exit code 1 if one could not.

    The sheet has the columns praticien, famille, nombre.
    """
    if not 0 <= share <= 1:
        raise InvalidInput("A share goes from 0 to 1.", path="--share")
    volunteers = rehearse_counts(counts, share=Fraction(str(share)))
    if json:
        print_json(
            [
                {
                    "name": each.name, "inside": each.inside, "outside": each.outside,
                    "expected": each.expected, "needed": each.needed, "passes": each.passes,
                    "passes_leniently": each.passes_leniently, "advice_fr": each.advice_fr,
                }
                for each in volunteers
            ]
        )  # fmt: skip
    else:
        table = Table(title="Répétition de C1, d'après le mois dernier")
        table.add_column("praticien")
        table.add_column("périmètre", justify="right")
        table.add_column("hors", justify="right")
        table.add_column("stricte")
        table.add_column("favorable")
        table.add_column("ce qu'il faudrait", overflow="fold")
        for each in volunteers:
            table.add_row(
                Text(each.name), str(each.inside), str(each.outside), _mark(reached=each.passes),
                _mark(reached=each.passes_leniently), Text(each.advice_fr),
            )  # fmt: skip
        console().print(table)
        passing = sum(each.passes for each in volunteers)
        console().print(
            f"{passing} sur {len(volunteers)} passeraient en lecture stricte ; il faut au moins"
            f" {MINIMUM} volontaires équipés, et chacun doit passer."
        )
    return 0 if all(each.passes for each in volunteers) else 1


def _mark(*, reached: bool) -> str:
    return "[green]✔ passe[/green]" if reached else "[red]✘ non[/red]"


def card(
    *,
    prescriber: Annotated[str, Parameter(help="RPPS of the practitioner who asks.")],
    week: Annotated[date | None, Parameter(help="A day of the week; today by default.")] = None,
    output: Annotated[
        Path | None, Parameter(help="Write it here, for its owner alone to read.")
    ] = None,
    settings: SettingsFile = None,
) -> None:
    """One practitioner's own week, for them alone: digital, paper by cause, one tip."""
    configured = settings_of(settings)
    with opened(configured) as store:
        found = card_of(
            store,
            Rpps.parse(prescriber),
            key=configured.key,
            day=week or today(),
            now=SystemClock().now(),
        )
    paper = sum(found.paper.values())
    lines = [
        f"Votre semaine du {found.monday:%d/%m/%Y} au {found.monday + timedelta(days=6):%d/%m/%Y}",
        f"  numériques enregistrées          {found.registered}",
        f"  numériques non enregistrées      {found.unregistered}",
        f"  sur papier                       {paper}",
        *(f"    {reason.label_fr:<30} {count}" for reason, count in found.paper.items()),
        "",
        f"  {found.tip_fr}",
        "",
        "Cette fiche est pour vous seul : elle n'entre dans aucun bilan.",
    ]
    text = "\n".join(lines) + "\n"
    if output is None:
        sys.stdout.write(text)
    else:
        write_text(output, text, private=True)

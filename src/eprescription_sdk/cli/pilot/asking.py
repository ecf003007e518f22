"""Asking for a dossier on a terminal, in French, one answer after the other."""

from typing import Any

from eprescription_sdk.cli.context import console
from eprescription_sdk.pilot.checks import MAXIMUM, MINIMUM
from eprescription_sdk.pilot.drafting import FIELDS, Field

_INTRODUCTION_FR = (
    "Une question par élément ; Entrée pour répondre plus tard, Ctrl-D pour s'arrêter là et garder"
    " les réponses. Les jours s'écrivent 2025-03-17."
)


def ask_dossier(document: dict[str, Any]) -> None:
    """Ask for what a dossier does not say yet, and put the answers in.

    Whoever ends the input early (Ctrl-D) keeps what was answered.
    """
    out = console()
    out.print(_INTRODUCTION_FR)
    try:
        for field in FIELDS:
            # Decisions that most pilots never need are not asked for; they stand in the file.
            if field.table in {"practitioners", "minimum_revised", "extension"}:
                continue
            _ask(field, document.setdefault(field.table, {}))
        _ask_practitioners(document)
    except EOFError:
        out.print("\nLa suite plus tard.")
    for table in [table for table, values in document.items() if not values]:
        del document[table]


def _ask_practitioners(document: dict[str, Any]) -> None:
    people: list[dict[str, Any]] = document.setdefault("practitioners", [])
    before: dict[str, Any] = {}
    for number in range(1, MAXIMUM + 1):
        if number > len(people):
            people.append({})
        console().print(f"Praticien {number} (de {MINIMUM} à {MAXIMUM}) ; RPPS vide pour finir")
        person = people[number - 1]
        for field in FIELDS:
            if field.table != "practitioners" or field.key.startswith("withdrawn"):
                continue
            _ask(field, person, before.get(field.key))
            if field.key == "rpps" and "rpps" not in person:
                people.pop()
                return
        # What one practitioner has, the next one most often has too.
        before = {key: value for key, value in person.items() if key not in {"rpps", "situation"}}


def _ask(field: Field, values: dict[str, Any], before: Any = None) -> None:
    if field.key in values:
        return
    default = _shown(before) if before is not None else field.default
    while True:
        text = input(f"{field.ask_fr}{f' [{default}]' if default else ''} ? ").strip() or default
        if not text:
            return
        try:
            values[field.key] = field.read(text)
        except ValueError:
            console().print(f"  {field.expected_fr}", markup=False)
        else:
            return


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    return str(value)

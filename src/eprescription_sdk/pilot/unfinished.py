"""What can be said of a dossier that has faults: the conditions that its other answers break.

What is missing or cannot be read is filled in twice, its days once long ago and once far ahead.
What is found both times holds whatever the answer will be; of two weights, the lighter is said.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from eprescription_sdk.pilot import reading
from eprescription_sdk.pilot.checks import Finding, Level, check
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.pilot.drafting import BY_PATH, FIELDS, Field, open_fields


def check_unfinished(path: Path, faults: Iterable[str], today: date) -> tuple[Finding, ...]:
    """The findings that do not hang on an answer that is still missing, errors first.

    Args:
        path: of the dossier's file.
        faults: where something is missing or cannot be read.
        today: the Europe/Paris day to judge by.

    Raises:
        InvalidInput: the file is no TOML, or is too damaged to judge anything.
    """
    document, places = reading.read_toml(path), tuple(filter(None, faults))
    long_ago, far_ahead = (
        {
            (finding.path, finding.page): finding
            for finding in check(_filled(document, places, day), today)
            if not finding.path.startswith(places)
        }
        for day in (date.min, date.max)
    )
    found = (
        max(finding, far_ahead[place], key=_lightness)
        for place, finding in long_ago.items()
        if place in far_ahead
    )
    return tuple(sorted(found, key=_lightness))


def _lightness(finding: Finding) -> int:
    return list(Level).index(finding.level)


def _filled(document: Mapping[str, Any], faults: Iterable[str], day: date) -> Dossier:
    whole = {table: _known(table, values) for table, values in document.items() if table in _TABLES}
    for fault in faults:
        _remove(whole, *_PARTS.findall(fault))
    for missing in open_fields(whole):
        if missing == "practitioners":
            whole[missing] = []
            continue
        table, *number, key = _PARTS.findall(missing)
        values = whole[table][int(number[0])] if number else whole.setdefault(table, {})
        values[key] = _stand_in(BY_PATH[f"{table}.{key}"], day)
    return reading.structure(whole, Dossier, None)


_TABLES = {field.table for field in FIELDS}
_PARTS = re.compile(r"[^.\[\]]+")


def _known(table: str, values: Any) -> Any:
    """A copy without the keys that no dossier has."""
    if isinstance(values, list):
        return [_known(table, each) for each in values]
    if isinstance(values, dict):
        return {key: value for key, value in values.items() if f"{table}.{key}" in BY_PATH}
    return values


def _remove(document: dict[str, Any], table: str = "", *rest: str) -> None:
    # The path of an unknown key may look like anything.
    values = document.get(table)
    if not rest:
        document.pop(table, None)
    elif isinstance(values, dict):
        values.pop(rest[0], None)
    elif isinstance(values, list) and rest[0].isdecimal() and int(rest[0]) < len(values):
        if len(rest) == 1:
            values[int(rest[0])] = {}  # the others keep their places
        elif isinstance(values[int(rest[0])], dict):
            values[int(rest[0])].pop(rest[1], None)


def _stand_in(field: Field, day: date) -> Any:
    example = tomllib.loads(f"it = {field.example}")["it"]
    return day if isinstance(example, date) else example

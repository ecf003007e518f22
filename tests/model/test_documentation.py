"""The table of fields in the documentation holds every field of the model, and no other."""

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import attrs

from eprescription_sdk.model import flags, lines, people, posology, prescription

TABLE = Path(__file__).parents[2] / "docs" / "prescription-fields.md"


def fields() -> Iterator[str]:
    for module in (flags, lines, people, posology, prescription):
        for kind in vars(module).values():
            if not isinstance(kind, type) or kind.__module__ != module.__name__:
                continue
            if kind is people.AnonymousPatient:
                continue
            if attrs.has(kind):
                own = (field for field in attrs.fields(kind) if not field.inherited)
                yield from (f"{kind.__name__}.{field.name}" for field in own)
            elif issubclass(kind, (flags.HeaderFlag, flags.LineFlag)) and issubclass(kind, Enum):
                yield from (f"{kind.__name__}.{member.name}" for member in kind)


def rows() -> list[list[str]]:
    text = TABLE.read_text(encoding="utf-8")
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


def test_every_field_is_in_the_table_once() -> None:
    documented = [row[0].strip("`") for row in rows()]
    assert sorted(documented) == sorted(fields())


def test_every_field_has_its_term_its_element_and_its_source() -> None:
    for row in rows():
        assert len(row) == 4, row[0]
        assert all(row), row[0]


def test_the_flags_of_the_table_have_their_codes() -> None:
    for row in rows():
        kind, _, name = row[0].strip("`").partition(".")
        if kind in ("HeaderFlag", "LineFlag"):
            (code,) = re.findall(r"(?:MED|GEN)-\d+", row[2])
            assert code == getattr(flags, kind)[name].value

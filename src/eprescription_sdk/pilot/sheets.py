"""Sheets that people fill in and hand over: CSV as French office software reads and writes it.

Semicolons and a byte order mark going out; semicolons or commas coming in; JSON, as a list of
objects with the same keys, wherever a sheet is read. What the columns mean is not known here.
Sentences never quote a value.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.files import json_of, read

MAX_BYTES = 1024 * 1024
"""A sheet of ten practitioners has some kilobytes."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@attrs.frozen(kw_only=True)
class SheetRow:
    """One row of a sheet.

    Args:
        place: where it stands, such as ``line 3``.
        values: by column; what is left empty is an empty text.
    """

    place: str
    # A row may hold an RPPS.
    values: dict[str, str] = attrs.field(repr=False)

    def path(self, column: str) -> str:
        """Where one value of it stands."""
        return f"{self.place}, {column}"


def sheet(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A sheet as text. A cell that office software would run as a formula is disarmed."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(
        [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in r] for r in rows
    )
    return "\ufeff" + text.getvalue()


def read_sheet(
    path: Path, *, columns: Sequence[str], optional: Sequence[str] = ()
) -> list[SheetRow]:
    """The rows of a sheet, empty ones left out.

    Args:
        path: a CSV file, or a JSON one by its name.
        columns: that must be there.
        optional: that may be there; any other is a fault.

    Raises:
        InvalidInput: the file cannot be read, or its columns are others (each with its place).
    """
    try:
        content = read(path, MAX_BYTES)
    except OSError as error:
        raise InvalidInput(f"The file cannot be read: {error.strerror}.", path=str(path)) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            f"The file is not UTF-8 (at line {line}).",
            path=str(path),
            way_out='Save it as "CSV UTF-8".',
        ) from None
    rows = _json_rows(text, path) if path.suffix == ".json" else _csv_rows(text, path)
    faults = []
    for row in rows:
        faults += [
            (row.path(name), "This is missing.") for name in columns if name not in row.values
        ]
        faults += [
            (row.path(name), "This column is unknown.")
            for name in row.values
            if name not in (*columns, *optional)
        ]
    if faults or not rows:
        faults = faults or [("line 2", "There is no row.")]
        wanted = ", ".join((*columns, *(f"{name} (optional)" for name in optional)))
        raise refused(path, faults, way_out=f"Columns: {wanted}.")
    return [
        SheetRow(place=row.place, values={**dict.fromkeys(optional, ""), **row.values})
        for row in rows
    ]


def refused(
    path: Path, faults: Sequence[tuple[str, str]], *, way_out: str | None = None
) -> InvalidInput:
    """The error that lists all faults of a sheet."""
    return InvalidInput("The sheet has faults:", path=str(path), findings=faults, way_out=way_out)


def _csv_rows(text: str, path: Path) -> list[SheetRow]:
    head = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",", strict=True
    )
    rows = []
    try:
        names = [name.strip().casefold() for name in next(reader, [])]
        if len(set(names)) != len(names):
            raise refused(path, [("line 1", "A column stands there twice.")])
        for cells in reader:
            place = f"line {reader.line_num}"
            if any(cell.strip() for cell in cells[len(names) :]):
                raise refused(path, [(place, "The row has more cells than there are columns.")])
            if any(cell.strip() for cell in cells):
                # Office software drops empty cells at the end of a row.
                filled = [*cells, *[""] * (len(names) - len(cells))][: len(names)]
                rows.append(
                    SheetRow(
                        place=place,
                        values={
                            name: cell.strip() for name, cell in zip(names, filled, strict=True)
                        },
                    )
                )
    except csv.Error:
        raise refused(
            path, [(f"line {reader.line_num}", "This line is not CSV: look at its quotes.")]
        ) from None
    return rows


def _json_rows(text: str, path: Path) -> list[SheetRow]:
    try:
        document = json_of(text)
    except json.JSONDecodeError as error:
        raise refused(path, [(f"line {error.lineno}", "This is not JSON.")]) from None
    except ValueError:
        raise refused(path, [("line 1", "This is not JSON.")]) from None
    if not isinstance(document, list) or not all(isinstance(each, dict) for each in document):
        raise refused(path, [("line 1", "A list of objects was expected.")])
    return [
        SheetRow(place=f"[{index}]", values={str(k).casefold(): _text(v) for k, v in each.items()})
        for index, each in enumerate(document)
    ]


def _text(value: Any) -> str:
    """A JSON value as the cell of a sheet; several texts are lines of one cell."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    return str(value).strip()

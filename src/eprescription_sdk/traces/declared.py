"""A trace format declared in a TOML file: JSON or CSV, and a JSON Schema that each trace meets.

What the file may say is in ``layout``. A format that is neither JSON nor CSV is a Python port
instead. The official format of the traces postes is not public: whoever has it writes the file.
"""

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.identifiers import Identifier
from eprescription_sdk.model.trace import ChainLink, Trace
from eprescription_sdk.traces.body import KINDS
from eprescription_sdk.traces.layout import Field, Form, Layout, read_layout
from eprescription_sdk.traces.schema import Check, read_schema


class DeclaredProfile:
    """A ``TraceProfile`` made from a file.

    Args:
        layout: what the file says.
        check: raises ``InvalidInput`` for a document that the schema does not allow.
    """

    def __init__(self, layout: Layout, check: Check | None = None) -> None:
        self._layout = layout
        self._check = check

    @classmethod
    def from_toml(cls, path: Path) -> "DeclaredProfile":
        """The profile that a file declares, with the schema that it names.

        Raises:
            ConfigurationError: the file or its schema makes no sense; every place is named.
            MissingExtra: there is a schema, and the extra ``schema`` is not installed.
        """
        layout = read_layout(path)
        return cls(layout, read_schema(path.parent / layout.schema) if layout.schema else None)

    @property
    def name(self) -> str:
        """As the file says; shown in receipts."""
        return self._layout.name

    @property
    def content_type(self) -> str:
        """As the file says."""
        return self._layout.content_type

    @property
    def resource(self) -> str:
        """As the file says."""
        return self._layout.resource

    @property
    def batch(self) -> int:
        """How many traces one request may carry."""
        return self._layout.batch

    @property
    def suffix(self) -> str:
        """How the name of a file with several traces ends."""
        return ".csv" if self._layout.form is Form.CSV else ".jsonl"

    def encode(self, trace: Trace, link: ChainLink) -> bytes:
        """One trace with its link of the chain.

        Raises:
            InvalidInput: a value has no code, or the schema does not allow the trace. No value is
                told.
        """
        known = _values(trace, link)
        kind = KINDS[type(trace)]
        mine = [each for each in self._layout.field if not each.kinds or kind in each.kinds]
        if self._layout.form is Form.CSV:
            cells = {each.name: _value(each, known) for each in mine}
            self._require(cells)
            row = [_cell(cells.get(each.name)) for each in self._layout.field]
            return self._header + self._line(row)
        document: dict[str, Any] = {}
        for each in mine:
            value = _value(each, known)
            if value is not None or not each.optional:
                _put(document, each.name.split("."), value)
        self._require(document)
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    def _require(self, document: dict[str, Any]) -> None:
        if self._check is not None:
            self._check(document)

    def join(self, contents: Sequence[bytes]) -> bytes:
        """Several encoded traces as one request carries them."""
        if self._layout.form is Form.CSV or self._layout.lines:
            return self.append(contents, first=True)
        return b"[" + b",".join(contents) + b"]"

    def append(self, contents: Sequence[bytes], *, first: bool) -> bytes:
        """Several encoded traces as they follow each other in a file.

        Args:
            contents: what ``encode`` gave.
            first: whether the file begins with them.
        """
        if self._layout.form is Form.JSON:
            return b"".join(content + b"\n" for content in contents)
        rows = b"".join(content.removeprefix(self._header) for content in contents)
        return self._header + rows if first else rows

    @property
    def _header(self) -> bytes:
        if self._layout.form is Form.JSON or not self._layout.header:
            return b""
        return self._line([each.name for each in self._layout.field])

    def _line(self, cells: list[str]) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=self._layout.delimiter).writerow(cells)
        return text.getvalue().encode()


def _values(trace: Trace, link: ChainLink) -> dict[str, Any]:
    known = {"kind": KINDS[type(trace)]}
    for one in (trace, link):
        known |= {each.name: getattr(one, each.name) for each in attrs.fields(type(one))}
    return known


def _value(field: Field, known: dict[str, Any]) -> Any:
    if field.source is None:
        return field.constant
    value = known.get(field.source)
    if isinstance(value, datetime):
        return _time(value.astimezone(ZoneInfo(field.zone)), field.date)
    if isinstance(value, frozenset):
        members = [_coded(field, each) for each in sorted(map(_plain, value))]
        return members if field.join is None else field.join.join(map(_cell, members))
    return None if value is None else _coded(field, _plain(value))


def _time(moment: datetime, pattern: str) -> str:
    if pattern == "iso":
        return moment.isoformat(timespec="milliseconds")
    return moment.strftime(pattern)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum | Identifier) else value


def _coded(field: Field, value: Any) -> Any:
    if field.codes is None:
        return value
    try:
        return field.codes[_cell(value)]
    except KeyError:
        raise InvalidInput(f"A value of '{field.name}' has no code in the profile.") from None


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(_cell, value))
    return "" if value is None else str(value)


def _put(document: dict[str, Any], names: list[str], value: Any) -> None:
    for name in names[:-1]:
        document = document.setdefault(name, {})
    document[names[-1]] = value

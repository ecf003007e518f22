"""What a file says of a declared trace format: reading it, and refusing what makes no sense.

The file is TOML. What is done with it is in ``declared``.
"""

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

import attrs
from cattrs import Converter, transform_error
from cattrs.gen import make_dict_structure_fn, override

from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.files import read, toml_of
from eprescription_sdk.model.trace import CallTrace, ChainLink, PrescriptionTrace
from eprescription_sdk.traces.body import KINDS

Constant = str | int | float | bool


class Form(Enum):
    """The syntax of an encoded trace."""

    JSON = "json"
    CSV = "csv"


@attrs.frozen(kw_only=True)
class Field:
    """One field of the format.

    Args:
        name: in JSON, dots lead into objects; in CSV, the column's title.
        source: ``from`` in the file: a field of the trace, ``kind`` (``CALL`` or
            ``PRESCRIPTION``), or ``segment``, ``position``, ``hash`` of the link.
        constant: what always stands here; instead of a source.
        date: of a time, ``iso`` or a pattern of ``strftime``.
        zone: that times are told in.
        codes: what stands for each value; a value without a code keeps the trace from leaving.
        join: of a set, what stands between its members; without it, JSON has an array.
        kinds: the kinds of trace that have this field; all, if empty.
        optional: left out of JSON when there is no value; else it is ``null``.
    """

    name: str
    source: str | None = None
    constant: Constant | None = None
    date: str = "iso"
    zone: str = "UTC"
    codes: dict[str, Constant] | None = None
    join: str | None = None
    kinds: tuple[str, ...] = ()
    optional: bool = False


@attrs.frozen(kw_only=True)
class Layout:
    """A declared format.

    Args:
        name: shown in receipts; it says whose format this is.
        form: its syntax.
        resource: path below the collector's address.
        content_type: of one trace, and of a batch.
        field: its fields, in order.
        schema: name of the file with the JSON Schema, beside this one.
        batch: how many traces one request may carry.
        lines: whether a batch of JSON is one object a line; else it is an array.
        delimiter: between the columns of CSV.
        header: whether CSV begins with the titles of its columns.
    """

    name: str
    form: Form
    resource: str
    content_type: str
    field: tuple[Field, ...]
    schema: str | None = None
    batch: int = 1
    lines: bool = False
    delimiter: str = ";"
    header: bool = True


TIMES = frozenset({"at", "issued_at"})
SOURCES = frozenset(
    {"kind", *get_type_hints(ChainLink), *get_type_hints(CallTrace)}
    | {*get_type_hints(PrescriptionTrace)}
)
"""What a field may come from."""


def read_layout(path: Path) -> Layout:
    """The format that a file declares.

    Raises:
        ConfigurationError: the file cannot be read, or says something that makes no sense; every
            place is named.
    """
    try:
        content = read(path)
        document = toml_of(content)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(
            f"The profile cannot be read: {error.strerror}.", path=str(path)
        ) from None
    except ValueError as error:
        raise ConfigurationError(f"The profile is not TOML: {error}.", path=str(path)) from None
    try:
        layout = _converter.structure(document, Layout)
    except Exception as error:  # noqa: BLE001  (whatever the file holds, its places are named)
        raise _refused(path, text, transform_error(error, path="$")) from None
    faults = [*_faults(layout)]
    if faults:
        raise _refused(path, text, faults)
    return layout


def _refused(path: Path, text: str, faults: list[str]) -> ConfigurationError:
    named = "".join(f"\n  {fault}{_line(text, fault)}" for fault in faults)
    return ConfigurationError(f"The profile makes no sense.{named}", path=str(path))


def _line(text: str, fault: str) -> str:
    """The line that a fault's path leads to, as far as the file's layout tells."""
    place = _PLACE.search(fault)
    if place is None:
        return ""
    lines = text.splitlines()
    tables = [number for number, line in enumerate(lines) if _TABLE.match(line)]
    index, key = place["index"], place["key"] or place["top"]
    if index is None:
        first, last = 0, tables[0] if tables else len(lines)
    elif int(index) < len(tables):
        first, last = tables[int(index)], [*tables, len(lines)][int(index) + 1]
    else:
        return ""
    keys = re.compile(rf"\s*{re.escape(key)}\s*[=.]" if key else r"(?!)")
    found = [number for number in range(first, last) if keys.match(lines[number])]
    return f" (line {(found or [first])[0] + 1})" if found or index is not None else ""


_PLACE = re.compile(r"@ \$(?:\.field\[(?P<index>\d+)\](?:\.(?P<key>\w+))?|\.(?P<top>\w+))")
_TABLE = re.compile(r"\s*\[\[\s*field\s*\]\]")


def _faults(layout: Layout) -> list[str]:
    faults = []
    names = [field.name for field in layout.field]
    for place, field in enumerate(layout.field):
        faults += [
            f"{what} @ $.field[{place}]" + (f".{key}" if key else "")
            for what, key in _faults_of(field)
        ]
        objects = layout.form is Form.JSON and any(n.startswith(field.name + ".") for n in names)
        if names.count(field.name) > 1 or objects:
            faults.append(f"the name stands for two things @ $.field[{place}].name")
    if not layout.field:
        faults.append("there is no field @ $.field")
    if layout.batch < 1:
        faults.append("a batch holds at least one trace @ $.batch")
    if len(layout.delimiter) != 1 or layout.delimiter in '"\r\n':
        faults.append("the delimiter is one character @ $.delimiter")
    return faults


def _faults_of(field: Field) -> Iterator[tuple[str, str]]:
    """What is wrong, and with which key."""
    if not field.name or not all(field.name.split(".")):
        yield "the name has an empty part", "name"
    if (field.source is None) == (field.constant is None):
        yield "a field has either 'from' or 'constant'", ""
    if field.source is not None and field.source not in SOURCES:
        yield "no trace has such a field", "from"
    if field.source in TIMES and field.codes is not None:
        yield "a time has no codes", "codes"
    if set(field.kinds) - set(KINDS.values()):
        yield "the kinds of trace are CALL and PRESCRIPTION", "kinds"
    try:
        ZoneInfo(field.zone)
    except (ValueError, OSError, LookupError):
        yield "the zone is not known", "zone"
    if set(_DIRECTIVE.findall(field.date)) - _DIRECTIVES:
        yield "the date pattern is not known", "date"


_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_DIRECTIVES = frozenset("YymdHIMSfzZjUWVGuaAbBpcxX%")
"""What ``strftime`` knows everywhere; it passes over what it does not know."""


def _strictly(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise TypeError(f"a {kind.__name__} is expected")
    return value


def _constant(value: Any, _: Any) -> Constant:
    if not isinstance(value, (str, int, float, bool)):
        raise TypeError("text, a number or a boolean is expected")
    return value


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _strictly)
    converter.register_structure_hook(Constant, _constant)
    converter.register_structure_hook(Constant | None, _constant)
    converter.register_structure_hook(
        Field,
        make_dict_structure_fn(
            Field, converter, source=override(rename="from"), _cattrs_forbid_extra_keys=True
        ),
    )
    return converter


_converter = _make_converter()

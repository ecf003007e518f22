"""Reading plain data into attrs classes: strict types, and a path to every fault.

What the fields mean is not known here. Sentences never quote a value.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import GenericAlias
from typing import Any, TypeVar

import attrs
from cattrs import BaseConverter, Converter
from cattrs.errors import (
    BaseValidationError,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)
from cattrs.gen import make_dict_structure_fn

from eprescription_sdk.errors import InvalidIdentifier, InvalidInput
from eprescription_sdk.files import read, toml_of
from eprescription_sdk.model.identifiers import Finess, Identifier, Rpps
from eprescription_sdk.model.people import Profession

T = TypeVar("T")

MAX_BYTES = 1024 * 1024
"""A dossier of ten practitioners has about five thousand; far beyond that it is none."""

MAX_TEXT = 500
"""The longest text of one field, in characters."""


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        InvalidInput: no such file, too large, not UTF-8, or malformed (with the line).
    """
    try:
        content = read(path, MAX_BYTES)
    except OSError as error:
        raise InvalidInput(
            f"The dossier cannot be read: {error.strerror}.", path=str(path)
        ) from None
    try:
        return toml_of(content)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            f"The dossier is not UTF-8 (at line {line}).",
            path=str(path),
            way_out="Save the file as UTF-8.",
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"Malformed TOML: {error}.", path=str(path)) from None
    except ValueError:
        # A number beyond all measure, or brackets without end: these come without a line.
        raise InvalidInput("Malformed TOML: a value cannot be read.", path=str(path)) from None


def lines_of(text: str) -> dict[str, int]:
    """At which line each table and key of a TOML text stands, by path.

    It reads headers and the starts of assignments, which is all that a dossier has; a key that
    is not found has no line. One that stands in a comment, waiting for its answer, has that one.
    """
    lines: dict[str, int] = {}
    waiting: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header[3]
            if header[1]:
                table = name
                waiting.setdefault(name, number)
                continue
            if header[2] == "[[":
                counts[name] = counts.get(name, -1) + 1
                name = f"{name}[{counts[name]}]"
            table = name
            lines.setdefault(name, number)
            lines.setdefault(header[3], number)
        elif key := _KEY.match(line):
            path = f"{table}.{key[2]}" if table else key[2]
            (waiting if key[1] else lines).setdefault(path, number)
    return waiting | lines


_HEADER = re.compile(r"\s*(#?)\s*(\[\[?)\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"\s*(#?)\s*\"?([\w-]+)\"?\s*=")


def line_of(lines: Mapping[str, int], path: str) -> int | None:
    """The line of a path, or of the nearest thing that it is in."""
    while path:
        if path in lines:
            return lines[path]
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return None


def structure(document: Any, kind: type[T], source: str | None) -> T:
    """Plain data as an attrs class.

    Args:
        document: as TOML or JSON gives it.
        kind: the class.
        source: the file, to be named in the error.

    Raises:
        InvalidInput: a key is missing, unknown or malformed (each with its path).
    """
    try:
        return _converter().structure(document, kind)
    except (BaseValidationError, _Fault) as error:
        raise refused(tuple(_faults(error, "")), source) from None


def unstructure(value: Any) -> dict[str, Any]:
    """An attrs class as JSON-ready data; what has its default is left out."""
    document: dict[str, Any] = _converter().unstructure(value)
    return document


def refused(faults: tuple[tuple[str, str], ...], source: str | None) -> InvalidInput:
    """The error that lists all faults; those of a file each with its line."""
    if source is not None:
        lines = read_lines(Path(source))
        faults = tuple(
            (path, f"{what} (line {line})" if (line := line_of(lines, path)) else what)
            for path, what in faults
        )
    return InvalidInput("The dossier has faults:", path=source, findings=faults)


def read_lines(path: Path) -> Mapping[str, int]:
    """At which line of a dossier's file each key stands; empty when it cannot be read."""
    try:
        return lines_of(read(path, MAX_BYTES).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return {}


def answer(value: Any, kind: Any) -> Any:
    """One value of a dossier.

    Args:
        value: as a person typed it, or as TOML gives it.
        kind: the type of the field.

    Raises:
        ValueError: it is none; the message is one sentence that does not quote it.
    """
    try:
        return _converter().structure(value, kind)
    except (BaseValidationError, _Fault, InvalidIdentifier) as error:
        raise ValueError(" ".join(what for _, what in _faults(error, ""))) from None


def _faults(error: BaseException, path: str) -> Iterator[tuple[str, str]]:
    """Every fault of a structuring error, with the path to it."""
    if isinstance(error, ClassValidationError):
        located, others = error.group_exceptions()
        for inner, note in located:
            yield from _faults(inner, f"{path}.{note.name}" if path else str(note.name))
        for inner in others:
            yield from _faults(inner, path)
    elif isinstance(error, IterableValidationError):
        for inner, index in error.group_exceptions()[0]:
            yield from _faults(inner, f"{path}[{index.index}]")
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield f"{path}.{key}" if path else key, "This key is unknown."
    else:
        yield path or "dossier", _sentence(error)


def _sentence(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return "This key is missing."
    if isinstance(error, InvalidIdentifier):
        return error.message
    return str(error) if isinstance(error, _Fault) else "This value cannot be read."


class _Fault(ValueError):
    """A value that a hook refuses, with the sentence to show."""


@cache
def _converter() -> Converter:
    converter = Converter(omit_if_default=True)
    converter.register_structure_hook_factory(attrs.has, _table)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(bool, _bool)
    converter.register_structure_hook(int, _int)
    converter.register_structure_hook(date, _date)
    converter.register_structure_hook(Profession, _profession)
    converter.register_structure_hook_factory(
        lambda kind: getattr(kind, "__origin__", None) is tuple, _tuple
    )
    converter.register_unstructure_hook(date, date.isoformat)
    for kind in (Rpps, Finess):
        converter.register_structure_hook(kind, _identifier)
        converter.register_unstructure_hook(kind, lambda value: value.value)
    return converter


def _table(kind: type[Any], converter: BaseConverter) -> Callable[[Any, Any], Any]:
    structure = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)

    def hook(value: Any, type_: Any) -> Any:
        if not isinstance(value, dict):
            raise _Fault("A table was expected here.")
        return structure(value, type_)

    return hook


def _text(value: Any, _: Any) -> str:
    if not isinstance(value, str):
        raise _Fault("A text between quotes was expected here.")
    text = value.strip()
    if not text:
        raise _Fault("This text is empty.")
    if len(text) > MAX_TEXT or re.search(r"[\x00-\x1f\x7f]", text):
        raise _Fault(f"A text of one line, {MAX_TEXT} characters at most, was expected here.")
    return text


def _bool(value: Any, _: Any) -> bool:
    if not isinstance(value, bool):
        raise _Fault("true or false was expected here.")
    return value


def _int(value: Any, _: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _Fault("A whole number from 1 was expected here.")
    return value


def _date(value: Any, _: Any) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _Fault("A day such as 2025-03-17 was expected here.") from None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _Fault("A day such as 2025-03-17 was expected here.")
    return value


def _profession(value: Any, _: Any) -> Profession:
    try:
        return Profession(value)
    except ValueError:
        codes = ", ".join(f'"{member.value}"' for member in Profession)
        raise _Fault(f"A profession code was expected here, one of {codes}.") from None


def _identifier(value: Any, kind: type[Identifier]) -> Identifier:
    if not isinstance(value, str):
        raise _Fault("An identifier between quotes was expected here.")
    return kind.parse(value)


def _tuple(kind: Any, converter: BaseConverter) -> Callable[[Any, Any], Any]:
    # A text would pass for a sequence of letters.
    inner: Any = GenericAlias(list, (kind.__args__[0],))

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, list):
            raise _Fault("A list was expected here.")
        return tuple(converter.structure(value, inner))

    return hook

"""The JSON Schema that each trace of a declared format meets before it leaves.

A schema that points at another document is refused: nothing is fetched.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from eprescription_sdk.errors import ConfigurationError, InvalidInput, MissingExtra
from eprescription_sdk.files import json_of, read

Check = Callable[[Any], Any]
"""Raises ``InvalidInput`` for a document that the schema does not allow; no value is told."""


def read_schema(path: Path) -> Check:
    """The check of a schema in a file.

    Raises:
        ConfigurationError: it cannot be read, or makes no sense; the place in it is named.
        MissingExtra: the extra ``schema`` is not installed.
    """
    try:
        import fastjsonschema
    except ImportError:
        raise MissingExtra("schema") from None

    try:
        schema = json_of(read(path))
    except OSError as error:
        raise ConfigurationError(
            f"The schema cannot be read: {error.strerror}.", path=str(path)
        ) from None
    except ValueError as error:
        raise ConfigurationError(f"The schema is not JSON: {error}.", path=str(path)) from None
    draft = str(schema.get("$schema", "")) if isinstance(schema, dict) else ""
    if draft and not _DRAFTS.search(draft):
        # What a later draft adds would be passed over in silence.
        raise ConfigurationError(
            "The draft that $.$schema names is not known here.",
            path=str(path),
            way_out="Write it in draft 4, 6 or 7 of JSON Schema.",
        )
    try:
        check = _compile(schema)
    except Exception as error:
        what = str(error).partition("\n")[0] or type(error).__name__
        raise ConfigurationError(
            f"The schema makes no sense: {what} @ {_place(schema, what)}", path=str(path)
        ) from error

    def require(document: Any) -> None:
        try:
            check(document)
        except fastjsonschema.JsonSchemaValueException as error:
            # Place and rule are enough; its own message might quote a value.
            raise InvalidInput(
                f"The schema does not allow this trace: rule '{error.rule}' of '{error.name}'."
            ) from None

    return require


_DRAFTS = re.compile(r"//json-schema\.org/draft-0[467]/schema")


def _compile(schema: Any) -> Check:
    import fastjsonschema

    def refuse(_: str) -> None:
        raise fastjsonschema.JsonSchemaDefinitionException("it refers to another document")

    # A schema that points elsewhere would be fetched over the network.
    handlers = dict.fromkeys(("http", "https", "ftp", "file", "urn", ""), refuse)
    check: Check = fastjsonschema.compile(schema, handlers=handlers)
    return check


def _place(schema: Any, what: str) -> str:
    """The innermost part of a schema that fails in the same way by itself."""
    found = "$"
    for place, part in _parts(schema, "$"):
        try:
            _compile(part)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is compared)
            if str(error).partition("\n")[0] == what:
                found = place
    return found


def _parts(part: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every object in a schema, each before those inside it."""
    if isinstance(part, dict):
        yield place, part
        for name, inner in part.items():
            yield from _parts(inner, f"{place}.{name}")
    elif isinstance(part, list):
        for index, inner in enumerate(part):
            yield from _parts(inner, f"{place}[{index}]")

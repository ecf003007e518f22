"""Values that no document can carry, wherever they stand in a prescription.

Texts with control characters, empty texts, numbers that are none, units
whose code is no code. The rules of the domain are in ``validation``.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from operator import attrgetter
from typing import Any

import attrs

from eprescription_sdk.model.people import AnonymousPatient
from eprescription_sdk.model.posology import Duration, Quantity
from eprescription_sdk.model.problems import Level, Problem

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CODE = re.compile(r"[^\s]+(\s[^\s]+)*")
_URI = re.compile(r"\S+")
_MOST_DIGITS = 15

# Without a unit a quantity is a plain number; of the others `validation` says more.
_MAY_BE_EMPTY = frozenset({"kept", "unit", "value"})


def is_code(text: str) -> bool:
    """Whether FHIR R4 takes it for a code: no space at the ends, and single ones within."""
    return _CODE.fullmatch(text) is not None


def is_uri(text: str) -> bool:
    """Whether FHIR R4 takes it for a URI: no space at all."""
    return _URI.fullmatch(text) is not None


def unsound(root: Any) -> Iterator[Problem]:
    """What cannot be carried; most often nothing, and then quickly."""
    if not _sound(root):
        yield from _values(root, "", "")


def _sound(root: Any) -> bool:
    texts: list[str] = []
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if not value:
                return False
            texts.append(value)
        elif isinstance(value, tuple):
            waiting += value
        elif isinstance(value, (Quantity, Duration)):
            if not _carried(value):
                return False
            if isinstance(value, Quantity):
                texts += (value.unit, value.code or "", value.system or "")
        elif value is not None:
            waiting += _parts_of(type(value))(value)
    return not _CONTROL.search("\n".join(texts))


def _values(value: Any, path: str, name: str) -> Iterator[Problem]:
    if isinstance(value, str):
        yield from _text(value, path, name)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _values(item, f"{path}[{index}]", "")
    else:
        if isinstance(value, (Quantity, Duration)) and not _measurable(value.value):
            yield _error(
                "RX-QUANTITY", f"{path}.value",
                f"A quantity is a positive number of at most {_MOST_DIGITS} digits.",
                "Une quantité doit être un nombre positif.",
            )  # fmt: skip
        if isinstance(value, Quantity) and not _coded(value):
            yield _error(
                "RX-CODE", f"{path}.code", "The unit has no well-formed code and system.",
                "Le code de cette unité est invalide.",
            )  # fmt: skip
        for part in _names(type(value)):
            yield from _values(getattr(value, part), f"{path}.{part}" if path else part, part)


def _text(text: str, path: str, name: str) -> Iterator[Problem]:
    if _CONTROL.search(text):
        yield _error(
            "RX-CONTROL-CHARACTER", path, "This text holds a control character.",
            "Ce texte contient un caractère de contrôle.",
        )  # fmt: skip
    if not text and name not in _MAY_BE_EMPTY:
        yield _error("RX-EMPTY", path, "This text is empty.", "Ce texte est vide.")


def _error(code: str, path: str, text: str, text_fr: str) -> Problem:
    return Problem(level=Level.ERROR, code=code, path=path, text=text, text_fr=text_fr)


def _carried(value: Quantity | Duration) -> bool:
    return _measurable(value.value) and (isinstance(value, Duration) or _coded(value))


def _coded(quantity: Quantity) -> bool:
    code, system = quantity.code, quantity.system
    return (code is None or is_code(code)) and (system is None or is_uri(system))


def _measurable(number: Decimal) -> bool:
    if not number.is_finite() or number <= 0:
        return False
    digits = len(number.as_tuple().digits)
    return digits <= _MOST_DIGITS and -_MOST_DIGITS <= number.adjusted() <= _MOST_DIGITS


_Parts = Callable[[Any], tuple[Any, ...]]
_PARTS: dict[type, _Parts] = {}


def _parts_of(kind: type) -> _Parts:
    """What gives the values of the fields of one of our own classes."""
    parts = _PARTS.get(kind)
    if parts is None:
        names = _names(kind)
        # Of one name alone it would give no tuple.
        parts = _PARTS[kind] = attrgetter(*names, names[0]) if names else _no_parts
    return parts


def _no_parts(_: Any) -> tuple[Any, ...]:
    return ()


_FIELDS: dict[type, tuple[str, ...]] = {}


def _names(kind: type) -> tuple[str, ...]:
    """The fields of our own classes; other values, such as dates, have no parts."""
    names = _FIELDS.get(kind)
    if names is None:
        # An anonymous patient has nothing to say, and is refused for that.
        known = attrs.has(kind) and kind is not AnonymousPatient
        fields = attrs.fields(kind) if known else ()
        names = _FIELDS[kind] = tuple(field.name for field in fields)
    return names

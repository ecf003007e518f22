"""FHIR as JSON-ready data and as XML: the same content in the two forms of the standard.

Generic over the types of ``elements``; nothing here knows what a prescription is.

Numbers are never rounded. A decimal is an ``int``, a ``Decimal``, or a ``float`` whose shortest
form is the very number that was written; ``from_xml`` gives a ``float`` where JSON would write
the same characters, and a ``Decimal`` where it would not (``1.50``).
"""

import math
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import attrs

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.fhir.elements import Element, Kind, elements, is_resource
from eprescription_sdk.xml import (
    Fragment,
    Node,
    embed,
    escape,
    local_name,
    namespace,
    parse,
    serialise,
)

FHIR_NAMESPACE = "http://hl7.org/fhir"
_XHTML_NAMESPACE = "http://www.w3.org/1999/xhtml"
_MAX_DEPTH = 60


def to_xml(resource: dict[str, Any]) -> Fragment:
    """A resource as XML; elements come out in the order of the standard.

    Args:
        resource: JSON-ready data with its ``resourceType``.

    Raises:
        InvalidInput: an element that its type does not have, a value of another type, or a
            control character; with the path.
    """
    return Fragment("".join(_checked(resource)))


def check(resource: Any) -> None:
    """Refuse data that is not a resource of a known type, well-formed all the way down.

    Raises:
        InvalidInput: with the path.
    """
    _checked(resource)


def from_xml(data: bytes) -> dict[str, Any]:
    """A resource as JSON-ready data.

    Args:
        data: one XML document whose root is a resource.

    Raises:
        InvalidInput: malformed, or not a resource of a known type; with the path.
    """
    try:
        return _read_resource(parse(data))
    except _Fault as fault:
        error = fault.refusal()
    raise error


class _Fault(Exception):
    """Something wrong; the path is put together while it climbs."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        self.path: list[str] = []
        super().__init__(sentence)

    def refusal(self) -> InvalidInput:
        where = "$" + "".join(reversed(self.path))
        return InvalidInput("The FHIR resource cannot be used.", findings=[(where, self.sentence)])


# --- Writing ----------------------------------------------------------------------------------


def _checked(resource: Any) -> list[str]:
    parts: list[str] = []
    try:
        _resource(parts, resource, f' xmlns="{FHIR_NAMESPACE}"', 0)
    except _Fault as fault:
        error = fault.refusal()
    else:
        return parts
    raise error


def _resource(parts: list[str], resource: Any, attributes: str, depth: int) -> None:
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(kind, str) or not is_resource(kind):
        raise _Fault("a resource of a known type is expected")
    parts.append(f"<{kind}{attributes}>")
    _children(parts, kind, resource, depth)
    parts.append(f"</{kind}>")


@lru_cache(maxsize=2048)
def _plan(kind: str, keys: tuple[Any, ...]) -> tuple[tuple[str, Kind | str, bool, str], ...]:
    """What to write, in order: name, kind, whether it repeats, key of a primitive extension."""
    known = elements(kind)
    before = frozenset({"resourceType"}) if is_resource(kind) else _attribute_names(kind)
    names = dict.fromkeys(str(key).removeprefix("_") for key in keys if key not in before)
    for name in names:
        element = known.get(name)
        if element is None or ("_" + name in keys and not isinstance(element.kind, Kind)):
            raise _Fault(f"an element that {kind} does not have")
    return tuple(
        (name, known[name].kind, known[name].repeats, "_" + name if "_" + name in keys else "")
        for name in sorted(names, key=lambda name: known[name].rank)
    )


def _attribute_names(kind: str) -> frozenset[str]:
    return _OF_EXTENSION if kind == "Extension" else _OF_ANY


_OF_ANY = frozenset({"id"})
_OF_EXTENSION = frozenset({"id", "url"})


def _children(parts: list[str], type_name: str, value: dict[str, Any], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise _Fault(f"nested deeper than {_MAX_DEPTH} levels")
    for name, kind, repeats, beside in _plan(type_name, tuple(value)):
        content = value.get(name)
        # By far the most common: a single text that needs no escaping.
        if kind is Kind.TEXT and not (repeats or beside) and _plain(content):
            parts.append(f'<{name} value="{content}"/>')
            continue
        try:
            extra = value[beside] if beside else None
            if (beside and extra is None) or (content is None and name in value):
                raise _Fault("null stands for nothing outside lists")
            if repeats:
                _repeated(parts, name, kind, (content, extra), depth)
            else:
                _element(parts, name, kind, (content, extra), depth)
        except _Fault as fault:
            fault.path.append(f".{name}")
            raise


def _repeated(
    parts: list[str], name: str, kind: Kind | str, content: tuple[Any, Any], depth: int
) -> None:
    for index, pair in enumerate(_pairs(*content)):
        try:
            _element(parts, name, kind, pair, depth)
        except _Fault as fault:
            fault.path.append(f"[{index}]")
            raise


def _pairs(content: Any, extra: Any) -> Iterable[tuple[Any, Any]]:
    """The list of values and the list of primitive extensions beside it; one may be absent."""
    if extra is None and content and isinstance(content, list):
        return [(item, None) for item in content]
    lists = [each for each in (content, extra) if each is not None]
    if not lists or not all(isinstance(each, list) and each for each in lists):
        raise _Fault("a list is expected")
    if len({len(each) for each in lists}) > 1:
        raise _Fault("a list of the same length is expected")
    absent = [None] * len(lists[0])
    return zip(content or absent, extra or absent, strict=True)


def _element(
    parts: list[str], name: str, kind: Kind | str, content: tuple[Any, Any], depth: int
) -> None:
    value, extra = content
    if not isinstance(kind, Kind):
        if not isinstance(value, dict) or not value:
            raise _Fault("an object is expected")
        plain = kind != "Extension" and "id" not in value
        parts.append(f"<{name}>" if plain else f"<{name}{_attributes(kind, value)}>")
        _children(parts, kind, value, depth + 1)
        parts.append(f"</{name}>")
    elif kind is Kind.RESOURCE:
        parts.append(f"<{name}>")
        _resource(parts, value, "", depth + 1)
        parts.append(f"</{name}>")
    elif kind is Kind.MARKUP:
        parts.append(_markup(value))
    else:
        text = "" if value is None else f' value="{_primitive(kind, value)}"'
        if extra is None:
            if not text:
                raise _Fault("a value is expected")
            parts.append(f"<{name}{text}/>")
            return
        if not isinstance(extra, dict) or not extra or not extra.keys() <= {"id", "extension"}:
            raise _Fault("an object with id and extension is expected")
        parts.append(f"<{name}{_attributes('Element', extra)}{text}>")
        _children(parts, "Element", extra, depth + 1)
        parts.append(f"</{name}>")


def _attributes(kind: str, value: dict[str, Any]) -> str:
    if kind == "Extension" and "url" not in value:
        raise _Fault("an extension without a url")
    found = ""
    for key in ("id", "url") if kind == "Extension" else ("id",):
        if key in value:
            found += f' {key}="{_primitive(Kind.TEXT, value[key])}"'
    return found


def _primitive(kind: Kind, value: Any) -> str:
    if kind is Kind.TEXT:
        if not isinstance(value, str):
            raise _Fault("a string is expected")
        if _plain(value):
            return value
        try:
            return escape(value)
        except InvalidInput as error:
            raise _Fault(error.message) from None
    if kind is Kind.BOOLEAN:
        if value is True or value is False:
            return "true" if value else "false"
        raise _Fault("true or false is expected")
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise _Fault("a number is expected")
    if kind is Kind.INTEGER and not isinstance(value, int):
        raise _Fault("a whole number is expected")
    if abs(value) > _BIGGEST if isinstance(value, int) else not math.isfinite(value):
        raise _Fault("a finite number is expected")
    return str(value)


# Nothing in these needs escaping.
_PLAIN = re.compile("[ !#-%'-;=?-~\u00a0-\ud7ff]*")


def _plain(value: Any) -> bool:
    return isinstance(value, str) and _PLAIN.fullmatch(value) is not None


# Python refuses to write whole numbers of many thousand digits; nobody prescribes them.
_BIGGEST = 10**18


def _markup(value: Any) -> str:
    if not isinstance(value, str):
        raise _Fault("a string is expected")
    try:
        fragment = embed(value.encode("utf-8", "strict"))
        root = parse(value.encode())
    except (InvalidInput, UnicodeError):
        raise _Fault("well-formed XHTML is expected") from None
    if namespace(root) != _XHTML_NAMESPACE or local_name(root) != "div":
        raise _Fault("an XHTML div is expected")
    return fragment


# --- Reading ----------------------------------------------------------------------------------


def _read_resource(node: Node) -> dict[str, Any]:
    kind = local_name(node)
    if namespace(node) != FHIR_NAMESPACE or not is_resource(kind):
        raise _Fault("a resource of a known type is expected")
    if node.attrib:
        raise _Fault("an attribute that a resource does not have")
    return {"resourceType": kind, **_read_children(node, kind)}


@attrs.frozen
class _Slot:
    """What may stand in a place: the name in JSON, the element, and whether it is a plain value."""

    name: str
    element: Element
    plain: bool


@cache
def _slots(kind: str) -> dict[str, _Slot]:
    """The elements of a type by their names in XML."""
    slots = {}
    for name, element in elements(kind).items():
        markup = element.kind is Kind.MARKUP
        space = _XHTML_NAMESPACE if markup else FHIR_NAMESPACE
        plain = isinstance(element.kind, Kind) and element.kind is not Kind.RESOURCE and not markup
        slots[f"{{{space}}}{name}"] = _Slot(name, element, plain)
    return slots


def _read_children(node: Node, kind: str) -> dict[str, Any]:
    slots = _slots(kind)
    found: dict[str, Any] = {}
    for child in node:
        slot = slots.get(str(child.tag))
        if slot is None:
            raise _Fault(f"an element that {kind} does not have")
        name, element = slot.name, slot.element
        try:
            if not element.repeats and (name in found or "_" + name in found):
                raise _Fault("an element that may stand only once")
            attributes = child.items()
            # By far the most common: a value and nothing beside it.
            alone = slot.plain and len(attributes) == 1 and len(child) == 0
            if alone and attributes[0][0] == "value" and "_" + name not in found:
                value = _read_primitive(element.kind, str(attributes[0][1]))
                if element.repeats:
                    found.setdefault(name, []).append(value)
                else:
                    found[name] = value
            else:
                _read_element(child, name, element, found)
        except _Fault as fault:
            index = f"[{len(found.get(name, ()))}]" if element.repeats else ""
            fault.path.append(f".{name}{index}")
            raise
    return found


def _read_element(node: Node, name: str, element: Element, found: dict[str, Any]) -> None:
    value, extra = _read_value(node, element.kind)
    if not element.repeats:
        if value is not None:
            found[name] = value
        if extra:
            found["_" + name] = extra
        return
    values = found.setdefault(name, [])
    index = len(values)
    values.append(value)
    # The list of primitive extensions runs beside the list of values, with null where none is.
    if extra or "_" + name in found:
        beside = found.setdefault("_" + name, [])
        beside += [None] * (index - len(beside)) + [extra or None]


def _read_value(node: Node, kind: Kind | str) -> tuple[Any, dict[str, Any] | None]:
    if not isinstance(kind, Kind):
        if not set(node.attrib) <= _attribute_names(kind):
            raise _Fault(f"an attribute that {kind} does not have")
        if kind == "Extension" and "url" not in node.attrib:
            raise _Fault("an extension without a url")
        return {**_strings(node), **_read_children(node, kind)}, None
    if kind is Kind.RESOURCE:
        if len(node) != 1 or node.attrib:
            raise _Fault("one resource is expected")
        return _read_resource(node[0]), None
    if kind is Kind.MARKUP:
        return serialise(node).decode(), None
    attributes = _strings(node)
    text = attributes.pop("value", None)
    if not attributes.keys() <= {"id"}:
        raise _Fault("an attribute that a value does not have")
    extra = {**attributes, **_read_children(node, "Element")}
    if text is None and not extra:
        raise _Fault("a value is expected")
    return None if text is None else _read_primitive(kind, text), extra or None


def _strings(node: Node) -> dict[str, str]:
    return {str(key): str(value) for key, value in node.attrib.items()}


_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,4})?", re.ASCII)
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})", re.ASCII)


def _read_primitive(kind: Kind | str, text: str) -> Any:
    if kind is Kind.TEXT:
        return text
    if kind is Kind.BOOLEAN:
        if text not in ("true", "false"):
            raise _Fault("true or false is expected")
        return text == "true"
    if kind is Kind.INTEGER:
        if not _INTEGER.fullmatch(text):
            raise _Fault("a whole number is expected")
        return int(text)
    if kind is Kind.DECIMAL:
        if not _DECIMAL.fullmatch(text):
            raise _Fault("a number is expected")
        if _INTEGER.fullmatch(text):
            return int(text)
        return float(text) if str(float(text)) == text else Decimal(text)
    return text

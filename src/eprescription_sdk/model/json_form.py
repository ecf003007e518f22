"""The SDK's own JSON form of a prescription, by cattrs.

Unknown fields are refused; every fault of a malformed document is reported with its path,
such as ``$.lines[2].dosage[0].dose.value``. Values are never quoted. Nothing of FHIR is here.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache, partial
from typing import TYPE_CHECKING, Any, get_args, get_origin

import attrs

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.identifiers import Finess, PrescriptionNumber, Rpps
from eprescription_sdk.model.lines import LINE_TYPES, OUTSIDE_TYPES, Line
from eprescription_sdk.model.people import AnonymousPatient, Patient
from eprescription_sdk.model.prescription import Prescription

if TYPE_CHECKING:
    from cattrs import Converter


def prescription_to_json(prescription: Prescription) -> dict[str, Any]:
    """A prescription as JSON-ready data, in the SDK's own form.

    Defaults are left out; decimals are strings, so that nothing is rounded; sets are sorted, so
    that equal prescriptions give equal documents.
    """
    document: dict[str, Any] = _converter().unstructure(prescription)
    return document


def prescription_from_json(data: Any) -> Prescription:
    """A prescription from JSON-ready data of the SDK's own form.

    Construction checks types only: ask the result for its ``problems()``.

    Args:
        data: what ``json.loads`` gives.

    Raises:
        InvalidInput: with a path for every fault; values are never quoted.
    """
    try:
        return _converter().structure(data, Prescription)
    except Exception as error:  # noqa: BLE001  (hostile input may fail in any way)
        findings = findings_of(error)
    raise InvalidInput("The prescription cannot be read.", findings=findings)


def findings_of(error: BaseException) -> list[tuple[str, str]]:
    """Path and sentence of every fault of a cattrs error, without values."""
    return list(_faults(error, "$"))


class _Fault(Exception):
    """A fault of one value; the sentence never quotes it."""

    def __init__(self, sentence: str, below: str = "") -> None:
        self.sentence = sentence
        self.below = below
        super().__init__(sentence)


def _faults(error: BaseException, path: str) -> Iterator[tuple[str, str]]:
    from cattrs import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError

    if isinstance(error, ClassValidationError):
        fields, bare = error.group_exceptions()
        for inner, field in fields:
            yield from _faults(inner, f"{path}.{field.name}")
        for inner in bare:
            yield from _faults(inner, path)
    elif isinstance(error, IterableValidationError):
        for inner, item in error.group_exceptions()[0]:
            yield from _faults(inner, f"{path}[{item.index}]")
    elif isinstance(error, ForbiddenExtraKeysError):
        for name in sorted(map(str, error.extra_fields)):
            # The name is the caller's: shown only if it looks like the name of a field.
            known = re.fullmatch(r"[a-z][a-z_]{0,39}", name)
            yield (f"{path}.{name}" if known else path), "unknown field"
    elif isinstance(error, KeyError):
        yield path, "required field missing"
    elif isinstance(error, _Fault):
        yield path + error.below, error.sentence
    else:
        yield path, "malformed"


@cache
def _converter() -> "Converter":
    # Imported here: most programs that import the SDK never read a prescription as JSON.
    from cattrs import Converter

    converter = Converter(forbid_extra_keys=True, omit_if_default=True)
    _scalars(converter)
    _containers(converter)
    _patients(converter)
    _lines(converter)
    return converter


def _scalars(converter: "Converter") -> None:
    for scalar, expected in ((str, "a string"), (int, "a whole number"), (bool, "true or false")):
        converter.register_structure_hook(scalar, _strict(scalar, expected))
    converter.register_structure_hook_func(
        lambda kind: isinstance(kind, type) and issubclass(kind, Enum), _enum
    )
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_unstructure_hook(Decimal, str)
    for kind in (datetime, date, time):
        converter.register_structure_hook(kind, _moment(kind))
        converter.register_unstructure_hook(kind, kind.isoformat)
    for identifier in (Rpps, Finess, PrescriptionNumber):
        converter.register_structure_hook(
            identifier, lambda value, kind: kind(converter.structure(value, str))
        )
        converter.register_unstructure_hook(identifier, lambda identifier: identifier.value)


def _containers(converter: "Converter") -> None:
    def structure_list(kind: Any) -> Callable[[Any, Any], Any]:
        make, inner = _origin(kind), get_args(kind)[0]
        members: Any = list.__class_getitem__(inner)

        def structure(value: Any, _: Any) -> Any:
            if not isinstance(value, list):
                raise _Fault("a list is expected")
            return make(converter.structure(value, members))

        return structure

    converter.register_structure_hook_factory(attrs.has, partial(_of_class, converter))
    converter.register_structure_hook_factory(
        lambda kind: _origin(kind) in (tuple, frozenset), structure_list
    )
    converter.register_unstructure_hook_func(
        lambda kind: _origin(kind) is frozenset,
        lambda flags: sorted(flag.value for flag in flags),
    )


def _origin(kind: Any) -> Any:
    return get_origin(kind)


def _of_class(converter: "Converter", kind: Any) -> Callable[[Any, Any], Any]:
    from cattrs.gen import make_dict_structure_fn

    read = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise _Fault("an object is expected")
        return read(value, kind)

    return structure


_ANONYMOUS = {"anonymous": True}


def _patients(converter: "Converter") -> None:
    read = _of_class(converter, Patient)
    write = converter.gen_unstructure_attrs_fromdict(Patient)
    converter.register_structure_hook(
        Patient,
        lambda value, kind: AnonymousPatient() if value == _ANONYMOUS else read(value, kind),
    )
    converter.register_unstructure_hook(
        Patient,
        lambda patient: (
            dict(_ANONYMOUS) if isinstance(patient, AnonymousPatient) else write(patient)
        ),
    )


def _lines(converter: "Converter") -> None:
    # A hook serves subclasses too, so after the one of Line each type gets its own again.
    converter.register_structure_hook(
        Line, lambda value, _: converter.structure(*_by_family(value))
    )
    converter.register_unstructure_hook(
        Line,
        lambda line: {"family": line.family.value, **converter.unstructure(line, type(line))},
    )
    for kind in LINE_TYPES + OUTSIDE_TYPES:
        converter.register_structure_hook(kind, _of_class(converter, kind))
        converter.register_unstructure_hook(kind, converter.gen_unstructure_attrs_fromdict(kind))


_BY_FAMILY = {kind.family.value: kind for kind in LINE_TYPES + OUTSIDE_TYPES}


def _by_family(value: Any) -> tuple[dict[str, Any], type[Line]]:
    if not isinstance(value, dict):
        raise _Fault("an object is expected")
    family = value.get("family")
    kind = _BY_FAMILY.get(family) if isinstance(family, str) else None
    if kind is None:
        raise _Fault(f"one of {', '.join(_BY_FAMILY)} is expected", ".family")
    return {name: member for name, member in value.items() if name != "family"}, kind


def _strict(kind: type, expected: str) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise _Fault(f"{expected} is expected")
        return value

    return structure


def _enum(value: Any, kind: type[Enum]) -> Enum:
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(str(member.value) for member in kind)
        raise _Fault(f"one of {choices} is expected") from None


def _decimal(value: Any, _: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise _Fault("a number is expected")
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        raise _Fault("a number is expected") from None
    if not number.is_finite():
        raise _Fault("a finite number is expected")
    return number


_SHAPES: dict[type, tuple[str, str]] = {
    datetime: (
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?",
        "a date and time, as in 2026-03-01T09:30:00+01:00,",
    ),
    date: (r"\d{4}-\d\d-\d\d", "a date, as in 2026-03-01,"),
    time: (r"\d\d:\d\d:\d\d(\.\d{1,6})?", "a time, as in 08:00:00,"),
}


def _moment(kind: type[date | datetime | time]) -> Callable[[Any, Any], Any]:
    shape, expected = _SHAPES[kind]

    def structure(value: Any, _: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(shape, value, re.ASCII):
            try:
                return kind.fromisoformat(value)
            except ValueError:
                pass
        raise _Fault(f"{expected} is expected")

    return structure

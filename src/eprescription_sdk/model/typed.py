"""Types checked at construction, from the annotations of a class; no rule of the domain."""

from collections.abc import Callable
from datetime import date, datetime
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin

if TYPE_CHECKING:
    import attrs

_Check = Callable[[Any], bool]


def typed(_: type, fields: list["attrs.Attribute[Any]"]) -> list["attrs.Attribute[Any]"]:
    """Give every field without a validator one that holds it to its annotation.

    For ``attrs.frozen(field_transformer=typed)``. A value of another type raises TypeError,
    which names the field and never quotes the value.
    """
    return [
        field if field.validator else field.evolve(validator=_validator(field.name, field.type))
        for field in fields
    ]


def _validator(name: str, annotation: Any) -> Callable[[Any, Any, Any], None]:
    check = _check(annotation)
    expected = getattr(annotation, "__name__", None) if not get_origin(annotation) else None

    def refuse(instance: Any, value: Any) -> None:
        raise TypeError(
            f"{type(instance).__name__}.{name} must be {expected or annotation}, "
            f"not {type(value).__name__}."
        )

    def validate(instance: Any, _: Any, value: Any) -> None:
        if not check(value):
            refuse(instance, value)

    def validate_optional(instance: Any, _: Any, value: Any) -> None:
        # Most optional fields are absent: this is the hot path of reading a prescription.
        if value is not None and not check(value):
            refuse(instance, value)

    return validate_optional if get_origin(annotation) is UnionType else validate


def _check(annotation: Any) -> _Check:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (tuple, frozenset):
        member = _check(arguments[0])
        return lambda value: type(value) is origin and all(member(item) for item in value)
    if origin is UnionType:
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        some = _check(inner)
        return lambda value: value is None or some(value)
    if annotation is int:
        # True is an int to Python, never to a prescriber.
        return lambda value: isinstance(value, int) and not isinstance(value, bool)
    if annotation is date:
        # Likewise, a datetime is a date to Python, never as a day of birth.
        return lambda value: isinstance(value, date) and not isinstance(value, datetime)
    kind: type = annotation
    return lambda value: isinstance(value, kind)

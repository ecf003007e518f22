"""Results as JSON-ready data: days, times, rates and enums as text and numbers.

The form is published in ``docs/pilot-assessment.schema.json``.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from fractions import Fraction
from typing import Any

import attrs

from eprescription_sdk.clock import iso
from eprescription_sdk.pilot.questions import Readings
from eprescription_sdk.pilot.results import Figure, Results


def plain(value: Any) -> Any:
    """A value of an assessment as JSON-ready data."""
    form = _FORMS.get(type(value))
    if form is not None:
        return form(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {plain(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if attrs.has(type(value)):
        fields = attrs.fields(type(value))
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    return value


_FORMS: Mapping[type, Callable[[Any], Any]] = {
    datetime: iso,
    date: date.isoformat,
    Fraction: lambda value: {"num": value.numerator, "den": value.denominator},
    Figure: lambda value: {
        "num": value.numerator,
        "den": value.denominator,
        "percent": value.percent_fr,
        "unit": value.unit.value,
    },
    Readings: lambda value: plain(value.answers),
    Results: lambda value: {
        "verdict": value.verdict.value,
        "readings": plain(value.readings),
        "criteria": {each.criterion.value: plain(each) for each in value.criteria},
    },
}

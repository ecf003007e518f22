"""The fictitious traces: all that can happen, about nobody; and what a port may do wrong."""

from collections import Counter
from enum import Enum
from typing import get_args, get_type_hints

import attrs
import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.trace import CallTrace, ChainLink, PrescriptionTrace, Trace
from eprescription_sdk.traces.fictitious import emissions, fictitious
from eprescription_sdk.traces.tde import TdeProfile

TRACES = [trace for _, trace in fictitious()]


@pytest.mark.parametrize("kind", [CallTrace, PrescriptionTrace])
def test_every_value_of_every_coded_field_occurs(kind: type[Trace]) -> None:
    mine = [trace for trace in TRACES if isinstance(trace, kind)]
    for name, hint in get_type_hints(kind).items():
        values = [getattr(trace, name) for trace in mine]
        for type_ in (hint, *get_args(hint)):
            if isinstance(type_, type) and issubclass(type_, Enum):
                flat = {
                    each
                    for value in values
                    for each in (value if isinstance(value, frozenset) else [value])
                }
                assert set(type_) <= flat, name
        if type(None) in get_args(hint):
            assert None in values, name
            assert any(value is not None for value in values), name


def test_the_first_three_are_one_of_each_kind() -> None:
    first = TRACES[:3]
    assert [type(trace) for trace in first] == [CallTrace, PrescriptionTrace, PrescriptionTrace]
    assert [getattr(trace, "digital", None) for trace in first] == [None, True, False]


def test_labels_and_subjects_are_of_one_company() -> None:
    assert {trace.finess.value for trace in TRACES} == {"330781287"}
    assert max(Counter(label for label, _ in fictitious()).values()) == 1


def test_what_a_port_does_wrong_is_named_without_values() -> None:
    class Wrong(TdeProfile):
        def encode(self, trace: Trace, link: ChainLink) -> bytes:
            if link.position == 1:
                raise InvalidInput("It cannot be told.")
            if link.position == 2:
                raise ValueError(trace.rpps.value)
            if link.position == 3:
                return "text"  # type: ignore[return-value]
            return super().encode(attrs.evolve(trace), link)

    emitted = emissions(Wrong())
    assert [each.reason for each in emitted[:4]] == [
        "It cannot be told.",
        "The profile failed: ValueError.",
        "The profile gave no bytes.",
        None,
    ]

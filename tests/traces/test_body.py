"""The canonical body, and what it hides."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.trace import (
    CallOutcome,
    FaultOrigin,
    Initiator,
    NonDigitalReason,
    RegistrationState,
    Trace,
)
from eprescription_sdk.traces.body import canonical, from_body, to_body
from tests.traces.samples import KEY, RPPS, call, digital, paper

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=UTC)
)
numbers = st.none() | st.from_regex(r"\A[0-9A-Z]{8,20}\Z").map(PrescriptionNumber)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


traces: st.SearchStrategy[Trace] = st.one_of(
    st.builds(
        call,
        at=moments,
        situation=texts,
        software=texts,
        simulation=st.booleans(),
        test_identity=st.booleans(),
        clock_offset_ms=st.integers(-(10**6), 10**6),
        operation=st.sampled_from(Operation),
        initiator=st.sampled_from(Initiator),
        outcome=st.sampled_from(CallOutcome),
        fault_code=optional(texts),
        fault_origin=optional(st.sampled_from(FaultOrigin)),
        subject=optional(texts),
    ),
    st.builds(
        digital,
        at=moments,
        issued_at=moments,
        revision=st.integers(1, 9),
        digital=st.booleans(),
        families=st.frozensets(st.sampled_from(Family)),
        registration=optional(st.sampled_from(RegistrationState)),
        number=numbers,
        after=numbers,
        corrects=numbers,
        document_type=optional(st.sampled_from(DocumentType)),
        reason=optional(st.sampled_from(NonDigitalReason)),
        act=optional(texts),
    ),
)


@given(trace=traces)
def test_a_trace_comes_back_from_its_body(trace: Trace) -> None:
    body, identity = to_body(trace, KEY)
    assert from_body(body, identity) == trace


@given(trace=traces)
def test_the_body_is_canonical_and_one_line(trace: Trace) -> None:
    body, identity = to_body(trace, KEY)
    assert canonical(json.loads(body)) == body
    assert "\n" not in body
    assert to_body(trace, KEY) == (body, identity)


@given(trace=traces)
def test_neither_rpps_nor_number_is_in_the_body(trace: Trace) -> None:
    body, identity = to_body(trace, KEY)
    values = set(json.loads(identity).values())
    assert RPPS.value in values
    for value in values:
        assert value not in body
    hidden = {json.loads(body)[field] for field in ("rpps",)}
    assert hidden <= set(json.loads(identity))


@pytest.mark.parametrize("trace", [call(), digital(), paper()])
def test_every_field_that_holds_an_identifier_is_hidden(trace: Trace) -> None:
    """A new field with an RPPS or a number cannot be forgotten in the body."""
    body, _ = to_body(trace, KEY)
    for field in attrs.fields(type(trace)):
        value = getattr(trace, field.name)
        if field.name != "finess" and hasattr(value, "problem"):
            assert value.value not in body


def test_equal_numbers_meet_and_other_keys_do_not() -> None:
    first, _ = to_body(digital(number=PrescriptionNumber("SAME"), corrects=None), KEY)
    after, _ = to_body(paper(after=PrescriptionNumber("SAME")), KEY)
    other, _ = to_body(digital(number=PrescriptionNumber("SAME"), corrects=None), b"o" * 32)
    assert json.loads(first)["number"] == json.loads(after)["after"]
    assert json.loads(first)["number"] != json.loads(other)["number"]


def test_times_are_utc_whatever_the_zone() -> None:
    zone = timezone(timedelta(hours=5))
    body, _ = to_body(call(at=datetime(2026, 3, 2, 15, tzinfo=zone)), KEY)
    assert json.loads(body)["at"] == "2026-03-02T10:00:00.000000+00:00"


@pytest.mark.parametrize(
    ("body", "identity"),
    [
        ("", "{}"),
        ("{}", "{}"),
        ('{"kind":"OTHER"}', "{}"),
        ("[]", "{}"),
        (to_body(call(), KEY)[0], None),
        (to_body(call(), KEY)[0], "nonsense"),
        (to_body(call(), KEY)[0].replace("CALL", "PRESCRIPTION"), to_body(call(), KEY)[1]),
        (to_body(call(), KEY)[0].replace('"at":"2', '"at":"x2'), to_body(call(), KEY)[1]),
    ],
    # The ids within are new at each start.
    ids=str.split("empty nothing other list purged nonsense prescription time"),
)
def test_a_damaged_row_is_one_clear_error(body: str, identity: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        from_body(body, identity)
    assert RPPS.value not in str(caught.value)

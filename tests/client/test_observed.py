"""What a host sees of calls with OpenTelemetry's own SDK: spans, metrics, correlation ids."""

import logging
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from opentelemetry.metrics import CallbackOptions
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import eprescription_sdk as ep
from eprescription_sdk import telemetry
from eprescription_sdk.model.outcomes import Cause
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.sandbox import CommitThenDrop, FaultCode, Operation
from eprescription_sdk.testing import SAMPLE_RPPS, sample_prescription
from tests.client.harness import QUICK, World, world


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    meter = provider.get_meter("test")
    monkeypatch.setattr(telemetry, "_calls", meter.create_counter("calls"))
    monkeypatch.setattr(telemetry, "_durations", meter.create_histogram("duration"))
    made = {name: meter.create_counter(name) for name in telemetry._counters}  # noqa: SLF001
    monkeypatch.setattr(telemetry, "_counters", made)
    yield reader
    provider.shutdown()


def attempts(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    return [s for s in spans.get_finished_spans() if s.name == "eprescription.attempt"]


def test_each_attempt_is_a_child_that_says_how_often_it_was_resent(
    side: str, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    with world(tmp_path, side) as stage:
        stage.sandbox.script(Operation.CREATE, FaultCode("sdkref_unavailable"), times=2)
        stage.side.create(sample_prescription())
    (call,) = [s for s in spans.get_finished_spans() if s.name == "eprescription.create"]
    children = attempts(spans)
    assert {s.parent.span_id for s in children if s.parent} == {call.context.span_id}
    told = [(s.attributes or {}).get("http.request.resend_count") for s in children]
    assert told == [None, 1, 2]


def test_what_goes_on_behind_is_in_the_same_trace(
    side: str, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    with world(tmp_path, side) as stage:
        stage.side.create(sample_prescription(), wait=1.8)
    (call,) = [s for s in spans.get_finished_spans() if s.name == "eprescription.create"]
    assert {s.context.trace_id for s in attempts(spans)} == {call.context.trace_id}


def points(reader: InMemoryMetricReader) -> dict[str, list[tuple[dict[str, Any], Any]]]:
    found: dict[str, list[tuple[dict[str, Any], Any]]] = {}
    data = reader.get_metrics_data()
    assert data is not None
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                found[metric.name] = [
                    (dict(point.attributes or {}), getattr(point, "value", None))
                    for point in metric.data.data_points
                ]
    return found


def test_what_dashboards_count(side: str, tmp_path: Path, meters: InMemoryMetricReader) -> None:
    with world(tmp_path, side) as stage:
        stage.side.create(sample_prescription())
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        stage.sandbox.script(Operation.CONSULT, FaultCode("sdkref_auth"))
        stage.side.create(sample_prescription())
        stage.store.write(lambda _: None)
        stage.side.reconcile()
        sizes = telemetry._sizes(CallbackOptions())  # noqa: SLF001
    found = points(meters)
    assert sorted((p["operation"], p["outcome"], n) for p, n in found["calls"]) == [
        ("create", "registered", 1),
        ("create", "uncertain", 1),
    ]
    assert found["retries"] == [({"operation": "consult"}, 1)]
    assert found["in_doubt"] == [({"operation": "create"}, 1)]
    waiting = sorted((p["operation"], n) for p, n in found["waiting_for_credentials"])
    assert waiting == [("create", 1), ("reconcile", 1)]
    labels = {key for values in found.values() for point, _ in values for key in point}
    assert labels <= {"operation", "outcome"}
    counted = {str((o.attributes or {})["state"]): o.value for o in sizes}
    assert (counted["registered"], counted["uncertain"]) == (1, 1)


def test_a_closed_client_is_no_longer_measured(tmp_path: Path) -> None:
    before = len(telemetry._readers)  # noqa: SLF001
    with world(tmp_path):
        assert len(telemetry._readers) == before + 1  # noqa: SLF001
    assert len(telemetry._readers) == before  # noqa: SLF001


def test_errors_of_reading_carry_the_ids_for_support(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        with pytest.raises(ep.PrescriptionNotFound) as absent:
            stage.side.consult(ep.PrescriptionNumber("ABSENT"))
        stage.sandbox.script(Operation.SEARCH, FaultCode("insi_102"))
        with pytest.raises(ep.ServiceFault) as fault:
            stage.side.search(ep.SearchQuery(prescriber=stage.who.rpps))
        with stage.sandbox.refusing_connections(), pytest.raises(ep.ServiceError) as gone:
            stage.side.consult(ep.PrescriptionNumber("ABSENT"))
    assert len(absent.value.message_ids) == len(fault.value.message_ids) == 1
    assert len(gone.value.message_ids) > 1
    assert all(each.startswith("uuid:") for each in gone.value.message_ids)


CALLS: dict[str, Callable[[World], object]] = {
    "registered": lambda stage: stage.side.create(sample_prescription()),
    "invalid": lambda stage: stage.side.create(attrs.evolve(sample_prescription(), lines=())),
    "consult": lambda stage: stage.side.consult(ep.PrescriptionNumber("ABSENT")),
    "number": lambda stage: stage.side.consult(ep.PrescriptionNumber("a b")),
    "number of half a character": lambda stage: stage.side.consult(ep.PrescriptionNumber("\ud800")),
    "search": lambda stage: stage.side.search(ep.SearchQuery()),
    "wait": lambda stage: stage.side.create(sample_prescription(), wait=-1),
    "reconcile": lambda stage: stage.side.reconcile(stage.who),
    "reconcile in no time": lambda stage: stage.side.reconcile(stage.who, seconds=0),
}


@pytest.mark.parametrize("name", CALLS)
def test_whatever_a_call_comes_to_has_an_id_to_quote(
    name: str,
    side: str,
    tmp_path: Path,
    spans: InMemorySpanExporter,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="eprescription_sdk")
    with world(tmp_path, side) as stage:
        try:
            told: Any = CALLS[name](stage)
        except ep.EPrescriptionError as error:
            told = error
    correlation = told.correlation_id
    assert str(uuid.UUID(correlation)) == correlation
    if isinstance(told, ep.EPrescriptionError):
        assert f"(call {correlation})" in str(told)
    (call,) = [
        s for s in spans.get_finished_spans()
        if (s.attributes or {}).get("correlation_id") == correlation
    ]  # fmt: skip
    assert call.parent is None
    attributes = dict(call.attributes or {})
    assert ("code" in attributes) == isinstance(told, ep.EPrescriptionError)
    logged = [r.getMessage() for r in caplog.records if correlation in r.getMessage()]
    # Each attempt, and how the call ended.
    assert len(logged) == len(getattr(told, "message_ids", ())) + 1
    assert logged[-1].startswith(("event='call.done'", "event='call.failed'"))


def test_outside_the_pilot_there_is_an_id_too(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, environment=ep.Environment.PRODUCTION) as stage:
        outcome = stage.side.create(sample_prescription())
    assert isinstance(outcome, ep.NotRegistered)
    assert outcome.cause is Cause.NOT_IN_PILOT
    assert str(uuid.UUID(outcome.correlation_id)) == outcome.correlation_id


def test_a_call_that_is_held_back_has_an_id_though_nothing_was_sent(
    side: str, tmp_path: Path
) -> None:
    profile = attrs.evolve(QUICK, breaker_failures=1)
    with world(tmp_path, side, profile=profile) as stage, stage.sandbox.refusing_connections():
        stage.side.create(sample_prescription())
        with pytest.raises(ep.ServiceUnreachable) as held:
            stage.side.consult(ep.PrescriptionNumber("ABSENT"))
    assert held.value.message_ids == ()
    assert held.value.correlation_id is not None


def test_a_span_names_prescriber_and_prescription_by_keyed_hash(
    side: str, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    with world(tmp_path, side) as stage:
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        key = stage.settings.key
    (call,) = [s for s in spans.get_finished_spans() if s.name == "eprescription.create"]
    attributes = dict(call.attributes or {})
    assert attributes["prescriber_pseudonym"] == pseudonym(key, "rpps", SAMPLE_RPPS.value)
    assert attributes["pseudonym"] == pseudonym(key, "number", outcome.number.value)
    assert (attributes["outcome"], attributes["initiator"]) == ("registered", "prescriber")


def test_no_metric_can_be_labelled_by_a_person(meters: InMemoryMetricReader) -> None:
    telemetry.add("retries", operation="create", prescriber_pseudonym="p", pseudonym="n")
    telemetry.add("retries", operation="create", correlation_id="c", message_id="m")
    assert points(meters)["retries"] == [({"operation": "create"}, 2)]

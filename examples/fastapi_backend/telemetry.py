"""OpenTelemetry as the host configures it; the SDK only uses what it finds.

Here everything goes to the console. In real life the exporters are those of your collector.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter


@contextmanager
def exporting_to_the_console() -> Iterator[None]:
    """Spans and metrics on the console; what waits is written at the end."""
    resource = Resource.create({"service.name": "prescribing"})
    tracing = TracerProvider(resource=resource)
    tracing.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
    reader = PeriodicExportingMetricReader(ConsoleMetricExporter())
    metering = MeterProvider(resource=resource, metric_readers=[reader])
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(metering)
    try:
        yield
    finally:
        tracing.shutdown()
        metering.shutdown()

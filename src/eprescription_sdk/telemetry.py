"""Spans, metrics and log events, and the allow-list of what may appear in them.

A library configures neither logging nor OpenTelemetry: events go to the standard logger
``eprescription_sdk``, spans and counters to the OpenTelemetry API, which is silent until the
host installs an SDK. What is not on the allow-list never leaves (law 4). Whatever fails behind
the logger or the API, a filter, a processor, an exporter, is the host's: nothing is raised here
(law 3).
"""

import logging
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager, suppress
from functools import cache
from types import TracebackType
from typing import Any

from opentelemetry import metrics, trace

ALLOWED = frozenset(
    {
        "attempt", "cause", "channel", "code", "correlation_id", "count", "delivery", "duration_ms",
        "environment", "fault_class", "fault_code", "http.request.resend_count", "http_status",
        "initiator", "kind",
        "message_id", "operation", "outcome", "phase", "prescriber_pseudonym", "pseudonym",
        "reason", "state",
    }
)  # fmt: skip
"""The only keys that events, spans and metrics may carry. Their values are codes, counts,
durations, message ids and keyed pseudonyms: never a name, an RPPS or a number."""

LABELS = frozenset({"operation", "outcome", "kind", "reason", "state"})
"""The only keys that a metric may be labelled by: of few values, and of nobody."""

_SCALARS = (str, int, float, bool)

_logger = logging.getLogger("eprescription_sdk")
_logger.addHandler(logging.NullHandler())


def _allowed(fields: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    return {
        key: value
        for key, value in fields.items()
        if key in ALLOWED and isinstance(value, _SCALARS)
    }


def _keep_allowed(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {"event": event["event"], **_allowed(event)}


@cache
def _log() -> Any:
    # structlog loads rich and more: not before there is something to say.
    import structlog

    return structlog.wrap_logger(
        _logger,
        processors=[_keep_allowed, structlog.processors.KeyValueRenderer(key_order=["event"])],
        wrapper_class=structlog.stdlib.BoundLogger,
    )


_tracer = trace.get_tracer("eprescription_sdk")
_meter = metrics.get_meter("eprescription_sdk")
_events = _meter.create_counter("eprescription.events", description="Events by name and reason")
_calls = _meter.create_counter("eprescription.calls", description="Calls by outcome")
_durations = _meter.create_histogram("eprescription.call.duration", unit="ms")
_counters = {
    "retries": _meter.create_counter(
        "eprescription.retries", description="Further requests of a call"
    ),
    "in_doubt": _meter.create_counter(
        "eprescription.in_doubt", description="Creates whose answer was lost"
    ),
    "waiting_for_credentials": _meter.create_counter(
        "eprescription.waiting_for_credentials",
        description="Entries met that only their practitioner's credentials can settle",
    ),
}


_readers: list[Callable[[], Mapping[str, int]]] = []


def _sizes(_: metrics.CallbackOptions) -> list[metrics.Observation]:
    # Several clients of one process share one store: the first that can tell does.
    for read in tuple(_readers):
        with suppress(Exception):
            return [metrics.Observation(n, {"state": state}) for state, n in read().items()]
    return []


_entries = _meter.create_observable_gauge(
    "eprescription.ledger.entries", [_sizes], description="Ledger entries by state"
)


def logs(level: int) -> bool:
    """Whether an event of this level would be logged."""
    return _logger.isEnabledFor(level)


def event(name: str, /, *, level: int = logging.INFO, **fields: Any) -> None:
    """Log one event; fields outside the allow-list are dropped."""
    with suppress(Exception):
        if logs(level):
            _log().log(level, name, **fields)


def count(name: str, reason: str, amount: int = 1) -> None:
    """Count something that happened, by its reason."""
    with suppress(Exception):
        _events.add(amount, {"kind": name, "reason": reason})


def add(metric: str, amount: int = 1, /, **labels: str) -> None:
    """Add to one of the counters that dashboards read; labels are among ``LABELS``."""
    with suppress(Exception):
        if amount:
            _counters[metric].add(amount, {k: v for k, v in labels.items() if k in LABELS})


def observe_entries(read: Callable[[], Mapping[str, int]]) -> Callable[[], None]:
    """Have the ledger's size read at each export, by state, until the result is called."""
    _readers.append(read)

    def stop() -> None:
        with suppress(ValueError):
            _readers.remove(read)

    return stop


def duration(operation: str, outcome: str, milliseconds: float) -> None:
    """Count a call, and record how long it took."""
    with suppress(Exception):
        _calls.add(1, {"operation": operation, "outcome": outcome})
    with suppress(Exception):
        _durations.record(milliseconds, {"operation": operation, "outcome": outcome})


Note = Callable[..., None]
"""Sets further attributes on a span, those of the allow-list."""


class _Span:
    """A span around a block, made when the block is entered."""

    def __init__(self, name: str, fields: Mapping[str, Any]) -> None:
        self._name = name
        self._fields = fields
        self._entered: AbstractContextManager[Any] | None = None

    def __enter__(self) -> Note | None:
        note: Note | None = None
        with suppress(Exception):
            started = _tracer.start_span(
                self._name,
                attributes=_allowed(self._fields),
                record_exception=False,
                set_status_on_exception=False,
            )
            # Without an SDK there is no span, and nothing to make current.
            if started.get_span_context().is_valid:
                entered = trace.use_span(
                    started,
                    end_on_exit=True,
                    record_exception=False,
                    set_status_on_exception=False,
                )
                entered.__enter__()
                self._entered = entered
                note = _note(started) if started.is_recording() else None
        return note

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._entered is not None:
            with suppress(Exception):
                self._entered.__exit__(None, None, None)


def span(name: str, **fields: Any) -> AbstractContextManager[Note | None]:
    """A span around a block, which may note what it learns; None where nobody records it.

    No exception's text is recorded on it.
    """
    return _Span(name, fields)


def _note(current: trace.Span) -> Note:
    def note(**learnt: Any) -> None:
        with suppress(Exception):
            current.set_attributes(_allowed(learnt))

    return note

"""What leaves by logs, spans and metrics, and what its failure may not do (law 3, law 4)."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace

from eprescription_sdk import telemetry


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG, logger="eprescription_sdk"):
        yield caplog


def test_only_what_is_allowed_is_logged(log: pytest.LogCaptureFixture) -> None:
    telemetry.event("call.done", operation="create", patient="DUPONT", number="FAKE1")
    (message,) = [record.getMessage() for record in log.records]
    assert message == "event='call.done' operation='create'"


@pytest.mark.parametrize("value", [{"a": 1}, ["DUPONT"], object(), b"x", None])
def test_only_plain_values_are_logged(value: object, log: pytest.LogCaptureFixture) -> None:
    telemetry.event("call.done", reason=value)
    (message,) = [record.getMessage() for record in log.records]
    assert message == "event='call.done'"


def test_nothing_on_the_list_could_name_a_person_or_a_prescription() -> None:
    words = ("rpps", "number", "patient", "name", "text", "reference", "ins", "label", "detail")
    assert not [key for key in telemetry.ALLOWED if key.split("_")[0] in words]


def test_events_have_their_level(log: pytest.LogCaptureFixture) -> None:
    telemetry.event("trace.lost", level=logging.WARNING, reason="x")
    assert log.records[0].levelno == logging.WARNING
    assert log.records[0].name == "eprescription_sdk"


def test_the_library_configures_neither_logging_nor_opentelemetry() -> None:
    handlers = logging.getLogger("eprescription_sdk").handlers
    assert [type(handler) for handler in handlers] == [logging.NullHandler]
    assert logging.getLogger("eprescription_sdk").level == logging.NOTSET


class _Broken:
    def __getattr__(self, name: str) -> object:
        raise RuntimeError("the host's exporter")

    def __call__(self) -> object:
        raise RuntimeError("the host's logging filter")


class _BrokenAtItsEnd(trace.NonRecordingSpan):
    def end(self, end_time: int | None = None) -> None:
        raise RuntimeError("the host's span processor")


class _Tracer:
    def start_span(self, name: str, **_: object) -> _BrokenAtItsEnd:
        context = trace.SpanContext(trace_id=1, span_id=1, is_remote=False)
        return _BrokenAtItsEnd(context)


@pytest.mark.parametrize("tracer", [_Broken, _Tracer])
def test_a_host_whose_telemetry_breaks_breaks_nothing(
    tracer: type[_Broken] | type[_Tracer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "_tracer", tracer())
    for name in ("_log", "_events", "_durations"):
        monkeypatch.setattr(telemetry, name, _Broken())
    telemetry.event("call.done")
    telemetry.count("trace_lost", "x")
    telemetry.duration("create", "registered", 1.0)
    done = []
    with telemetry.span("eprescription.create"):
        done.append(True)
    assert done
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_block_that_raises_is_not_described_on_its_span() -> None:
    with pytest.raises(ValueError, match="DUPONT"), telemetry.span("eprescription.create"):
        raise ValueError("DUPONT")


PAGE = (Path(__file__).parents[1] / "docs" / "observability.md").read_text(encoding="utf-8")
SOURCE = "\n".join(
    file.read_text(encoding="utf-8") for file in Path(telemetry.__file__).parent.rglob("*.py")
)


def _documented(heading: str) -> list[str]:
    table = PAGE.split(f"| {heading} | ")[1].split("\n\n")[0]
    return re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "made"),
    [
        ("metric", r"create_\w+\(\s*\"([\w.]+)\""),
        ("event", r"telemetry\.event\(\s*\"([\w.]+)\""),
        ("kind of `eprescription.events`", r"telemetry\.count\(\s*\"([\w.]+)\""),
    ],
)
def test_the_documentation_names_everything_that_leaves(heading: str, made: str) -> None:
    assert sorted(set(re.findall(made, SOURCE))) == sorted(_documented(heading))


def test_the_documentation_names_every_key_and_label() -> None:
    keys = PAGE.split("before it leaves.\n\n")[1].split("\n\n")[0]
    assert set(re.findall(r"`([\w.]+)`", keys)) == telemetry.ALLOWED
    (labels,) = re.findall(r"^A metric is labelled by (.*), and by nothing", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", labels)) == telemetry.LABELS


def test_an_event_that_nobody_listens_to_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_log", lambda: pytest.fail("it was built"))
    logging.getLogger("eprescription_sdk").setLevel(logging.WARNING)
    try:
        telemetry.event("call.done", outcome="registered")
    finally:
        logging.getLogger("eprescription_sdk").setLevel(logging.NOTSET)

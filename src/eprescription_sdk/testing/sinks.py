"""What a platform's sinks hold, as text: logs, spans, files, answers, errors.

A sink is whatever somebody other than the téléservice may read. Nothing of a test framework or
of OpenTelemetry is imported: what has the shape of a log record or of a span is read as one.
"""

import gzip
import logging
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

Sink = object
"""A text, bytes, the path of a file or folder, a log record, a span, an exception, a mapping or
another iterable of such, a function that gives one; of anything else, how it shows itself."""

_GZIP = b"\x1f\x8b"


def text_of(sink: Sink) -> str:
    """All that stands in a sink.

    Raises:
        FileNotFoundError: a path that does not exist: nothing can be said of it.
    """
    return "\n".join(_texts(sink))


def _texts(sink: Sink) -> Iterator[str]:
    match sink:
        case str():
            yield sink
        case bytes() | bytearray() | memoryview():
            yield _decoded(bytes(sink))
        case Path():
            yield from _files(sink)
        case logging.LogRecord():
            yield from _record(sink)
        case BaseException():
            yield from _error(sink)
        case Mapping():
            yield from _texts(sink.items())
        case Iterable():
            for each in sink:
                yield from _texts(each)
        case _:
            yield from _shown(sink)


def _shown(sink: Sink) -> Iterator[str]:
    to_json = getattr(sink, "to_json", None)
    if callable(to_json):  # a span, a metric
        yield str(to_json())
    elif callable(sink):
        yield from _texts(sink())
    else:
        yield f"{sink!r}\n{sink}"


def _files(path: Path) -> Iterator[str]:
    if not path.exists():
        raise FileNotFoundError(f"There is no {path}: nothing can be said of it.")
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    for file in files:
        content = file.read_bytes()
        yield _decoded(gzip.decompress(content) if content.startswith(_GZIP) else content)


def _decoded(content: bytes) -> str:
    # Marks are ASCII: any single-byte reading shows them, and UTF-16 has but zeros between.
    return content.decode("latin-1").replace("\0", "")


def _record(record: logging.LogRecord) -> Iterator[str]:
    yield f"{record.name} {record.getMessage()} {vars(record)!r}"
    if record.exc_info and record.exc_info[1] is not None:
        yield from _error(record.exc_info[1])


def _error(error: BaseException) -> Iterator[str]:
    """The message, what hangs on it, and its causes: what an error tracker sends away."""
    yield f"{error!r}\n{error}\n{vars(error)!r}"
    yield from traceback.format_exception(error, chain=True)

"""One finding: how bad, what, and the way out."""

import attrs

from eprescription_sdk.errors import EPrescriptionError


@attrs.frozen
class Finding:
    """What was found at one place.

    Args:
        level: ``ok``, ``warning`` or ``error``.
        topic: what was looked at, in a word, for scripts.
        what: in one sentence.
        way_out: what to do about it; empty where nothing is to be done.
    """

    level: str
    topic: str
    what: str
    way_out: str = ""


def ok(topic: str, what: str) -> Finding:
    """As it should be."""
    return Finding("ok", topic, what)


def warning(topic: str, what: str, way_out: str) -> Finding:
    """To be looked at; prescriptions still go out."""
    return Finding("warning", topic, what, way_out)


def error(topic: str, what: str, way_out: str) -> Finding:
    """To be mended before the next prescription."""
    return Finding("error", topic, what, way_out)


def failed(topic: str, raised: EPrescriptionError) -> Finding:
    """An error of the SDK as a finding."""
    where = f" (at {raised.path})" if raised.path else ""
    return error(topic, f"[{raised.code}] {raised.message}{where}", raised.way_out)

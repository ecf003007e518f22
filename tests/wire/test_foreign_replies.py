"""What comes from a gateway instead of the service, said in a sentence of its own."""

import gzip
import zlib

import pytest

from eprescription_sdk.wire.reply import read


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(b"<x/>", mtime=0), "compressed"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "compressed"),
        (zlib.compress(b"<x/>"), "no XML"),
        (b"<!DOCTYPE html><html></html>", "HTML page"),
        (b"\n <!-- a gateway -->\n<HTML><body>", "HTML page"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "HTML page"),
        (b"Service unavailable", "no XML"),
        (b"", "malformed"),
        (b"<a>" * 10_000 + b"</a>" * 10_000, "nested deeper than 100"),
        (b"<x>" + b"<a/>" * 60_000 + b"</x>", "more than 50000"),
    ],
)
def test_each_has_its_sentence(content: bytes, said: str) -> None:
    reply = read(content)
    assert (reply.body, reply.fault) == (None, None)
    assert said in (reply.problem or "")

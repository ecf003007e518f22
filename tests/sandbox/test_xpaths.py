"""Hostile XML is refused like any other, at once, and nothing is fetched."""

import time

import pytest

from eprescription_sdk.sandbox import Sandbox
from tests.sandbox.envelopes import creation, envelope, post

LAUGHS = "<!DOCTYPE l [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY a{n} '{'&a%s;' % (n - 1 if n else '') * 10}'>" for n in range(12)
) + "]>"  # fmt: skip


def spoilt(doctype: str, reference: str) -> str:
    text = envelope("creer", creation("SIM1"))
    text = text.replace('<?xml version="1.0" encoding="UTF-8"?>', doctype)
    return text.replace("<b:Id>1", f"<b:Id>{reference}")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x00\xff",
        b"<a>",
        b"<a/><b/>",
        b"{}",
        b"<a>" * 100_000,
        spoilt(LAUGHS, "&a11;").encode(),
        spoilt('<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>', "&f;").encode(),
        spoilt('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', "1").encode(),
        spoilt("<!DOCTYPE x>", "1").encode(),
    ],
    ids=["empty", "bytes", "open", "two", "json", "deep", "laughs", "file", "dtd", "doctype"],
)
def test_hostile_xml_is_refused(sandbox: Sandbox, text: bytes) -> None:
    began = time.monotonic()
    reply = post(sandbox.url, text)
    assert (reply.status, reply.code) == (400, "sdkref_invalid")
    assert time.monotonic() - began < 2
    assert sandbox.registrations == []


def test_a_request_that_is_too_large_is_refused(sandbox: Sandbox) -> None:
    reply = post(sandbox.url, b" " * (8 * 1024 * 1024 + 1))
    assert reply.status == 413
    assert sandbox.calls == []

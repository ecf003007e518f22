"""The envelope: its parts, and hostile text in every field. Schemas: ``test_conformance``."""

import uuid
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from signxml.verifier import XMLVerifier

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.wire import envelope
from eprescription_sdk.wire.envelope import CTXBAM, CTXLPS, SOAP, WSA, WSSE, Software, prepare
from tests.credentials.cards import NOW, card, signer

MESSAGE_ID = "uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7"
SOFTWARE = Software(
    authorisation="TC123456",
    name="exemple",
    version="1.0",
    instance="0b5b1ad8-3a0c-4b2e-9d0e-5f6a7b8c9d0e",
)


@cache
def assertion() -> envelope.Fragment:
    """Signing takes its time."""
    return envelope.prepare_assertion(signer().assertion(NOW).xml)


def build(**changes: Any) -> etree._Element:
    values = {
        "action": "urn:Service:1.0.0:creer",
        "message_id": MESSAGE_ID,
        "moment": NOW,
        "software": SOFTWARE,
        "emitter": "899700218896",
        "assertion": assertion(),
        "body": prepare(b"<x:Body xmlns:x='urn:x'>content</x:Body>"),
    }
    return etree.fromstring(envelope.envelope(**values | changes))  # type: ignore[arg-type]


def part(root: etree._Element, space: str, name: str) -> etree._Element:
    found = root.findall(f"{{{SOAP}}}Header/{{{space}}}{name}")
    assert len(found) == 1
    return found[0]


def test_addressing() -> None:
    root = build()
    assert part(root, WSA, "Action").text == "urn:Service:1.0.0:creer"
    message_id = part(root, WSA, "MessageID").text
    assert message_id == MESSAGE_ID
    # An absolute URI, as WS-Addressing asks, with a UUID behind the scheme.
    scheme, _, rest = message_id.partition(":")
    assert scheme == "uuid"
    assert str(uuid.UUID(rest)) == rest


def test_the_software_names_itself() -> None:
    lps = part(build(), CTXLPS, "ContexteLPS")
    values = {etree.QName(node).localname: node.text for node in lps.iter() if not len(node)}
    assert values["IDAM"] == "TC123456"
    assert values["Nom"] == "urn:lps:exemple:1.0"
    assert values["Instance"] == SOFTWARE.instance
    assert values["Id"] == MESSAGE_ID.removeprefix("uuid:")
    idam = lps.find(f".//{{{CTXLPS}}}IDAM")
    assert idam is not None
    assert idam.get("R") == "4"
    assert (lps.get("Nature"), lps.get("Version")) == ("CTXLPS", "01_00")
    bam = part(build(), CTXBAM, "ContexteBAM")
    assert (bam.get("Nature"), bam.get("Version")) == ("CTXBAM", "01_02")


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (NOW, "2026-03-02T10:00:30.000Z"),
        (NOW.replace(microsecond=987654), "2026-03-02T10:00:30.987Z"),
        (datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=2))), "2026-03-01T23:00:00.000Z"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000Z"),
    ],
)
def test_times_are_utc_in_milliseconds(moment: datetime, written: str) -> None:
    root = build(moment=moment)
    for space, name in ((CTXBAM, "ContexteBAM"), (CTXLPS, "ContexteLPS")):
        assert part(root, space, name).findtext(f"{{{space}}}Temps") == written


def test_without_an_assertion_there_is_no_security_header() -> None:
    assert build(assertion=None).find(f".//{{{WSSE}}}Security") is None


def test_the_signature_survives_its_envelope() -> None:
    """Exclusive canonical form: the namespaces around it do not count."""
    certificate, _ = card()
    security = part(build(), WSSE, "Security")
    XMLVerifier().verify(
        etree.tostring(security[0], with_tail=False),
        x509_cert=certificate.decode(),
        id_attribute="ID",
    )


hostile = st.lists(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from(["<", ">", "&", '"', "'", "]]>", "<!--", "&amp;", "\n", "\t", "\r"]),
    max_size=20,
).map("".join)


@given(
    action=hostile, message_id=hostile, emitter=hostile, authorisation=hostile, name=hostile,
    version=hostile, instance=hostile,
)  # fmt: skip
def test_hostile_text_arrives_as_text(
    *,
    action: str,
    message_id: str,
    emitter: str,
    authorisation: str,
    name: str,
    version: str,
    instance: str,
) -> None:
    root = build(
        action=action,
        message_id=message_id,
        emitter=emitter,
        assertion=None,
        software=Software(
            authorisation=authorisation, name=name, version=version, instance=instance
        ),
    )
    lps, bam = part(root, CTXLPS, "ContexteLPS"), part(root, CTXBAM, "ContexteBAM")
    found = {etree.QName(node).localname: node.text or "" for node in lps.iter() if not len(node)}
    assert (part(root, WSA, "Action").text or "") == action
    assert (part(root, WSA, "MessageID").text or "") == message_id
    assert (bam.findtext(f"{{{CTXBAM}}}Emetteur") or "") == emitter
    assert found["Emetteur"] == emitter
    assert found["IDAM"] == authorisation
    assert found["Nom"] == f"urn:lps:{name}:{version}"
    assert (found["Version"], found["Instance"]) == (version, instance)
    assert len(list(root.iter())) == 20


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\ufffe", "\ud800"])
def test_what_xml_cannot_carry_is_an_error(character: str) -> None:
    with pytest.raises(InvalidInput):
        build(emitter=f"x{character}")


@pytest.mark.parametrize(
    "markup",
    [
        b"",
        b"text",
        b"<a/><b/>",
        b"<a></b>",
        b"</soap:Body><soap:Body>",
        b"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        "<é/>".encode("latin-1"),
        b'<?xml version="1.0" encoding="latin-1"?><a>\xe9</a>',
    ],
)
def test_only_one_whole_element_goes_in(markup: bytes) -> None:
    with pytest.raises(InvalidInput):
        prepare(markup)


def test_bodies_are_not_kept() -> None:
    """They hold patients; assertions serve many envelopes."""
    assert not hasattr(prepare, "cache_info")
    markup = signer().assertion(NOW).xml
    assert envelope.prepare_assertion(markup) is envelope.prepare_assertion(markup)


def test_the_content_type_names_the_action() -> None:
    assert envelope.content_type("urn:a") == 'application/soap+xml; charset=utf-8; action="urn:a"'
    assert envelope.content_type('urn:"\r\nX-Evil: 1').count('"') == 2
    assert "\n" not in envelope.content_type('urn:"\r\nX-Evil: 1')

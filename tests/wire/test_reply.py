"""Replies: bodies, faults, and everything that is neither."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from eprescription_sdk.model.faults import Fault
from eprescription_sdk.wire.reply import Reply, read

SOAP = "http://www.w3.org/2003/05/soap-envelope"
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"

FAULT = """<soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value><soap:Subcode>\
<soap:Value xmlns:siram="urn:siram">siram:siram_40</soap:Value></soap:Subcode></soap:Code>\
<soap:Reason><soap:Text xml:lang="fr">Accès refusé.</soap:Text></soap:Reason><soap:Detail>\
<siram:Erreur xmlns:siram="urn:siram" severite="erreur" code="desir_550" messageID="urn:uuid:1-2">\
Détail</siram:Erreur></soap:Detail></soap:Fault>"""

EXPECTED = Fault(
    sender=True,
    subcode="siram_40",
    code="desir_550",
    severity="erreur",
    text="Accès refusé.",
    message_id="urn:uuid:1-2",
)


def wrapped(body: str, space: str = SOAP, prefix: str = "soap") -> bytes:
    text = (
        f'<?xml version="1.0"?><soap:Envelope xmlns:soap="{space}"><soap:Header/>'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )
    if prefix:
        text = text.replace("soap:", f"{prefix}:").replace("xmlns:soap", f"xmlns:{prefix}")
    else:
        text = text.replace("soap:", "").replace("xmlns:soap=", "xmlns=")
    return text.encode()


def test_a_body_comes_out_as_a_document_of_its_own() -> None:
    reply = read(wrapped('\n <!-- n --> <r:A xmlns:r="urn:r" soap:x="1">é</r:A> \n'))
    assert reply.fault is None
    assert reply.problem is None
    assert reply.body is not None
    root = etree.fromstring(reply.body)
    assert (root.tag, root.text, root.tail) == ("{urn:r}A", "é", None)


@pytest.mark.parametrize("prefix", ["soap", "env", "S", ""])
def test_a_fault_is_read_whatever_the_prefixes(prefix: str) -> None:
    assert read(wrapped(FAULT, prefix=prefix)).fault == EXPECTED


def test_the_error_may_have_another_prefix_and_stand_deeper() -> None:
    moved = (
        FAULT.replace("siram:Erreur xmlns:siram", "z:Erreur xmlns:z")
        .replace("/siram:Erreur", "/z:Erreur")
        .replace("<soap:Detail>", "<soap:Detail><w xmlns=''>")
        .replace("</soap:Detail>", "</w></soap:Detail>")
    )
    assert read(wrapped(moved)).fault == EXPECTED


def test_an_element_of_that_name_in_another_namespace_is_not_it() -> None:
    other = FAULT.replace('"urn:siram" severite', '"urn:other" severite')
    fault = read(wrapped(other)).fault
    assert fault is not None
    assert (fault.code, fault.subcode) == (None, "siram_40")


def test_unknown_severities_and_codes_survive() -> None:
    strange = (
        FAULT.replace("desir_550", "siram:never_seen")
        .replace('"erreur"', '"apocalypse"')
        .replace("siram:siram_40", "x:y:unheard_of")
        .replace("soap:Sender", "soap:MustUnderstand")
    )
    fault = read(wrapped(strange)).fault
    assert fault is not None
    assert (fault.code, fault.severity, fault.subcode, fault.sender) == (
        "never_seen", "apocalypse", "unheard_of", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        "<soap:Fault/>",
        "<soap:Fault><soap:Code/></soap:Fault>",
        "<soap:Fault><soap:Code><soap:Value/></soap:Code><soap:Detail/></soap:Fault>",
        '<soap:Fault><soap:Detail><e:Erreur xmlns:e="urn:siram"/></soap:Detail></soap:Fault>',
    ],
)
def test_a_poor_fault_is_still_a_fault(body: str) -> None:
    fault = read(wrapped(body)).fault
    assert fault is not None
    assert (fault.code, fault.subcode, fault.sender) == (None, None, None)


def test_a_fault_shows_no_text() -> None:
    assert "Accès" not in repr(read(wrapped(FAULT)))


def test_soap_1_1() -> None:
    body = (
        "<soap:Fault><faultcode>soap:Server</faultcode><faultstring>Panne</faultstring>"
        '<detail><siram:Erreur xmlns:siram="urn:siram" code="insi_102"/></detail></soap:Fault>'
    )
    fault = read(wrapped(body, SOAP_11)).fault
    assert fault == Fault(sender=False, code="insi_102", text="Panne")
    assert read(wrapped("<a/>", SOAP_11)).body == b'<a xmlns:soap="' + SOAP_11.encode() + b'"/>'


HOSTILE = {
    "nothing": b"",
    "spaces": b"  \n ",
    "text": b"Service unavailable",
    "html": b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
    "xhtml": b'<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
    "json": b'{"error": true}',
    "cut short": wrapped(FAULT)[:-20],
    "another root": b"<a/>",
    "another envelope": wrapped("<a/>", "urn:other"),
    "no body": f'<s:Envelope xmlns:s="{SOAP}"/>'.encode(),
    "empty body": wrapped(""),
    "body of text": wrapped("text"),
    "document type": b"<!DOCTYPE a>" + wrapped("<a/>")[21:],
    "laughs": b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + wrapped("<a>&b;</a>")[21:],
    "external": b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>',
    "unknown entity": wrapped("<a>&nbsp;</a>"),
    "laughs in UTF-16": (
        '<!DOCTYPE l [<!ENTITY a "ha">]><s:Envelope xmlns:s="' + SOAP + '">&a;</s:Envelope>'
    ).encode("utf-16"),
    "wrong encoding": b'<?xml version="1.0" encoding="ebcdic-odd"?><a/>',
    "broken utf-8": wrapped("<a>\xff</a>").replace(b"\xc3\xbf", b"\xff"),
    "null": wrapped("<a>\x00</a>"),
    "deep": wrapped("<a>" * 200 + "</a>" * 200),
    "deeper": wrapped("<a>" * 100_000 + "</a>" * 100_000),
    "huge": wrapped("<a>" + "x" * (5 * 1024 * 1024) + "</a>"),
    "many attributes": wrapped("<a " + " ".join(f'a{n}="1"' for n in range(100_000)) + "></b>"),
    "two roots": wrapped("<a/>") + b"<b/>",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_neither_is_a_problem_in_one_sentence(content: bytes) -> None:
    reply = read(content)
    assert reply.body is None
    assert reply.fault is None
    assert reply.problem
    assert reply.problem.endswith(".")
    assert "passwd" not in reply.problem


@given(content=st.binary(max_size=200))
def test_no_bytes_make_it_raise(content: bytes) -> None:
    assert isinstance(read(content), Reply)


@given(place=st.integers(0, len(wrapped(FAULT)) - 1), byte=st.integers(0, 255))
def test_no_single_wrong_byte_makes_it_raise(place: int, byte: int) -> None:
    content = bytearray(wrapped(FAULT))
    content[place] = byte
    assert isinstance(read(bytes(content)), Reply)

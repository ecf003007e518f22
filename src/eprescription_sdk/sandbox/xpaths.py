"""The reference sandbox's own XML reader: parser, namespaces, small typed XPaths.

Shared with no other room: a namespace that is wrong in the client must not be wrong here.
"""

import re
from datetime import UTC, datetime
from typing import cast

from lxml import etree

NAMESPACES = {
    "soap": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "bam": "urn:siram:bam:ctxbam",
    "lps": "urn:siram:lps:ctxlps",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "ref": "urn:eprescription-sdk:reference:1",
    "f": "http://hl7.org/fhir",
}

_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


class Refusal(Exception):
    """A request the reference sandbox does not accept; its text never quotes a value.

    Args:
        text: the French sentence of the fault.
        code: one of our reference codes, ``sdkref_*``.
    """

    def __init__(self, text: str, *, code: str = "sdkref_invalid") -> None:
        self.text = text
        self.code = code
        super().__init__(text)


def parse(body: bytes) -> etree._Element:
    """The root of a request.

    Raises:
        Refusal: not well-formed XML, or with a DOCTYPE.
    """
    # A parser for each request: one that is shared keeps the dictionary of hostile input.
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Refusal("Message refusé : le contenu n'est pas du XML bien formé.") from error
    if cast("object | None", root.getroottree().docinfo.internalDTD) is not None:
        raise Refusal("Message refusé : une DTD n'est pas admise.")
    return root


def elements(element: etree._Element, path: str) -> list[etree._Element]:
    """The elements at a path."""
    return cast("list[etree._Element]", element.xpath(path, namespaces=NAMESPACES))


def values(element: etree._Element, path: str) -> list[str]:
    """The values of the attributes at a path."""
    found = cast("list[object]", element.xpath(path, namespaces=NAMESPACES))
    return [str(value) for value in found]


def first_text(element: etree._Element, path: str) -> str | None:
    """The text of the first element at a path, or None."""
    found = elements(element, path)
    return text_of(found[0]) if found else None


def text_of(element: etree._Element) -> str:
    """The whole text, so that a comment cannot hide a part of it; trimmed."""
    return str(element.xpath("string()")).strip()


def one(
    element: etree._Element, path: str, what: str, *, code: str = "sdkref_invalid"
) -> etree._Element:
    """The one element at a path.

    Raises:
        Refusal: there is none, or there are several.
    """
    found = elements(element, path)
    if len(found) != 1:
        how = "absent" if not found else "présent plusieurs fois"
        raise Refusal(f"Message refusé : {what} est {how}.", code=code)
    return found[0]


def filled(element: etree._Element, path: str, what: str, *, code: str = "sdkref_invalid") -> str:
    """The text of the one element at a path, which must not be empty."""
    text = text_of(one(element, path, what, code=code))
    if not text:
        raise Refusal(f"Message refusé : {what} est vide.", code=code)
    return text


def moment(text: str, what: str, *, code: str = "sdkref_invalid") -> datetime:
    """An ``xsd:dateTime`` with a time zone, as UTC."""
    try:
        if _DATE_TIME.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Refusal(f"Message refusé : {what} n'est pas une date et heure avec fuseau.", code=code)

"""Reading a reply: a body, a fault, or nothing that can be read.

Elements are matched by namespace and local name, never by prefix; unknown severities and
codes survive. Real services stray from their own schemas.
"""

import re

import attrs
from lxml import etree

from eprescription_sdk import xml
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.faults import Fault
from eprescription_sdk.wire.envelope import SIRAM, SOAP

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"


@attrs.frozen(kw_only=True)
class Reply:
    """What a reply holds; neither body nor fault when it cannot be read.

    Args:
        body: the one element of the SOAP body, as a document.
        fault: what a SOAP fault said.
        problem: why it cannot be read; never quotes it.
    """

    body: bytes | None = attrs.field(default=None, repr=False)
    fault: Fault | None = None
    problem: str | None = None


def read(content: bytes) -> Reply:
    """Read a reply, whatever its HTTP status; it never raises."""
    if content.startswith(_COMPRESSED):
        return Reply(problem="The reply is compressed, which was not asked for.")
    if _PAGE.match(content):
        return Reply(problem="The reply is an HTML page, as a gateway sends.")
    try:
        root = xml.parse(content)
    except InvalidInput as error:
        return Reply(problem=error.message)
    space = xml.namespace(root)
    if space not in (SOAP, SOAP_11) or xml.local_name(root) != "Envelope":
        return Reply(problem="The reply is not a SOAP envelope.")
    body = xml.child(root, space, "Body")
    first = next(body.iterchildren(etree.Element), None) if body is not None else None
    if first is None:
        return Reply(problem="The SOAP body is empty.")
    if xml.local_name(first) == "Fault" and xml.namespace(first) in (SOAP, SOAP_11):
        return Reply(fault=_fault(first, xml.namespace(first)))
    return Reply(body=xml.serialise(first))


# gzip, zstd: it is never unfolded, so it costs what it weighs.
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_PAGE = re.compile(rb"\s*(<!--.{0,2000}?-->\s*)?(<!doctype html|<html)", re.IGNORECASE | re.DOTALL)


def _fault(node: xml.Node, space: str) -> Fault:
    if space == SOAP_11:
        value = xml.text(node.find("faultcode"))
        subcode = ""
        reason = xml.text(node.find("faultstring"))
        detail = node.find("detail")
    else:
        code = xml.child(node, SOAP, "Code")
        value = xml.text(code.find(f"{{{SOAP}}}Value")) if code is not None else ""
        subcode = (
            xml.text(code.find(f"{{{SOAP}}}Subcode/{{{SOAP}}}Value")) if code is not None else ""
        )
        reason = xml.text(node.find(f"{{{SOAP}}}Reason/{{{SOAP}}}Text"))
        detail = xml.child(node, SOAP, "Detail")
    error = detail.find(f".//{{{SIRAM}}}Erreur") if detail is not None else None
    return Fault(
        sender=_SENDER.get(_local(value)),
        subcode=_local(subcode) or None,
        code=_attribute(error, "code"),
        severity=_attribute(error, "severite"),
        text=reason or xml.text(error),
        # The service's support wants it as it was said, colons and all.
        message_id=error.get("messageID") or None if error is not None else None,
    )


_SENDER = {"Sender": True, "Client": True, "Receiver": False, "Server": False}


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _attribute(node: xml.Node | None, name: str) -> str | None:
    return _local(node.get(name, "")) or None if node is not None else None

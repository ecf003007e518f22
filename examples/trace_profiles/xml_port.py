"""A trace format as a Python port: XML that an XSD allows. INVENTED: nobody's official format.

A port is a class with ``name``, ``content_type``, ``resource`` and ``encode``. This one writes the
document, holds it against ``trace.xsd`` and lets nothing leave that the schema does not allow.
"""

from pathlib import Path

from lxml import etree

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.trace import CallTrace, ChainLink, Trace

NAMESPACE = "urn:exemple:traces:invente:1"
SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("trace.xsd")))
RESULTS = {"registered": "OK", "found": "OK", "absent": "OK", "listed": "OK", "uncertain": "DOUTE"}


class XmlProfile:
    """Writes traces as the XML of ``trace.xsd``."""

    name = "exemple XML (inventé, non officiel)"
    content_type = "application/xml"
    resource = "traces"

    def encode(self, trace: Trace, link: ChainLink) -> bytes:
        """One trace with its link of the chain.

        Raises:
            InvalidInput: the schema does not allow it. What it held is not told.
        """
        root = etree.Element(_tag("trace"), id=trace.id, nsmap={"t": NAMESPACE})
        _add(root, "horodatage", trace.at.isoformat(timespec="seconds"))
        _add(root, "rpps", trace.rpps.value)
        _add(root, "finess", trace.finess.value)
        _add(root, "logiciel", trace.software, version=trace.version)
        if isinstance(trace, CallTrace):
            result = RESULTS.get(trace.outcome.value, "ECHEC")
            _add(root, "appel", result, operation=trace.operation.value)
        else:
            families = " ".join(sorted(family.value for family in trace.families))
            paper = _add(root, "ordonnance", families, revision=str(trace.revision))
            paper.set("numerique", str(trace.digital).lower())
            if trace.number is not None:
                paper.set("numero", trace.number.value)
        _add(root, "chaine", link.hash, segment=link.segment, position=str(link.position))
        if not SCHEMA.validate(root):
            raise InvalidInput("The XSD does not allow this trace.")
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: etree._Element, name: str, text: str, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, _tag(name), attributes)
    element.text = text
    return element

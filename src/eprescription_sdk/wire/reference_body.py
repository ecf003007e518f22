"""The reference body: ours, in a namespace that says so (law 8).

It carries FHIR R4 XML in ``urn:eprescription-sdk:reference:1``. With the official schemas in
hand, an integrator writes one ``BodyCodec`` and this file is out of play.
"""

import hashlib
from datetime import UTC, datetime

from eprescription_sdk import xml
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.fhir import from_xml, prescription_to_fhir, to_xml
from eprescription_sdk.model.exchange import (
    CreateAnswer,
    Operation,
    SearchPage,
    SearchQuery,
    StoredPrescription,
    Summary,
)
from eprescription_sdk.model.identifiers import PrescriptionNumber, Rpps
from eprescription_sdk.model.prescription import Prescription

NAMESPACE = "urn:eprescription-sdk:reference:1"
FHIR = "http://hl7.org/fhir"

_VERBS = {
    Operation.CREATE: "creer",
    Operation.CONSULT: "consulter",
    Operation.SEARCH: "rechercher",
}
_FOUND, _NONE = "00", "01"
_ROOT = {"xmlns:ref": NAMESPACE}


class ReferenceCodec:
    """Writes and reads the reference body."""

    @property
    def simulated(self) -> bool:
        """It is a stand-in."""
        return True

    def action(self, operation: Operation) -> str:
        """The ``wsa:Action`` of an operation."""
        return f"urn:ReferenceOrdonnanceNumerique:1.0.0:{_VERBS[operation]}"

    def encode_create(self, prescription: Prescription, number: PrescriptionNumber) -> bytes:
        """The body of a create (stands in for SEL_MP_040)."""
        writer = xml.Writer()
        with writer.element("ref:CreerRequest", _ROOT):
            writer.leaf("ref:Numero", number.value)
            writer.embed(to_xml(prescription_to_fhir(prescription, number=number)))
        return writer.element_alone()

    def encode_consult(self, number: PrescriptionNumber) -> bytes:
        """The body of a consult (stands in for SEL_MP_032)."""
        writer = xml.Writer()
        with writer.element("ref:ConsulterRequest", _ROOT):
            writer.leaf("ref:Numero", number.value)
        return writer.element_alone()

    def encode_search(self, query: SearchQuery, cursor: str | None) -> bytes:
        """The body of a search (stands in for SEL_MP_031)."""
        writer = xml.Writer()
        with writer.element("ref:RechercherRequest", _ROOT):
            if query.patient is not None:
                writer.leaf("ref:Patient", query.patient.value, {"oid": query.patient.oid.value})
            if query.prescriber is not None:
                writer.leaf("ref:Prescripteur", query.prescriber.value)
            if query.issued_from is not None:
                writer.leaf("ref:EmisesDepuis", query.issued_from.isoformat())
            if query.issued_to is not None:
                writer.leaf("ref:EmisesJusqua", query.issued_to.isoformat())
            if cursor is not None:
                writer.leaf("ref:Curseur", cursor)
        return writer.element_alone()

    def decode_create(self, body: bytes) -> CreateAnswer:
        """The answer to a create."""
        node = _answer(body, "CreerResponse")
        if _value(node, "CodeCR") != _FOUND:
            raise InvalidInput("A create was answered with an unknown result code.")
        return CreateAnswer(
            number=PrescriptionNumber(_value(node, "Numero")),
            registered_at=_moment(_value(node, "EnregistreeLe")),
        )

    def decode_consult(self, body: bytes) -> StoredPrescription | None:
        """The answer to a consult; None when the service has no such prescription."""
        node = _answer(body, "ConsulterResponse")
        code = _value(node, "CodeCR")
        if code == _NONE:
            return None
        if code != _FOUND:
            raise InvalidInput("A consult was answered with an unknown result code.")
        bundle = xml.child(node, FHIR, "Bundle")
        return StoredPrescription(
            number=PrescriptionNumber(_value(node, "Numero")),
            prescriber=Rpps(_value(node, "Prescripteur")),
            registered_at=_moment(_value(node, "EnregistreeLe")),
            fingerprint=_fingerprint(bundle) if bundle is not None else None,
            content=xml.serialise(bundle) if bundle is not None else b"",
        )

    def decode_search(self, body: bytes) -> SearchPage:
        """The answer to a search."""
        node = _answer(body, "RechercherResponse")
        if _value(node, "CodeCR") not in (_FOUND, _NONE):
            raise InvalidInput("A search was answered with an unknown result code.")
        return SearchPage(
            summaries=tuple(
                Summary(
                    number=PrescriptionNumber(_value(found, "Numero")),
                    registered_at=_moment(_value(found, "EnregistreeLe")),
                    document_type=_value(found, "Type"),
                    prescriber=Rpps(who) if (who := _value(found, "Prescripteur")) else None,
                )
                for found in node.findall(f"{{{NAMESPACE}}}Ordonnance")
            ),
            cursor=_value(node, "CurseurSuivant") or None,
        )

    def fingerprint(self, body: bytes) -> str:
        """Stands for the content of an encoded create: its Bundle, as this codec writes it."""
        if isinstance(body, xml.Written) and body.find(_MARKUP) < 0:
            # Reading it would only give back what was written.
            start, end = body.find(_BUNDLE), body.rfind(_END_OF_BODY)
            if 0 <= start < end:
                return hashlib.sha256(body[start:end]).hexdigest()
        bundle = xml.child(xml.parse(body), FHIR, "Bundle")
        if bundle is None:
            raise InvalidInput("The body holds no Bundle.")
        return _fingerprint(bundle)


_BUNDLE, _END_OF_BODY = b"<Bundle ", b"</ref:CreerRequest>"
_MARKUP = b"<div"
"""Text for people is kept as it came, so it has more than one form."""


def _fingerprint(bundle: xml.Node) -> str:
    try:
        written = to_xml(from_xml(xml.serialise(bundle))).encode()
    except InvalidInput:
        # Not of ours; whatever it is, its canonical form stands for it.
        written = xml.canonical(bundle)
    return hashlib.sha256(written).hexdigest()


def _answer(body: bytes, name: str) -> xml.Node:
    node = xml.parse(body)
    if xml.namespace(node) != NAMESPACE or xml.local_name(node) != name:
        raise InvalidInput("The reply is the answer to something else.")
    return node


def _value(node: xml.Node, name: str) -> str:
    return xml.text(xml.child(node, NAMESPACE, name))


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise InvalidInput("A time of the reply has no time zone.")
        # The first and last day of the calendar have no place in some time zones.
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput("A time of the reply cannot be read.") from None

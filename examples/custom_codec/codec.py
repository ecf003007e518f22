"""A ``BodyCodec`` written from a WSDL and an XSD: all that changes when a service changes.

The package beside it describes an invented service, of the family whose envelope the SDK writes.
With the package of a real one you write this one class. Envelope, assertion, TLS, faults,
retries, ledger and traces stay as they are.
"""

import hashlib
from datetime import datetime
from pathlib import Path

from lxml import etree

import eprescription_sdk as ep

DEPOT = "urn:exemple-invente:depot:1"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
ACTION = "{http://www.w3.org/2006/02/addressing/wsdl}Action"
OPERATIONS = {
    ep.Operation.CREATE: "deposer",
    ep.Operation.CONSULT: "lire",
    ep.Operation.SEARCH: "lister",
}

PROFILE = ep.ServiceProfile(
    name="dépôt d’exemple (inventé)",
    # What its specification says goes here: durations, guarantees, and how each code is read.
    unique_by_number=True,
    faults={
        "depot_invalide": ep.FaultRule(
            kind=ep.FaultClass.REFUSED, text_fr="Le dépôt a refusé le contenu de l’ordonnance."
        ),
        "depot_occupe": ep.FaultRule(
            kind=ep.FaultClass.NOT_PROCESSED, text_fr="Le dépôt est momentanément occupé."
        ),
        "depot_existe": ep.FaultRule(
            kind=ep.FaultClass.IN_DOUBT, text_fr="Ce numéro existe déjà ; vérification en cours."
        ),
    },
)


class DepositCodec:
    """Writes and reads the bodies of the invented deposit service.

    Every body is held against the schema on its way out and on its way in.

    Args:
        package: the folder with ``depot.wsdl`` and ``depot.xsd``.
    """

    def __init__(self, package: Path) -> None:
        self._schema = etree.XMLSchema(etree.parse(package / "depot.xsd"))
        wsdl = etree.parse(package / "depot.wsdl")
        self._actions = {
            str(operation.get("name")): str(asked.get(ACTION))
            for operation in wsdl.iterfind(f"{{{WSDL}}}portType/{{{WSDL}}}operation")
            if (asked := operation.find(f"{{{WSDL}}}input")) is not None
        }

    @property
    def simulated(self) -> bool:
        """It speaks to an invented service: every output says SIMULATION."""
        return True

    def action(self, operation: ep.Operation) -> str:
        """As the WSDL has it."""
        return self._actions[OPERATIONS[operation]]

    # --- out --------------------------------------------------------------------------------

    def encode_create(self, prescription: ep.Prescription, number: ep.PrescriptionNumber) -> bytes:
        """``DeposerRequete``."""
        if prescription.issued_at is None or prescription.document_type is None:
            raise ep.InvalidInput("The prescription is not complete.")
        root = etree.Element(f"{{{DEPOT}}}DeposerRequete", nsmap={"d": DEPOT})
        _add(root, "NumeroOrdonnance", number.value)
        _add(root, "DatePrescription", prescription.issued_at.isoformat())
        _add(root, "TypeDocument", prescription.document_type.value)
        opposed = prescription.execution_reading is ep.ExecutionReading.OPPOSED
        _add(root, "Opposition", str(opposed).lower())
        prescriber = _add(root, "Prescripteur")
        _add(prescriber, "Rpps", prescription.prescriber.rpps.value)
        _add(prescriber, "Finess", prescription.prescriber.situation.finess.value)
        patient = _add(root, "Patient")
        ins = prescription.patient.ins
        _add(patient, "Ins", ins.value).set("oid", ins.oid.value)
        _add(patient, "NomNaissance", prescription.patient.family_name)
        _add(patient, "Prenom", prescription.patient.given_name)
        _add(patient, "DateNaissance", prescription.patient.birth_date.isoformat())
        for line in prescription.lines:
            node = _add(root, "Ligne")
            _add(node, "Libelle", line.label)
            _add(node, "Posologie", line.text)
            if isinstance(line, ep.MedicationLine | ep.DeviceLine) and line.renewals:
                _add(node, "Renouvellements", str(line.renewals))
        return self._written(root)

    def encode_consult(self, number: ep.PrescriptionNumber) -> bytes:
        """``LireRequete``."""
        root = etree.Element(f"{{{DEPOT}}}LireRequete", nsmap={"d": DEPOT})
        _add(root, "NumeroOrdonnance", number.value)
        return self._written(root)

    def encode_search(self, query: ep.SearchQuery, cursor: str | None) -> bytes:
        """``ListerRequete``."""
        root = etree.Element(f"{{{DEPOT}}}ListerRequete", nsmap={"d": DEPOT})
        if query.patient is not None:
            _add(root, "Patient", query.patient.value).set("oid", query.patient.oid.value)
        if query.prescriber is not None:
            _add(root, "Prescripteur", query.prescriber.value)
        if query.issued_from is not None:
            _add(root, "Depuis", query.issued_from.isoformat())
        if query.issued_to is not None:
            _add(root, "Jusque", query.issued_to.isoformat())
        if cursor is not None:
            _add(root, "Suite", cursor)
        return self._written(root)

    # --- in ---------------------------------------------------------------------------------

    def decode_create(self, body: bytes) -> ep.CreateAnswer:
        """``DeposerReponse``."""
        root = self._read(body, "DeposerReponse")
        if _text(root, "CompteRendu", "Code") != "00":
            raise ep.InvalidInput("The deposit answered with a code that is unknown here.")
        return ep.CreateAnswer(
            number=ep.PrescriptionNumber(_text(root, "NumeroOrdonnance")),
            registered_at=_moment(root, "RecueLe"),
        )

    def decode_consult(self, body: bytes) -> ep.StoredPrescription | None:
        """``LireReponse``; None when the deposit has no such prescription."""
        root = self._read(body, "LireReponse")
        content = root.find(f"{{{DEPOT}}}Contenu")
        if _text(root, "CompteRendu", "Code") == "01":
            return None
        if content is None:
            raise ep.InvalidInput("The deposit found a prescription and did not give it.")
        return ep.StoredPrescription(
            number=ep.PrescriptionNumber(_text(content, "NumeroOrdonnance")),
            prescriber=ep.Rpps(_text(content, "Prescripteur", "Rpps")),
            registered_at=_moment(root, "RecueLe"),
            fingerprint=_fingerprint(content),
            content=etree.tostring(content),
        )

    def decode_search(self, body: bytes) -> ep.SearchPage:
        """``ListerReponse``."""
        root = self._read(body, "ListerReponse")
        return ep.SearchPage(
            summaries=tuple(
                ep.Summary(
                    number=ep.PrescriptionNumber(_text(node, "NumeroOrdonnance")),
                    registered_at=_moment(node, "RecueLe"),
                    document_type=_text(node, "TypeDocument"),
                    prescriber=ep.Rpps(_text(node, "Prescripteur")),
                )
                for node in root.iterfind(f"{{{DEPOT}}}Ordonnance")
            ),
            cursor=_text(root, "Suite") or None,
        )

    def fingerprint(self, body: bytes) -> str:
        """Of what was deposited: element names and texts, whatever the service does to prefixes."""
        return _fingerprint(self._read(body, "DeposerRequete"))

    # --- the schema, both ways --------------------------------------------------------------

    def _written(self, root: etree._Element) -> bytes:
        if not self._schema.validate(root):
            # Never the schema's own words: they quote values, and these are a patient's.
            raise ep.InvalidInput("The schema of the service refuses this body.")
        return etree.tostring(root)

    def _read(self, body: bytes, name: str) -> etree._Element:
        # The SDK has already parsed these bytes with its hardened reader.
        root = etree.fromstring(body)
        if root.tag != f"{{{DEPOT}}}{name}" or not self._schema.validate(root):
            raise ep.InvalidInput("The answer is not what the schema of the service says.")
        return root


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    node = etree.SubElement(parent, f"{{{DEPOT}}}{name}")
    node.text = text
    return node


def _text(node: etree._Element, *names: str) -> str:
    return (node.findtext("/".join(f"{{{DEPOT}}}{name}" for name in names)) or "").strip()


def _moment(node: etree._Element, name: str) -> datetime | None:
    text = _text(node, name)
    moment = datetime.fromisoformat(text) if text else None
    if moment is not None and moment.tzinfo is None:
        raise ep.InvalidInput("A time of the answer has no time zone.")
    return moment


def _fingerprint(content: etree._Element) -> str:
    leaves = [
        f"{etree.QName(node).localname}|{node.get('oid', '')}|{(node.text or '').strip()}"
        for node in content.iterdescendants(etree.Element)
    ]
    return hashlib.sha256("\n".join(leaves).encode()).hexdigest()

"""How the reference sandbox reads and checks a request: its SOAP headers and its body.

The assertion is judged in ``assertion``, XML is parsed in ``xpaths``. The envelope follows
the public sibling services of the téléservice (TLSi: SOAP 1.2, ContexteBAM 01.02,
ContexteLPS 01.00); the body is the SDK's reference body, ours and not official.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from email.message import Message as MimeHeader

from attrs import frozen
from lxml import etree

from eprescription_sdk.clock import paris_day
from eprescription_sdk.sandbox.state import Operation
from eprescription_sdk.sandbox.xpaths import (
    NAMESPACES,
    Refusal,
    elements,
    filled,
    first_text,
    moment,
    one,
    text_of,
    values,
)

NUMBER_SYSTEM = "urn:oid:1.2.250.1.215.500.1.1"
TYPE_SYSTEM = "urn:oid:1.2.250.1.213.1.1.4.12"
DOCUMENT_TYPES = frozenset(
    {
        "57833-6",
        "PRESC-BIO",
        "PRESC-INF",
        "PRESC-KINE",
        "PRESC-ORTHOPHO",
        "PRESC-ORTHOPTIE",
        "PRESC-PEDI",
    }
)

_LINE_RESOURCES = ("MedicationRequest", "DeviceRequest", "ServiceRequest")
_ACTIONS = {
    "urn:ReferenceOrdonnanceNumerique:1.0.0:creer": Operation.CREATE,
    "urn:ReferenceOrdonnanceNumerique:1.0.0:consulter": Operation.CONSULT,
    "urn:ReferenceOrdonnanceNumerique:1.0.0:rechercher": Operation.SEARCH,
}
_NUMBER = re.compile(r"[0-9A-Z]{1,64}")
_RPPS = re.compile(r"[0-9]{11}")
_INS_SYSTEM = re.compile(r"urn:oid:([0-9]+(?:\.[0-9]+)+)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@frozen(kw_only=True, repr=False)
class Create:
    """A prescription to register, in the reference body."""

    number: str
    document: bytes
    prescriber: str
    patient: str
    patient_oid: str
    document_type: str
    issued_on: date


@frozen(kw_only=True, repr=False)
class Consult:
    """A number to look up."""

    number: str


@frozen(kw_only=True, repr=False)
class Search:
    """The criteria of a search; None leaves one open."""

    patient: str | None
    patient_oid: str | None
    prescriber: str | None
    issued_from: date | None
    issued_until: date | None
    cursor: str | None


def glance(root: etree._Element) -> tuple[Operation | None, str | None, str | None]:
    """Operation, message id and number, each where it can be read; checks nothing."""
    action = first_text(root, "/soap:Envelope/soap:Header/wsa:Action")
    message_id = first_text(root, "/soap:Envelope/soap:Header/wsa:MessageID")
    number = first_text(root, "/soap:Envelope/soap:Body/*/ref:Numero")
    return _ACTIONS.get(action or ""), message_id, number


def check_content_type(value: str | None, root: etree._Element) -> None:
    """SOAP 1.2 over HTTP: ``application/soap+xml``; an ``action`` there must be the true one.

    Raises:
        Refusal: another content type, or another action.
    """
    header = MimeHeader()
    header["content-type"] = value or "text/plain"
    if header.get_content_type() != "application/soap+xml":
        raise Refusal("Message refusé : le type de contenu n'est pas application/soap+xml.")
    action = header.get_param("action")
    if action is not None and action != first_text(root, "soap:Header/wsa:Action"):
        raise Refusal("Message refusé : l'action HTTP n'est pas celle de l'enveloppe.")


def check_headers(root: etree._Element, *, now: datetime, tolerance: float) -> None:
    """The SOAP headers of the public sibling services (TLSi), but for the assertion.

    Args:
        root: the envelope.
        now: the sandbox's time, UTC.
        tolerance: by how many seconds ``ContexteBAM/Temps`` may differ from it.

    Raises:
        Refusal: at the first header that is missing, repeated or wrong.
    """
    if root.tag != f"{{{NAMESPACES['soap']}}}Envelope":
        raise Refusal("Message refusé : la racine n'est pas une enveloppe SOAP 1.2.")
    header = one(root, "soap:Header", "soap:Header")
    one(root, "soap:Body", "soap:Body")
    if text_of(one(header, "wsa:Action", "wsa:Action")) not in _ACTIONS:
        raise Refusal("Message refusé : wsa:Action inconnue.")
    message_id = text_of(one(header, "wsa:MessageID", "wsa:MessageID"))
    if not (message_id.startswith("uuid:") and _UUID.fullmatch(message_id[5:])):
        raise Refusal("Message refusé : wsa:MessageID n'est pas de la forme uuid:….")
    _check_bam(one(header, "bam:ContexteBAM", "ContexteBAM"), now=now, tolerance=tolerance)
    _check_lps(one(header, "lps:ContexteLPS", "ContexteLPS"))


def _check_bam(context: etree._Element, *, now: datetime, tolerance: float) -> None:
    if context.get("Version") != "01_02":
        raise Refusal("Message refusé : la version de ContexteBAM n'est pas 01_02.")
    filled(context, "bam:Id", "ContexteBAM/Id")
    one(context, "bam:COUVERTURE", "ContexteBAM/COUVERTURE")
    sent = moment(filled(context, "bam:Temps", "ContexteBAM/Temps"), "ContexteBAM/Temps")
    if abs((sent - now).total_seconds()) > tolerance:
        raise Refusal("Message refusé : ContexteBAM/Temps s'écarte trop de l'heure du service.")


def _check_lps(context: etree._Element) -> None:
    if context.get("Nature") != "CTXLPS" or context.get("Version") != "01_00":
        raise Refusal("Message refusé : ContexteLPS n'est pas de nature CTXLPS, version 01_00.")
    filled(context, "lps:Id", "ContexteLPS/Id")
    moment(filled(context, "lps:Temps", "ContexteLPS/Temps"), "ContexteLPS/Temps")
    software = one(context, "lps:LPS", "ContexteLPS/LPS")
    filled(software, "lps:IDAM", "ContexteLPS/LPS/IDAM")
    if one(software, "lps:IDAM", "ContexteLPS/LPS/IDAM").get("R") != "4":
        raise Refusal("Message refusé : ContexteLPS/LPS/IDAM ne porte pas R=4.")
    filled(software, "lps:Version", "ContexteLPS/LPS/Version")
    if not _UUID.fullmatch(filled(software, "lps:Instance", "ContexteLPS/LPS/Instance")):
        raise Refusal("Message refusé : ContexteLPS/LPS/Instance n'est pas un UUID.")
    if not re.fullmatch(r"urn:lps:.+", filled(software, "lps:Nom", "ContexteLPS/LPS/Nom")):
        raise Refusal("Message refusé : ContexteLPS/LPS/Nom n'est pas de la forme urn:lps:….")


def read_body(root: etree._Element, operation: Operation) -> Create | Consult | Search:
    """The one child of the SOAP body, which must be the one that the action announces.

    Raises:
        Refusal: at the first thing that is missing or wrong.
    """
    children = elements(one(root, "soap:Body", "soap:Body"), "*")
    name = {
        Operation.CREATE: "CreerRequest",
        Operation.CONSULT: "ConsulterRequest",
        Operation.SEARCH: "RechercherRequest",
    }[operation]
    if len(children) != 1 or children[0].tag != f"{{{NAMESPACES['ref']}}}{name}":
        raise Refusal("Message refusé : le corps n'est pas celui de l'action annoncée.")
    if operation is Operation.CREATE:
        return _read_create(children[0])
    if operation is Operation.CONSULT:
        _only(children[0], ["ref:Numero"])
        return Consult(number=_number(children[0]))
    return _read_search(children[0])


def _read_create(request: etree._Element) -> Create:
    _only(request, ["ref:Numero", "f:Bundle"])
    number = _number(request)
    bundle = one(request, "f:Bundle", "Bundle")
    tagged = f"f:meta/f:tag[f:system/@value='{TYPE_SYSTEM}']/f:code/@value"
    document_type = _single(bundle, tagged, "le type de document")
    if document_type not in DOCUMENT_TYPES:
        raise Refusal("Message refusé : le type de document est inconnu.")
    lines = " or ".join(f"self::f:{kind}" for kind in _LINE_RESOURCES)
    resources = elements(bundle, f"f:entry/f:resource/*[{lines}]")
    if not resources:
        raise Refusal("Message refusé : le Bundle ne contient aucune prescription.")
    for resource in resources:
        tie = "requisition" if str(resource.tag).endswith("}ServiceRequest") else "groupIdentifier"
        if _single(resource, f"f:{tie}/f:system/@value", tie) != NUMBER_SYSTEM:
            raise Refusal(f"Message refusé : le système de {tie} n'est pas celui du numéro.")
        if _single(resource, f"f:{tie}/f:value/@value", tie) != number:
            raise Refusal(f"Message refusé : {tie} n'est pas le numéro de l'ordonnance.")
    subject = "f:subject/f:identifier"
    system = _shared(resources, f"{subject}/f:system/@value", "l'INS du patient")
    oid = _INS_SYSTEM.fullmatch(system)
    if oid is None:
        raise Refusal("Message refusé : le système de l'INS n'est pas un OID.")
    prescriber = _shared(resources, "f:requester/f:identifier/f:value/@value", "le prescripteur")
    if not _RPPS.fullmatch(prescriber):
        raise Refusal("Message refusé : le prescripteur n'est pas un numéro RPPS.")
    return Create(
        number=number,
        # Exclusive canonical form: the Bundle alone, free of the envelope's prefixes.
        document=etree.tostring(bundle, method="c14n", exclusive=True, with_comments=True),
        prescriber=prescriber,
        patient=_shared(resources, f"{subject}/f:value/@value", "l'INS du patient"),
        patient_oid=oid.group(1),
        document_type=document_type,
        issued_on=_issue_day(_single(resources[0], "f:authoredOn/@value", "authoredOn")),
    )


def _read_search(request: etree._Element) -> Search:
    names = ["Patient", "Prescripteur", "EmisesDepuis", "EmisesJusqua", "Curseur"]
    _only(request, [f"ref:{name}" for name in names])
    patients = elements(request, "ref:Patient")
    prescriber = first_text(request, "ref:Prescripteur")
    if prescriber is not None and not _RPPS.fullmatch(prescriber):
        raise Refusal("Message refusé : Prescripteur n'est pas un numéro RPPS.")
    if patients and not (patients[0].get("oid") and text_of(patients[0])):
        raise Refusal("Message refusé : Patient n'a pas d'OID ou pas de valeur.")
    return Search(
        patient=text_of(patients[0]) if patients else None,
        patient_oid=patients[0].get("oid") if patients else None,
        prescriber=prescriber,
        issued_from=_bound(request, "EmisesDepuis"),
        issued_until=_bound(request, "EmisesJusqua"),
        cursor=first_text(request, "ref:Curseur"),
    )


def _only(element: etree._Element, paths: Sequence[str]) -> None:
    """Children are those named, at most once each, in that order."""
    allowed = [f"{{{NAMESPACES[prefix]}}}{name}" for prefix, name in (p.split(":") for p in paths)]
    tags = [child.tag for child in elements(element, "*")]
    if [tag for tag in allowed if tag in tags] != tags:
        raise Refusal("Message refusé : le corps a un élément inconnu, répété ou mal placé.")


def _number(request: etree._Element) -> str:
    number = filled(request, "ref:Numero", "Numero")
    if not _NUMBER.fullmatch(number):
        raise Refusal("Message refusé : Numero n'a pas la forme attendue.")
    return number


def _single(element: etree._Element, path: str, what: str) -> str:
    found = values(element, path)
    if len(found) != 1 or not found[0]:
        raise Refusal(f"Message refusé : {what} est absent ou présent plusieurs fois.")
    return found[0]


def _shared(resources: Sequence[etree._Element], path: str, what: str) -> str:
    values = {_single(resource, path, what) for resource in resources}
    if len(values) != 1:
        raise Refusal(f"Message refusé : {what} diffère d'une ligne à l'autre.")
    return values.pop()


def _day(text: str, what: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Refusal(f"Message refusé : {what} n'est pas une date.")


def _bound(request: etree._Element, name: str) -> date | None:
    text = first_text(request, f"ref:{name}")
    return None if text is None else _day(text, name)


def _issue_day(text: str) -> date:
    if "T" in text:
        return paris_day(moment(text, "authoredOn"))
    return _day(text, "authoredOn")

"""What a pharmacy would see of a registered prescription: read from the document, in French.

An illustration of ours, for training and for trust: the pharmacies' own software and its screens
are not public. Read with the sandbox's own XPaths, so that what is wrong in the client's writing
shows here.
"""

from datetime import datetime

from attrs import field, frozen
from lxml import etree

from eprescription_sdk.clock import PARIS
from eprescription_sdk.model.family import DocumentType
from eprescription_sdk.model.flags import HeaderFlag, LineFlag, SubstitutionReason
from eprescription_sdk.sandbox.state import Registration
from eprescription_sdk.sandbox.xpaths import elements, parse, values

_OURS = "urn:eprescription-sdk:fhir:"
_WORDS = (
    "http://hl7.org/fhir/5.0/StructureDefinition/"
    "extension-MedicationRequest.renderedDosageInstruction"
)
_LINES = "f:entry/f:resource/*[self::f:MedicationRequest or self::f:DeviceRequest"
_LINES += " or self::f:ServiceRequest]"
_CONCEPT = "*[self::f:medicationCodeableConcept or self::f:codeCodeableConcept or self::f:code]"
_KINDS = {
    DocumentType.HEALTH_PRODUCTS: "Médicaments et dispositifs médicaux",
    DocumentType.BIOLOGY: "Actes de biologie",
    DocumentType.NURSING: "Soins infirmiers",
    DocumentType.PHYSIOTHERAPY: "Masso-kinésithérapie",
    DocumentType.SPEECH_THERAPY: "Orthophonie",
    DocumentType.ORTHOPTICS: "Orthoptie",
    DocumentType.PODIATRY: "Pédicurie-podologie",
}
_FLAGS = {
    HeaderFlag.BIZONE.value: "ordonnance bizone",
    HeaderFlag.EXCEPTION_MEDICINE.value: "médicaments d'exception",
    HeaderFlag.SECURED.value: "ordonnance sécurisée",
    HeaderFlag.LARGE_EQUIPMENT.value: "grand appareillage",
    HeaderFlag.HOME_EXECUTION.value: "exécution à domicile",
    HeaderFlag.URGENT.value: "urgence",
    HeaderFlag.MILITARY.value: "affection militaire",
    LineFlag.LONG_TERM_ILLNESS.value: "ALD",
    LineFlag.WORK_ACCIDENT.value: "AT/MP",
    LineFlag.PREVENTION.value: "prévention",
    LineFlag.NOT_REIMBURSABLE.value: "non remboursable",
    LineFlag.OFF_LABEL.value: "hors AMM",
}
_REASONS = {
    SubstitutionReason.NARROW_MARGIN.value: "marge thérapeutique étroite",
    SubstitutionReason.CHILD_UNDER_SIX.value: "enfant de moins de six ans",
    SubstitutionReason.CONTRAINDICATION.value: "contre-indication formelle",
}


@frozen(kw_only=True)
class SeenLine:
    """One line as the pharmacy reads it.

    Args:
        label: the product or act.
        words: the posology, or what is prescribed, in words.
        details: what is to be heeded, a few words each.
    """

    label: str = field(repr=False)
    words: str = field(repr=False)
    details: tuple[str, ...] = field(repr=False)


@frozen(kw_only=True)
class SeenPrescription:
    """A registered prescription as the pharmacy reads it; nothing of it shows in a ``repr``.

    Args:
        number: of the prescription.
        registered_at: when, UTC.
        issued: the day it was prescribed, as ``05/02/2026``.
        kind: of document.
        patient: name.
        born: the day of birth, as ``21/12/1945``.
        prescriber: name.
        rpps: of the prescriber.
        flags: what is true of the whole document.
        lines: what is prescribed.
    """

    number: str = field(repr=False)
    registered_at: datetime
    issued: str
    kind: str
    patient: str = field(repr=False)
    born: str = field(repr=False)
    prescriber: str = field(repr=False)
    rpps: str = field(repr=False)
    flags: tuple[str, ...] = field(repr=False)
    lines: tuple[SeenLine, ...] = field(repr=False)


def seen(registration: Registration) -> SeenPrescription:
    """A registration, as the pharmacy reads it."""
    bundle = parse(registration.document)
    born = _first(bundle, "f:entry/f:resource/f:Patient/f:birthDate/@value")
    return SeenPrescription(
        number=registration.number,
        registered_at=registration.registered_at,
        issued=f"{registration.issued_on:%d/%m/%Y}",
        kind=_KINDS[DocumentType(registration.document_type)],
        patient=_name(bundle, "f:entry/f:resource/f:Patient"),
        born="/".join(reversed(born.split("-"))),
        prescriber=_name(bundle, "f:entry/f:resource/f:Practitioner"),
        rpps=registration.prescriber,
        flags=_known(values(bundle, "f:meta/f:tag/f:code/@value")),
        lines=tuple(map(_line, elements(bundle, _LINES))),
    )


def registered_on(prescription: SeenPrescription) -> str:
    """When it was registered, for the eye, in the time of Paris."""
    return f"{prescription.registered_at.astimezone(PARIS):%d/%m/%Y à %H:%M:%S}"


def _line(request: etree._Element) -> SeenLine:
    label = (
        _first(request, f"{_CONCEPT}/f:text/@value")
        or _first(request, f"{_CONCEPT}/f:coding/f:display/@value")
        or _first(request, "f:medicationReference/f:display/@value")
        or "Sans libellé"
    )
    words = (
        _first(request, f"f:extension[@url='{_WORDS}']/f:valueMarkdown/@value")
        or _first(request, f"f:extension[@url='{_OURS}text']/f:valueString/@value")
        or _first(request, "f:dosageInstruction/f:text/@value")
    )
    return SeenLine(label=label, words=words, details=tuple(_details(request)))


def _details(request: etree._Element) -> list[str]:
    flags = f"f:extension[@url='{_OURS}line-flag']/f:valueCoding/f:code/@value"
    found = list(_known(values(request, flags)))
    codes = f"{_CONCEPT}/f:coding/f:code/@value"
    found += (f"code {code}" for code in values(request, codes))
    for path, shown in (
        ("f:dispenseRequest/f:numberOfRepeatsAllowed/@value", "à renouveler {} fois"),
        (f"f:extension[@url='{_OURS}renewals']/f:valueUnsignedInt/@value", "à renouveler {} fois"),
        (f"f:extension[@url='{_OURS}quantity']/f:valuePositiveInt/@value", "quantité : {}"),
        (f"f:extension[@url='{_OURS}rental-days']/f:valuePositiveInt/@value", "location : {} j"),
        ("f:quantityQuantity/f:value/@value", "{} séances"),
    ):
        found += (shown.format(value) for value in values(request, path) if value != "0")
    if "urgent" in values(request, "f:priority/@value"):
        found.append("urgent")
    if "N" in values(request, "f:substitution/f:allowedCodeableConcept/f:coding/f:code/@value"):
        reason = _first(request, "f:substitution/f:reason/f:coding/f:code/@value")
        found.append(f"non substituable ({_REASONS.get(reason, reason)})")
    return found


def _name(bundle: etree._Element, path: str) -> str:
    """The given name and the family name of the first such person."""
    person = elements(bundle, path)[:1]
    parts = [
        value
        for each in person
        for name in ("f:name/f:given/@value", "f:name/f:family/@value")
        for value in values(each, name)
    ]
    return " ".join(parts)


def _first(element: etree._Element, path: str) -> str:
    return next(iter(values(element, path)), "")


def _known(codes: list[str]) -> tuple[str, ...]:
    return tuple(_FLAGS[code] for code in codes if code in _FLAGS)

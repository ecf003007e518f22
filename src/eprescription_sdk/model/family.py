"""Families of prescribed care, their perimeter and their document types.

Source: Cnam, présérie 2025-03, p. 2 (perimeter); code system 1.2.250.1.213.1.1.4.12.
"""

from enum import Enum


class DocumentType(Enum):
    """One digital prescription is of one document type."""

    HEALTH_PRODUCTS = "57833-6"
    BIOLOGY = "PRESC-BIO"
    NURSING = "PRESC-INF"
    PHYSIOTHERAPY = "PRESC-KINE"
    SPEECH_THERAPY = "PRESC-ORTHOPHO"
    ORTHOPTICS = "PRESC-ORTHOPTIE"
    PODIATRY = "PRESC-PEDI"


DOCUMENT_TYPE_OID = "1.2.250.1.213.1.1.4.12"


class Family(Enum):
    """A family of care (*prestation*)."""

    MEDICATION = "medication"
    DEVICE = "device"
    BIOLOGY = "biology"
    NURSING = "nursing"
    PHYSIOTHERAPY = "physiotherapy"
    SPEECH_THERAPY = "speech_therapy"
    ORTHOPTICS = "orthoptics"
    PODIATRY = "podiatry"
    IMAGING = "imaging"
    TRANSPORT = "transport"

    @property
    def document_type(self) -> DocumentType | None:
        """The document type that carries this family; None outside the perimeter."""
        return _DOCUMENT_TYPES.get(self)

    @property
    def in_perimeter(self) -> bool:
        """Whether the service takes this family."""
        return self in _DOCUMENT_TYPES

    @property
    def label_fr(self) -> str:
        """What a prescriber reads."""
        return _LABELS_FR[self]


_DOCUMENT_TYPES = {
    Family.MEDICATION: DocumentType.HEALTH_PRODUCTS,
    Family.DEVICE: DocumentType.HEALTH_PRODUCTS,
    Family.BIOLOGY: DocumentType.BIOLOGY,
    Family.NURSING: DocumentType.NURSING,
    Family.PHYSIOTHERAPY: DocumentType.PHYSIOTHERAPY,
    Family.SPEECH_THERAPY: DocumentType.SPEECH_THERAPY,
    Family.ORTHOPTICS: DocumentType.ORTHOPTICS,
    Family.PODIATRY: DocumentType.PODIATRY,
}

_LABELS_FR = {
    Family.MEDICATION: "médicaments",
    Family.DEVICE: "dispositifs médicaux",
    Family.BIOLOGY: "biologie médicale",
    Family.NURSING: "actes infirmiers",
    Family.PHYSIOTHERAPY: "actes de kinésithérapie",
    Family.SPEECH_THERAPY: "actes d'orthophonie",
    Family.ORTHOPTICS: "actes d'orthoptie",
    Family.PODIATRY: "actes de pédicurie",
    Family.IMAGING: "imagerie",
    Family.TRANSPORT: "transport sanitaire",
}


def paper_documents(families: frozenset[Family]) -> int:
    """How many documents a paper prescription of these families is.

    One for each document type among them; imaging and transport are one each.
    """
    return len({family.document_type or family for family in families})

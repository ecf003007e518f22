"""The eight types of prescription line of the service's perimeter, and the two outside it.

Every line carries the prescriber's own words in ``text``; codes stand beside them. ``repr``
shows no content: a line is health data.
"""

from datetime import date
from enum import Enum
from typing import ClassVar

import attrs

from eprescription_sdk.model.family import Family
from eprescription_sdk.model.flags import LineFlag, Substitution
from eprescription_sdk.model.posology import Dosage, Duration, Quantity
from eprescription_sdk.model.typed import typed


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class Coding:
    """A code of a published system.

    Args:
        system: URI of the code system.
        code: the code.
        display: its label.
    """

    system: str
    code: str
    display: str | None = None

    def __repr__(self) -> str:
        return "Coding(***)"


class CodeSystem:
    """URIs of the code systems that lines use."""

    UCD = "http://data.esante.gouv.fr/ansm/medicament/UCD"
    CIP = "http://data.esante.gouv.fr/ansm/medicament/Presentation"
    CIS = "http://data.esante.gouv.fr/ansm/medicament/SpecialitePharmaceutique"
    LPP = "urn:oid:1.2.250.1.215.200.2.1"
    NABM = "urn:oid:1.2.250.1.213.2.7"
    NGAP = "urn:oid:1.2.250.1.215.200.3.3"
    ATC = "http://www.whocc.no/atc"


class Laterality(Enum):
    """A side of the body."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"


@attrs.frozen(kw_only=True, field_transformer=typed)
class Period:
    """Days between which something holds, both included; None leaves an end open."""

    start: date | None = None
    end: date | None = None


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class Line:
    """What all lines share; a prescription holds lines of the eight types only.

    Args:
        label: what is prescribed, as it is printed.
        text: the prescriber's own words; what is sent and read by the patient.
        codes: codes of the product or act.
        flags: what is true of this line.
        validity: the days between which it may be executed.
        note: a remark for whoever executes it.
        kept: what a FHIR source said beyond this model; opaque, made and read by ``fhir``.
    """

    family: ClassVar[Family]

    label: str
    text: str
    codes: tuple[Coding, ...] = ()
    flags: frozenset[LineFlag] = frozenset()
    validity: Period | None = None
    note: str | None = None
    kept: str | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class SitedLine(Line):
    """What may concern a part of the body.

    Args:
        site: part of the body, in words.
        side: its side, where the act or the device wants it.
    """

    site: str | None = None
    side: Laterality | None = None


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class MedicationLine(Line):
    """A medicine: a product (UCD, CIP, CIS), a virtual medicine or an INN.

    Args:
        dosage: the structured posology, in steps.
        quantity: how much to dispense.
        duration: for how long.
        renewals: how many times it may be dispensed again.
        substitution: whether another brand may be given; None says nothing.
    """

    family = Family.MEDICATION

    dosage: tuple[Dosage, ...] = ()
    quantity: Quantity | None = None
    duration: Duration | None = None
    renewals: int = 0
    substitution: Substitution | None = None


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class DeviceLine(SitedLine):
    """A medical device (LPP).

    Args:
        quantity: how many.
        renewals: how many times it may be delivered again; 0 for none.
        rental_days: length of a rental, in days.
    """

    family = Family.DEVICE

    quantity: int = 1
    renewals: int = 0
    rental_days: int | None = None


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class BiologyLine(SitedLine):
    """A test of medical biology (NABM).

    Args:
        urgent: the one priority the service knows (``UR``).
    """

    family = Family.BIOLOGY

    urgent: bool = False


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class ActLine(SitedLine):
    """Acts of a paramedical profession (NGAP).

    Args:
        sessions: how many.
        duration: over how long.
    """

    sessions: int | None = None
    duration: Duration | None = None


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class NursingLine(ActLine):
    """Nursing acts."""

    family = Family.NURSING


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class PhysiotherapyLine(ActLine):
    """Physiotherapy acts."""

    family = Family.PHYSIOTHERAPY


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class SpeechTherapyLine(ActLine):
    """Speech therapy acts."""

    family = Family.SPEECH_THERAPY


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class OrthopticsLine(ActLine):
    """Orthoptics acts."""

    family = Family.ORTHOPTICS


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class PodiatryLine(ActLine):
    """Podiatry acts."""

    family = Family.PODIATRY


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class ImagingLine(SitedLine):
    """An imaging act: outside the perimeter, so never sent; ``problems()`` says so."""

    family = Family.IMAGING


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class TransportLine(Line):
    """A patient transport: outside the perimeter, so never sent; ``problems()`` says so."""

    family = Family.TRANSPORT


LINE_TYPES: tuple[type[Line], ...] = (
    MedicationLine,
    DeviceLine,
    BiologyLine,
    NursingLine,
    PhysiotherapyLine,
    SpeechTherapyLine,
    OrthopticsLine,
    PodiatryLine,
)

OUTSIDE_TYPES: tuple[type[Line], ...] = (ImagingLine, TransportLine)
"""A platform may hand them over as they are: ``split()`` sets them apart, for paper."""

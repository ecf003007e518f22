"""A prescription: one document type, one prescriber, one patient."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from uuid import uuid4

import attrs

from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.flags import HeaderFlag
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.lines import LINE_TYPES, OUTSIDE_TYPES, Line
from eprescription_sdk.model.people import Patient, Prescriber
from eprescription_sdk.model.problems import Problem
from eprescription_sdk.model.typed import typed
from eprescription_sdk.model.validation import problems_of


def _tuple(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(lines)


def _set(flags: Iterable[HeaderFlag]) -> frozenset[HeaderFlag]:
    return frozenset(flags)


def _lines_only(_: "Prescription", __: object, value: tuple[object, ...]) -> None:
    if not all(type(line) in LINE_TYPES + OUTSIDE_TYPES for line in value):
        raise TypeError("Prescription.lines must hold lines of our own types.")


def _document(line: Line) -> DocumentType | Family:
    """What tells its document from others: outside the perimeter, its family."""
    return line.family.document_type or line.family


class ExecutionReading(Enum):
    """Whether the patient lets the prescriber read what was dispensed."""

    AGREED = "agreed"
    OPPOSED = "opposed"


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class Prescription:
    """What a prescriber orders for a patient.

    Construction checks nothing but types; ``problems()`` reports the rules broken.

    Args:
        prescriber: who, in which practice situation.
        patient: for whom.
        lines: what, in the order of the document.
        execution_reading: the patient's choice; it has no default.
        flags: what is true of the whole document.
        issued_at: when it was written; None stands for the moment of ``create()``.
        reference: the host's own opaque key, bound to one registration; no name, no NIR.
        act: what ties the documents of one consultation together; opaque.
        replaces: number of the prescription that this one replaces.
        renews: number of the prescription that this one renews.
        corrects: number of the refused prescription that this one corrects.
        replaced_prescriber: whom the prescriber stands in for.
    """

    prescriber: Prescriber
    patient: Patient
    lines: tuple[Line, ...] = attrs.field(converter=_tuple, validator=_lines_only)
    execution_reading: ExecutionReading
    flags: frozenset[HeaderFlag] = attrs.field(default=frozenset(), converter=_set)
    issued_at: datetime | None = None
    reference: str | None = None
    act: str | None = None
    replaces: PrescriptionNumber | None = None
    renews: PrescriptionNumber | None = None
    corrects: PrescriptionNumber | None = None
    replaced_prescriber: Prescriber | None = None

    def __repr__(self) -> str:
        return "Prescription(***)"

    @property
    def families(self) -> frozenset[Family]:
        """The families of care among its lines."""
        return frozenset(line.family for line in self.lines)

    @property
    def document_type(self) -> DocumentType | None:
        """Its document type; None while it mixes several or has no line."""
        types = {family.document_type for family in self.families}
        return types.pop() if len(types) == 1 else None

    def problems(self) -> tuple[Problem, ...]:
        """All the rules that it breaks, at once; see ``model.validation``."""
        return problems_of(self)

    def split(self) -> tuple["Prescription", ...]:
        """One prescription for each document type, in the order they first appear.

        The parts share an ``act``, made if there was none, so that they still count as one
        prescribing act. A ``reference`` gets the document type as a suffix: it binds to one
        registration only. Lines outside the perimeter come out as parts of their own, one for
        each family and without a reference: they stay on paper.
        """
        kinds = list(dict.fromkeys(map(_document, self.lines)))
        if len(kinds) < 2:
            return (self,)
        act = self.act or str(uuid4())
        return tuple(
            attrs.evolve(
                self,
                lines=[line for line in self.lines if _document(line) is kind],
                act=act,
                reference=(
                    f"{self.reference}#{kind.value}"
                    if self.reference and isinstance(kind, DocumentType)
                    else None
                ),
            )
            for kind in kinds
        )

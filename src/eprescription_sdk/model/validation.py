"""The rules of a prescription, checked all at once before anything is sent.

Sentences never quote what was prescribed or for whom: only the path and the rule. The table
of codes with cause and cure is in ``docs/prescription-rules.md``.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from stdnum import ean

from eprescription_sdk.model.family import Family
from eprescription_sdk.model.flags import HeaderFlag, LineFlag, SubstitutionReason
from eprescription_sdk.model.lines import (
    ActLine,
    CodeSystem,
    Coding,
    DeviceLine,
    Line,
    MedicationLine,
    Period,
)
from eprescription_sdk.model.people import AnonymousPatient
from eprescription_sdk.model.posology import Dosage
from eprescription_sdk.model.problems import Level, Problem
from eprescription_sdk.model.sealed import unseal
from eprescription_sdk.model.secured import secured
from eprescription_sdk.model.soundness import is_code, is_uri, unsound

if TYPE_CHECKING:
    from eprescription_sdk.model.people import Patient, Prescriber
    from eprescription_sdk.model.prescription import Prescription


def _error(code: str, path: str, text: str, text_fr: str) -> Problem:
    return Problem(level=Level.ERROR, code=code, path=path, text=text, text_fr=text_fr)


def _warning(code: str, path: str, text: str, text_fr: str) -> Problem:
    return Problem(level=Level.WARNING, code=code, path=path, text=text, text_fr=text_fr)


def problems_of(prescription: "Prescription") -> tuple[Problem, ...]:
    """All the rules that a prescription breaks: people, header, then line by line."""
    return (
        *_people(prescription),
        *_header(prescription),
        *_document(prescription),
        *(
            problem
            for index, line in enumerate(prescription.lines)
            for problem in _line(line, f"lines[{index}]")
        ),
        *secured(prescription),
        *unsound(prescription),
    )


def _identifier(problem: str | None, path: str, text_fr: str) -> Iterator[Problem]:
    if problem:
        yield _error("RX-IDENTIFIER", path, problem, text_fr)


def _people(prescription: "Prescription") -> Iterator[Problem]:
    yield from _prescriber(prescription.prescriber, "prescriber")
    if prescription.replaced_prescriber is not None:
        yield from _prescriber(prescription.replaced_prescriber, "replaced_prescriber")
    yield from _patient(prescription.patient)


def _patient(patient: "Patient") -> Iterator[Problem]:
    if isinstance(patient, AnonymousPatient):
        yield _error(
            "RX-ANONYMOUS", "patient",
            "How the service takes anonymous care is not public: it is not sent.",
            "Soins anonymes : cette ordonnance reste sur papier, sans identité.",
        )  # fmt: skip
        return
    yield from _identifier(patient.ins.problem(), "patient.ins", "L'INS du patient est invalide.")
    yield from _wording(patient.family_name, "patient.family_name")
    yield from _wording(patient.given_name, "patient.given_name")


@lru_cache(maxsize=256)
def _prescriber(prescriber: "Prescriber", path: str) -> tuple[Problem, ...]:
    # A practitioner writes many prescriptions.
    return tuple(_prescriber_problems(prescriber, path))


def _prescriber_problems(prescriber: "Prescriber", path: str) -> Iterator[Problem]:
    yield from _identifier(
        prescriber.rpps.problem(), f"{path}.rpps", "Le numéro RPPS du prescripteur est invalide."
    )
    yield from _wording(prescriber.family_name, f"{path}.family_name")
    yield from _wording(prescriber.given_name, f"{path}.given_name")
    yield from _wording(prescriber.situation.id, f"{path}.situation.id")
    yield from _identifier(
        prescriber.situation.finess.problem(),
        f"{path}.situation.finess",
        "Le numéro FINESS de la situation d'exercice est invalide.",
    )


def _header(prescription: "Prescription") -> Iterator[Problem]:
    if prescription.issued_at is not None and prescription.issued_at.utcoffset() is None:
        yield _error(
            "RX-NAIVE-TIME", "issued_at", "The time of issue has no time zone.",
            "L'heure de l'ordonnance est sans fuseau horaire.",
        )  # fmt: skip
    for path in ("replaces", "renews", "corrects"):
        number = getattr(prescription, path)
        if number is not None:
            yield from _identifier(
                number.problem(), path, "Le numéro d'ordonnance cité est invalide."
            )
    long_term = any(LineFlag.LONG_TERM_ILLNESS in line.flags for line in prescription.lines)
    if long_term and HeaderFlag.BIZONE not in prescription.flags:
        yield _warning(
            "RX-BIZONE-MISSING", "flags",
            "A line concerns a long-term illness but the document is not marked bizone.",
            "Une ligne relève d'une ALD : l'ordonnance devrait être bizone.",
        )  # fmt: skip
    elif HeaderFlag.BIZONE in prescription.flags and not long_term:
        yield _warning(
            "RX-BIZONE-EMPTY", "flags",
            "The document is marked bizone but no line concerns a long-term illness.",
            "L'ordonnance est bizone, mais aucune ligne ne relève d'une ALD.",
        )  # fmt: skip


def _document(prescription: "Prescription") -> Iterator[Problem]:
    if not prescription.lines:
        yield _error(
            "RX-NO-LINE", "lines", "A prescription has at least one line.",
            "L'ordonnance ne contient aucune ligne.",
        )  # fmt: skip
    elif len({line.family.document_type or line.family for line in prescription.lines}) > 1:
        yield _error(
            "RX-MIXED-DOCUMENT", "lines",
            "The lines belong to several document types; split() separates them.",
            "L'ordonnance mélange plusieurs types de prescription : il en faut une par type.",
        )  # fmt: skip


_OUTSIDE = {
    Family.IMAGING: ("Imaging acts are", "Les actes d'imagerie sont"),
    Family.TRANSPORT: ("Patient transport is", "Le transport sanitaire est"),
}


def _line(line: Line, path: str) -> Iterator[Problem]:
    if not line.family.in_perimeter:
        text, text_fr = _OUTSIDE[line.family]
        yield _error(
            "RX-OUT-OF-PERIMETER", path,
            f"{text} outside the perimeter of the service: split() sets the line apart for paper.",
            f"{text_fr} hors du périmètre de l'ordonnance numérique : à prescrire sur papier.",
        )  # fmt: skip
        return
    yield from _wording(line.label, f"{path}.label")
    yield from _wording(line.text, f"{path}.text")
    for index, coding in enumerate(line.codes):
        yield from _coding(coding, f"{path}.codes[{index}]", line.family)
    validity = line.validity
    if validity == Period():
        yield _error(
            "RX-EMPTY", f"{path}.validity", "A validity has a start or an end.",
            "La période de validité est vide.",
        )  # fmt: skip
    if validity and validity.start and validity.end and validity.end < validity.start:
        yield from _range(f"{path}.validity.end")
    yield from _kept(line.kept, f"{path}.kept")
    if isinstance(line, MedicationLine):
        yield from _medication(line, path)
    elif isinstance(line, DeviceLine):
        yield from _count(line.quantity, f"{path}.quantity", least=1)
        yield from _count(line.renewals, f"{path}.renewals", least=0)
        yield from _count(line.rental_days, f"{path}.rental_days", least=1)
    elif isinstance(line, ActLine):
        yield from _count(line.sessions, f"{path}.sessions", least=1)


def _wording(value: str, path: str) -> Iterator[Problem]:
    # A text that is quite empty is no sound value: see `soundness`.
    if value and not value.strip():
        yield _error("RX-EMPTY", path, "This text is mandatory.", "Ce texte est obligatoire.")


_CODE_RULES = {
    CodeSystem.CIS: re.compile(r"\d{8}", re.ASCII),
    CodeSystem.CIP: re.compile(r"\d{13}", re.ASCII),
    CodeSystem.UCD: re.compile(r"\d{7}|\d{13}", re.ASCII),
    CodeSystem.LPP: re.compile(r"\d{7}", re.ASCII),
    CodeSystem.NABM: re.compile(r"\d{4}", re.ASCII),
}


_PRODUCTS = (Family.MEDICATION, Family.DEVICE)
_ACTS = tuple(family for family in Family if family.in_perimeter and family not in _PRODUCTS)
_CODE_FAMILIES = {
    CodeSystem.ATC: (Family.MEDICATION,),
    CodeSystem.CIP: (Family.MEDICATION,),
    CodeSystem.CIS: (Family.MEDICATION,),
    CodeSystem.UCD: (Family.MEDICATION,),
    CodeSystem.LPP: _PRODUCTS,
    CodeSystem.NABM: (Family.BIOLOGY,),
    CodeSystem.NGAP: _ACTS,
}


def _coding(coding: Coding, path: str, family: Family) -> Iterator[Problem]:
    if family not in _CODE_FAMILIES.get(coding.system, (family,)):
        yield _warning(
            "RX-CODE-FAMILY", f"{path}.system", "This code system is that of another family.",
            "Ce code est celui d'une autre famille de prescription.",
        )  # fmt: skip
    rule = _CODE_RULES.get(coding.system)
    well_formed = rule is None or rule.fullmatch(coding.code) is not None
    if well_formed and coding.system in (CodeSystem.CIP, CodeSystem.UCD) and len(coding.code) == 13:
        well_formed = bool(ean.is_valid(coding.code))
    if not is_uri(coding.system):
        yield _error(
            "RX-CODE", f"{path}.system", "A code system is a URI.",
            "Ce code de produit ou d'acte est invalide.",
        )  # fmt: skip
    if not is_code(coding.code) or not well_formed:
        yield _error(
            "RX-CODE", f"{path}.code", "The code does not follow the rule of its system.",
            "Ce code de produit ou d'acte est invalide.",
        )  # fmt: skip


def _medication(line: MedicationLine, path: str) -> Iterator[Problem]:
    yield from _count(line.renewals, f"{path}.renewals", least=0)
    if line.substitution and not line.substitution.allowed and not line.substitution.reason:
        choices = ", ".join(reason.value for reason in SubstitutionReason)
        yield _error(
            "RX-SUBSTITUTION-REASON", f"{path}.substitution.reason",
            f"A refused substitution needs its reason: {choices}.",
            "« Non substituable » demande un motif (MTE, EFG ou CIF).",
        )  # fmt: skip
    for index, dosage in enumerate(line.dosage):
        yield from _dosage(dosage, f"{path}.dosage[{index}]")


def _dosage(dosage: Dosage, path: str) -> Iterator[Problem]:
    yield from _count(dosage.sequence, f"{path}.sequence", least=1)
    yield from _count(dosage.frequency, f"{path}.frequency", least=1)
    yield from _count(dosage.frequency_max, f"{path}.frequency_max", least=1)
    yield from _count(dosage.offset, f"{path}.offset", least=0)
    yield from _count(dosage.count, f"{path}.count", least=1)
    for name in ("every", "duration"):
        low, high = getattr(dosage, name), getattr(dosage, f"{name}_max")
        if high and (not low or low.unit is not high.unit or _below(high.value, low.value)):
            yield from _range(f"{path}.{name}_max")
    if dosage.frequency_max is not None and (
        dosage.frequency is None or dosage.frequency_max < dosage.frequency
    ):
        yield from _range(f"{path}.frequency_max")
    if dosage.dose_high and (not dosage.dose or _below(dosage.dose_high.value, dosage.dose.value)):
        yield from _range(f"{path}.dose_high")
    if dosage.as_needed_reason and not dosage.as_needed:
        yield _error(
            "RX-AS-NEEDED", f"{path}.as_needed", "A reason of need without 'as needed'.",
            "Un motif « si besoin » est donné sans « si besoin ».",
        )  # fmt: skip
    yield from _kept(dosage.kept, f"{path}.kept")


def _range(path: str) -> Iterator[Problem]:
    yield _error(
        "RX-RANGE", path, "A high end goes with a low end, in the same unit and not below it.",
        "La valeur haute doit dépasser la valeur basse, dans la même unité.",
    )  # fmt: skip


def _below(high: Decimal, low: Decimal) -> bool:
    # Comparing a NaN raises; that it is one is reported as RX-QUANTITY.
    return high.is_finite() and low.is_finite() and high < low


_MOST = 9999


def _count(value: int | None, path: str, *, least: int) -> Iterator[Problem]:
    if value is not None and not least <= value <= _MOST:
        yield _error(
            "RX-COUNT", path, f"This count is from {least} to {_MOST}.",
            f"Ce nombre doit être compris entre {least} et {_MOST}.",
        )  # fmt: skip


_ENDED = ("cancelled", "completed", "entered-in-error", "ended", "revoked", "stopped")


def _kept(kept: str | None, path: str) -> Iterator[Problem]:
    if kept is None:
        return
    try:
        ended = _ended(json.loads(unseal(kept))["differs"])
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        yield _error(
            "RX-KEPT", path, "What was kept of a FHIR source has been changed by hand.",
            "Les données d'origine de cette ligne sont illisibles.",
        )  # fmt: skip
        return
    if ended or '"modifierExtension":' in kept:
        yield _error(
            "RX-MODIFIER", path,
            "The FHIR source says that the line is ended, or changes what it means.",
            "La ligne d'origine est close, ou assortie d'une condition qui en change le sens.",
        )  # fmt: skip


def _ended(differs: dict[str, Any]) -> bool:
    """Whether the source says that the line must not be carried out, or not as it reads."""
    theirs = {key: node[1] for key, node in differs.items() if isinstance(node, list)}
    never = theirs.get("doNotPerform") or theirs.get("implicitRules")
    return bool(never or theirs.get("status") in _ENDED)

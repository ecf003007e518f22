"""The rules of a prescription, checked all at once before anything is sent.

Sentences never quote what was prescribed or for whom: only the path and the rule. The table
of codes with cause and cure is in ``docs/prescription-rules.md``.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
from stdnum import ean

from eprescription_sdk.model.flags import HeaderFlag, LineFlag, SubstitutionReason
from eprescription_sdk.model.lines import (
    ActLine,
    CodeSystem,
    Coding,
    DeviceLine,
    Line,
    MedicationLine,
)
from eprescription_sdk.model.posology import Dosage, Duration, Quantity
from eprescription_sdk.model.problems import Level, Problem

if TYPE_CHECKING:
    from eprescription_sdk.model.people import Prescriber
    from eprescription_sdk.model.prescription import Prescription


def _error(code: str, path: str, text: str, text_fr: str) -> Problem:
    return Problem(level=Level.ERROR, code=code, path=path, text=text, text_fr=text_fr)


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
        *_values(prescription, ""),
    )


def _identifier(problem: str | None, path: str, text_fr: str) -> Iterator[Problem]:
    if problem:
        yield _error("RX-IDENTIFIER", path, problem, text_fr)


def _people(prescription: "Prescription") -> Iterator[Problem]:
    patient = prescription.patient
    yield from _prescriber(prescription.prescriber, "prescriber")
    if prescription.replaced_prescriber is not None:
        yield from _prescriber(prescription.replaced_prescriber, "replaced_prescriber")
    yield from _identifier(patient.ins.problem(), "patient.ins", "L'INS du patient est invalide.")
    yield from _wording(patient.family_name, "patient.family_name")
    yield from _wording(patient.given_name, "patient.given_name")


def _prescriber(prescriber: "Prescriber", path: str) -> Iterator[Problem]:
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
    if HeaderFlag.BIZONE not in prescription.flags and any(
        LineFlag.LONG_TERM_ILLNESS in line.flags for line in prescription.lines
    ):
        yield Problem(
            level=Level.WARNING,
            code="RX-BIZONE-MISSING",
            path="flags",
            text="A line concerns a long-term illness but the document is not marked bizone.",
            text_fr="Une ligne relève d'une ALD : l'ordonnance devrait être bizone.",
        )


def _document(prescription: "Prescription") -> Iterator[Problem]:
    if not prescription.lines:
        yield _error(
            "RX-NO-LINE", "lines", "A prescription has at least one line.",
            "L'ordonnance ne contient aucune ligne.",
        )  # fmt: skip
    elif prescription.document_type is None:
        yield _error(
            "RX-MIXED-DOCUMENT", "lines",
            "The lines belong to several document types; split() separates them.",
            "L'ordonnance mélange plusieurs types de prescription : il en faut une par type.",
        )  # fmt: skip


def _line(line: Line, path: str) -> Iterator[Problem]:
    yield from _wording(line.label, f"{path}.label")
    yield from _wording(line.text, f"{path}.text")
    for index, coding in enumerate(line.codes):
        yield from _coding(coding, f"{path}.codes[{index}]")
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
    if not value.strip():
        yield _error("RX-EMPTY", path, "This text is mandatory.", "Ce texte est obligatoire.")


_CODE_RULES = {
    CodeSystem.CIS: re.compile(r"\d{8}", re.ASCII),
    CodeSystem.CIP: re.compile(r"\d{13}", re.ASCII),
    CodeSystem.UCD: re.compile(r"\d{7}|\d{13}", re.ASCII),
    CodeSystem.LPP: re.compile(r"\d{7}", re.ASCII),
    CodeSystem.NABM: re.compile(r"\d{4}", re.ASCII),
}


def _coding(coding: Coding, path: str) -> Iterator[Problem]:
    rule = _CODE_RULES.get(coding.system)
    well_formed = rule is None or rule.fullmatch(coding.code) is not None
    if well_formed and coding.system in (CodeSystem.CIP, CodeSystem.UCD) and len(coding.code) == 13:
        well_formed = bool(ean.is_valid(coding.code))
    if not coding.code.strip() or not well_formed:
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
        "RX-RANGE", path, "The high end of a range is above its low end.",
        "La valeur haute doit dépasser la valeur basse.",
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


# FHIR elements that change what the rest of a resource means.
_MODIFIERS = ("doNotPerform", "implicitRules", "modifierExtension")
_ENDED = ("cancelled", "completed", "entered-in-error", "ended", "revoked", "stopped")


def _kept(kept: str | None, path: str) -> Iterator[Problem]:
    if kept is None:
        return
    try:
        differs = json.loads(kept)["differs"]
        modified = any(differs.get(key, [None, None])[1] for key in _MODIFIERS)
        ended = differs.get("status", [None, None])[1] in _ENDED
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        yield _error(
            "RX-KEPT", path, "What was kept of a FHIR source cannot be read.",
            "Les données d'origine de cette ligne sont illisibles.",
        )  # fmt: skip
        return
    if modified or ended:
        yield _error(
            "RX-MODIFIER", path,
            "The FHIR source says that the line is ended, or changes what it means.",
            "La ligne d'origine est close, ou assortie d'une condition qui en change le sens.",
        )  # fmt: skip


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MOST_DIGITS = 15


def _sound(root: Any) -> bool:
    """Whether ``_values`` has nothing to say; most often so, and then quickly."""
    texts: list[str] = []
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, tuple):
            waiting += value
        elif isinstance(value, (Quantity, Duration)) and not _measurable(value.value):
            return False
        else:
            # None, and empty texts and tuples, are sound.
            waiting += filter(None, [getattr(value, name) for name in _names(type(value))])
    return not _CONTROL.search("\n".join(texts))


def _values(value: Any, path: str) -> Iterator[Problem]:
    """Texts that no document can carry, and numbers that are none, wherever they stand."""
    if _sound(value):
        return
    if isinstance(value, str):
        yield _error(
            "RX-CONTROL-CHARACTER", path, "This text holds a control character.",
            "Ce texte contient un caractère de contrôle.",
        )  # fmt: skip
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _values(item, f"{path}[{index}]")
    else:
        if isinstance(value, (Quantity, Duration)) and not _measurable(value.value):
            yield _error(
                "RX-QUANTITY", f"{path}.value",
                f"A quantity is a positive number of at most {_MOST_DIGITS} digits.",
                "Une quantité doit être un nombre positif.",
            )  # fmt: skip
        for name in _names(type(value)):
            yield from _values(getattr(value, name), f"{path}.{name}" if path else name)


def _measurable(number: Decimal) -> bool:
    if not number.is_finite() or number <= 0:
        return False
    digits = len(number.as_tuple().digits)
    return digits <= _MOST_DIGITS and -_MOST_DIGITS <= number.adjusted() <= _MOST_DIGITS


_FIELDS: dict[type, tuple[str, ...]] = {}


def _names(kind: type) -> tuple[str, ...]:
    """The fields of our own classes; other values, such as dates, have no parts."""
    names = _FIELDS.get(kind)
    if names is None:
        fields = attrs.fields(kind) if attrs.has(kind) else ()
        names = _FIELDS[kind] = tuple(field.name for field in fields)
    return names

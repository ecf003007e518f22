"""A prescription from a FHIR R4 Bundle: each request becomes a line.

What a request says beyond the model is kept with its line, and comes out again unchanged. Only
the narrative is dropped: it repeats the rest, and would be stale after the first change.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import attrs

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.fhir import names
from eprescription_sdk.fhir.dosage import (
    read_concept,
    read_dosages,
    read_duration,
    read_quantity,
)
from eprescription_sdk.fhir.kept import remember
from eprescription_sdk.fhir.people import read_patient, read_practitioner
from eprescription_sdk.fhir.references import References, named, one_patient, sifted
from eprescription_sdk.fhir.write import write_line
from eprescription_sdk.fhir.xml_form import check
from eprescription_sdk.model.flags import HeaderFlag, LineFlag, Substitution, SubstitutionReason
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.lines import (
    LINE_TYPES,
    ActLine,
    BiologyLine,
    Coding,
    DeviceLine,
    Laterality,
    Line,
    MedicationLine,
    Period,
)
from eprescription_sdk.model.people import Patient, Prescriber
from eprescription_sdk.model.prescription import ExecutionReading, Prescription

_REQUESTS = ("MedicationRequest", "DeviceRequest", "ServiceRequest")


def prescription_from_fhir(
    bundle: dict[str, Any],
    *,
    prescriber: Prescriber | None = None,
    patient: Patient | None = None,
    execution_reading: ExecutionReading | None = None,
) -> Prescription:
    """A prescription from a JSON-ready Bundle of requests.

    Requests become lines, in their order; a Medication that one refers to stays with it. Other
    entries are left aside, save orders that are no line of a prescription: those are refused. A
    prescription number in the Bundle is not taken over, since a prescription gets its number
    when it is created: ``number_from_fhir`` reads it.

    Args:
        bundle: the Bundle; numbers may be int, float or Decimal.
        prescriber: who prescribes; None reads the prescriber that our own Bundles carry.
        patient: for whom; None reads the patient that our own Bundles carry.
        execution_reading: the patient's choice; None reads it from a Bundle of our own.

    Raises:
        InvalidInput: not such a Bundle, one for several patients or another patient, or one
            with an act outside the perimeter; with the path. Values are never quoted.
    """
    bundle = sifted(bundle)
    check(bundle)
    resources = [
        (f"$.entry[{index}].resource", entry["resource"])
        for index, entry in enumerate(bundle.get("entry", []))
        if "resource" in entry
    ]
    requests = [each for each in resources if each[1]["resourceType"] in _REQUESTS]
    if bundle["resourceType"] != "Bundle" or not requests:
        raise _refusal("$", "a Bundle with at least one request is expected")
    header = _Header(bundle, resources)
    shell = Prescription(
        prescriber=prescriber or header.prescriber(),
        patient=patient or header.patient(),
        lines=(),
        execution_reading=execution_reading or header.execution_reading(),
        flags=header.flags(),
        issued_at=_issued_at(requests[0][1].get("authoredOn")),
        replaces=header.number(names.REPLACES),
        renews=header.number(names.RENEWS),
        replaced_prescriber=header.replaced_prescriber(),
    )
    references = References(bundle["entry"])
    one_patient(requests, shell.patient, references)
    return attrs.evolve(
        shell, lines=[_line(source, path, shell, references) for path, source in requests]
    )


def number_from_fhir(bundle: dict[str, Any]) -> PrescriptionNumber | None:
    """The prescription number that ties the requests of a Bundle; None if there is none.

    Raises:
        InvalidInput: not a Bundle, or requests tied by several numbers.
    """
    bundle = sifted(bundle)
    check(bundle)
    found = {
        tie["value"]
        for entry in bundle.get("entry", [])
        for key in ("groupIdentifier", "requisition")
        if (tie := entry.get("resource", {}).get(key, {})).get("system")
        == names.PRESCRIPTION_NUMBER
        and "value" in tie
    }
    if len(found) > 1:
        raise _refusal("$.entry", "the requests are tied by several prescription numbers")
    return PrescriptionNumber(found.pop()) if found else None


def _refusal(path: str, sentence: str) -> InvalidInput:
    return InvalidInput("The FHIR Bundle cannot be read.", findings=[(path, sentence)])


# --- The document -----------------------------------------------------------------------------


class _Header:
    """What a Bundle of our own says of the whole document."""

    def __init__(self, bundle: dict[str, Any], resources: list[tuple[str, Any]]) -> None:
        self._meta = bundle.get("meta", {})
        self._resources = resources

    def prescriber(self) -> Prescriber:
        path, source = self._resource("Practitioner", names.PRESCRIBER_ID)
        return read_practitioner(source, path)

    def replaced_prescriber(self) -> Prescriber | None:
        found = self._find("Practitioner", names.REPLACED_PRESCRIBER_ID)
        return read_practitioner(found[1], found[0]) if found else None

    def patient(self) -> Patient:
        path, source = self._resource("Patient", names.PATIENT_ID)
        return read_patient(source, path)

    def execution_reading(self) -> ExecutionReading:
        value = self._extension(names.EXECUTION_READING, "valueCode")
        try:
            return ExecutionReading(value)
        except ValueError:
            pass
        raise _refusal("$.meta.extension", "the patient's choice (execution reading) is expected")

    def flags(self) -> frozenset[HeaderFlag]:
        codes = [
            tag.get("code") for tag in self._meta.get("tag", []) if tag.get("system") == names.FLAG
        ]
        try:
            return frozenset(HeaderFlag(code) for code in codes)
        except ValueError:
            pass
        raise _refusal("$.meta.tag", "a flag of the document that is not known")

    def number(self, url: str) -> PrescriptionNumber | None:
        value = self._extension(url, "valueIdentifier")
        if value is None:
            return None
        if "value" not in value:
            raise _refusal("$.meta.extension", "a prescription number is expected")
        return PrescriptionNumber(value["value"])

    def _extension(self, url: str, value: str) -> Any:
        found = (each.get(value) for each in self._meta.get("extension", []) if each["url"] == url)
        return next(found, None)

    def _find(self, kind: str, resource_id: str) -> tuple[str, Any] | None:
        for path, source in self._resources:
            if source["resourceType"] == kind and source.get("id") == resource_id:
                return path, source
        return None

    def _resource(self, kind: str, resource_id: str) -> tuple[str, Any]:
        found = self._find(kind, resource_id)
        if found is None:
            raise _refusal(
                "$.entry", f"no {kind} of our own making; give the {resource_id} as an argument"
            )
        return found


def _issued_at(text: str | None) -> datetime | None:
    """The time of issue; None where the source gives a day without a time."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


# --- One line ---------------------------------------------------------------------------------


def _line(source: dict[str, Any], path: str, shell: Prescription, references: References) -> Line:
    try:
        return _read_line(source, path, shell, references)
    except InvalidInput as error:
        # A number that JSON cannot carry does not know where it stands.
        refusal = error if error.findings else _refusal(path, error.message)
    raise refusal


def _read_line(
    source: dict[str, Any], path: str, shell: Prescription, references: References
) -> Line:
    source = dict(source)
    for tie in ("groupIdentifier", "requisition"):
        if source.get(tie, {}).get("system") == names.PRESCRIPTION_NUMBER:
            del source[tie]
    further: dict[str, dict[str, Any]] = {}
    line: Line
    if source["resourceType"] == "MedicationRequest":
        medication, further = references.medication(source)
        line = _read_medication(source, medication, path)
    elif source["resourceType"] == "DeviceRequest":
        line = _read_device(source, path)
    else:
        line = _read_service(source, path)
    kept = remember(
        write_line(line, shell, None, path),
        source,
        further.values(),
        always="authoredOn" not in source,
    )
    return attrs.evolve(line, kept=kept)


def _shared(source: dict[str, Any], concept: dict[str, Any], text: str, path: str) -> Any:
    notes = source.get("note", [])
    codings = concept.get("coding", [])
    return {
        "label": read_concept(concept) or next((code.get("code", "") for code in codings), ""),
        "text": text,
        "codes": tuple(
            Coding(system=code["system"], code=code["code"], display=code.get("display"))
            for code in codings
            if "system" in code and "code" in code
        ),
        "flags": frozenset(_flags(source, path)),
        "validity": _period(
            source.get("dispenseRequest", {}).get("validityPeriod")
            or _value(source, names.VALIDITY, "valuePeriod")
        ),
        "note": notes[0].get("text") if len(notes) == 1 else None,
    }


def _flags(source: dict[str, Any], path: str) -> Iterator[LineFlag]:
    for index, each in enumerate(source.get("extension", [])):
        if each["url"] == names.LINE_FLAG:
            try:
                yield LineFlag(each.get("valueCoding", {}).get("code"))
            except ValueError:
                where = f"{path}.extension[{index}]"
                raise _refusal(where, "a flag of a line that is not known") from None


def _period(source: dict[str, Any] | None) -> Period | None:
    """Days; None where the source is more exact than days, or less."""
    if not source or not source.keys() <= {"start", "end"}:
        return None
    try:
        days = {name: date.fromisoformat(text) for name, text in source.items()}
    except ValueError:
        return None
    same = all(day.isoformat() == source[name] for name, day in days.items())
    return Period(**days) if same else None


def _side(source: dict[str, Any]) -> Laterality | None:
    code = _value(source, names.SIDE, "valueCode")
    return next((side for side in Laterality if side.value == code), None)


def _value(source: dict[str, Any], url: str, name: str) -> Any:
    found = (each.get(name) for each in source.get("extension", []) if each["url"] == url)
    return next(found, None)


def _read_medication(source: dict[str, Any], concept: dict[str, Any], path: str) -> MedicationLine:
    dosages = source.get("dosageInstruction", [])
    words = [each["text"] for each in dosages if "text" in each]
    text = _value(source, names.RENDERED_DOSAGE, "valueMarkdown") or "\n".join(words)
    dispense = source.get("dispenseRequest", {})
    return MedicationLine(
        **_shared(source, concept, text, path),
        dosage=read_dosages(dosages, text),
        quantity=read_quantity(dispense.get("quantity")),
        duration=read_duration(dispense.get("expectedSupplyDuration")),
        renewals=dispense.get("numberOfRepeatsAllowed", 0),
        substitution=_substitution(source.get("substitution", {})),
    )


def _substitution(source: dict[str, Any]) -> Substitution | None:
    allowed = source.get("allowedBoolean")
    for coding in source.get("allowedCodeableConcept", {}).get("coding", []):
        if coding.get("system") in names.SUBSTITUTION_SYSTEMS:
            allowed = {"G": True, "N": False}.get(coding.get("code"))
    if allowed is None:
        return None
    codes = [coding.get("code") for coding in source.get("reason", {}).get("coding", [])]
    reasons = [reason for reason in SubstitutionReason if reason.value in codes]
    return Substitution(allowed=allowed, reason=reasons[0] if len(reasons) == 1 else None)


def _read_device(source: dict[str, Any], path: str) -> DeviceLine:
    concept = source.get("codeCodeableConcept") or named(None, source.get("codeReference", {}))
    text = _value(source, names.TEXT, "valueString") or ""
    quantity = _value(source, names.QUANTITY, "valuePositiveInt")
    return DeviceLine(
        **_shared(source, concept, text, path),
        quantity=1 if quantity is None else quantity,
        renewals=_value(source, names.RENEWALS, "valueUnsignedInt") or 0,
        rental_days=_value(source, names.RENTAL_DAYS, "valuePositiveInt"),
        site=_value(source, names.SITE, "valueString"),
        side=_side(source),
    )


_BY_CATEGORY = {
    kind.family.document_type.value: kind
    for kind in LINE_TYPES
    if kind.family.document_type and issubclass(kind, (ActLine, BiologyLine))
}


def _read_service(source: dict[str, Any], path: str) -> Line:
    kinds = [
        kind
        for category in source.get("category", [])
        for coding in category.get("coding", [])
        if coding.get("system") == names.DOCUMENT_TYPE
        and (kind := _BY_CATEGORY.get(coding.get("code")))
    ]
    if len(kinds) != 1:
        raise _refusal(f"{path}.category", _outside(source))
    sites = source.get("bodySite", [])
    text = _value(source, names.TEXT, "valueString") or ""
    shared = _shared(source, source.get("code", {}), text, path)
    shared |= {"site": sites[0].get("text") if len(sites) == 1 else None, "side": _side(source)}
    if issubclass(kinds[0], BiologyLine):
        return BiologyLine(**shared, urgent=source.get("priority") == "urgent")
    act: type[ActLine] = kinds[0]
    sessions = source.get("quantityQuantity", {}).get("value")
    repeat = source.get("occurrenceTiming", {}).get("repeat", {})
    return act(
        **shared,
        sessions=int(sessions) if sessions is not None and sessions == int(sessions) else None,
        duration=read_duration(repeat.get("boundsDuration")),
    )


_IMAGING = re.compile(
    r"imag|radio|scanner|tomo|irm\b|mri\b|[ée]chogra|ultraso|x-ray", re.IGNORECASE
)
_TRANSPORT = re.compile(r"transport|ambulanc|vsl\b|taxi", re.IGNORECASE)


def _outside(source: dict[str, Any]) -> str:
    """Why an act is no line of the service, as far as its own words tell."""
    words = " ".join(
        word
        for concept in (*source.get("category", []), source.get("code", {}))
        for word in (
            concept.get("text", ""),
            *(coding.get("display", "") for coding in concept.get("coding", [])),
        )
    )
    found = "the act has no single document type of the service's perimeter"
    if _IMAGING.search(words):
        found = "the act looks like imaging"
    elif _TRANSPORT.search(words):
        found = "the act looks like patient transport"
    return f"{found}; imaging acts and patient transport are outside it and stay on paper"

"""A prescription as a FHIR R4 Bundle: one request for each line.

Medicines follow the national profile ``fr-medicationrequest`` (ANS, ePrescription
1.1.0-ballot); devices and acts, which the guide does not cover, are a DeviceRequest and
ServiceRequests of our own cut. Without a number the Bundle holds the requests alone. With one
it is the document that is sent: the number ties the requests together, and who prescribes for
whom is written out.
"""

from typing import Any

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.fhir import names
from eprescription_sdk.fhir.dosage import write_dosages, write_duration, write_quantity
from eprescription_sdk.fhir.kept import restore
from eprescription_sdk.fhir.people import (
    write_patient,
    write_practitioner,
    write_requester,
    write_subject,
)
from eprescription_sdk.model.flags import Substitution
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.lines import (
    ActLine,
    BiologyLine,
    DeviceLine,
    Line,
    MedicationLine,
    Period,
    SitedLine,
)
from eprescription_sdk.model.people import AnonymousPatient
from eprescription_sdk.model.prescription import Prescription

# In the document that is sent, the model's word stands on these, whatever a source said.
_ADMINISTRATIVE = frozenset(
    {"authoredOn", "groupIdentifier", "requester", "requisition", "status", "subject"}
)


def prescription_to_fhir(
    prescription: Prescription, *, number: PrescriptionNumber | None = None
) -> dict[str, Any]:
    """A prescription as a JSON-ready Bundle.

    ``reference``, ``act`` and ``corrects`` are the host's and stay out of it.

    Args:
        prescription: with its time of issue.
        number: its number, for the document that is sent; None leaves out number and people,
            and gives an imported prescription back as it came.

    Raises:
        InvalidInput: without a time of issue, with a line outside the service's perimeter, for
            anonymous care, or with content that FHIR cannot carry.
    """
    if isinstance(prescription.patient, AnonymousPatient):
        raise InvalidInput(
            "Anonymous care is not written as FHIR: there is no identity to write.",
            path="patient",
            way_out="Keep it on paper (RX-ANONYMOUS).",
        )
    entries = []
    further: list[dict[str, Any]] = []
    for index, line in enumerate(prescription.lines):
        path = f"lines[{index}]"
        resource = write_line(line, prescription, number, path)
        beside = restore(
            resource,
            line.kept,
            f"{path}.kept",
            without=() if number is None else _ADMINISTRATIVE,
        )
        if "authoredOn" not in resource and (number is not None or line.kept is None):
            raise InvalidInput(
                "A prescription needs its time of issue before it is written as FHIR.",
                path="issued_at",
                way_out="Set issued_at, with its time zone.",
            )
        entries.append({"resource": resource})
        if "medicationReference" in resource:
            # Two lines may refer to one medication.
            further += (entry for entry in beside if entry not in further)
    entries += further
    if number is not None:
        practitioner = write_practitioner(prescription.prescriber, names.PRESCRIBER_ID)
        entries.append({"resource": write_patient(prescription.patient)})
        entries.append({"resource": practitioner})
    if prescription.replaced_prescriber is not None:
        replaced = write_practitioner(
            prescription.replaced_prescriber, names.REPLACED_PRESCRIBER_ID
        )
        entries.append({"resource": replaced})
    return {
        "resourceType": "Bundle",
        "meta": _meta(prescription),
        "type": "collection",
        "entry": entries,
    }


def write_line(
    line: Line, prescription: Prescription, number: PrescriptionNumber | None, path: str
) -> dict[str, Any]:
    """What the model alone says of a line, as a request."""
    if not line.family.in_perimeter:
        raise InvalidInput(
            "The line is outside the perimeter of the service, as imaging and patient transport "
            "are.",
            path=path,
            way_out="Keep it on paper; split() sets it apart.",
        )
    if isinstance(line, MedicationLine):
        written = _medication(line, path)
    elif isinstance(line, DeviceLine):
        written = _device(line)
    else:
        written = _service(line)
    written["subject"] = write_subject(prescription.patient)
    written["requester"] = write_requester(prescription.prescriber)
    if prescription.issued_at is not None:
        if prescription.issued_at.utcoffset() is None:
            raise InvalidInput("The time of issue has no time zone.", path="issued_at")
        written["authoredOn"] = prescription.issued_at.isoformat()
    if number is not None:
        tie = "requisition" if written["resourceType"] == "ServiceRequest" else "groupIdentifier"
        written[tie] = {"system": names.PRESCRIPTION_NUMBER, "value": number.value}
    if line.note is not None:
        written["note"] = [{"text": line.note}]
    return written


def _meta(prescription: Prescription) -> dict[str, Any]:
    extensions: list[dict[str, Any]] = [
        {"url": names.EXECUTION_READING, "valueCode": prescription.execution_reading.value}
    ]
    for url, cited in (
        (names.REPLACES, prescription.replaces),
        (names.RENEWS, prescription.renews),
    ):
        if cited is not None:
            value = {"system": names.PRESCRIPTION_NUMBER, "value": cited.value}
            extensions.append({"url": url, "valueIdentifier": value})
    tags = []
    if prescription.document_type is not None:
        code = prescription.document_type.value
        tags.append({"system": names.DOCUMENT_TYPE, "code": code})
    tags += (
        {"system": names.FLAG, "code": code}
        for code in sorted(flag.value for flag in prescription.flags)
    )
    return {"extension": extensions, "tag": tags} if tags else {"extension": extensions}


def _request(resource_type: str, line: Line, extensions: list[dict[str, Any]]) -> dict[str, Any]:
    extensions += (
        {"url": names.LINE_FLAG, "valueCoding": {"system": names.FLAG, "code": code}}
        for code in sorted(flag.value for flag in line.flags)
    )
    written: dict[str, Any] = {"resourceType": resource_type}
    if extensions:
        written["extension"] = extensions
    return {**written, "status": "active", "intent": "order"}


def _medication(line: MedicationLine, path: str) -> dict[str, Any]:
    words = [{"url": names.RENDERED_DOSAGE, "valueMarkdown": line.text}] if line.text else []
    written = _request("MedicationRequest", line, words)
    written["medicationCodeableConcept"] = _concept(line)
    written["dosageInstruction"] = write_dosages(line.dosage, line.text, path)
    dispense: dict[str, Any] = {}
    if line.renewals:
        dispense["numberOfRepeatsAllowed"] = line.renewals
    if line.quantity is not None:
        dispense["quantity"] = write_quantity(line.quantity)
    if line.duration is not None:
        dispense["expectedSupplyDuration"] = write_duration(line.duration)
    if line.validity is not None:
        dispense["validityPeriod"] = _period(line.validity)
    if dispense:
        written["dispenseRequest"] = dispense
    if line.substitution is not None:
        written["substitution"] = _substitution(line.substitution)
    return written


def _substitution(substitution: Substitution) -> dict[str, Any]:
    code = "G" if substitution.allowed else "N"
    written: dict[str, Any] = {
        "allowedCodeableConcept": {"coding": [{"system": names.SUBSTITUTION, "code": code}]}
    }
    if substitution.reason is not None:
        coding = {"system": names.SUBSTITUTION_REASON, "code": substitution.reason.value}
        written["reason"] = {"coding": [coding]}
    return written


def _device(line: DeviceLine) -> dict[str, Any]:
    extensions: list[dict[str, Any]] = _words(line)
    extensions.append({"url": names.QUANTITY, "valuePositiveInt": line.quantity})
    extensions.append({"url": names.RENEWALS, "valueUnsignedInt": line.renewals})
    if line.rental_days is not None:
        extensions.append({"url": names.RENTAL_DAYS, "valuePositiveInt": line.rental_days})
    if line.site is not None:
        extensions.append({"url": names.SITE, "valueString": line.site})
    written = _request("DeviceRequest", line, extensions + _beside(line))
    written["codeCodeableConcept"] = _concept(line)
    return written


def _service(line: Line) -> dict[str, Any]:
    written = _request("ServiceRequest", line, _words(line) + _beside(line))
    document_type = line.family.document_type
    if document_type is not None:
        coding = {"system": names.DOCUMENT_TYPE, "code": document_type.value}
        written["category"] = [{"coding": [coding]}]
    written["code"] = _concept(line)
    if isinstance(line, BiologyLine) and line.urgent:
        written["priority"] = "urgent"
    elif isinstance(line, ActLine):
        if line.sessions is not None:
            written["quantityQuantity"] = {"value": line.sessions}
        if line.duration is not None:
            written["occurrenceTiming"] = {
                "repeat": {"boundsDuration": write_duration(line.duration)}
            }
    if isinstance(line, SitedLine) and line.site is not None:
        written["bodySite"] = [{"text": line.site}]
    return written


def _beside(line: Line) -> list[dict[str, Any]]:
    """What R4 has no element for in devices and acts."""
    found: list[dict[str, Any]] = []
    if isinstance(line, SitedLine) and line.side is not None:
        found.append({"url": names.SIDE, "valueCode": line.side.value})
    if line.validity is not None and (period := _period(line.validity)):
        found.append({"url": names.VALIDITY, "valuePeriod": period})
    return found


def _period(period: Period) -> dict[str, Any]:
    ends = (("start", period.start), ("end", period.end))
    return {name: day.isoformat() for name, day in ends if day is not None}


def _words(line: Line) -> list[dict[str, Any]]:
    return [{"url": names.TEXT, "valueString": line.text}] if line.text else []


def _concept(line: Line) -> dict[str, Any]:
    codings = []
    for coding in line.codes:
        written = {"system": coding.system, "code": coding.code}
        if coding.display is not None:
            written["display"] = coding.display
        codings.append(written)
    concept: dict[str, Any] = {"coding": codings} if codings else {}
    # The label of the first code need not be said twice.
    if not codings or codings[0].get("display") != line.label:
        concept["text"] = line.label
    return concept

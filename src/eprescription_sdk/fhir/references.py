"""The entries of a Bundle: what is taken of them, and what the requests refer to.

Their medicines, and the one patient that they are for.
"""

import json
from typing import Any

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.fhir import names
from eprescription_sdk.fhir.dosage import read_concept
from eprescription_sdk.fhir.elements import is_resource
from eprescription_sdk.fhir.further_types import RESOURCE_NAMES
from eprescription_sdk.model.people import Patient

# Orders that would be lost if they were left aside.
_OTHER_ORDERS = frozenset(
    {
        "CommunicationRequest", "ImmunizationRecommendation", "NutritionOrder", "RequestGroup",
        "SupplyRequest", "VisionPrescription",
    }
)  # fmt: skip
_NARRATIVE = ("text", "_text")


def sifted(bundle: Any) -> Any:
    """A Bundle without narratives, and without resources of other types than ours.

    Raises:
        InvalidInput: an order that is no line of a prescription; it must not go unnoticed.
    """
    entries = bundle.get("entry") if isinstance(bundle, dict) else None
    if not isinstance(entries, list):
        return bundle
    return {
        **bundle,
        "entry": [_sifted(entry, f"$.entry[{at}].resource") for at, entry in enumerate(entries)],
    }


def _sifted(entry: Any, path: str) -> Any:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(kind, str) or not isinstance(resource, dict):
        return entry
    if kind in _OTHER_ORDERS:
        raise _refusal(path, f"a {kind} is no line of the service's perimeter")
    if kind in RESOURCE_NAMES and not is_resource(kind):
        # An entry stays, so that the others keep their places in the paths of errors.
        return {"fullUrl": "urn:left:aside"}
    bare = {key: value for key, value in resource.items() if key not in _NARRATIVE}
    return {**entry, "resource": bare}


class References:
    """Finds what a reference of a resource stands for.

    Args:
        entries: of the Bundle.
    """

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self._found: dict[str, dict[str, Any]] = {}
        for entry in entries:
            resource = entry.get("resource", {})
            name = f"{resource.get('resourceType')}/{resource.get('id')}"
            for key in (entry.get("fullUrl"), name):
                if key is not None:
                    self._found.setdefault(key, entry)

    def entry(self, reference: str) -> dict[str, Any] | None:
        """The entry that an external reference stands for."""
        plain = reference.partition("/_history/")[0]
        found = self._found.get(plain)
        if found is None and "://" in plain:
            # An absolute address, in a Bundle that gives none for its entries.
            found = self._found.get("/".join(plain.split("/")[-2:]))
            return found if found and "fullUrl" not in found else None
        return found

    def resource(self, source: dict[str, Any], reference: str) -> dict[str, Any]:
        """The resource that a reference stands for; empty if it is not at hand."""
        if reference.startswith("#"):
            contained: list[dict[str, Any]] = source.get("contained", [])
            return next((each for each in contained if each.get("id") == reference[1:]), {})
        resource: dict[str, Any] = (self.entry(reference) or {}).get("resource", {})
        return resource

    def medication(
        self, source: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """The concept of a medicine, with the Bundle entries that hold it."""
        if "medicationCodeableConcept" in source:
            return source["medicationCodeableConcept"], {}
        reference = source.get("medicationReference", {})
        target = reference.get("reference", "")
        resource = self.resource(source, target)
        further: dict[str, dict[str, Any]] = {}
        self._collect(target, further)
        return named(resource.get("code"), reference), further

    def _collect(self, reference: str, further: dict[str, dict[str, Any]]) -> None:
        """The entry of a medication, and those of its ingredients."""
        entry = self.entry(reference)
        if entry is None or reference in further:
            return
        if entry["resource"]["resourceType"] not in ("Medication", "Substance"):
            return
        further[reference] = entry
        for part in entry["resource"].get("ingredient", []):
            self._collect(part.get("itemReference", {}).get("reference", ""), further)


def named(code: dict[str, Any] | None, reference: dict[str, Any]) -> dict[str, Any]:
    """A concept that has words, those of the reference if need be."""
    if code is None or read_concept(code) is None:
        return {**(code or {}), "text": reference.get("display", "")}
    return code


def one_patient(requests: list[tuple[str, Any]], patient: Patient, references: References) -> None:
    """Refuse a line for somebody else: it must never be sent under this patient's identity.

    Raises:
        InvalidInput: a request names another INS, or two requests are for different people.
    """
    ours = (f"urn:oid:{patient.ins.oid.value}", patient.ins.value)
    known: dict[str, Any] = {}
    for path, source in requests:
        subject = source.get("subject", {})
        reference = subject.get("reference", "")
        person = references.resource(source, reference)
        claims: dict[str, Any] = {}
        for identifier in (subject.get("identifier", {}), *person.get("identifier", [])):
            system, value = identifier.get("system", ""), identifier.get("value")
            if system.startswith(names.INS_ROOT) and (system, value) != ours:
                raise _refusal(f"{path}.subject", "the INS is not that of the patient")
            claims[f"identifier {system}"] = value
        if reference.startswith("#"):
            # The name holds within one request only.
            claims["contained"] = json.dumps({**person, "id": ""}, sort_keys=True, default=str)
        elif reference:
            claims["reference"] = reference
        if any(known.setdefault(name, value) != value for name, value in claims.items()):
            raise _refusal(f"{path}.subject", "the requests are for several patients")


def _refusal(path: str, sentence: str) -> InvalidInput:
    return InvalidInput("The FHIR Bundle cannot be read.", findings=[(path, sentence)])

"""Patients and prescribers as FHIR resources and references, both ways."""

from datetime import date
from typing import Any

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.fhir import names
from eprescription_sdk.model.identifiers import Finess, Ins, InsOid, Rpps
from eprescription_sdk.model.people import (
    ExerciseMode,
    Patient,
    PracticeSituation,
    Prescriber,
    Profession,
    Sex,
)


def write_requester(prescriber: Prescriber) -> dict[str, Any]:
    """Who prescribes, as every request refers to them."""
    return {
        "identifier": {"system": names.RPPS, "value": prescriber.rpps.value},
        "display": f"{prescriber.given_name} {prescriber.family_name}",
    }


def write_subject(patient: Patient) -> dict[str, Any]:
    """For whom, as every request refers to them."""
    return {
        "identifier": {"system": f"urn:oid:{patient.ins.oid.value}", "value": patient.ins.value},
        "display": f"{patient.given_name} {patient.family_name}",
    }


def write_practitioner(prescriber: Prescriber, resource_id: str) -> dict[str, Any]:
    """A prescriber with their profession, and the practice situation in an extension of ours."""
    situation = prescriber.situation
    return {
        "resourceType": "Practitioner",
        "id": resource_id,
        "extension": [
            {
                "url": names.SITUATION,
                "extension": [
                    {"url": "id", "valueString": situation.id},
                    {
                        "url": "finess",
                        "valueIdentifier": {
                            "system": names.FINESS,
                            "value": situation.finess.value,
                        },
                    },
                    {"url": "mode", "valueCode": situation.mode.value},
                ],
            }
        ],
        "identifier": [{"system": names.RPPS, "value": prescriber.rpps.value}],
        "name": [{"family": prescriber.family_name, "given": [prescriber.given_name]}],
        "qualification": [
            {
                "code": {
                    "coding": [{"system": names.PROFESSION, "code": prescriber.profession.value}]
                }
            }
        ],
    }


def write_patient(patient: Patient) -> dict[str, Any]:
    """The traits of the INS identity."""
    return {
        "resourceType": "Patient",
        "id": names.PATIENT_ID,
        "identifier": [{"system": f"urn:oid:{patient.ins.oid.value}", "value": patient.ins.value}],
        "name": [{"use": "official", "family": patient.family_name, "given": [patient.given_name]}],
        "gender": patient.sex.value,
        "birthDate": patient.birth_date.isoformat(),
    }


def read_practitioner(source: dict[str, Any], path: str) -> Prescriber:
    """A prescriber as ``write_practitioner`` writes one.

    Raises:
        InvalidInput: not of that form; with the path.
    """
    try:
        (situation,) = (
            {part["url"]: part for part in each["extension"]}
            for each in source["extension"]
            if each["url"] == names.SITUATION
        )
        (name,) = source["name"]
        (qualification,) = source["qualification"]
        return Prescriber(
            rpps=Rpps(_identifier(source["identifier"], names.RPPS)),
            family_name=name["family"],
            given_name=name["given"][0],
            profession=Profession(qualification["code"]["coding"][0]["code"]),
            situation=PracticeSituation(
                id=situation["id"]["valueString"],
                finess=Finess(situation["finess"]["valueIdentifier"]["value"]),
                mode=ExerciseMode(situation["mode"]["valueCode"]),
            ),
        )
    except (LookupError, ValueError, TypeError):
        pass
    raise _unreadable(path, "the prescriber's RPPS, name, profession and situation are expected")


def read_patient(source: dict[str, Any], path: str) -> Patient:
    """A patient as ``write_patient`` writes one.

    Raises:
        InvalidInput: not of that form; with the path.
    """
    try:
        (identifier,) = source["identifier"]
        (name,) = source["name"]
        return Patient(
            ins=Ins(identifier["value"], InsOid(identifier["system"].removeprefix("urn:oid:"))),
            family_name=name["family"],
            given_name=name["given"][0],
            birth_date=date.fromisoformat(source["birthDate"]),
            sex=Sex(source["gender"]),
        )
    except (LookupError, ValueError, TypeError):
        pass
    raise _unreadable(path, "the patient's INS, names, sex and day of birth are expected")


def _identifier(source: list[dict[str, Any]], system: str) -> str:
    (value,) = (each["value"] for each in source if each["system"] == system)
    return str(value)


def _unreadable(path: str, sentence: str) -> InvalidInput:
    return InvalidInput("The FHIR Bundle cannot be read.", findings=[(path, sentence)])

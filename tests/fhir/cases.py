"""MedicationRequests with everything that the national guide and R4 let them hold."""

from typing import Any

UCUM = "http://unitsofmeasure.org"
EXTENSION = [{"url": "https://example.org/x", "valueString": "é"}]
DAY = {"value": 1, "unit": "jour", "system": UCUM, "code": "d"}
HOUR = {**DAY, "unit": "heure", "code": "h"}
TABLET = {"value": 1, "unit": "comprimé", "system": "http://standardterms.edqm.eu", "code": "1"}
CONCEPT = {
    "coding": [
        {"system": "urn:a", "version": "1", "code": "a", "display": "A", "userSelected": True},
        {"system": "urn:b", "code": "b"},
        {"display": "sans code"},
    ],
    "text": "Concept",
}
REFERENCE = {"reference": "Thing/1", "type": "Thing", "display": "Chose"}


def request(**changes: Any) -> dict[str, Any]:
    source = {
        "resourceType": "MedicationRequest",
        "id": "r1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": CONCEPT,
        "subject": {"reference": "Patient/1"},
        "authoredOn": "2026-03-01T09:30:00+01:00",
        "requester": {"reference": "Practitioner/1"},
        "dosageInstruction": [{"text": "un par jour"}],
        **changes,
    }
    return {name: value for name, value in source.items() if value is not None}


def dosage(**content: Any) -> dict[str, Any]:
    return request(dosageInstruction=[{"text": "un par jour", **content}])


def repeat(**content: Any) -> dict[str, Any]:
    return dosage(timing={"repeat": content})


def amount(**content: Any) -> dict[str, Any]:
    return dosage(doseAndRate=[content])


MEDICATION = {
    "resourceType": "Medication",
    "id": "m",
    "code": CONCEPT,
    "form": {"text": "sirop"},
    "amount": {"numerator": TABLET, "denominator": DAY},
    "ingredient": [
        {
            "itemCodeableConcept": CONCEPT,
            "isActive": True,
            "strength": {"numerator": TABLET, "denominator": TABLET},
        }
    ],
    "batch": {"lotNumber": "L", "expirationDate": "2027-01-01"},
}

CASES: dict[str, dict[str, Any]] = {
    "contained medication": request(
        contained=[MEDICATION],
        medicationCodeableConcept=None,
        medicationReference={"reference": "#m"},
    ),
    "medication elsewhere": request(
        medicationCodeableConcept=None, medicationReference={"reference": "Medication/9"}
    ),
    "medication with words alone": request(
        medicationCodeableConcept=None, medicationReference={"display": "Sirop"}
    ),
    "medication without words": request(medicationCodeableConcept={"coding": [{"code": "x"}]}),
    "contained people and coverage": request(
        contained=[
            {"resourceType": "Coverage", "id": "c", "status": "active", "order": 1},
            {"resourceType": "Encounter", "id": "e", "class": {"code": "AMB"}},
            {"resourceType": "Practitioner", "id": "p", "name": [{"family": "X"}]},
            {"resourceType": "Device", "id": "d", "type": CONCEPT},
            {"resourceType": "AllergyIntolerance", "id": "a", "code": CONCEPT},
        ],
        insurance=[{"reference": "#c"}],
        encounter={"reference": "#e"},
        requester={"reference": "#p"},
        supportingInformation=[{"reference": "#d"}, {"reference": "#a"}],
    ),
    "reported": request(reportedBoolean=True),
    "reported by": request(reportedReference=REFERENCE),
    "do not perform": request(doNotPerform=True),
    "not do not perform": request(doNotPerform=False),
    "priority": request(priority="asap"),
    "plan": request(intent="plan", status="on-hold", statusReason=CONCEPT),
    "identifiers": request(
        identifier=[{"use": "official", "type": CONCEPT, "system": "urn:x", "value": "1"}],
        instantiatesCanonical=["urn:c"],
        instantiatesUri=["urn:u", "urn:v"],
    ),
    "category": request(category=[CONCEPT, {"text": "ville"}], courseOfTherapyType=CONCEPT),
    "references": request(
        basedOn=[REFERENCE],
        detectedIssue=[REFERENCE],
        encounter=REFERENCE,
        eventHistory=[REFERENCE],
        insurance=[REFERENCE],
        performer=REFERENCE,
        performerType=CONCEPT,
        priorPrescription=REFERENCE,
        reasonCode=[CONCEPT],
        reasonReference=[REFERENCE],
        recorder=REFERENCE,
        supportingInformation=[REFERENCE, REFERENCE],
    ),
    "meta": request(
        meta={
            "versionId": "3",
            "lastUpdated": "2026-03-01T10:00:00.123Z",
            "source": "urn:x",
            "profile": ["urn:p"],
            "security": [{"system": "urn:s", "code": "R"}],
            "tag": [{"code": "t"}],
        },
        language="fr",
        implicitRules="urn:rules",
    ),
    "notes": request(
        note=[
            {"text": "un", "time": "2026-03-01", "authorString": "X"},
            {"text": "deux", "authorReference": REFERENCE},
        ]
    ),
    "one signed note": request(note=[{"text": "un", "authorString": "X"}]),
    "primitive extensions": request(
        _status={"extension": EXTENSION},
        _authoredOn={"id": "a", "extension": EXTENSION},
        _intent={"id": "i"},
    ),
    "value by its extension alone": request(authoredOn=None, _authoredOn={"extension": EXTENSION}),
    "extensions": request(
        extension=[
            {"url": "urn:e", "extension": [{"url": "part", "valueDosage": {"text": "x"}}]},
            {"url": "urn:m", "valueMoney": {"value": 1.5, "currency": "EUR"}},
            {"url": "urn:r", "valueRatio": {"numerator": TABLET, "denominator": DAY}},
        ]
    ),
    "modifier extensions": request(modifierExtension=EXTENSION),
    "no words": request(dosageInstruction=None),
    "no time": request(authoredOn=None),
    "a day": request(authoredOn="2026-03-01"),
    "a month": request(authoredOn="2026-03"),
    "a foreign group": request(groupIdentifier={"system": "urn:g", "value": "7", "use": "usual"}),
    "narrative": request(text={"status": "generated", "div": "<div>&nbsp;pas du XHTML</p>"}),
    # The posology.
    "additional instructions": dosage(additionalInstruction=[CONCEPT, {"text": "à jeun"}]),
    "patient instruction": dosage(patientInstruction="au calme"),
    "as needed for a code": dosage(
        asNeededCodeableConcept={"coding": [{"system": "urn:s", "code": "1"}]}
    ),
    "as needed with a label": dosage(asNeededCodeableConcept=CONCEPT),
    "not as needed": dosage(asNeededBoolean=False),
    "site, route, method": dosage(site=CONCEPT, route=CONCEPT, method=CONCEPT),
    "maxima": dosage(
        maxDosePerAdministration=TABLET,
        maxDosePerLifetime=TABLET,
        maxDosePerPeriod={"numerator": TABLET, "denominator": HOUR},
    ),
    "maximum per something else": dosage(
        maxDosePerPeriod={"numerator": TABLET, "denominator": TABLET}
    ),
    "extensions of a dosage": dosage(
        id="d1",
        extension=EXTENSION,
        modifierExtension=EXTENSION,
        _text={"extension": EXTENSION},
        _sequence={"id": "s"},
    ),
    "several steps": request(
        dosageInstruction=[
            {"sequence": 1, "text": "d'abord"},
            {"sequence": 1, "timing": {"repeat": {"when": ["MORN"]}}},
            {"sequence": 2, "text": "puis"},
            {"asNeededBoolean": True},
        ]
    ),
    "the same step twice": request(dosageInstruction=[{"text": "a"}, {"text": "a"}]),
    "timing code": dosage(
        timing={"code": {"coding": [{"code": "BID"}]}, "repeat": {"frequency": 2}}
    ),
    "timing code alone": dosage(timing={"code": {"text": "QID"}}),
    "timing events": dosage(timing={"event": ["2026-03-01", "2026-03-02T08:00:00Z"]}),
    "extensions of a timing": dosage(
        timing={
            "id": "t",
            "extension": EXTENSION,
            "repeat": {
                "id": "r",
                "extension": EXTENSION,
                "frequency": 1,
                "_frequency": {"extension": EXTENSION},
                "when": ["MORN", "EVE"],
                "_when": [None, {"extension": EXTENSION}],
            },
        }
    ),
    "bounds": repeat(boundsDuration=DAY, frequency=1, period=1, periodUnit="d"),
    "bounds with a comparator": repeat(boundsDuration={**DAY, "comparator": "<"}),
    "bounds in another unit": repeat(boundsDuration={"value": 1, "unit": "cure"}),
    "bounds by a period": repeat(boundsPeriod={"start": "2026-03-01", "end": "2026-03-08"}),
    "bounds by a range": repeat(boundsRange={"low": DAY, "high": {**DAY, "value": 3}}),
    "bounds by half a range": repeat(boundsRange={"high": DAY}),
    "counts": repeat(count=3, countMax=5, frequency=1, frequencyMax=2),
    "durations": repeat(duration=20, durationMax=30, durationUnit="min"),
    "periods": repeat(frequency=1, period=4, periodMax=6, periodUnit="h"),
    "periods without a unit": repeat(period=4, periodMax=6),
    "moments": repeat(when=["ACM", "PC", "HS"], offset=30, dayOfWeek=["mon", "sun"]),
    "unknown moments": repeat(when=["MORN", "CMD"], dayOfWeek=["lun"], timeOfDay=["8h"]),
    "times": repeat(timeOfDay=["08:00:00", "20:30:00"]),
    "times with fractions": repeat(timeOfDay=["08:00:00.500", "20:30"]),
    "a dose": amount(doseQuantity=TABLET, type=CONCEPT),
    "a dose of an exact decimal": amount(doseQuantity={**TABLET, "value": 0.125}),
    "a dose with a comparator": amount(doseQuantity={**TABLET, "comparator": ">="}),
    "a dose without a number": amount(doseQuantity={"unit": "dose"}),
    "a range": amount(doseRange={"low": TABLET, "high": {**TABLET, "value": 2}}),
    "at least": amount(doseRange={"low": TABLET}),
    "at most": amount(doseRange={"high": TABLET}),
    "a rate": amount(rateQuantity={"value": 20, "unit": "mL/h", "system": UCUM, "code": "mL/h"}),
    "a rate by a ratio": amount(rateRatio={"numerator": TABLET, "denominator": HOUR}),
    "a rate by a range": amount(rateRange={"low": TABLET, "high": TABLET}),
    "two doses": dosage(doseAndRate=[{"doseQuantity": TABLET}, {"doseQuantity": DAY}]),
    # The dispensing.
    "dispense": request(
        dispenseRequest={
            "extension": EXTENSION,
            "initialFill": {"quantity": TABLET, "duration": DAY},
            "dispenseInterval": {**DAY, "value": 28},
            "validityPeriod": {"start": "2026-03-01", "end": "2026-06-01"},
            "numberOfRepeatsAllowed": 2,
            "quantity": TABLET,
            "expectedSupplyDuration": {**DAY, "value": 28},
            "performer": REFERENCE,
        }
    ),
    "validity to the minute": request(
        dispenseRequest={"validityPeriod": {"end": "2026-06-01T12:00:00Z"}}
    ),
    "no repeats": request(dispenseRequest={"numberOfRepeatsAllowed": 0}),
    "substitution": request(
        substitution={
            "allowedCodeableConcept": {
                "coding": [{"system": "urn:oid:2.16.840.1.113883.5.1070", "code": "N"}]
            },
            "reason": {"coding": [{"system": "urn:r", "code": "MTE", "display": "Marge"}]},
        }
    ),
    "substitution by a truth value": request(substitution={"allowedBoolean": True}),
    "substitution of another kind": request(
        substitution={"allowedCodeableConcept": {"coding": [{"system": "urn:x", "code": "E"}]}}
    ),
}

"""The elements of the FHIR R4 types that a prescription may use, in the order of the standard.

FHIR JSON and FHIR XML differ in what only the definitions say: which elements repeat, which
values are numbers or truth values, and in which order elements stand. This table says it, for
our resource types and the data types below them (HL7 FHIR R4, 4.0.1). Reading and writing are
elsewhere.
"""

from enum import Enum
from functools import cache

import attrs

from eprescription_sdk.fhir.further_types import FURTHER_TYPES


class Kind(Enum):
    """What a value is, when it is not one of the types below."""

    TEXT = ""
    BOOLEAN = "b"
    INTEGER = "i"
    DECIMAL = "d"
    MARKUP = "x"
    RESOURCE = "R"


@attrs.frozen
class Element:
    """One element of a type.

    Args:
        kind: a kind of value, or the name of the type.
        repeats: whether it is a list.
        rank: its place in the order of the standard.
    """

    kind: Kind | str
    repeats: bool
    rank: int


@cache
def elements(type_name: str) -> dict[str, Element]:
    """The elements of a type by name; empty for a type that is not in the table."""
    found: dict[str, Element] = {}
    for rank, word in enumerate(_words(type_name)):
        name, _, kind = word.partition(":")
        known = next((each for each in Kind if each.value == kind), None)
        found[name.removesuffix("*")] = Element(known or kind, name.endswith("*"), rank)
    return found


def is_resource(type_name: str) -> bool:
    """Whether a resource of this type can be carried."""
    return type_name == "Bundle" or _TYPES.get(type_name, "").lstrip().startswith("+resource")


def _words(type_name: str) -> list[str]:
    words: list[str] = []
    for word in _TYPES.get(type_name, "").split():
        words += _SHARED[word].split() if word in _SHARED else [word]
    return words


_SHARED = {
    "+resource": """
        id meta:Meta implicitRules language text:Narrative contained*:R extension*:Extension
        modifierExtension*:Extension
    """,
    "+backbone": "id extension*:Extension modifierExtension*:Extension",
    "+element": "id extension*:Extension",
}

# A word is an element: `name`, then `*` if it repeats, then `:` and its type unless it is text.
_TYPES = {
    "Element": "+element",
    "Extension": """
        +element url valueBase64Binary valueBoolean:b valueCanonical valueCode valueDate
        valueDateTime valueDecimal:d valueId valueInstant valueInteger:i valueMarkdown valueOid
        valuePositiveInt:i valueString valueTime valueUnsignedInt:i valueUri valueUrl valueUuid
        valueAddress:Address valueAge:Age valueAnnotation:Annotation valueAttachment:Attachment
        valueCodeableConcept:CodeableConcept valueCoding:Coding valueContactPoint:ContactPoint
        valueDuration:Duration valueHumanName:HumanName valueIdentifier:Identifier
        valuePeriod:Period valueQuantity:Quantity valueRange:Range valueRatio:Ratio
        valueReference:Reference valueSampledData:SampledData valueSignature:Signature
        valueTiming:Timing valueDosage:Dosage valueMeta:Meta valueCount:Count
        valueDistance:Distance valueMoney:Money valueContactDetail:ContactDetail
        valueContributor:Contributor valueDataRequirement:DataRequirement
        valueExpression:Expression valueParameterDefinition:ParameterDefinition
        valueRelatedArtifact:RelatedArtifact valueTriggerDefinition:TriggerDefinition
        valueUsageContext:UsageContext
    """,
    "MedicationRequest": """
        +resource identifier*:Identifier status statusReason:CodeableConcept intent
        category*:CodeableConcept priority doNotPerform:b reportedBoolean:b
        reportedReference:Reference medicationCodeableConcept:CodeableConcept
        medicationReference:Reference subject:Reference encounter:Reference
        supportingInformation*:Reference authoredOn requester:Reference performer:Reference
        performerType:CodeableConcept recorder:Reference reasonCode*:CodeableConcept
        reasonReference*:Reference instantiatesCanonical* instantiatesUri* basedOn*:Reference
        groupIdentifier:Identifier courseOfTherapyType:CodeableConcept insurance*:Reference
        note*:Annotation dosageInstruction*:Dosage
        dispenseRequest:MedicationRequestDispenseRequest
        substitution:MedicationRequestSubstitution priorPrescription:Reference
        detectedIssue*:Reference eventHistory*:Reference
    """,
    "DeviceRequest": """
        +resource identifier*:Identifier instantiatesCanonical* instantiatesUri*
        basedOn*:Reference priorRequest*:Reference groupIdentifier:Identifier status intent
        priority codeReference:Reference codeCodeableConcept:CodeableConcept
        parameter*:DeviceRequestParameter subject:Reference encounter:Reference occurrenceDateTime
        occurrencePeriod:Period occurrenceTiming:Timing authoredOn requester:Reference
        performerType:CodeableConcept performer:Reference reasonCode*:CodeableConcept
        reasonReference*:Reference insurance*:Reference supportingInfo*:Reference note*:Annotation
        relevantHistory*:Reference
    """,
    "ServiceRequest": """
        +resource identifier*:Identifier instantiatesCanonical* instantiatesUri*
        basedOn*:Reference replaces*:Reference requisition:Identifier status intent
        category*:CodeableConcept priority doNotPerform:b code:CodeableConcept
        orderDetail*:CodeableConcept quantityQuantity:Quantity quantityRatio:Ratio
        quantityRange:Range subject:Reference encounter:Reference occurrenceDateTime
        occurrencePeriod:Period occurrenceTiming:Timing asNeededBoolean:b
        asNeededCodeableConcept:CodeableConcept authoredOn requester:Reference
        performerType:CodeableConcept performer*:Reference locationCode*:CodeableConcept
        locationReference*:Reference reasonCode*:CodeableConcept reasonReference*:Reference
        insurance*:Reference supportingInfo*:Reference specimen*:Reference
        bodySite*:CodeableConcept note*:Annotation patientInstruction relevantHistory*:Reference
    """,
    "Patient": """
        +resource identifier*:Identifier active:b name*:HumanName telecom*:ContactPoint gender
        birthDate deceasedBoolean:b deceasedDateTime address*:Address
        maritalStatus:CodeableConcept multipleBirthBoolean:b multipleBirthInteger:i
        photo*:Attachment contact*:PatientContact communication*:PatientCommunication
        generalPractitioner*:Reference managingOrganization:Reference link*:PatientLink
    """,
    "Practitioner": """
        +resource identifier*:Identifier active:b name*:HumanName telecom*:ContactPoint
        address*:Address gender birthDate photo*:Attachment
        qualification*:PractitionerQualification communication*:CodeableConcept
    """,
    "PractitionerRole": """
        +resource identifier*:Identifier active:b period:Period practitioner:Reference
        organization:Reference code*:CodeableConcept specialty*:CodeableConcept
        location*:Reference healthcareService*:Reference telecom*:ContactPoint
        availableTime*:PractitionerRoleAvailableTime notAvailable*:PractitionerRoleNotAvailable
        availabilityExceptions endpoint*:Reference
    """,
    "Organization": """
        +resource identifier*:Identifier active:b type*:CodeableConcept name alias*
        telecom*:ContactPoint address*:Address partOf:Reference contact*:OrganizationContact
        endpoint*:Reference
    """,
    "Medication": """
        +resource identifier*:Identifier code:CodeableConcept status manufacturer:Reference
        form:CodeableConcept amount:Ratio ingredient*:MedicationIngredient batch:MedicationBatch
    """,
    "Condition": """
        +resource identifier*:Identifier clinicalStatus:CodeableConcept
        verificationStatus:CodeableConcept category*:CodeableConcept severity:CodeableConcept
        code:CodeableConcept bodySite*:CodeableConcept subject:Reference encounter:Reference
        onsetDateTime onsetAge:Age onsetPeriod:Period onsetRange:Range onsetString
        abatementDateTime abatementAge:Age abatementPeriod:Period abatementRange:Range
        abatementString recordedDate recorder:Reference asserter:Reference stage*:ConditionStage
        evidence*:ConditionEvidence note*:Annotation
    """,
    "Observation": """
        +resource identifier*:Identifier basedOn*:Reference partOf*:Reference status
        category*:CodeableConcept code:CodeableConcept subject:Reference focus*:Reference
        encounter:Reference effectiveDateTime effectivePeriod:Period effectiveTiming:Timing
        effectiveInstant issued performer*:Reference valueQuantity:Quantity
        valueCodeableConcept:CodeableConcept valueString valueBoolean:b valueInteger:i
        valueRange:Range valueRatio:Ratio valueSampledData:SampledData valueTime valueDateTime
        valuePeriod:Period dataAbsentReason:CodeableConcept interpretation*:CodeableConcept
        note*:Annotation bodySite:CodeableConcept method:CodeableConcept specimen:Reference
        device:Reference referenceRange*:ObservationReferenceRange hasMember*:Reference
        derivedFrom*:Reference component*:ObservationComponent
    """,
    "Bundle": """
        id meta:Meta implicitRules language identifier:Identifier type timestamp total:i
        link*:BundleLink entry*:BundleEntry signature:Signature
    """,
    "BundleLink": "+backbone relation url",
    "BundleEntry": """
        +backbone link*:BundleLink fullUrl resource:R search:BundleEntrySearch
        request:BundleEntryRequest response:BundleEntryResponse
    """,
    "Dosage": """
        +backbone sequence:i text additionalInstruction*:CodeableConcept patientInstruction
        timing:Timing asNeededBoolean:b asNeededCodeableConcept:CodeableConcept
        site:CodeableConcept route:CodeableConcept method:CodeableConcept
        doseAndRate*:DosageDoseAndRate maxDosePerPeriod:Ratio maxDosePerAdministration:Quantity
        maxDosePerLifetime:Quantity
    """,
    "MedicationRequestDispenseRequest": """
        +backbone initialFill:MedicationRequestDispenseRequestInitialFill
        dispenseInterval:Duration validityPeriod:Period numberOfRepeatsAllowed:i quantity:Quantity
        expectedSupplyDuration:Duration performer:Reference
    """,
    "MedicationRequestSubstitution": """
        +backbone allowedBoolean:b allowedCodeableConcept:CodeableConcept reason:CodeableConcept
    """,
    "DeviceRequestParameter": """
        +backbone code:CodeableConcept valueCodeableConcept:CodeableConcept valueQuantity:Quantity
        valueRange:Range valueBoolean:b
    """,
    "Timing": "+backbone event* repeat:TimingRepeat code:CodeableConcept",
    "PatientContact": """
        +backbone relationship*:CodeableConcept name:HumanName telecom*:ContactPoint
        address:Address gender organization:Reference period:Period
    """,
    "PatientCommunication": "+backbone language:CodeableConcept preferred:b",
    "PatientLink": "+backbone other:Reference type",
    "PractitionerQualification": """
        +backbone identifier*:Identifier code:CodeableConcept period:Period issuer:Reference
    """,
    "PractitionerRoleAvailableTime": """
        +backbone daysOfWeek* allDay:b availableStartTime availableEndTime
    """,
    "PractitionerRoleNotAvailable": "+backbone description during:Period",
    "OrganizationContact": """
        +backbone purpose:CodeableConcept name:HumanName telecom*:ContactPoint address:Address
    """,
    "MedicationIngredient": """
        +backbone itemCodeableConcept:CodeableConcept itemReference:Reference isActive:b
        strength:Ratio
    """,
    "MedicationBatch": "+backbone lotNumber expirationDate",
    "ConditionStage": """
        +backbone summary:CodeableConcept assessment*:Reference type:CodeableConcept
    """,
    "ConditionEvidence": "+backbone code*:CodeableConcept detail*:Reference",
    "ObservationReferenceRange": """
        +backbone low:Quantity high:Quantity type:CodeableConcept appliesTo*:CodeableConcept
        age:Range text
    """,
    "ObservationComponent": """
        +backbone code:CodeableConcept valueQuantity:Quantity valueCodeableConcept:CodeableConcept
        valueString valueBoolean:b valueInteger:i valueRange:Range valueRatio:Ratio
        valueSampledData:SampledData valueTime valueDateTime valuePeriod:Period
        dataAbsentReason:CodeableConcept interpretation*:CodeableConcept
        referenceRange*:ObservationReferenceRange
    """,
    "BundleEntrySearch": "+backbone mode score:d",
    "BundleEntryRequest": """
        +backbone method url ifNoneMatch ifModifiedSince ifMatch ifNoneExist
    """,
    "BundleEntryResponse": "+backbone status location etag lastModified outcome:R",
    "MedicationRequestDispenseRequestInitialFill": """
        +backbone quantity:Quantity duration:Duration
    """,
    "Meta": "+element versionId lastUpdated source profile* security*:Coding tag*:Coding",
    "Identifier": """
        +element use type:CodeableConcept system value period:Period assigner:Reference
    """,
    "Signature": """
        +element type*:Coding when who:Reference onBehalfOf:Reference targetFormat sigFormat data
    """,
    "Narrative": "+element status div:x",
    "CodeableConcept": "+element coding*:Coding text",
    "Reference": "+element reference type identifier:Identifier display",
    "Annotation": "+element authorReference:Reference authorString time text",
    "Period": "+element start end",
    "Quantity": "+element value:d comparator unit system code",
    "Ratio": "+element numerator:Quantity denominator:Quantity",
    "Range": "+element low:Quantity high:Quantity",
    "HumanName": "+element use text family given* prefix* suffix* period:Period",
    "ContactPoint": "+element system value use rank:i period:Period",
    "Address": """
        +element use type text line* city district state postalCode country period:Period
    """,
    "Attachment": "+element contentType language data url size:i hash title creation",
    "Age": "+element value:d comparator unit system code",
    "SampledData": """
        +element origin:Quantity period:d factor:d lowerLimit:d upperLimit:d dimensions:i data
    """,
    "Coding": "+element system version code display userSelected:b",
    "DosageDoseAndRate": """
        +element type:CodeableConcept doseRange:Range doseQuantity:Quantity rateRatio:Ratio
        rateRange:Range rateQuantity:Quantity
    """,
    "Duration": "+element value:d comparator unit system code",
    "TimingRepeat": """
        +element boundsDuration:Duration boundsRange:Range boundsPeriod:Period count:i countMax:i
        duration:d durationMax:d durationUnit frequency:i frequencyMax:i period:d periodMax:d
        periodUnit dayOfWeek* timeOfDay* when* offset:i
    """,
    **FURTHER_TYPES,
}

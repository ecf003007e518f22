"""Types that a Bundle may hold beside the prescription, and the names of all resource types.

The table of ``elements``, continued: what requests may contain or refer to, and the data types
that extensions may hold (HL7 FHIR R4, 4.0.1).
"""

_NAMES = """
    Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse
    AuditEvent Basic Binary BiologicallyDerivedProduct BodyStructure Bundle
    CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem ChargeItemDefinition Claim
    ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest
    CompartmentDefinition Composition ConceptMap Condition Consent Contract Coverage
    CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device
    DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement DiagnosticReport
    DocumentManifest DocumentReference EffectEvidenceSynthesis Encounter Endpoint
    EnrollmentRequest EnrollmentResponse EpisodeOfCare EventDefinition Evidence
    EvidenceVariable ExampleScenario ExplanationOfBenefit FamilyMemberHistory Flag Goal
    GraphDefinition Group GuidanceResponse HealthcareService ImagingStudy Immunization
    ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan
    Invoice Library Linkage List Location Measure MeasureReport Media Medication
    MedicationAdministration MedicationDispense MedicationKnowledge MedicationRequest
    MedicationStatement MedicinalProduct MedicinalProductAuthorization
    MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
    MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged
    MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition
    MessageHeader MolecularSequence NamingSystem NutritionOrder Observation
    ObservationDefinition OperationDefinition OperationOutcome Organization
    OrganizationAffiliation Parameters Patient PaymentNotice PaymentReconciliation Person
    PlanDefinition Practitioner PractitionerRole Procedure Provenance Questionnaire
    QuestionnaireResponse RelatedPerson RequestGroup ResearchDefinition
    ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment
    RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen
    SpecimenDefinition StructureDefinition StructureMap Subscription Substance
    SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation
    SubstanceSourceMaterial SubstanceSpecification SupplyDelivery SupplyRequest Task
    TerminologyCapabilities TestReport TestScript ValueSet VerificationResult
    VisionPrescription
"""

RESOURCE_NAMES = frozenset(_NAMES.split())
"""The resource types of R4; a name that is none of them is a mistake."""

FURTHER_TYPES = {
    "Encounter": """
        +resource identifier*:Identifier status statusHistory*:EncounterStatusHistory
        class:Coding classHistory*:EncounterClassHistory type*:CodeableConcept
        serviceType:CodeableConcept priority:CodeableConcept subject:Reference
        episodeOfCare*:Reference basedOn*:Reference participant*:EncounterParticipant
        appointment*:Reference period:Period length:Duration reasonCode*:CodeableConcept
        reasonReference*:Reference diagnosis*:EncounterDiagnosis account*:Reference
        hospitalization:EncounterHospitalization location*:EncounterLocation
        serviceProvider:Reference partOf:Reference
    """,
    "RelatedPerson": """
        +resource identifier*:Identifier active:b patient:Reference
        relationship*:CodeableConcept name*:HumanName telecom*:ContactPoint gender birthDate
        address*:Address photo*:Attachment period:Period
        communication*:RelatedPersonCommunication
    """,
    "Device": """
        +resource identifier*:Identifier definition:Reference udiCarrier*:DeviceUdiCarrier
        status statusReason*:CodeableConcept distinctIdentifier manufacturer manufactureDate
        expirationDate lotNumber serialNumber deviceName*:DeviceDeviceName modelNumber
        partNumber type:CodeableConcept specialization*:DeviceSpecialization
        version*:DeviceVersion property*:DeviceProperty patient:Reference owner:Reference
        contact*:ContactPoint location:Reference url note*:Annotation
        safety*:CodeableConcept parent:Reference
    """,
    "Coverage": """
        +resource identifier*:Identifier status type:CodeableConcept policyHolder:Reference
        subscriber:Reference subscriberId beneficiary:Reference dependent
        relationship:CodeableConcept period:Period payor*:Reference class*:CoverageClass
        order:i network costToBeneficiary*:CoverageCostToBeneficiary subrogation:b
        contract*:Reference
    """,
    "CareTeam": """
        +resource identifier*:Identifier status category*:CodeableConcept name
        subject:Reference encounter:Reference period:Period participant*:CareTeamParticipant
        reasonCode*:CodeableConcept reasonReference*:Reference
        managingOrganization*:Reference telecom*:ContactPoint note*:Annotation
    """,
    "Group": """
        +resource identifier*:Identifier active:b type actual:b code:CodeableConcept name
        quantity:i managingEntity:Reference characteristic*:GroupCharacteristic
        member*:GroupMember
    """,
    "Location": """
        +resource identifier*:Identifier status operationalStatus:Coding name alias*
        description mode type*:CodeableConcept telecom*:ContactPoint address:Address
        physicalType:CodeableConcept position:LocationPosition
        managingOrganization:Reference partOf:Reference
        hoursOfOperation*:LocationHoursOfOperation availabilityExceptions
        endpoint*:Reference
    """,
    "Substance": """
        +resource identifier*:Identifier status category*:CodeableConcept
        code:CodeableConcept description instance*:SubstanceInstance
        ingredient*:SubstanceIngredient
    """,
    "AllergyIntolerance": """
        +resource identifier*:Identifier clinicalStatus:CodeableConcept
        verificationStatus:CodeableConcept type category* criticality code:CodeableConcept
        patient:Reference encounter:Reference onsetDateTime onsetAge:Age onsetPeriod:Period
        onsetRange:Range onsetString recordedDate recorder:Reference asserter:Reference
        lastOccurrence note*:Annotation reaction*:AllergyIntoleranceReaction
    """,
    "DetectedIssue": """
        +resource identifier*:Identifier status code:CodeableConcept severity
        patient:Reference identifiedDateTime identifiedPeriod:Period author:Reference
        implicated*:Reference evidence*:DetectedIssueEvidence detail reference
        mitigation*:DetectedIssueMitigation
    """,
    "Provenance": """
        +resource target*:Reference occurredPeriod:Period occurredDateTime recorded policy*
        location:Reference reason*:CodeableConcept activity:CodeableConcept
        agent*:ProvenanceAgent entity*:ProvenanceEntity signature*:Signature
    """,
    "Procedure": """
        +resource identifier*:Identifier instantiatesCanonical* instantiatesUri*
        basedOn*:Reference partOf*:Reference status statusReason:CodeableConcept
        category:CodeableConcept code:CodeableConcept subject:Reference encounter:Reference
        performedDateTime performedPeriod:Period performedString performedAge:Age
        performedRange:Range recorder:Reference asserter:Reference
        performer*:ProcedurePerformer location:Reference reasonCode*:CodeableConcept
        reasonReference*:Reference bodySite*:CodeableConcept outcome:CodeableConcept
        report*:Reference complication*:CodeableConcept complicationDetail*:Reference
        followUp*:CodeableConcept note*:Annotation focalDevice*:ProcedureFocalDevice
        usedReference*:Reference usedCode*:CodeableConcept
    """,
    "Specimen": """
        +resource identifier*:Identifier accessionIdentifier:Identifier status
        type:CodeableConcept subject:Reference receivedTime parent*:Reference
        request*:Reference collection:SpecimenCollection processing*:SpecimenProcessing
        container*:SpecimenContainer condition*:CodeableConcept note*:Annotation
    """,
    "Money": "+element value:d currency",
    "Count": "+element value:d comparator unit system code",
    "Distance": "+element value:d comparator unit system code",
    "ContactDetail": "+element name telecom*:ContactPoint",
    "Contributor": "+element type name contact*:ContactDetail",
    "DataRequirement": """
        +element type profile* subjectCodeableConcept:CodeableConcept
        subjectReference:Reference mustSupport* codeFilter*:DataRequirementCodeFilter
        dateFilter*:DataRequirementDateFilter limit:i sort*:DataRequirementSort
    """,
    "Expression": "+element description name language expression reference",
    "ParameterDefinition": "+element name use min:i max documentation type profile",
    "RelatedArtifact": "+element type label display citation url document:Attachment resource",
    "TriggerDefinition": """
        +element type name timingTiming:Timing timingReference:Reference timingDate
        timingDateTime data*:DataRequirement condition:Expression
    """,
    "UsageContext": """
        +element code:Coding valueCodeableConcept:CodeableConcept valueQuantity:Quantity
        valueRange:Range valueReference:Reference
    """,
    "EncounterStatusHistory": "+backbone status period:Period",
    "EncounterClassHistory": "+backbone class:Coding period:Period",
    "EncounterParticipant": "+backbone type*:CodeableConcept period:Period individual:Reference",
    "EncounterDiagnosis": "+backbone condition:Reference use:CodeableConcept rank:i",
    "EncounterHospitalization": """
        +backbone preAdmissionIdentifier:Identifier origin:Reference
        admitSource:CodeableConcept reAdmission:CodeableConcept
        dietPreference*:CodeableConcept specialCourtesy*:CodeableConcept
        specialArrangement*:CodeableConcept destination:Reference
        dischargeDisposition:CodeableConcept
    """,
    "EncounterLocation": """
        +backbone location:Reference status physicalType:CodeableConcept period:Period
    """,
    "RelatedPersonCommunication": "+backbone language:CodeableConcept preferred:b",
    "DeviceUdiCarrier": """
        +backbone deviceIdentifier issuer jurisdiction carrierAIDC carrierHRF entryType
    """,
    "DeviceDeviceName": "+backbone name type",
    "DeviceSpecialization": "+backbone systemType:CodeableConcept version",
    "DeviceVersion": "+backbone type:CodeableConcept component:Identifier value",
    "DeviceProperty": """
        +backbone type:CodeableConcept valueQuantity*:Quantity valueCode*:CodeableConcept
    """,
    "CoverageClass": "+backbone type:CodeableConcept value name",
    "CoverageCostToBeneficiary": """
        +backbone type:CodeableConcept valueQuantity:Quantity valueMoney:Money
        exception*:CoverageCostToBeneficiaryException
    """,
    "CareTeamParticipant": """
        +backbone role*:CodeableConcept member:Reference onBehalfOf:Reference period:Period
    """,
    "GroupCharacteristic": """
        +backbone code:CodeableConcept valueCodeableConcept:CodeableConcept valueBoolean:b
        valueQuantity:Quantity valueRange:Range valueReference:Reference exclude:b
        period:Period
    """,
    "GroupMember": "+backbone entity:Reference period:Period inactive:b",
    "LocationPosition": "+backbone longitude:d latitude:d altitude:d",
    "LocationHoursOfOperation": "+backbone daysOfWeek* allDay:b openingTime closingTime",
    "SubstanceInstance": "+backbone identifier:Identifier expiry quantity:Quantity",
    "SubstanceIngredient": """
        +backbone quantity:Ratio substanceCodeableConcept:CodeableConcept
        substanceReference:Reference
    """,
    "AllergyIntoleranceReaction": """
        +backbone substance:CodeableConcept manifestation*:CodeableConcept description onset
        severity exposureRoute:CodeableConcept note*:Annotation
    """,
    "DetectedIssueEvidence": "+backbone code*:CodeableConcept detail*:Reference",
    "DetectedIssueMitigation": "+backbone action:CodeableConcept date author:Reference",
    "ProvenanceAgent": """
        +backbone type:CodeableConcept role*:CodeableConcept who:Reference
        onBehalfOf:Reference
    """,
    "ProvenanceEntity": "+backbone role what:Reference agent*:ProvenanceAgent",
    "ProcedurePerformer": "+backbone function:CodeableConcept actor:Reference onBehalfOf:Reference",
    "ProcedureFocalDevice": "+backbone action:CodeableConcept manipulated:Reference",
    "SpecimenCollection": """
        +backbone collector:Reference collectedDateTime collectedPeriod:Period
        duration:Duration quantity:Quantity method:CodeableConcept bodySite:CodeableConcept
        fastingStatusCodeableConcept:CodeableConcept fastingStatusDuration:Duration
    """,
    "SpecimenProcessing": """
        +backbone description procedure:CodeableConcept additive*:Reference timeDateTime
        timePeriod:Period
    """,
    "SpecimenContainer": """
        +backbone identifier*:Identifier description type:CodeableConcept capacity:Quantity
        specimenQuantity:Quantity additiveCodeableConcept:CodeableConcept
        additiveReference:Reference
    """,
    "DataRequirementCodeFilter": "+element path searchParam valueSet code*:Coding",
    "DataRequirementDateFilter": """
        +element path searchParam valueDateTime valuePeriod:Period valueDuration:Duration
    """,
    "DataRequirementSort": "+element path direction",
    "CoverageCostToBeneficiaryException": "+backbone type:CodeableConcept period:Period",
}

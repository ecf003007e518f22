"""URIs that reading and writing share: published systems, and extensions of our own.

An extension of ours starts with ``urn:eprescription-sdk:``; none is of the national guide.
"""

from eprescription_sdk.model.family import DOCUMENT_TYPE_OID
from eprescription_sdk.model.flags import FLAG_OID
from eprescription_sdk.model.identifiers import PRESCRIPTION_NUMBER_OID

DOCUMENT_TYPE = f"urn:oid:{DOCUMENT_TYPE_OID}"
FLAG = f"urn:oid:{FLAG_OID}"
PRESCRIPTION_NUMBER = f"urn:oid:{PRESCRIPTION_NUMBER_OID}"
RPPS = "https://rpps.esante.gouv.fr"
FINESS = "https://finess.esante.gouv.fr"
INS_ROOT = "urn:oid:1.2.250.1.213.1.4."
PROFESSION = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
UCUM = "http://unitsofmeasure.org"
SUBSTITUTION = "http://terminology.hl7.org/CodeSystem/v3-substanceAdminSubstitution"
SUBSTITUTION_SYSTEMS = (SUBSTITUTION, "urn:oid:2.16.840.1.113883.5.1070")

RENDERED_DOSAGE = (
    "http://hl7.org/fhir/5.0/StructureDefinition/"
    "extension-MedicationRequest.renderedDosageInstruction"
)

OURS = "urn:eprescription-sdk:fhir:"
EXECUTION_READING = OURS + "execution-reading"
REPLACES = OURS + "replaces"
RENEWS = OURS + "renews"
SITUATION = OURS + "practice-situation"
LINE_FLAG = OURS + "line-flag"
TEXT = OURS + "text"
QUANTITY = OURS + "quantity"
RENEWALS = OURS + "renewals"
VALIDITY = OURS + "validity"
SITE = OURS + "site"
SIDE = OURS + "side"
RENTAL_DAYS = OURS + "rental-days"
MINIMUM_INTERVAL = OURS + "minimum-interval"
FURTHER_MAXIMUM = OURS + "further-maximum"
SUBSTITUTION_REASON = OURS + "substitution-reason"

PATIENT_ID = "patient"
PRESCRIBER_ID = "prescriber"
REPLACED_PRESCRIBER_ID = "replaced-prescriber"

"""The national FHIR guide, in and out (ePrescription 1.1.0-ballot, FHIR R4).

``prescription_from_fhir`` and ``prescription_to_fhir`` speak JSON-ready dicts; ``to_xml`` and
``from_xml`` change their form. Nothing here knows of the wire.
"""

from eprescription_sdk.fhir.read import number_from_fhir, prescription_from_fhir
from eprescription_sdk.fhir.write import prescription_to_fhir
from eprescription_sdk.fhir.xml_form import from_xml, to_xml

__all__ = [
    "from_xml",
    "number_from_fhir",
    "prescription_from_fhir",
    "prescription_to_fhir",
    "to_xml",
]

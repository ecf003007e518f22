"""A 2D code that says SPECIMEN: the official payload is not public."""

from eprescription_sdk.model.identifiers import PrescriptionNumber


class SpecimenCode:
    """Stands in for the 2D code printed on a digital prescription."""

    @property
    def simulated(self) -> bool:
        """It is a stand-in."""
        return True

    @property
    def symbology(self) -> str:
        """Name of the symbology."""
        return "qr"

    def payload(self, number: PrescriptionNumber) -> str:
        """What the code holds for this number."""
        return f"SPECIMEN {number.value}"

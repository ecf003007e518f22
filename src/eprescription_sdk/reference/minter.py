"""A fake number minter: its numbers are visibly not the Assurance Maladie's."""

from uuid import uuid4

from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.prescription import Prescription

PREFIX = "FAKE"


class FakeMinter:
    """Stands in for the rule SEL-SFG-023, which is not public.

    Its numbers are ``FAKE`` and 32 hexadecimal digits in capitals, at random.
    """

    @property
    def simulated(self) -> bool:
        """It is a stand-in."""
        return True

    def mint(self, prescription: Prescription) -> PrescriptionNumber:  # noqa: ARG002  (the port's)
        """A number that was never given before."""
        return PrescriptionNumber(PREFIX + uuid4().hex.upper())

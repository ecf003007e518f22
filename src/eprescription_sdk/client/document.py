"""What is printed on the patient's document once the prescription is registered."""

import attrs

from eprescription_sdk.client.core import Core
from eprescription_sdk.model.outcomes import Registered


@attrs.frozen(kw_only=True)
class DocumentBlock:
    """The means of access that the patient receives: number in clear and 2D code.

    Args:
        number: in clear.
        payload: what the 2D code holds.
        symbology: of the 2D code.
        simulation: print ``SIMULATION`` across the document when true.
    """

    number: str = attrs.field(repr=False)
    payload: str = attrs.field(repr=False)
    symbology: str
    simulation: bool


def document_block(core: Core, outcome: Registered) -> DocumentBlock:
    """The block of a registered prescription; no other outcome has one."""
    return DocumentBlock(
        number=outcome.number.value,
        payload=core.code2d.payload(outcome.number),
        symbology=core.code2d.symbology,
        simulation=core.simulation,
    )

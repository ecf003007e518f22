"""A fault of the téléservice: what was read from the wire, and what it says of the request.

Values of the wire are kept as they came, so that one nobody has seen before survives; the
enumerations beside them say what is known of it.
"""

from enum import Enum

import attrs

from eprescription_sdk.model.trace import FaultOrigin


class FaultLayer(Enum):
    """Which part of the Assurance Maladie's side speaks (TLSi, by the prefix of its codes)."""

    EXCHANGE = "exchange"
    """What stands before the services: ``siram_…``."""
    ACCESS = "access"
    """The access to the family of services: ``desir_…``."""
    SERVICE = "service"
    """The service itself: every other code of a fault's detail, such as ``insi_…``."""
    SOAP = "soap"
    """A fault without any code: a SOAP engine or a gateway."""


class FaultSeverity(Enum):
    """How grave it is, as the schema of the siblings has it (``siram:Erreur``)."""

    INFORMATION = "information"
    WARNING = "avertissement"
    ERROR = "erreur"
    FATAL = "fatale"
    UNKNOWN = "unknown"


class Processed(Enum):
    """Whether the request that it answers was processed."""

    PROCESSED = "processed"
    NOT_PROCESSED = "not_processed"
    UNKNOWN = "unknown"


_LAYERS = {"siram": FaultLayer.EXCHANGE, "desir": FaultLayer.ACCESS}


@attrs.frozen(kw_only=True)
class Fault:
    """What a SOAP fault said.

    Args:
        sender: whether the service blames the request; None when it says neither.
        subcode: local name of the subcode, such as ``siram_40``.
        code: the service's own code, such as ``insi_102``.
        severity: as received; unknown values survive.
        text: meant for the end user; it may quote what was sent, so ``repr`` hides it.
        message_id: the service's id of the message, for its support.
        processed: whether the request was processed, by the profile's table.
        origin: where it comes from: software, service, network or user; None until judged.
        known: whether the profile's table has its code.
    """

    sender: bool | None = None
    subcode: str | None = None
    code: str | None = None
    severity: str | None = None
    text: str = attrs.field(default="", repr=False)
    message_id: str | None = None
    processed: Processed = Processed.UNKNOWN
    origin: FaultOrigin | None = None
    known: bool = False

    @property
    def name(self) -> str | None:
        """What to call it by: its code, else its subcode."""
        return self.code or self.subcode

    @property
    def layer(self) -> FaultLayer:
        """Which part of the service's side speaks."""
        name = self.name
        if name is None:
            return FaultLayer.SOAP
        return _LAYERS.get(name.partition("_")[0].lower(), FaultLayer.SERVICE)

    @property
    def level(self) -> FaultSeverity:
        """How grave it is; UNKNOWN for a word that the schema does not have."""
        # Services are known to send capitals where their schema has none.
        word = (self.severity or "").lower()
        return next((each for each in FaultSeverity if each.value == word), FaultSeverity.UNKNOWN)

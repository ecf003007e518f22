"""The whole error tree. Daily life is an outcome; an error here is something to mend.

::

    EPrescriptionError
    ├── ConfigurationError          settings or ports cannot work together
    │   └── MissingExtra            an optional dependency is not installed
    ├── InvalidInput                data from outside that cannot be read (with every path)
    │   ├── InvalidIdentifier       an identifier that breaks its own rule
    │   └── XmlRefused              XML that is malformed, too large, too deep or booby-trapped
    ├── StoreError                  the ledger or trace store
    │   ├── StoreUnavailable        cannot be written now: nothing was sent
    │   ├── StoreUnsafe             another SQLite library broke the file's locks
    │   ├── StoreCorrupt            the file is damaged or is not a store
    │   └── StoreTooNew             written by a later release
    ├── CredentialUnavailable       the practitioner's card or session is not at hand
    ├── ReferenceConflict           a host reference came back with other content
    ├── ServiceError                consult and search only; create answers with an outcome
    │   ├── ServiceUnreachable      never answered
    │   ├── ServiceFault            answered with a fault
    │   ├── UnreadableReply         answered with something nobody can read
    │   └── PrescriptionNotFound    answered: no prescription has this number
    ├── TransportFailure            raised by a ``Transport`` port, read by the engine
    ├── PilotError                  the pilot's rules
    │   ├── IllegalStep             a lifecycle step that is not legal now
    │   └── ClosingPending          a sender still holds its lock
    └── VerificationFailed          an export whose chain or figures do not hold

Each error says what happened, where (``path``) and what to do (``way_out``), and has a
stable ``code``. None carries a patient's data, an RPPS or a prescription number.
"""

from collections.abc import Sequence
from enum import Enum
from typing import ClassVar


class EPrescriptionError(Exception):
    """Root of the tree.

    Args:
        message: what happened, in one sentence.
        path: where: a file, a field path such as ``lines[2].label``, a setting's name.
        way_out: what to do about it.
    """

    code: ClassVar[str] = "EP-ERROR"

    def __init__(
        self, message: str, *, path: str | None = None, way_out: str | None = None
    ) -> None:
        self.message = message
        self.path = path
        self.way_out = way_out
        super().__init__(message)

    def __str__(self) -> str:
        where = f" (at {self.path})" if self.path else ""
        cure = f" {self.way_out}" if self.way_out else ""
        return f"[{self.code}] {self.message}{where}{cure}"


class ConfigurationError(EPrescriptionError):
    """Settings or ports that cannot work together; raised at construction."""

    code = "EP-CONFIG"


class MissingExtra(ConfigurationError):
    """An optional dependency is not installed.

    Args:
        extra: the name of the extra, for example ``sandbox``.
    """

    code = "EP-CONFIG-EXTRA"

    def __init__(self, extra: str) -> None:
        super().__init__(
            f"This needs the optional dependencies of the extra '{extra}'.",
            way_out=f"Install them with: pip install 'eprescription-sdk[{extra}]'",
        )


class InvalidInput(EPrescriptionError):
    """Data from outside that cannot be read.

    ``findings`` holds every finding as ``(path, sentence)``; sentences never quote values.
    """

    code = "EP-INPUT"

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        way_out: str | None = None,
        findings: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.findings = tuple(findings)
        if self.findings:
            message += "".join(f"\n  {where}: {what}" for where, what in self.findings)
        super().__init__(message, path=path, way_out=way_out)


class InvalidIdentifier(InvalidInput):
    """An identifier that breaks its own rule (RPPS, FINESS, INS, prescription number)."""

    code = "EP-INPUT-IDENTIFIER"


class XmlRefused(InvalidInput):
    """A document that is malformed, too large, too deep, or carries a document type."""

    code = "EP-INPUT-XML"


class StoreError(EPrescriptionError):
    """The ledger or trace store."""

    code = "EP-STORE"


class StoreUnavailable(StoreError):
    """The store cannot be written now (full, read-only, locked, gone). Nothing was sent."""

    code = "EP-STORE-UNAVAILABLE"


class StoreUnsafe(StoreError):
    """The file's write-ahead log changed under us: another SQLite library opened it."""

    code = "EP-STORE-UNSAFE"


class StoreCorrupt(StoreError):
    """The file is damaged, or it is not a store of this SDK."""

    code = "EP-STORE-CORRUPT"


class StoreTooNew(StoreError):
    """The store was written by a later release than this one."""

    code = "EP-STORE-TOO-NEW"


class CredentialUnavailable(EPrescriptionError):
    """The practitioner's card or session is not at hand, or has expired."""

    code = "EP-CREDENTIAL"


class ReferenceConflict(EPrescriptionError):
    """A host reference that is still bound came back with other content."""

    code = "EP-REFERENCE"


class ServiceError(EPrescriptionError):
    """A consult or search that did not bring an answer.

    ``message_ids`` are those of the requests made, to give to the service's support.
    """

    code = "EP-SERVICE"
    message_ids: tuple[str, ...] = ()


class ServiceUnreachable(ServiceError):
    """The téléservice never answered."""

    code = "EP-SERVICE-UNREACHABLE"


class ServiceFault(ServiceError):
    """The téléservice answered with a fault.

    ``fault_code`` is the service's own code; ``text_fr`` is meant for the prescriber.
    """

    code = "EP-SERVICE-FAULT"

    def __init__(self, message: str, *, fault_code: str | None, text_fr: str) -> None:
        self.fault_code = fault_code
        self.text_fr = text_fr
        super().__init__(message)


class UnreadableReply(ServiceError):
    """The téléservice answered with something that cannot be read."""

    code = "EP-SERVICE-UNREADABLE"


class PrescriptionNotFound(ServiceError):
    """The téléservice answered that no prescription has this number."""

    code = "EP-SERVICE-NOT-FOUND"


class Delivery(Enum):
    """What a transport knows of a request that brought no answer."""

    NOT_SENT = "not_sent"
    """No byte of the request left: it may be tried again."""
    REJECTED = "rejected"
    """The peer refused our certificate before any answer: not sent, and no use to try again."""
    UNKNOWN = "unknown"
    """Bytes left, no answer came: in doubt."""


class TransportFailure(EPrescriptionError):
    """A request that brought no answer, with what is known of its delivery."""

    code = "EP-TRANSPORT"

    def __init__(self, message: str, *, delivery: Delivery) -> None:
        self.delivery = delivery
        super().__init__(message)


class PilotError(EPrescriptionError):
    """The pilot's rules."""

    code = "EP-PILOT"


class IllegalStep(PilotError):
    """A lifecycle step that is not legal now; the message lists the legal ones."""

    code = "EP-PILOT-STEP"


class ClosingPending(PilotError):
    """Closing waits for a sender that still holds its lock; ``holders`` names them."""

    code = "EP-PILOT-CLOSING"

    def __init__(self, message: str, *, holders: Sequence[str], way_out: str | None = None) -> None:
        self.holders = tuple(holders)
        super().__init__(message, way_out=way_out)


class VerificationFailed(EPrescriptionError):
    """An export whose chain or figures do not hold."""

    code = "EP-VERIFY"

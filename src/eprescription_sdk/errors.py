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
    │   │   └── StoreBusy           a process stays amid a transaction
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
    │   └── ClosingPending          a process holds up the closing of the traces
    └── VerificationFailed          an export whose chain or figures do not hold

Each error says what happened, where (``path``) and what to do (``way_out``), and has a
stable ``code``. One that a prescriber may meet has a French sentence to show them (``text_fr``).
One that a call raised has that call's id (``correlation_id``).
None carries a patient's data, an RPPS or a prescription number.
"""

from collections.abc import Sequence
from enum import Enum
from typing import ClassVar


class EPrescriptionError(Exception):
    """Root of the tree.

    Args:
        message: what happened, in one sentence.
        path: where: a file, a field path such as ``lines[2].label``, a setting's name.
        way_out: what to do about it; the ``cure`` of its kind where nothing better is known.
    """

    code: ClassVar[str] = "EP-ERROR"
    """Stable: a host may match on it."""
    cure: ClassVar[str] = "Look up the code in the documentation."
    """What to do about any error of this kind."""
    text_fr: str | None = None
    """What to show the prescriber, where one may meet it."""
    correlation_id: str | None = None
    """Of the call that raised it; the logs and spans of that call carry the same."""

    def __init__(
        self, message: str, *, path: str | None = None, way_out: str | None = None
    ) -> None:
        self.message = message
        self.path = path
        self.way_out = way_out or self.cure
        super().__init__(message)

    def __str__(self) -> str:
        where = f" (at {self.path})" if self.path else ""
        call = f" (call {self.correlation_id})" if self.correlation_id else ""
        return f"[{self.code}] {self.message}{where} {self.way_out}{call}"


class ConfigurationError(EPrescriptionError):
    """Settings or ports that cannot work together; raised at construction."""

    code = "EP-CONFIG"
    cure = "Correct the setting or the port that is named; nothing was sent."


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
    cure = "Correct what is named, and give it again; nothing was changed."

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
    cure = "Take the number from its source again; do not mend it."


class XmlRefused(InvalidInput):
    """A document that is malformed, too large, too deep, or carries a document type."""

    code = "EP-INPUT-XML"
    cure = "Ask its sender for a well-formed document of ordinary size."


class StoreError(EPrescriptionError):
    """The ledger or trace store."""

    code = "EP-STORE"
    cure = "Run: eprescription doctor"
    text_fr = (
        "L'ordonnance n'a pas pu être préparée, et rien n'a été envoyé. Remettez une "
        "ordonnance papier, sans numéro ni code 2D."
    )


class StoreUnavailable(StoreError):
    """The store cannot be written now (full, read-only, locked, gone). Nothing was sent."""

    code = "EP-STORE-UNAVAILABLE"
    cure = "Let this process write to the store, then try again."


class StoreBusy(StoreUnavailable):
    """A process stays amid a transaction; ``holders`` names it, where that can be known."""

    code = "EP-STORE-BUSY"

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        way_out: str | None = None,
        holders: Sequence[str] = (),
    ) -> None:
        self.holders = tuple(holders)
        super().__init__(message, path=path, way_out=way_out)


class StoreUnsafe(StoreError):
    """The file's write-ahead log changed under us: another SQLite library opened it."""

    code = "EP-STORE-UNSAFE"
    cure = "Open this file with no other SQLite library in the same process."


class StoreCorrupt(StoreError):
    """The file is damaged, or it is not a store of this SDK."""

    code = "EP-STORE-CORRUPT"
    cure = "Stop the writers, keep the file, and restore the last backup."


class StoreTooNew(StoreError):
    """The store was written by a later release than this one."""

    code = "EP-STORE-TOO-NEW"
    cure = "Install the later release of eprescription-sdk."


class CredentialUnavailable(EPrescriptionError):
    """The practitioner's card or session is not at hand, or has expired."""

    code = "EP-CREDENTIAL"
    cure = "Ask the practitioner for their card or a new session."
    text_fr = (
        "Votre carte ou votre session n'est pas disponible. Insérez votre carte ou "
        "reconnectez-vous."
    )


class ReferenceConflict(EPrescriptionError):
    """A host reference that is still bound came back with other content."""

    code = "EP-REFERENCE"
    cure = "Give a new prescription a new reference."


class ServiceError(EPrescriptionError):
    """A consult or search that did not bring an answer.

    ``message_ids`` are those of the requests made, to give to the service's support.
    """

    code = "EP-SERVICE"
    cure = "Give the message ids to the service's support."
    text_fr = (
        "Le service de l'ordonnance numérique n'a pas donné de réponse exploitable. Réessayez "
        "dans un instant."
    )
    message_ids: tuple[str, ...] = ()


class ServiceUnreachable(ServiceError):
    """The téléservice never answered."""

    code = "EP-SERVICE-UNREACHABLE"
    cure = "Check the network, then try again later."
    text_fr = "Le service de l'ordonnance numérique ne répond pas. Réessayez dans un instant."


class ServiceFault(ServiceError):
    """The téléservice answered with a fault.

    ``fault_code`` is the service's own code; ``text_fr`` is meant for the prescriber.
    """

    code = "EP-SERVICE-FAULT"
    cure = (
        "Look the fault's code up in the specification; give the message ids to the "
        "service's support."
    )

    def __init__(self, message: str, *, fault_code: str | None, text_fr: str) -> None:
        self.fault_code = fault_code
        self.text_fr = text_fr
        super().__init__(message)


class UnreadableReply(ServiceError):
    """The téléservice answered with something that cannot be read."""

    code = "EP-SERVICE-UNREADABLE"
    cure = "Try again; if it stays, give the message ids to the service's support."


class PrescriptionNotFound(ServiceError):
    """The téléservice answered that no prescription has this number."""

    code = "EP-SERVICE-NOT-FOUND"
    cure = "Check the number with whoever gave it."
    text_fr = "Aucune ordonnance numérique ne porte ce numéro."


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
    cure = "Its delivery says whether the request may be sent again."

    def __init__(self, message: str, *, delivery: Delivery) -> None:
        self.delivery = delivery
        super().__init__(message)


class PilotError(EPrescriptionError):
    """The pilot's rules."""

    code = "EP-PILOT"
    cure = "Look at the dossier and the phase: eprescription pilot check."


class IllegalStep(PilotError):
    """A lifecycle step that is not legal now; the message lists the legal ones."""

    code = "EP-PILOT-STEP"
    cure = "Take a step that is legal now."


class ClosingPending(PilotError):
    """Closing waits for a sender, or for a process amid a transaction; ``holders`` names them."""

    code = "EP-PILOT-CLOSING"
    cure = "Let the sender finish or end it, then close again; or force."

    def __init__(self, message: str, *, holders: Sequence[str], way_out: str | None = None) -> None:
        self.holders = tuple(holders)
        super().__init__(message, way_out=way_out)


class VerificationFailed(EPrescriptionError):
    """An export whose chain or figures do not hold."""

    code = "EP-VERIFY"
    cure = "Ask its sender for the export again, as it was written."

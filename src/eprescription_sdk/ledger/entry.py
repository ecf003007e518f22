"""One entry of the ledger, and what hangs on it."""

from datetime import datetime
from enum import Enum

import attrs

from eprescription_sdk.ledger.states import State
from eprescription_sdk.model.family import DocumentType, Family
from eprescription_sdk.model.identifiers import PrescriptionNumber, Rpps


class DocumentGiven(Enum):
    """What the patient was given while the registration was not known."""

    NOTHING = "nothing"
    PLAIN = "plain"


@attrs.frozen(kw_only=True)
class Entry:
    """One prescription that was, or was about to be, sent.

    Times that we measured are those of this machine's clock; the ledger keeps the store's.

    Args:
        number: minted once.
        subject: UUID that names it in traces.
        state: where it stands.
        reference: keyed host reference; binds while the state is binding.
        fingerprint: keyed, of the payload as frozen.
        rpps: the practitioner.
        situation: id of the practice situation.
        families: the families of care in it.
        document_type: its document type.
        act: keyed; what ties the documents of one consultation together.
        corrects: the refused prescription that this one corrects.
        issued_at: when it was prescribed.
        test_identity: whether the patient stands for nobody.
        owner: incarnation of the process that holds it.
        epoch: counts the claims; a write with another epoch comes from a former owner.
        lease_until: until then nobody else touches it.
        created_at: when it was journalled.
        last_send_at: the last moment at which bytes may have left. Journalled as the call's
            deadline, so that a crash is judged by the worst case.
        cause: of a ``NotRegistered``.
        fault_code: the service's code.
        registered_at: as the service said.
        message_ids: of the requests made, for the service's support.
        document: what the patient was given while uncertain.
        revision: of its newest prescription trace.
        settled_at: when the state was last decided.
    """

    number: PrescriptionNumber
    subject: str
    state: State
    reference: str | None
    fingerprint: str = attrs.field(repr=False)
    rpps: Rpps
    situation: str
    families: frozenset[Family]
    document_type: DocumentType
    act: str | None
    corrects: PrescriptionNumber | None
    issued_at: datetime
    test_identity: bool
    owner: str
    epoch: int
    lease_until: datetime
    created_at: datetime
    last_send_at: datetime
    cause: str | None = None
    fault_code: str | None = None
    registered_at: datetime | None = None
    message_ids: tuple[str, ...] = ()
    document: DocumentGiven | None = None
    revision: int = 0
    settled_at: datetime | None = None

    @property
    def purged(self) -> bool:
        """Whether this is a tombstone: whose prescription it was is no longer known."""
        return not self.rpps.value


@attrs.frozen(kw_only=True)
class Settlement:
    """One line of the durable feed: an answer, whenever it came.

    Args:
        cursor: pass it as ``after`` to go on from here.
        number: which prescription.
        state: what was decided.
        at: when.
    """

    cursor: int
    number: PrescriptionNumber
    state: State
    at: datetime


@attrs.frozen(kw_only=True)
class DuplicateRisk:
    """Plain paper was given out, and the prescription was registered after all.

    Args:
        number: the registered prescription.
        raised_at: when it was found.
        closed_at: when a person dealt with it; None while open.
        closed_by: who.
        reason: what they did.
    """

    number: PrescriptionNumber
    raised_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    reason: str | None = None

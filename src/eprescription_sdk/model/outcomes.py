"""The closed outcomes of ``create()``: registered, not registered, or uncertain (law 2)."""

from datetime import datetime
from enum import Enum

import attrs

from eprescription_sdk.model.faults import Fault
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.problems import Problem


class Cause(Enum):
    """Why a prescription is not registered."""

    REFUSED = "refused"
    """The service processed and refused it."""
    NOT_SENT = "not_sent"
    """It never left, or the service said it did not process it."""
    ABSENT = "absent"
    """It left, and the service does not have it, past the in-flight horizon."""
    NOT_IN_PILOT = "not_in_pilot"
    """The pilot has walls: this practitioner is not enrolled and live."""
    INVALID = "invalid"
    """It breaks rules; nothing was sent."""


class NextStep(Enum):
    """What the host does next."""

    PRINT_WITH_NUMBER = "print_with_number"
    PRINT_PLAIN = "print_plain"
    HOLD = "hold"
    CORRECT = "correct"


@attrs.frozen(kw_only=True)
class Advice:
    """The next step, with the French sentence to show the prescriber."""

    step: NextStep
    text_fr: str


class AttemptResult(Enum):
    """What one attempt came to."""

    REGISTERED = "registered"
    NOT_SENT = "not_sent"
    NOT_PROCESSED = "not_processed"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"
    FOUND = "found"
    ABSENT = "absent"
    LISTED = "listed"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class Attempt:
    """One request of a call.

    Args:
        operation: ``create``, ``consult`` or ``search``.
        message_id: the id to give to the service's support.
        at: when it was sent, UTC.
        duration: in seconds.
        result: what it came to.
        fault_code: the service's code, if it answered with a fault.
        detail: what was seen, in a word or two; no content.
    """

    operation: str
    message_id: str
    at: datetime
    duration: float
    result: AttemptResult
    fault_code: str | None = None
    detail: str | None = None


@attrs.frozen(kw_only=True)
class _Outcome:
    """What every outcome carries.

    Args:
        attempts: the requests made, in order.
        duration: of the whole call, in seconds.
        advice: what the host does next.
        simulation: whether a stand-in of this SDK took part.
        subject: names the prescription in ledger and traces.
        correlation_id: of the call; its logs and spans carry the same.
    """

    attempts: tuple[Attempt, ...]
    duration: float
    advice: Advice
    simulation: bool
    subject: str | None = None
    correlation_id: str = ""

    @property
    def message_ids(self) -> tuple[str, ...]:
        """The ids to give to the service's support."""
        return tuple(attempt.message_id for attempt in self.attempts)


@attrs.frozen(kw_only=True)
class Registered(_Outcome):
    """The prescription is in the base of the Assurance Maladie, once.

    Args:
        number: to print in clear, with its 2D code.
        registered_at: as the service said, or when it was found there.
    """

    number: PrescriptionNumber
    registered_at: datetime


@attrs.frozen(kw_only=True)
class NotRegistered(_Outcome):
    """The prescription is not there: plain paper, without number or 2D code.

    Args:
        cause: why.
        number: what the attempt was minted as; never printed, it ties a paper prescription
            (``after``) or a correction (``corrects``) to this attempt. None if none was minted.
        problems: with ``INVALID``, the rules broken.
        fault: with ``REFUSED``, what the service said.
    """

    cause: Cause
    number: PrescriptionNumber | None = None
    problems: tuple[Problem, ...] = ()
    fault: Fault | None = None


@attrs.frozen(kw_only=True)
class Uncertain(_Outcome):
    """Not known yet; the ledger keeps it until it is settled.

    Args:
        number: never printed until it is registered.
        waits_for_credentials: only this practitioner's next session can settle it.
    """

    number: PrescriptionNumber
    waits_for_credentials: bool = False


Outcome = Registered | NotRegistered | Uncertain

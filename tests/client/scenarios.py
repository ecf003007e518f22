"""The scenario table of law 10: every fault, what strikes whom, and what it comes to.

It is played on both clients and both HTTP libraries by ``test_scenarios``, and it is what
``docs/fault-table.md`` shows: ``documented`` writes that page's table.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import attrs

import eprescription_sdk as ep
from eprescription_sdk.model.outcomes import AttemptResult, Cause
from eprescription_sdk.sandbox import (
    AnswerAfter,
    CommitLate,
    CommitThenDrop,
    DropBeforeCommit,
    Endless,
    ExpiredCredential,
    Fault,
    FaultCode,
    Malformed,
    ResetMidBody,
    StaleConsult,
    Truncated,
    Unavailable,
)
from tests.client.harness import World

ANSWERED = "answered"
"""A consult or search that is answered in the end: it may be tried again."""


def _nothing(_: World) -> AbstractContextManager[None]:
    return nullcontext()


def _refusing(stage: World) -> AbstractContextManager[None]:
    return stage.sandbox.refusing_connections()


@contextmanager
def _stopped(stage: World) -> Iterator[None]:
    stage.sandbox.stop()
    try:
        yield
    finally:
        stage.sandbox.start()


@attrs.frozen(kw_only=True)
class Row:
    """What strikes a call, and what it comes to.

    Args:
        faults: script of the creates, in order; alone, also of a consult or search.
        consults: script of the consults, in order.
        during: what else happens while the call runs.
        outcome: where duplicates are accepted or the profile does not know better.
        resent: where the profile allows resending; the same by default.
        cause: of a ``NotRegistered``.
        first: result of the first attempt.
        held: registrations in the end, and with resending.
        seconds: the call may take.
        reading: the error of a consult or search that the same strikes; ``ANSWERED`` if it is
            answered in the end; None where there is no such case.
    """

    faults: tuple[Fault, ...] = ()
    consults: tuple[Fault, ...] = ()
    during: Callable[[World], AbstractContextManager[None]] = _nothing
    outcome: type[ep.Outcome]
    resent: type[ep.Outcome] | None = None
    cause: Cause | None = None
    first: AttemptResult
    held: int
    held_resent: int | None = None
    seconds: float | None = None
    reading: type[ep.ServiceError] | str | None = None

    def may_repeat(self) -> bool:
        """Whether it matters that a create may be sent again."""
        return self.first is DOUBT

    def told(self) -> list[str]:
        """The row as the documentation shows it."""
        cause = f"({self.cause.name})" if self.cause else ""
        outcome = f"`{self.outcome.__name__}{cause}`"
        held = str(self.held)
        if self.resent is not None:
            outcome += f"; sent again, `{self.resent.__name__}`"
        if self.held_resent is not None:
            held += f"; sent again, {self.held_resent}"
        if isinstance(self.reading, str) or self.reading is None:
            read = self.reading or "—"
        else:
            read = f"`{self.reading.__name__}`"
        return [f"`{self.first.value}`", outcome, held, read]


DOUBT = AttemptResult.IN_DOUBT
TABLE: dict[str, Row] = {
    "nothing": Row(
        outcome=ep.Registered, first=AttemptResult.REGISTERED, held=1, reading=ANSWERED,
    ),
    "registered, then the answer is dropped": Row(
        faults=(CommitThenDrop(),),
        outcome=ep.Registered, first=DOUBT, held=1, reading=ANSWERED,
    ),
    "the same, and three consults fail too": Row(
        faults=(CommitThenDrop(),),
        consults=(DropBeforeCommit(), Malformed(), Unavailable()),
        outcome=ep.Registered, first=DOUBT, held=1,
    ),
    "the same, and consult is stale for 2 s": Row(
        faults=(CommitThenDrop(),), consults=(StaleConsult(2),),
        outcome=ep.Registered, first=DOUBT, held=1,
    ),
    "the same, and the credential expires": Row(
        faults=(CommitThenDrop(),), consults=(ExpiredCredential(),),
        outcome=ep.Uncertain, first=DOUBT, held=1,
    ),
    "dropped, nothing registered": Row(
        faults=(DropBeforeCommit(),), seconds=0.5,
        outcome=ep.Uncertain, resent=ep.Registered, first=DOUBT, held=0, held_resent=1,
        reading=ANSWERED,
    ),
    "registered after 8 s": Row(
        faults=(CommitLate(8),), outcome=ep.Registered, first=DOUBT, held=1,
    ),
    "registered when the call is over": Row(
        faults=(CommitLate(13),), seconds=1.2,
        outcome=ep.Uncertain, resent=ep.Registered, first=DOUBT, held=1,
    ),
    "registered at once, answered after 13 s": Row(
        faults=(AnswerAfter(13),), outcome=ep.Registered, first=DOUBT, held=1, reading=ANSWERED,
    ),
    "answered slowly, but in time": Row(
        faults=(AnswerAfter(2),),
        outcome=ep.Registered, first=AttemptResult.REGISTERED, held=1, reading=ANSWERED,
    ),
    "503": Row(
        faults=(Unavailable(),), seconds=0.5,
        outcome=ep.Uncertain, resent=ep.Registered, first=DOUBT, held=0, held_resent=1,
        reading=ANSWERED,
    ),
    "503, `Retry-After` beyond the cap, in seconds": Row(
        faults=(Unavailable(retry_after=20),),
        outcome=ep.Uncertain, first=DOUBT, held=0, reading=ep.UnreadableReply,
    ),
    "503, `Retry-After` beyond the cap, as a date": Row(
        faults=(Unavailable(retry_after=40, as_date=True),),
        outcome=ep.Uncertain, first=DOUBT, held=0, reading=ep.UnreadableReply,
    ),
    "502, then 504": Row(
        faults=(Unavailable(status=502), Unavailable(status=504)), seconds=0.5,
        outcome=ep.Uncertain, resent=ep.Registered, first=DOUBT, held=0, held_resent=1,
        reading=ANSWERED,
    ),
    "a fault that refuses": Row(
        faults=(FaultCode("sdkref_invalid", sender=True),),
        outcome=ep.NotRegistered, cause=Cause.REFUSED, first=AttemptResult.REFUSED, held=0,
        reading=ep.ServiceFault,
    ),
    "the credential has expired": Row(
        faults=(ExpiredCredential(),),
        outcome=ep.NotRegistered, cause=Cause.REFUSED, first=AttemptResult.REFUSED, held=0,
        reading=ep.ServiceFault,
    ),
    "a fault that says “not processed”": Row(
        faults=(FaultCode("sdkref_unavailable"),),
        outcome=ep.Registered, first=AttemptResult.NOT_PROCESSED, held=1, reading=ANSWERED,
    ),
    "the same, five times": Row(
        faults=(FaultCode("sdkref_unavailable"),) * 5,
        outcome=ep.NotRegistered, cause=Cause.NOT_SENT,
        first=AttemptResult.NOT_PROCESSED, held=0, reading=ep.ServiceFault,
    ),
    "the same, then registered and the answer dropped": Row(
        faults=(FaultCode("sdkref_unavailable"), CommitThenDrop()),
        outcome=ep.Registered, first=AttemptResult.NOT_PROCESSED, held=1, reading=ANSWERED,
    ),
    "a fault that says “number exists”, and it is ours": Row(
        faults=(FaultCode("sdkref_exists", commit=True),),
        outcome=ep.Registered, first=DOUBT, held=1,
    ),
    "a fault that says “number exists”, and it does not": Row(
        faults=(FaultCode("sdkref_exists"),), seconds=0.5,
        outcome=ep.Uncertain, resent=ep.Registered, first=DOUBT, held=0, held_resent=1,
        reading=ep.ServiceFault,
    ),
    "a fault of unknown code and severity, registered": Row(
        faults=(FaultCode("desir_550", severity="inconnue", commit=True),),
        outcome=ep.Registered, first=DOUBT, held=1, reading=ep.ServiceFault,
    ),
    "a fault of unknown code, nothing registered": Row(
        faults=(FaultCode("insi_102"),), seconds=0.5,
        outcome=ep.Uncertain, resent=ep.Registered, first=DOUBT, held=0, held_resent=1,
        reading=ep.ServiceFault,
    ),
    "registered, malformed XML": Row(
        faults=(Malformed(),), outcome=ep.Registered, first=DOUBT, held=1, reading=ANSWERED,
    ),
    "registered, truncated XML": Row(
        faults=(Truncated(),), outcome=ep.Registered, first=DOUBT, held=1, reading=ANSWERED,
    ),
    "registered, endless XML": Row(
        faults=(Endless(),), outcome=ep.Registered, first=DOUBT, held=1, reading=ANSWERED,
    ),
    "registered, connection reset in mid-body": Row(
        faults=(ResetMidBody(),), outcome=ep.Registered, first=DOUBT, held=1, reading=ANSWERED,
    ),
    "the connection is refused": Row(
        during=_refusing,
        outcome=ep.NotRegistered, cause=Cause.NOT_SENT, first=AttemptResult.NOT_SENT, held=0,
        reading=ep.ServiceUnreachable,
    ),
    "nobody listens": Row(
        during=_stopped,
        outcome=ep.NotRegistered, cause=Cause.NOT_SENT, first=AttemptResult.NOT_SENT, held=0,
        reading=ep.ServiceUnreachable,
    ),
    # Last: whatever is consulted after it would find nothing either.
    "consult is stale": Row(
        consults=(StaleConsult(2000),),
        outcome=ep.Registered, first=AttemptResult.REGISTERED, held=1,
        reading=ep.PrescriptionNotFound,
    ),
}  # fmt: skip
"""What strikes the first create; or the first consult or search, of one that is registered.

"Sent again" is said where the service refuses a number twice and the profile knows it."""


def documented() -> str:
    """The table as Markdown."""
    head = ["what strikes", "first attempt", "`create()`", "registered", "`consult()`, `search()`"]
    rows = [head, ["---"] * len(head), *([name, *row.told()] for name, row in TABLE.items())]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)

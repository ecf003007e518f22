"""The scenario table of law 10: what every fault comes to, on both clients.

Each row names the fault that strikes the first create, and what the call and the ledger must
say. Whatever the row, law 1 holds at the end: no number twice, no content twice, and past the
in-flight horizon the ledger says what the sandbox holds.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.ledger import State
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
    Operation,
    ResetMidBody,
    StaleConsult,
    Truncated,
    Unavailable,
)
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.transport import (
    AsyncHttpx2Transport,
    AsyncHttpxTransport,
    Httpx2Transport,
    HttpxTransport,
)
from tests.client.harness import QUICK, World, brief, mark, world

CHARACTERS = {
    "accepts-duplicates": (False, False),
    "refuses-duplicates-unknown-to-us": (True, False),
    "refuses-duplicates": (True, True),
}
"""Sandbox unique by number, profile says so. A profile that promises what the service does not
keep breaks law 1 by its own word: no row for it."""


@attrs.frozen(kw_only=True)
class Row:
    """One fault and what it comes to.

    Args:
        faults: script of the creates, in order.
        consults: script of the consults, in order.
        outcome: where duplicates are accepted or the profile does not know better.
        resent: where the profile allows resending; the same by default.
        cause: of a ``NotRegistered``.
        first: result of the first attempt.
        held: registrations in the end, and with resending.
        seconds: the call may take.
    """

    faults: tuple[Fault, ...] = ()
    consults: tuple[Fault, ...] = ()
    outcome: type[ep.Outcome]
    resent: type[ep.Outcome] | None = None
    cause: Cause | None = None
    first: AttemptResult
    held: int
    held_resent: int | None = None
    seconds: float | None = None


DOUBT = AttemptResult.IN_DOUBT
TABLE: dict[str, Row] = {
    "success": Row(outcome=ep.Registered, first=AttemptResult.REGISTERED, held=1),
    "commit then drop": Row(
        faults=(CommitThenDrop(),), outcome=ep.Registered, first=DOUBT, held=1
    ),
    "commit then drop, consult cut too": Row(
        faults=(CommitThenDrop(),),
        consults=(DropBeforeCommit(), Malformed(), Unavailable()),
        outcome=ep.Registered, first=DOUBT, held=1,
    ),
    "commit then drop, consult stale": Row(
        faults=(CommitThenDrop(),), consults=(StaleConsult(2),),
        outcome=ep.Registered, first=DOUBT, held=1,
    ),
    "drop before commit": Row(
        faults=(DropBeforeCommit(),), seconds=0.25,
        outcome=ep.Uncertain, resent=ep.Registered, first=DOUBT, held=0, held_resent=1,
    ),
    "commit late": Row(
        faults=(CommitLate(8),), outcome=ep.Registered, first=DOUBT, held=1,
    ),
    "commit later than the call": Row(
        faults=(CommitLate(16),), seconds=0.6,
        outcome=ep.Uncertain, resent=ep.Registered, first=DOUBT, held=1,
    ),
    "answer late": Row(faults=(AnswerAfter(8),), outcome=ep.Registered, first=DOUBT, held=1),
    "answer slowly but in time": Row(
        faults=(AnswerAfter(2),), outcome=ep.Registered, first=AttemptResult.REGISTERED, held=1
    ),
    "503": Row(
        faults=(Unavailable(),), seconds=0.25,
        outcome=ep.Uncertain, resent=ep.Registered, first=DOUBT, held=0, held_resent=1,
    ),
    "503 that asks to wait too long": Row(
        faults=(Unavailable(retry_after=20),), outcome=ep.Uncertain, first=DOUBT, held=0
    ),
    "502 and 504": Row(
        faults=(Unavailable(status=502), Unavailable(status=504)), seconds=0.25,
        outcome=ep.Uncertain, resent=ep.Registered, first=DOUBT, held=0, held_resent=1,
    ),
    "refused": Row(
        faults=(FaultCode("sdkref_invalid", sender=True),),
        outcome=ep.NotRegistered, cause=Cause.REFUSED, first=AttemptResult.REFUSED, held=0,
    ),
    "not processed, then registered": Row(
        faults=(FaultCode("sdkref_unavailable"),),
        outcome=ep.Registered, first=AttemptResult.NOT_PROCESSED, held=1,
    ),
    "never processed": Row(
        faults=(FaultCode("sdkref_unavailable"),) * 5,
        outcome=ep.NotRegistered, cause=Cause.NOT_SENT,
        first=AttemptResult.NOT_PROCESSED, held=0,
    ),
    "not processed, then cut after the commit": Row(
        faults=(FaultCode("sdkref_unavailable"), CommitThenDrop()),
        outcome=ep.Registered, first=AttemptResult.NOT_PROCESSED, held=1,
    ),
    "number exists, ours": Row(
        faults=(FaultCode("sdkref_exists", commit=True),),
        outcome=ep.Registered, first=DOUBT, held=1,
    ),
    "exists": Row(
        faults=(FaultCode("sdkref_exists"),), seconds=0.25,
        outcome=ep.Uncertain, resent=ep.Registered, first=DOUBT, held=0, held_resent=1,
    ),
    "unknown code, committed": Row(
        faults=(FaultCode("desir_550", severity="inconnue", commit=True),),
        outcome=ep.Registered, first=DOUBT, held=1,
    ),
    "unknown code, not committed": Row(
        faults=(FaultCode("insi_102"),), seconds=0.25,
        outcome=ep.Uncertain, resent=ep.Registered, first=DOUBT, held=0, held_resent=1,
    ),
    "malformed": Row(faults=(Malformed(),), outcome=ep.Registered, first=DOUBT, held=1),
    "truncated": Row(faults=(Truncated(),), outcome=ep.Registered, first=DOUBT, held=1),
    "endless": Row(faults=(Endless(),), outcome=ep.Registered, first=DOUBT, held=1),
    "reset in mid-body": Row(
        faults=(ResetMidBody(),), outcome=ep.Registered, first=DOUBT, held=1
    ),
    "credential expired": Row(
        faults=(ExpiredCredential(),),
        outcome=ep.NotRegistered, cause=Cause.REFUSED, first=AttemptResult.REFUSED, held=0,
    ),
    "in doubt, then the credential expires": Row(
        faults=(CommitThenDrop(),), consults=(ExpiredCredential(),),
        outcome=ep.Uncertain, first=DOUBT, held=1,
    ),
}  # fmt: skip


TRANSPORTS = {
    ("httpx", "sync"): HttpxTransport,
    ("httpx", "async"): AsyncHttpxTransport,
    ("httpx2", "sync"): Httpx2Transport,
    ("httpx2", "async"): AsyncHttpx2Transport,
}
"""The libraries that carry requests: what is seen on the wire must mean the same on each."""


def _scripted(stage: World, row: Row) -> None:
    for fault in row.faults:
        stage.sandbox.script(Operation.CREATE, fault)
    for fault in row.consults:
        stage.sandbox.script(Operation.CONSULT, fault)


@pytest.mark.parametrize(
    ("character", "name", "library"),
    [
        (character, name, library)
        for library in ("httpx", "httpx2")
        for character in CHARACTERS
        for name in TABLE
        # What the service refuses unknown to us differs only where a request may come twice;
        # what comes of a verdict does not depend on the library that brought it.
        if character == "accepts-duplicates"
        or (character == "refuses-duplicates" and library == "httpx")
        or (library == "httpx" and name in ("commit late", "exists"))
    ],
)
def test_every_fault_has_its_outcome(
    name: str, character: str, library: str, side: str, tmp_path: Path
) -> None:
    carrier = TRANSPORTS[library, side]()
    row, (unique, trusted) = TABLE[name], CHARACTERS[character]
    expected = (trusted and row.resent) or row.outcome
    held = row.held_resent if trusted and row.held_resent is not None else row.held
    content = mark()
    profile = brief(row.seconds) if row.seconds else QUICK
    with world(
        tmp_path,
        side,
        unique=unique,
        trusted_unique=trusted,
        profile=profile,
        transport=carrier,
    ) as stage:
        _scripted(stage, row)
        outcome = stage.side.create(sample_prescription(text=content, reference="réf"))

        assert type(outcome) is expected
        assert outcome.attempts[0].result is row.first
        assert isinstance(outcome, ep.NotRegistered) == (row.cause is not None)
        if isinstance(outcome, ep.NotRegistered):
            assert outcome.cause is row.cause
        assert outcome.number is not None
        entry = stage.entry(outcome.number)
        assert entry.state is _STATES[expected]
        assert {call.number for call in stage.sandbox.calls} == {outcome.number.value}
        sent = [call for call in stage.sandbox.calls if call.operation is Operation.CREATE]
        assert trusted or len([c for c in sent if c.fault != "FaultCode"]) <= 1

        _settled_for_good(stage, content, outcome.number, held)


_STATES = {
    ep.Registered: State.REGISTERED,
    ep.NotRegistered: State.NOT_REGISTERED,
    ep.Uncertain: State.UNCERTAIN,
}


def _settled_for_good(stage: World, content: str, number: ep.PrescriptionNumber, held: int) -> None:
    """Past the horizon the ledger knows, and it is what the sandbox holds."""
    stage.later()
    before = len(stage.sandbox.registrations)
    result = stage.side.reconcile(stage.who)
    assert (result.open, result.waiting_for_credentials) == (0, 0)
    assert len(stage.sandbox.registrations) == before, "reconcile created something"
    state = stage.entry(number).state
    assert state is (State.REGISTERED if held else State.NOT_REGISTERED)
    assert stage.holding(content) == stage.sandbox.count(number.value) == held
    stage.agrees()


@contextmanager
def _stopped(stage: World) -> Iterator[None]:
    stage.sandbox.stop()
    try:
        yield
    finally:
        stage.sandbox.start()


REFUSALS: dict[str, Callable[[World], AbstractContextManager[None]]] = {
    "port refuses": lambda stage: stage.sandbox.refusing_connections(),
    "nobody listens": _stopped,
}


@pytest.mark.parametrize("how", REFUSALS)
def test_a_refused_connection_is_not_sent(how: str, side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        with REFUSALS[how](stage):
            outcome = stage.side.create(sample_prescription(reference="réf"))
        assert isinstance(outcome, ep.NotRegistered)
        assert outcome.cause is Cause.NOT_SENT
        assert {attempt.result for attempt in outcome.attempts} == {AttemptResult.NOT_SENT}
        assert 1 < len(outcome.attempts) <= stage.settings.profile.max_attempts
        assert stage.sandbox.calls == []
        assert stage.entry(outcome.number).state is State.NOT_REGISTERED
        # The reference is free again at once: nothing left.
        again = stage.side.create(sample_prescription(reference="réf"))
        assert isinstance(again, ep.Registered)
        assert again.number != outcome.number


def test_a_connection_kept_alive_and_then_refused(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, profile=brief(0.5)) as stage:
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)
        with stage.sandbox.refusing_connections():
            outcome = stage.side.create(sample_prescription())
        # The bytes may have gone into a connection that was already dead: then it is in doubt.
        assert not isinstance(outcome, ep.Registered)
        stage.later()
        stage.side.reconcile(stage.who)
        stage.agrees()
        assert len(stage.sandbox.registrations) == 1


def test_resends_are_bounded_by_max_attempts(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, unique=True) as stage:
        stage.sandbox.script(Operation.CREATE, DropBeforeCommit(), times=50)
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Uncertain)
        creates = [a for a in outcome.attempts if a.operation == "create"]
        assert 1 < len(creates) <= stage.settings.profile.max_attempts


def test_a_pause_asked_for_is_kept(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, profile=brief(1.3, _PATIENT)) as stage:
        stage.sandbox.script(Operation.CREATE, Unavailable(retry_after=20))
        stage.side.create(sample_prescription())
        create, consult = stage.sandbox.calls[:2]
        assert (consult.at - create.at).total_seconds() >= 1.0


_PATIENT = attrs.evolve(QUICK, retry_after_cap=1.5)


READING: dict[str, tuple[Fault, type[ep.ServiceError] | None]] = {
    "dropped": (DropBeforeCommit(), None),
    "answers slowly": (AnswerAfter(2), None),
    "answers late": (AnswerAfter(8), None),
    "503": (Unavailable(), None),
    "503 that asks to wait too long": (Unavailable(retry_after=20), ep.UnreadableReply),
    "malformed": (Malformed(), None),
    "truncated": (Truncated(), None),
    "endless": (Endless(), None),
    "reset in mid-body": (ResetMidBody(), None),
    "refused": (FaultCode("sdkref_invalid", sender=True), ep.ServiceFault),
    "not processed": (FaultCode("sdkref_unavailable"), None),
    "unknown code": (FaultCode("insi_102"), ep.ServiceFault),
    "credential expired": (ExpiredCredential(), ep.ServiceFault),
}
"""What strikes the first request of a consult or search, and the error; None: answered in the
end, since reading may be tried again."""


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
@pytest.mark.parametrize("operation", [Operation.CONSULT, Operation.SEARCH])
def test_every_fault_of_a_consult_or_search(
    operation: Operation, library: str, side: str, tmp_path: Path
) -> None:
    with world(tmp_path, side, transport=TRANSPORTS[library, side]()) as stage:
        made = stage.side.create(sample_prescription())
        assert isinstance(made, ep.Registered)

        def read() -> list[ep.PrescriptionNumber]:
            if operation is Operation.CONSULT:
                return [stage.side.consult(made.number).number]
            query = ep.SearchQuery(prescriber=stage.who.rpps)
            return [summary.number for summary in stage.side.search(query)]

        for name, (fault, error) in READING.items():
            stage.sandbox.script(operation, fault)
            if error is None:
                assert read() == [made.number], name
            else:
                with pytest.raises(error) as caught:
                    read()
                assert caught.value.message_ids, name
        assert len(stage.sandbox.registrations) == 1

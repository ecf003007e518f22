"""The scenario table of law 10, played on both clients (see ``scenarios``).

Each row says what the call and the ledger must say. Whatever the row, law 1 holds at the end:
no number twice, no content twice, and past the in-flight horizon the ledger says what the
sandbox holds.
"""

from pathlib import Path

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.ledger import State
from eprescription_sdk.model.outcomes import AttemptResult
from eprescription_sdk.sandbox import (
    DropBeforeCommit,
    ExpiredCredential,
    Operation,
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
from tests.client.scenarios import ANSWERED, TABLE, Row, documented

CHARACTERS = {
    "accepts-duplicates": (False, False),
    "refuses-duplicates-unknown-to-us": (True, False),
    "refuses-duplicates": (True, True),
}
"""Sandbox unique by number, profile says so. A profile that promises what the service does not
keep breaks law 1 by its own word: no row for it."""


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
        for name, row in TABLE.items()
        # What the service refuses differs only where a request may come twice, and what comes
        # of a verdict does not depend on the library that brought it.
        if character == "accepts-duplicates"
        or (
            library == "httpx"
            and row.may_repeat()
            and (character == "refuses-duplicates" or row.outcome is ep.Registered)
        )
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
        with row.during(stage):
            outcome = stage.side.create(sample_prescription(text=content, reference="réf"))

        assert type(outcome) is expected
        assert outcome.attempts[0].result is row.first
        assert isinstance(outcome, ep.NotRegistered) == (row.cause is not None)
        if isinstance(outcome, ep.NotRegistered):
            assert outcome.cause is row.cause
        assert outcome.number is not None
        entry = stage.entry(outcome.number)
        assert entry.state is _STATES[expected]
        assert {call.number for call in stage.sandbox.calls} <= {outcome.number.value}
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


def test_a_refused_connection_is_tried_again_and_then_sets_the_reference_free(
    side: str, tmp_path: Path
) -> None:
    with world(tmp_path, side) as stage:
        with stage.sandbox.refusing_connections():
            outcome = stage.side.create(sample_prescription(reference="réf"))
        assert {attempt.result for attempt in outcome.attempts} == {AttemptResult.NOT_SENT}
        assert 1 < len(outcome.attempts) <= stage.settings.profile.max_attempts
        assert stage.sandbox.calls == []
        again = stage.side.create(sample_prescription(reference="réf"))
        assert isinstance(again, ep.Registered)
        assert again.number != outcome.number


def test_a_connection_kept_alive_and_then_refused(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, profile=brief(1.0)) as stage:
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
    with world(tmp_path, side, unique=True, profile=brief(1.2)) as stage:
        stage.sandbox.script(Operation.CREATE, DropBeforeCommit(), times=50)
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Uncertain)
        creates = [a for a in outcome.attempts if a.operation == "create"]
        assert 1 < len(creates) <= stage.settings.profile.max_attempts


def test_a_pause_asked_for_is_kept(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side, profile=_PATIENT) as stage:
        stage.sandbox.script(Operation.CREATE, Unavailable(retry_after=6))
        # The consult ends the call: what is left of its time is not waited for.
        stage.sandbox.script(Operation.CONSULT, ExpiredCredential())
        stage.side.create(sample_prescription())
        create, consult = stage.sandbox.calls[:2]
        assert (consult.at - create.at).total_seconds() >= 1.0


_PATIENT = attrs.evolve(QUICK, retry_after_cap=1.5, deadline=4.0)


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
@pytest.mark.parametrize("operation", [Operation.CONSULT, Operation.SEARCH])
def test_every_fault_of_a_consult_or_search(
    operation: Operation, library: str, side: str, tmp_path: Path
) -> None:
    # The breaker has tests of its own; here every request is to go out.
    profile = attrs.evolve(QUICK, attempt_timeout=1.0, deadline=4.0, breaker_failures=1000)
    with world(tmp_path, side, profile=profile, transport=TRANSPORTS[library, side]()) as stage:
        made = stage.side.create(sample_prescription())
        assert isinstance(made, ep.Registered)

        def read() -> list[ep.PrescriptionNumber]:
            if operation is Operation.CONSULT:
                return [stage.side.consult(made.number).number]
            query = ep.SearchQuery(prescriber=stage.who.rpps)
            return [summary.number for summary in stage.side.search(query)]

        for name, row in TABLE.items():
            script = row.faults or (row.consults if operation is Operation.CONSULT else ())
            if row.reading is None or (row.consults and not script):
                continue
            for fault in script:
                stage.sandbox.script(operation, fault)
            with row.during(stage):
                if row.reading == ANSWERED:
                    assert read() == [made.number], name
                else:
                    assert isinstance(row.reading, type)
                    with pytest.raises(row.reading) as caught:
                        read()
                    assert type(caught.value) is row.reading, name
                    assert caught.value.message_ids, name
        assert len(stage.sandbox.registrations) == 1


def test_the_documentation_shows_this_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "fault-table.md").read_text(encoding="utf-8")
    assert documented() in page

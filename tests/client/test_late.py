"""Late answers, numbers that exist, cards that are pulled out (law 1)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.credentials.practitioner import MARGIN
from eprescription_sdk.ledger import State
from eprescription_sdk.model.outcomes import AttemptResult
from eprescription_sdk.sandbox import (
    AnswerAfter,
    CommitThenDrop,
    DropBeforeCommit,
    FaultCode,
    Operation,
    StaleConsult,
)
from eprescription_sdk.testing import sample_prescription
from tests.client.harness import QUICK, SCALE, mark, practitioner, provider, world

USUAL = ep.ServiceProfile().scaled(SCALE)
"""The usual durations, a tenth of them: 10 s for an attempt, 25 s for a call."""


@pytest.mark.parametrize("unique", [True, False], ids=["refuses-duplicates", "accepts-duplicates"])
def test_a_success_at_13_seconds_behind_a_time_out_at_10_is_registered_once(
    unique: bool, side: str, tmp_path: Path
) -> None:
    content = mark()
    with world(tmp_path, side, unique=unique, profile=USUAL) as stage:
        stage.sandbox.script(Operation.CREATE, AnswerAfter(13))
        outcome = stage.side.create(sample_prescription(text=content))
        assert isinstance(outcome, ep.Registered)
        assert outcome.attempts[0].result is AttemptResult.IN_DOUBT
        stage.quiet()
        assert stage.holding(content) == stage.sandbox.count(outcome.number.value) == 1


def test_only_a_pause_that_the_service_asks_for_can_be_too_long(side: str, tmp_path: Path) -> None:
    profile = attrs.evolve(QUICK, backoff_base=0.05, retry_after_cap=0.0001)
    with world(tmp_path, side, profile=profile) as stage:
        stage.sandbox.script(Operation.CREATE, FaultCode("sdkref_unavailable"))
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)


def test_number_exists_on_the_second_attempt_is_registered(side: str, tmp_path: Path) -> None:
    """The first attempt was cut; the service had it all the same, and says so to the second."""
    content = mark()
    with world(tmp_path, side, unique=True) as stage:
        stage.sandbox.script(Operation.CREATE, DropBeforeCommit())
        stage.sandbox.script(Operation.CREATE, FaultCode("sdkref_exists", commit=True))
        outcome = stage.side.create(sample_prescription(text=content))
        assert isinstance(outcome, ep.Registered)
        creates = [a for a in outcome.attempts if a.operation == "create"]
        assert [a.fault_code for a in creates] == [None, "sdkref_exists"]
        assert stage.holding(content) == 1


def test_number_exists_said_by_the_service_itself(side: str, tmp_path: Path) -> None:
    """Its consult lags behind, so the number is sent again, to a service that has it by now."""
    content = mark()
    with world(tmp_path, side, unique=True) as stage:
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        stage.sandbox.script(Operation.CONSULT, StaleConsult(12))
        outcome = stage.side.create(sample_prescription(text=content))
        assert isinstance(outcome, ep.Registered)
        creates = [a for a in outcome.attempts if a.operation == "create"]
        assert {a.fault_code for a in creates} == {None, "sdkref_exists"}
        assert stage.holding(content) == stage.sandbox.count(outcome.number.value) == 1


@attrs.define
class _Card:
    """A card that is in the reader, or not; it signs each time anew."""

    there: bool = True
    signed: int = 0
    pulled_after: int = 1

    def assertion(self, now: Any) -> Any:
        if not self.there or self.signed >= self.pulled_after:
            raise ep.CredentialUnavailable("The card is not in the reader.")
        self.signed += 1
        # Too old a moment later: each attempt asks the card again.
        soon = now + MARGIN + timedelta(milliseconds=1)
        return attrs.evolve(provider().assertion(now), not_on_or_after=soon)


@pytest.mark.parametrize("policy", ep.UncertainPolicy)
def test_a_card_pulled_out_between_attempts(
    policy: ep.UncertainPolicy, side: str, tmp_path: Path
) -> None:
    with world(tmp_path, side, who=practitioner(assertions=_Card()), policy=policy) as stage:
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Uncertain)
        assert outcome.waits_for_credentials
        assert stage.entry(outcome.number).state is State.UNCERTAIN
        assert stage.side.reconcile().waiting_for_credentials == 1
        # The next time the practitioner is there, it is settled.
        stage.side.arrive(practitioner())
        stage.side.wait_until(lambda: stage.entry(outcome.number).state is State.REGISTERED)
        plain = policy is ep.UncertainPolicy.PLAIN
        assert [risk.number for risk in stage.risks()] == [outcome.number] * plain
        assert stage.sandbox.count(outcome.number.value) == 1


def test_consumers_read_the_feed_at_their_own_pace(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        numbers = [stage.side.create(sample_prescription()).number for _ in range(5)]
        stage.store.write(lambda _: None)
        client = stage.side.client
        fast = [line.number for line in client.settlements()]
        assert fast == numbers
        slow, cursor = [], 0
        for _ in range(5):
            line = next(iter(client.settlements(after=cursor)))
            cursor = line.cursor
            slow.append(line.number)
            assert [each.number for each in client.settlements()] == numbers
        assert slow == numbers
        assert list(client.settlements(after=cursor)) == []
    # It outlives the client: a consumer goes on where it was, in another process.
    with ep.Client(stage.settings, clock=stage.clock) as later:
        assert [line.number for line in later.settlements(after=cursor - 2)] == numbers[3:]

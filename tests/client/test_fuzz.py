"""Hostile replies are ordinary replies: nothing escapes, nothing swells (law 9)."""

import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import eprescription_sdk as ep
from eprescription_sdk.client.classify import Verdict, classify
from eprescription_sdk.model.outcomes import AttemptResult
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import (
    SAMPLE_RPPS,
    sample_prescription,
    sandbox_practitioner,
    sandbox_settings,
)
from eprescription_sdk.wire.reference_body import ReferenceCodec
from eprescription_sdk.xml import MAX_BYTES
from tests.client.harness import brief
from tests.client.hostile import BOMBS, Recorded, measured, mutated, recorded

NOW = datetime(2025, 3, 17, 9, tzinfo=UTC)
CODEC, PROFILE = ReferenceCodec(), ep.ServiceProfile()
SEEDS = st.integers(0, 2**63)
QUICK = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
MOST_MEGABYTES = 50
MOST_CPU = 0.05
"""Seconds for one reply, read once for each operation."""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return recorded(tmp_path_factory.mktemp("recorded"))


def judge(operation: ep.Operation, content: bytes, number: ep.PrescriptionNumber) -> Verdict:
    reply = ep.HttpReply(status=200, headers={}, content=content)
    return classify(operation, reply, codec=CODEC, profile=PROFILE, now=NOW, number=number)


def hold(good: Recorded, content: bytes) -> None:
    """What must be true of any reply, whatever is in it."""
    for operation in ep.Operation:
        verdict = judge(operation, content, good.number)
        assert isinstance(verdict, Verdict)
        if operation is ep.Operation.CREATE:
            if verdict.fault is None:
                assert verdict.result in (AttemptResult.REGISTERED, AttemptResult.IN_DOUBT)
            elif verdict.result is not AttemptResult.IN_DOUBT:
                assert verdict.fault.known
            assert not verdict.again or verdict.result is AttemptResult.NOT_PROCESSED


def cost(good: Recorded, content: bytes) -> float:
    """Seconds of CPU for one reading of a reply."""
    started = time.thread_time()
    hold(good, content)
    return (time.thread_time() - started) / len(ep.Operation)


@settings(max_examples=5_000, **QUICK)  # type: ignore[arg-type]
@given(SEEDS)
def test_no_reply_escapes(good: Recorded, number: int) -> None:
    hold(good, mutated(good.replies, number))


@pytest.mark.soak
def test_no_reply_escapes_or_swells_for_long(
    good: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    """200,000 replies, in rounds: hypothesis keeps what it has seen of each."""
    cases, total, slowest, largest = 0, 0.0, 0.0, 0.0

    def case(number: int) -> None:
        nonlocal cases, total, slowest, largest
        content = mutated(good.replies, number, largest=MAX_BYTES if number % 50 == 0 else 65536)
        with measured() as memory:
            took = cost(good, content)
        if took > MOST_CPU / 2:
            # Once can be anything, such as a collection of garbage that was due.
            took = min(took, *(cost(good, content) for _ in range(3)))
        cases, total = cases + 1, total + took
        slowest, largest = max(slowest, took), max(largest, memory.megabytes)
        assert memory.megabytes <= MOST_MEGABYTES, number
        assert took <= MOST_CPU, number

    for turn in range(40):
        seed(turn)(settings(max_examples=5_000, **QUICK)(given(SEEDS)(case)))()  # type: ignore[arg-type]
    with capsys.disabled():
        print(  # noqa: T201  (the soak prints its figures)
            f"\n{cases} replies: CPU {total / cases * 1e3:.2f} ms on average,"
            f" {slowest * 1e3:.1f} ms at most (ceiling {MOST_CPU * 1e3:.0f});"
            f" memory {largest:.1f} MB at most (ceiling {MOST_MEGABYTES})"
        )


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_clearly_and_cheaply(good: Recorded, name: str) -> None:
    make, said = BOMBS[name]
    content = make()
    for operation in ep.Operation:
        with measured() as memory:
            verdict = judge(operation, content, good.number)
        assert memory.megabytes <= MOST_MEGABYTES
        if operation is ep.Operation.CREATE:
            assert (verdict.result, verdict.again) == (AttemptResult.IN_DOUBT, False)
        else:
            assert verdict.result is AttemptResult.FAILED
        assert said in (verdict.detail or "")
        assert "passwd" not in (verdict.detail or "")


class Answering:
    """A transport on which a given reply comes back."""

    def __init__(self) -> None:
        self.content = b""

    def send(self, _: ep.HttpRequest) -> ep.HttpReply:
        return ep.HttpReply(status=200, headers={}, content=self.content)

    def close(self) -> None:
        """Nothing is held."""


def test_nothing_but_our_errors_and_outcomes_leaves_the_client(
    good: Recorded, tmp_path: Path
) -> None:
    transport = Answering()
    box = Sandbox(port=1)
    made = sandbox_settings_without(box, tmp_path)
    with ep.Client(made, transport=transport) as client:
        doctor = client.acting_as(sandbox_practitioner(box))
        for number in range(150):
            transport.content = mutated(good.replies, number)
            outcome = doctor.create(sample_prescription())
            assert isinstance(outcome, ep.Registered | ep.NotRegistered | ep.Uncertain)
            if isinstance(outcome, ep.NotRegistered) and outcome.cause is ep.Cause.REFUSED:
                assert outcome.fault is not None
                assert outcome.fault.known
            for read in (
                lambda: doctor.consult(good.number),
                lambda: list(doctor.search(ep.SearchQuery(prescriber=SAMPLE_RPPS))),
            ):
                with suppress(ep.EPrescriptionError):
                    read()


def sandbox_settings_without(box: Sandbox, folder: Path) -> ep.Settings:
    """Settings that lead nowhere, with hardly any patience."""
    profile = attrs.evolve(brief(0.05), max_attempts=2)
    return sandbox_settings(box, folder / f"{secrets.token_hex(4)}.db", profile=profile)

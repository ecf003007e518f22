"""Random interleavings of creates, faults, crashes, reconciles, expiries and purges (law 1).

A small model remembers which content was asked for under which reference. After every step:
no content and no number is registered twice; in the end the ledger says what the sandbox holds.
"""

import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

import eprescription_sdk as ep
from eprescription_sdk.client.create import Create
from eprescription_sdk.client.effects import Authenticate, Journal, Send, Settle, Sleep
from eprescription_sdk.errors import TransportFailure
from eprescription_sdk.ledger import State
from eprescription_sdk.sandbox import (
    AnswerAfter,
    CommitLate,
    CommitThenDrop,
    DropBeforeCommit,
    ExpiredCredential,
    Fault,
    FaultCode,
    Malformed,
    Operation,
    Unavailable,
)
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.transport import HttpxTransport
from tests.client.harness import LATER, World, brief, mark, world

WRITTEN = datetime(2025, 3, 17, 9, 30, tzinfo=UTC)
FAULTS: tuple[Fault, ...] = (
    CommitThenDrop(),
    DropBeforeCommit(),
    CommitLate(2),
    AnswerAfter(3),
    Malformed(),
    Unavailable(),
    ExpiredCredential(),
    FaultCode("sdkref_unavailable"),
    FaultCode("sdkref_invalid", sender=True),
    FaultCode("sdkref_exists"),
    FaultCode("desir_550"),
)
CONSULTS: tuple[Fault, ...] = (Unavailable(), ExpiredCredential(), FaultCode("insi_102"))
REFERENCES = st.sampled_from([f"réf {n}" for n in range(6)])


class Machine(RuleBasedStateMachine):
    """One host with one doctor, on one of the sandbox's two characters."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.contents: dict[str, str] = {}
        self.told: dict[str, type[ep.Outcome]] = {}

    @initialize(unique=st.booleans(), plain=st.booleans())
    def begin(self, unique: bool, plain: bool) -> None:
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        policy = ep.UncertainPolicy.PLAIN if plain else ep.UncertainPolicy.HOLD
        # The breaker has tests of its own; here every request is to go out.
        profile = attrs.evolve(
            brief(0.06), deadline=0.15, breaker_failures=10_000, retry_burst=10_000
        )
        self.stage: World = self.stack.enter_context(
            world(folder, unique=unique, profile=profile, policy=policy)
        )

    def prescription(self, reference: str) -> ep.Prescription:
        self.contents.setdefault(reference, mark())
        made = sample_prescription(text=self.contents[reference], reference=reference)
        return attrs.evolve(made, issued_at=WRITTEN)

    @rule(
        reference=REFERENCES,
        fault=st.sampled_from((None, *FAULTS)),
        consult=st.sampled_from((None, None, None, *CONSULTS)),
        wait=st.sampled_from([None, None, 0.03]),
    )
    def create(
        self, reference: str, fault: Fault | None, consult: Fault | None, wait: float | None
    ) -> None:
        if fault is not None:
            self.stage.sandbox.script(Operation.CREATE, fault)
        if consult is not None:
            self.stage.sandbox.script(Operation.CONSULT, consult)
        outcome = self.stage.side.create(self.prescription(reference), wait=wait)
        self.stage.sandbox._scripts._entries.clear()  # noqa: SLF001  (what was not used)
        if isinstance(outcome, ep.Registered):
            self.stage.quiet()
            assert self.stage.sandbox.count(outcome.number.value) == 1
            assert self.stage.holding(self.contents[reference]) == 1
        elif self.told.get(reference) is ep.Registered:
            raise AssertionError("what was registered is answered otherwise")
        self.told[reference] = type(outcome)

    @rule(reference=REFERENCES, effects=st.integers(0, 5), lost=st.booleans())
    def crash(self, reference: str, effects: int, lost: bool) -> None:
        """The process ends before the n-th effect, or before its settlement is durable."""
        stage = self.stage
        call = Create(
            core=stage.side.client._core,  # noqa: SLF001  (driven by hand until it dies)
            practitioner=stage.who,
            prescription=self.prescription(reference),
        )
        engine, result = call.run(), None
        transport = HttpxTransport()
        try:
            for _ in range(effects):
                match engine.send(result):
                    case Journal(work):
                        result = stage.store.write(work)
                    case Settle(work):
                        result = None if lost else stage.store.write(work)
                    case Authenticate(who, now):
                        result = who.assertion(now)
                    case Send(request):
                        try:
                            result = transport.send(request)
                        except TransportFailure as failure:
                            result = failure
                    case Sleep():
                        result = None
        except StopIteration:
            pass
        finally:
            engine.close()
            transport.close()

    @rule(seconds=st.sampled_from([1, 4, 8]))
    def time_goes_by(self, seconds: int) -> None:
        self.stage.quiet()
        self.stage.clock.advance(timedelta(seconds=seconds))

    @rule(there=st.booleans())
    def reconcile(self, there: bool) -> None:
        self.stage.idle()
        self.stage.quiet()
        held = len(self.stage.sandbox.registrations)
        self.stage.side.reconcile(*([self.stage.who] if there else []), seconds=0.05)
        assert len(self.stage.sandbox.registrations) == held

    @rule()
    def purge(self) -> None:
        client = self.stage.side.client
        client.purge_ledger(before=self.stage.clock.now())

    @invariant()
    def nothing_is_doubled(self) -> None:
        if not hasattr(self, "stage"):
            return
        for content in self.contents.values():
            assert self.stage.holding(content) <= 1, "a content is registered twice"
        self.stage.agrees()

    def teardown(self) -> None:
        try:
            if hasattr(self, "stage"):
                self._all_is_known()
        finally:
            self.stack.close()

    def _all_is_known(self) -> None:
        """Past the horizon everything is settled, and it is what the sandbox holds."""
        stage = self.stage
        stage.idle()
        stage.later()
        result = stage.side.reconcile(stage.who, seconds=1.0)
        assert (result.open, result.waiting_for_credentials) == (0, 0)
        states = dict(stage.entries())
        assert set(states.values()) <= {State.REGISTERED.value, State.NOT_REGISTERED.value}
        assert {call.number for call in stage.sandbox.calls if call.number} <= set(states)
        stage.agrees()
        for reference, content in self.contents.items():
            outcome = stage.side.create(self.prescription(reference))
            assert isinstance(outcome, ep.Registered)
            assert stage.holding(content) == 1


def test_whatever_happens_in_whatever_order() -> None:
    assert timedelta(seconds=6) < LATER
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

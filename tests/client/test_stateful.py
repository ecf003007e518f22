"""Random interleavings of creates, faults, crashes, slow owners, expiries and purges (law 1).

A model says after every step what each entry's state is, what the sandbox holds, what the feed
and the duplicate risks are, and what callers are told. A call that is ``begun`` stands still
after an effect, as a process does that is stopped; its lease may run out and another may take
its entry over before it goes on, or it dies.
"""

import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import eprescription_sdk as ep
from eprescription_sdk.client.create import Create
from eprescription_sdk.client.effects import (
    Authenticate,
    Effect,
    Engine,
    Journal,
    Send,
    Settle,
    Sleep,
)
from eprescription_sdk.client.exchange import LEASE_MARGIN
from eprescription_sdk.errors import TransportFailure
from eprescription_sdk.ledger import State
from eprescription_sdk.ledger.states import OPEN
from eprescription_sdk.sandbox import (
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
from tests.client.harness import QUICK, World, mark, world

WRITTEN = datetime(2025, 3, 17, 9, 30, tzinfo=UTC)
PROFILE = attrs.evolve(
    QUICK,
    deadline=1.2,
    # Longer than a lease: who takes over may not know yet when the former owner goes on.
    in_flight_horizon=20.0,
    # The breaker and the budget have tests of their own; here every request is to go out.
    breaker_failures=10_000,
    retry_burst=10_000,
)
HASTY = 0.2
"""Seconds that a call is given which stands still: it always finds that its time is over."""
HORIZON = timedelta(seconds=PROFILE.in_flight_horizon)
REFERENCES = st.sampled_from([f"réf {n}" for n in range(4)])
REGISTERED, UNCERTAIN, NOT_REGISTERED = ep.Registered, ep.Uncertain, ep.NotRegistered
STATES: dict[type[ep.Outcome], State] = {
    REGISTERED: State.REGISTERED,
    UNCERTAIN: State.UNCERTAIN,
    NOT_REGISTERED: State.NOT_REGISTERED,
}


@attrs.frozen
class Script:
    """What strikes a create and the consult after it, and what comes of it.

    Args:
        create: the fault of the create.
        consult: that of the consult.
        outcome: what the caller is told.
        held: whether the service has it in the end.
    """

    create: Fault | None
    consult: Fault | None
    outcome: type[ep.Outcome]
    held: bool


GONE = ExpiredCredential()
SCRIPTS = (
    Script(None, None, REGISTERED, True),
    Script(CommitThenDrop(), None, REGISTERED, True),
    Script(CommitThenDrop(), Unavailable(), REGISTERED, True),
    Script(CommitThenDrop(), GONE, UNCERTAIN, True),
    Script(DropBeforeCommit(), GONE, UNCERTAIN, False),
    Script(CommitLate(12), GONE, UNCERTAIN, True),
    Script(Malformed(), GONE, UNCERTAIN, True),
    Script(Unavailable(), GONE, UNCERTAIN, False),
    Script(FaultCode("desir_550", commit=True), None, REGISTERED, True),
    Script(FaultCode("sdkref_exists", commit=True), GONE, UNCERTAIN, True),
    Script(FaultCode("sdkref_unavailable"), None, REGISTERED, True),
    Script(FaultCode("sdkref_invalid", sender=True), None, NOT_REGISTERED, False),
    Script(ExpiredCredential(), None, NOT_REGISTERED, False),
)
LOST = (None, CommitThenDrop(), DropBeforeCommit(), FaultCode("sdkref_invalid", sender=True))
"""What may strike the create of a call that stands still after it."""


@attrs.define
class Modelled:
    """What is true of one prescription."""

    number: str
    state: State
    lease: datetime
    horizon: datetime
    held: bool = False
    epoch: int = 1
    paper: bool = False


@attrs.define
class Standing:
    """A call that stands still, as long as its process is stopped."""

    engine: Engine[ep.Outcome]
    entry: Modelled
    result: Any
    sent: bool
    since: float
    epoch: int = 1


class Machine(RuleBasedStateMachine):
    """One host with one doctor, on one of the sandbox's two characters."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.contents: dict[str, str] = {}
        self.entries: dict[str, Modelled] = {}
        self.newest: dict[str, Modelled] = {}
        self.standing: dict[str, Standing] = {}
        self.feed: list[tuple[str, State]] = []
        self.risks: set[str] = set()

    @initialize(unique=st.booleans(), plain=st.booleans())
    def begin_all(self, unique: bool, plain: bool) -> None:
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        policy = ep.UncertainPolicy.PLAIN if plain else ep.UncertainPolicy.HOLD
        self.plain, self.unique = plain, unique
        self.stage: World = self.stack.enter_context(
            world(folder, unique=unique, profile=PROFILE, policy=policy)
        )
        # What it settles behind is settled now, when there is nothing.
        assert self.stage.side._acting  # type: ignore[attr-defined]  # noqa: SLF001
        self.transport = HttpxTransport()
        self.stack.callback(self.transport.close)

    # --- the model --------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.stage.clock.now()

    def put(self, reference: str, *, seconds: float) -> Modelled:
        """A new entry, whose number the ledger tells."""
        (number,) = dict(self.stage.entries()).keys() - self.entries.keys()
        ends = self.now + timedelta(seconds=seconds)
        made = Modelled(number, State.SENDING, lease=ends + LEASE_MARGIN, horizon=ends + HORIZON)
        self.entries[number] = self.newest[reference] = made
        return made

    def settle(self, entry: Modelled, state: State, *, epoch: int | None = None) -> None:
        """What the ledger does with a decision; a former owner's only counts if it is there."""
        former = epoch is not None and epoch != entry.epoch
        if entry.state not in OPEN or (former and state is not State.REGISTERED):
            return
        if state is not entry.state:
            self.feed.append((entry.number, state))
        if state is State.REGISTERED and entry.paper:
            self.risks.add(entry.number)
        entry.state, entry.lease = state, self.now

    def told_uncertain(self, entry: Modelled) -> None:
        """Whoever is told so gives out what the policy says."""
        entry.paper |= self.plain
        if entry.paper and entry.state is State.REGISTERED:
            self.risks.add(entry.number)

    def consulted(self, entry: Modelled) -> State:
        """What asking the service comes to."""
        if entry.held:
            return State.REGISTERED
        return State.NOT_REGISTERED if entry.horizon <= self.now else State.UNCERTAIN

    def clearly(self) -> None:
        """Let time pass until no lease or horizon is about to end: steps take time too."""
        soon = timedelta(seconds=3)
        while any(
            abs(each - self.now) < soon and each > self.now - timedelta(seconds=0.1)
            for entry in self.entries.values()
            if entry.state in OPEN
            for each in (entry.lease, entry.horizon)
        ):
            self.stage.clock.advance(soon)

    # --- rules ------------------------------------------------------------------------------

    def prescription(self, reference: str) -> ep.Prescription:
        self.contents.setdefault(reference, mark())
        made = sample_prescription(text=self.contents[reference], reference=reference)
        return attrs.evolve(made, issued_at=WRITTEN)

    def script(self, create: Fault | None, consult: Fault | None) -> None:
        if create is not None:
            self.stage.sandbox.script(Operation.CREATE, create)
        if consult is not None:
            self.stage.sandbox.script(Operation.CONSULT, consult)

    def unscript(self) -> None:
        """What was not used; and what is on its way lands."""
        self.stage.sandbox._scripts._entries.clear()  # noqa: SLF001
        self.stage.quiet()

    @rule(reference=REFERENCES, script=st.sampled_from(SCRIPTS))
    def create(self, reference: str, script: Script) -> None:
        """A call from its beginning to its end, whoever came before."""
        self.clearly()
        entry = self.newest.get(reference)
        fresh = entry is None or entry.state is State.NOT_REGISTERED
        if fresh:
            self.script(script.create, script.consult)
        outcome = self.stage.side.create(self.prescription(reference))
        self.unscript()
        if fresh:
            entry = self.put(reference, seconds=0)
            entry.held = script.held
            expected = script.outcome
            if expected is UNCERTAIN:
                self.told_uncertain(entry)
            self.settle(entry, STATES[expected])
        else:
            assert entry is not None
            expected = self.followed(entry)
        assert type(outcome) is expected
        assert outcome.number is not None
        assert outcome.number.value == entry.number

    def followed(self, entry: Modelled) -> type[ep.Outcome]:
        """What a call is told whose reference is bound."""
        state = entry.state
        if state is not State.REGISTERED:
            state = State.UNCERTAIN
            if entry.lease <= self.now:
                state, entry.epoch = self.consulted(entry), entry.epoch + 1
            if state is State.UNCERTAIN:
                self.told_uncertain(entry)
            if entry.lease <= self.now:
                self.settle(entry, state)
        return next(outcome for outcome, settled in STATES.items() if settled is state)

    @rule(reference=REFERENCES, fault=st.sampled_from(LOST), sends=st.booleans())
    def begin(self, reference: str, fault: Fault | None, sends: bool) -> None:
        """A call that stands still once it has journalled, or sent and not read the answer."""
        self.clearly()
        entry = self.newest.get(reference)
        if entry is not None and entry.state is not State.NOT_REGISTERED:
            return
        if reference in self.standing:
            return
        core = self.stage.side.client._core  # noqa: SLF001  (driven by hand)
        profile = attrs.evolve(
            core.settings.profile, deadline=HASTY, attempt_timeout=HASTY, connect_timeout=HASTY
        )
        hasty = attrs.evolve(core, settings=attrs.evolve(core.settings, profile=profile))
        call = Create(
            core=hasty, practitioner=self.stage.who, prescription=self.prescription(reference)
        )
        engine = call.run()
        self.script(fault if sends else None, None)
        result, sent = None, False
        for _ in range(2 if sends else 1):
            effect = engine.send(result)
            sent = isinstance(effect, Send)
            result = self.carry_out(effect)
        self.unscript()
        entry = self.put(reference, seconds=HASTY)
        entry.held = sent and fault in (None, CommitThenDrop())
        self.standing[reference] = Standing(engine, entry, result, sent, time.monotonic())

    def carry_out(self, effect: Effect) -> Any:
        match effect:
            case Journal(work) | Settle(work):
                return self.stage.store.write(work)
            case Authenticate(who, now):
                return who.assertion(now)
            case Sleep(seconds):
                time.sleep(seconds)
            case Send(request):
                try:
                    return self.transport.send(request)
                except TransportFailure as failure:
                    return failure
        return None

    @precondition(lambda self: self.standing)
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        """It wakes up too late, whether or not somebody overtook it."""
        self.clearly()
        reference = data.draw(st.sampled_from(sorted(self.standing)))
        call = self.standing.pop(reference)
        time.sleep(max(0.0, call.since + HASTY + 0.01 - time.monotonic()))
        seen, result = len(self.stage.sandbox.calls), call.result
        outcome: ep.Outcome | None = None
        while outcome is None:
            try:
                result = self.carry_out(call.engine.send(result))
            except StopIteration as stop:
                outcome = stop.value
        assert len(self.stage.sandbox.calls) == seen, "it sent when its time was over"
        expected, entry = self.gone_on(call), call.entry
        if expected is UNCERTAIN and entry.epoch == call.epoch:
            self.told_uncertain(entry)
            # It knows no better than that it was sending until now.
            entry.horizon = self.now + HORIZON
        self.settle(entry, STATES[expected], epoch=call.epoch)
        assert type(outcome) is expected

    @staticmethod
    def gone_on(call: Standing) -> type[ep.Outcome]:
        if not call.sent:
            return NOT_REGISTERED
        if isinstance(call.result, TransportFailure):
            return UNCERTAIN
        return REGISTERED if call.entry.held else NOT_REGISTERED

    @precondition(lambda self: self.standing)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """The process ends: only its lease knows."""
        reference = data.draw(st.sampled_from(sorted(self.standing)))
        self.standing.pop(reference).engine.close()

    @rule(seconds=st.sampled_from([2, 6, 20]))
    def time_goes_by(self, seconds: int) -> None:
        self.stage.clock.advance(timedelta(seconds=seconds))

    @rule(there=st.booleans())
    def reconcile(self, there: bool) -> None:
        self.clearly()
        held = len(self.stage.sandbox.registrations)
        known = [
            each for each in self.entries.values() if each.state in (State.SENDING, State.UNCERTAIN)
        ]
        told = self.stage.side.reconcile(*([self.stage.who] if there else []), seconds=0.1)
        assert len(self.stage.sandbox.registrations) == held
        if not there:
            assert told == ep.Reconciliation(waiting_for_credentials=len(known))
            return
        tally = dict.fromkeys(("registered", "not_registered", "open"), 0)
        for entry in known:
            if entry.lease > self.now:
                tally["open"] += 1
                continue
            state, entry.epoch = self.consulted(entry), entry.epoch + 1
            if entry.state is State.SENDING:
                entry.paper |= self.plain
            self.settle(entry, state)
            tally["open" if state is State.UNCERTAIN else state.value] += 1
        assert told == ep.Reconciliation(
            registered=tally["registered"],
            not_registered=tally["not_registered"],
            open=tally["open"],
        )

    @rule()
    def purge(self) -> None:
        """A tombstone still knows its number, its reference and its state."""
        self.stage.side.client.purge_ledger(before=self.now)

    # --- what is compared -------------------------------------------------------------------

    @invariant()
    def the_model_is_right(self) -> None:
        if not hasattr(self, "stage"):
            return
        states = {number: entry.state.value for number, entry in self.entries.items()}
        assert dict(self.stage.entries()) == states
        for number, entry in self.entries.items():
            assert self.stage.sandbox.count(number) == entry.held
        for reference, content in self.contents.items():
            assert self.stage.holding(content) <= 1, reference
        assert {risk.number.value for risk in self.stage.risks()} == self.risks
        told = [(line.number.value, line.state) for line in self.stage.feed()]
        assert told == self.feed

    def teardown(self) -> None:
        try:
            if hasattr(self, "stage"):
                self.all_is_known()
        finally:
            self.stack.close()

    def all_is_known(self) -> None:
        """Past the horizon everything is settled; the host asks again, and all is registered."""
        stage = self.stage
        for call in self.standing.values():
            call.engine.close()
        stage.later()
        self.reconcile(there=True)
        self.the_model_is_right()
        assert not any(each.state in OPEN for each in self.entries.values())
        stage.agrees()
        for reference, content in self.contents.items():
            assert isinstance(stage.side.create(self.prescription(reference)), ep.Registered)
            assert stage.holding(content) == 1


def _run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # A failure is told as it is found: each step costs too much to look for a shorter one.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )


def test_whatever_happens_in_whatever_order() -> None:
    _run(examples=30, steps=14)


@pytest.mark.soak
def test_whatever_happens_for_longer() -> None:
    _run(examples=300, steps=40)

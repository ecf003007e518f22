"""The ledger before the first byte, and after the answer (law 1, law 3)."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.ledger import State
from eprescription_sdk.model.exchange import Assertion, HttpReply, HttpRequest
from eprescription_sdk.model.outcomes import Cause
from eprescription_sdk.sandbox import CommitThenDrop, Operation
from eprescription_sdk.storage import SqliteStore, Tx
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.transport import AsyncHttpxTransport, HttpxTransport
from tests.client.harness import LATER, practitioner, provider, world

T = TypeVar("T")


def test_a_store_that_cannot_be_opened_says_so_at_once(side: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    store = SqliteStore(tmp_path / "file" / "store.db")
    with world(tmp_path, side, store=store) as stage:
        started = time.monotonic()
        with pytest.raises(ep.StoreUnavailable, match=r"store\.db"):
            stage.side.create(sample_prescription())
        assert time.monotonic() - started < 2
        assert stage.sandbox.calls == []


@pytest.mark.parametrize("content", [b"junk" * 4096, b"SQLite format 3\x00" + b"\xff" * 8192])
def test_a_damaged_store_says_so_and_nothing_is_sent(
    content: bytes, side: str, tmp_path: Path
) -> None:
    (tmp_path / "store.db").write_bytes(content)
    with world(tmp_path, side) as stage:
        with pytest.raises(ep.StoreError):
            stage.side.create(sample_prescription())
        assert stage.sandbox.calls == []


def test_a_store_broken_under_way_stops_the_next_create(side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        assert isinstance(stage.side.create(sample_prescription()), ep.Registered)
        stage.store.write(lambda tx: tx.execute("ALTER TABLE ledger RENAME TO gone"))
        before = len(stage.sandbox.calls)
        with pytest.raises(ep.StoreError):
            stage.side.create(sample_prescription())
        assert len(stage.sandbox.calls) == before


class _Looking:
    """Reads the ledger, in another connection, when a request is about to leave."""

    def __init__(self, path: Path) -> None:
        self.blocking = HttpxTransport()
        self.path = path
        self.seen: list[tuple[list[Any], bytes]] = []

    def look(self, request: HttpRequest) -> None:
        rows = SqliteStore(self.path).read(
            lambda tx: tx.execute("SELECT number, state, fingerprint FROM ledger")
        )
        self.seen.append((rows, request.content))


class _LookingTransport(_Looking):
    def send(self, request: HttpRequest) -> HttpReply:
        self.look(request)
        return self.blocking.send(request)

    def close(self) -> None:
        self.blocking.close()


class _AsyncLookingTransport(_Looking):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.inner = AsyncHttpxTransport()

    async def send(self, request: HttpRequest) -> HttpReply:
        self.look(request)
        return await self.inner.send(request)

    async def close(self) -> None:
        self.blocking.close()
        await self.inner.close()


def test_the_number_is_durable_before_the_first_byte(side: str, tmp_path: Path) -> None:
    kind = _LookingTransport if side == "sync" else _AsyncLookingTransport
    transport = kind(tmp_path / "store.db")
    with world(tmp_path, side, transport=transport) as stage:
        outcome = stage.side.create(sample_prescription(text="contenu marqué"))
        assert isinstance(outcome, ep.Registered)
    ((rows, content),) = transport.seen
    ((number, state, fingerprint),) = rows
    assert number == outcome.number.value
    assert state == State.SENDING.value
    assert number.encode() in content
    assert fingerprint.encode() not in content


def test_every_attempt_is_a_new_message_with_the_same_content(side: str, tmp_path: Path) -> None:
    kind = _LookingTransport if side == "sync" else _AsyncLookingTransport
    transport = kind(tmp_path / "store.db")
    with world(tmp_path, side, transport=transport, unique=True) as stage:
        from eprescription_sdk.sandbox import DropBeforeCommit, FaultCode

        stage.sandbox.script(Operation.CREATE, FaultCode("sdkref_unavailable"), times=2)
        stage.sandbox.script(Operation.CREATE, DropBeforeCommit(), times=1)
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
    creates = [c.partition(b"<soap:Body>") for _, c in transport.seen if b"CreerRequest" in c]
    assert len(creates) == 4
    assert len({body for _, _, body in creates}) == 1
    assert len({head for head, _, _ in creates}) == 4
    assert len(set(outcome.message_ids)) == len(outcome.attempts)


class _Failing:
    """A store that fails when told to; a submit may fail at once, or later in its future."""

    def __init__(self, inner: SqliteStore, *, at_once: bool) -> None:
        self._inner = inner
        self._at_once = at_once
        self.left: int | None = None

    @property
    def path(self) -> Path:
        return self._inner.path

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        if self.left is not None:
            if self.left == 0:
                error = ep.StoreUnavailable("gone", path="store.db")
                if self._at_once:
                    raise error
                failed: Future[T] = Future()
                failed.set_exception(error)
                return failed
            self.left -= 1
        return self._inner.submit(work)

    def write(self, work: Callable[[Tx], T]) -> T:
        return self.submit(work).result()

    def read(self, work: Callable[[Tx], T]) -> T:
        return self._inner.read(work)

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("at_once", [True, False])
def test_a_settlement_that_fails_leaves_the_answer_and_reconcile_settles(
    at_once: bool, side: str, tmp_path: Path
) -> None:
    store = _Failing(SqliteStore(tmp_path / "store.db"), at_once=at_once)
    with world(tmp_path, side, store=store) as stage:
        store.left = 2  # the look of acting_as, and the journal; then the store is gone
        outcome = stage.side.create(sample_prescription(reference="réf"))
        assert isinstance(outcome, ep.Registered)
        store.left = None
        assert stage.entry(outcome.number).state is State.SENDING
        stage.clock.advance(LATER)
        assert stage.side.reconcile(stage.who) == ep.Reconciliation(registered=1)
        assert stage.entry(outcome.number).state is State.REGISTERED
        assert len(stage.sandbox.registrations) == 1
        store.close()


def test_a_consult_is_answered_although_its_trace_cannot_be_written(
    side: str, tmp_path: Path
) -> None:
    store = _Failing(SqliteStore(tmp_path / "store.db"), at_once=True)
    with world(tmp_path, side, store=store) as stage:
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        store.left = 0
        assert stage.side.consult(outcome.number).number == outcome.number
        store.left = None
        store.close()


class _Slow:
    """A card whose reader takes its time: a PIN is being typed."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def assertion(self, now: Any) -> Assertion:
        time.sleep(self.seconds)
        return provider().assertion(now)


def test_nothing_is_sent_after_the_time_that_was_journalled(side: str, tmp_path: Path) -> None:
    """Past it, another process may have settled the entry, and freed its reference."""
    who = practitioner(assertions=_Slow(0.5))
    with world(tmp_path, side, who=who) as stage:
        outcome = stage.side.create(sample_prescription(), wait=0.2)
        assert isinstance(outcome, ep.NotRegistered)
        assert outcome.cause is Cause.NOT_SENT
        assert stage.sandbox.calls == []


class _Sleeper(_Slow):
    """The machine sleeps meanwhile: the wall clock goes on, the monotonic one does not."""

    def __init__(self) -> None:
        super().__init__(0)
        self.clock: Any = None

    def assertion(self, now: Any) -> Assertion:
        self.clock.advance(LATER)
        return provider().assertion(self.clock.now())


def test_nothing_is_sent_after_the_machine_slept(side: str, tmp_path: Path) -> None:
    sleeper = _Sleeper()
    with world(tmp_path, side, who=practitioner(assertions=sleeper)) as stage:
        sleeper.clock = stage.clock
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.NotRegistered)
        assert outcome.cause is Cause.NOT_SENT
        assert stage.sandbox.calls == []


class _Breaking:
    def assertion(self, now: Any) -> Assertion:
        raise OSError("card reader unplugged")


class _Garbled:
    def assertion(self, now: Any) -> Assertion:
        return attrs.evolve(provider().assertion(now), xml=b"\xff\xfe not xml")


class _Away:
    def assertion(self, now: Any) -> Assertion:
        raise ep.CredentialUnavailable("no card")


@pytest.mark.parametrize("provides", [_Breaking, _Garbled, _Away])
def test_a_card_that_fails_is_daily_life(
    provides: type[_Breaking], side: str, tmp_path: Path
) -> None:
    with world(tmp_path, side, who=practitioner(assertions=provides())) as stage:
        outcome = stage.side.create(sample_prescription(reference="réf"))
        assert isinstance(outcome, ep.NotRegistered)
        assert outcome.cause is Cause.NOT_SENT
        assert "carte" in outcome.advice.text_fr
        assert stage.entry(outcome.number).state is State.NOT_REGISTERED
        assert stage.sandbox.calls == []
        with pytest.raises(ep.CredentialUnavailable):
            stage.side.consult(ep.PrescriptionNumber("INCONNU"))


class _Bursting:
    """A transport that breaks its own promise, after or before it sent."""

    def __init__(self, *, after: bool) -> None:
        self.after = after
        self.inner = HttpxTransport()
        self.times = 1

    def _burst(self) -> None:
        self.times -= 1
        raise RuntimeError("a bug of the transport")

    def send(self, request: HttpRequest) -> HttpReply:
        if self.times and not self.after:
            self._burst()
        reply = self.inner.send(request)
        if self.times:
            self._burst()
        return reply

    def close(self) -> None:
        self.inner.close()


class _AsyncBursting(_Bursting):
    async def send(self, request: HttpRequest) -> HttpReply:  # type: ignore[override]
        return super().send(request)

    async def close(self) -> None:  # type: ignore[override]
        super().close()


@pytest.mark.parametrize("after", [True, False])
def test_a_transport_that_breaks_leaves_the_create_in_doubt(
    after: bool, side: str, tmp_path: Path
) -> None:
    kind = _Bursting if side == "sync" else _AsyncBursting
    with world(tmp_path, side, transport=kind(after=after)) as stage:
        outcome = stage.side.create(sample_prescription(), wait=0.9)
        assert isinstance(outcome, ep.Registered if after else ep.Uncertain)
        stage.later()
        stage.side.reconcile(stage.who)
        stage.agrees()


@pytest.mark.parametrize("wait", [-1.0, float("nan"), 0.0])
def test_a_wait_that_is_no_time_is_refused(wait: float, side: str, tmp_path: Path) -> None:
    with world(tmp_path, side) as stage:
        with pytest.raises(ep.InvalidInput, match="wait"):
            stage.side.create(sample_prescription(), wait=wait)
        assert stage.sandbox.calls == []


def test_a_crash_under_the_plain_policy_is_a_duplicate_risk(side: str, tmp_path: Path) -> None:
    """Nobody told the host the outcome: the patient may hold plain paper."""
    store = _Failing(SqliteStore(tmp_path / "store.db"), at_once=True)
    policy = ep.UncertainPolicy.PLAIN
    with world(tmp_path, side, store=store, policy=policy) as stage:
        stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        store.left = 2
        stage.side.create(sample_prescription())
        store.left = None
        entry = stage.only_entry()
        assert entry.state is State.SENDING
        stage.clock.advance(LATER)
        stage.side.reconcile(stage.who)
        assert [risk.number for risk in stage.risks()] == [entry.number]
        store.close()

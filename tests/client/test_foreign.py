"""Ports that break their word at every point: the host's own code, and its bad days (law 2).

Before anything was sent the caller gets one clear error of ours and the ledger holds nothing
open; after that it is an outcome, and what was sent stays on the books.
"""

import inspect
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.errors import Delivery, TransportFailure
from eprescription_sdk.ledger import State
from eprescription_sdk.model.exchange import CreateAnswer, HttpReply
from eprescription_sdk.reference import FakeMinter, SpecimenCode
from eprescription_sdk.sandbox import CommitThenDrop, Fault, Operation
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.transport import AsyncHttpxTransport, HttpxTransport
from eprescription_sdk.wire.reference_body import ReferenceCodec
from tests.client.harness import World, brief, eventually, practitioner, provider, world

SECRET = "MARTIN Jeanne"
"""What a port may know of a patient, and put into what it raises."""


class _Broken:
    """A port one method of which fails from its nth call on, until it is mended."""

    def __init__(self, port: Any, method: str, does: Any, after: int = 0) -> None:
        self._port = port
        self._method = method
        self._does = does
        self.left = after

    def mend(self) -> None:
        self.left = 10_000

    def __getattr__(self, name: str) -> Any:
        kept = getattr(self._port, name)
        if name != self._method:
            return kept

        def call(*given: Any) -> Any:
            self.left -= 1
            if self.left >= 0:
                return kept(*given)
            if isinstance(self._does, Exception):
                raise self._does
            return self._does

        async def later(*given: Any) -> Any:
            found = call(*given)
            return await found if inspect.isawaitable(found) else found

        return later if inspect.iscoroutinefunction(kept) else call


@attrs.frozen
class Port:
    """Which method breaks, how, and after how many calls of it."""

    port: str
    method: str
    does: Any = attrs.field(factory=lambda: RuntimeError(SECRET))
    after: int = 0

    def broken(self, side: str) -> _Broken:
        carrier = HttpxTransport if side == "sync" else AsyncHttpxTransport
        made: dict[str, Any] = {
            "minter": FakeMinter, "codec": ReferenceCodec, "code2d": SpecimenCode,
            "assertions": provider, "transport": carrier,
        }  # fmt: skip
        whole = made[self.port]()
        return _Broken(whole, self.method, self.does, self.after)

    def stage(self, folder: Path, side: str, broken: _Broken) -> Any:
        given: dict[str, Any] = {self.port: broken}
        if self.port == "assertions":
            given = {"who": practitioner(assertions=broken)}
        return world(folder, side, profile=brief(2.0), **given)


STRANGE = CreateAnswer(number=ep.PrescriptionNumber("AUTRE"), registered_at=None)


def _logged(error: BaseException) -> str:
    """What a host's log shows of it, with all that it is chained to."""
    return "".join(traceback.format_exception(error))


BEFORE = {
    "minter raises": Port("minter", "mint"),
    "minter gives nothing": Port("minter", "mint", None),
    "minter gives text": Port("minter", "mint", "SIM1"),
    "minter gives no number": Port("minter", "mint", ep.PrescriptionNumber("né cassé")),
    "encode_create raises": Port("codec", "encode_create"),
    "encode_create gives nothing": Port("codec", "encode_create", None),
    "encode_create gives no XML": Port("codec", "encode_create", b"<a"),
    "fingerprint raises": Port("codec", "fingerprint"),
    "action raises": Port("codec", "action"),
    "action gives nothing": Port("codec", "action", None),
}
"""Of a create, before the first byte."""


@pytest.mark.parametrize("name", BEFORE)
def test_before_anything_is_sent_it_is_a_clear_error(name: str, side: str, tmp_path: Path) -> None:
    port = BEFORE[name]
    broken = port.broken(side)
    with port.stage(tmp_path, side, broken) as stage:
        prescription = sample_prescription(reference="réf")
        with pytest.raises(ep.ConfigurationError) as caught:
            stage.side.create(prescription)
        assert caught.value.path == port.port
        assert caught.value.correlation_id
        assert SECRET not in _logged(caught.value)
        assert {state for _, state in stage.entries()} <= {State.NOT_REGISTERED.value}
        assert stage.sandbox.calls == []
        broken.mend()
        assert isinstance(stage.side.create(prescription), ep.Registered)
        stage.agrees()


LOST = (CommitThenDrop(),)


@attrs.frozen
class After:
    """What a create comes to whose port breaks once something was sent."""

    port: Port
    outcome: type[ep.Outcome]
    faults: tuple[Fault, ...] = LOST


def _codec(
    method: str, does: Any, outcome: type[ep.Outcome], *faults: Fault, after: int = 0
) -> After:
    return After(Port("codec", method, does, after), outcome, faults)


def _card(gives: Any) -> After:
    return After(Port("assertions", "assertion", gives), ep.NotRegistered)


_BUG = RuntimeError(SECRET)
SIGNED: Any = provider().assertion(datetime.now(UTC))
_FOUND = ep.StoredPrescription(
    number=ep.PrescriptionNumber("AUTRE"), prescriber=ep.Rpps("99900000000"), registered_at=None
)
AFTER = {
    "action raises": _codec("action", _BUG, ep.Uncertain, *LOST, after=1),
    "action gives nothing": _codec("action", None, ep.Uncertain, *LOST, after=1),
    "encode_consult raises": _codec("encode_consult", _BUG, ep.Uncertain, *LOST),
    "encode_consult gives nothing": _codec("encode_consult", None, ep.Uncertain, *LOST),
    "encode_consult gives no XML": _codec("encode_consult", b"<a", ep.Uncertain, *LOST),
    "decode_create raises": _codec("decode_create", _BUG, ep.Registered),
    "decode_create gives nothing": _codec("decode_create", None, ep.Registered),
    "decode_create gives another's": _codec("decode_create", STRANGE, ep.Registered),
    "decode_consult raises": _codec("decode_consult", _BUG, ep.Uncertain, *LOST),
    "decode_consult gives text": _codec("decode_consult", "rien", ep.Uncertain, *LOST),
    "decode_consult gives another's": _codec("decode_consult", _FOUND, ep.Uncertain, *LOST),
    "the card's agent gives nothing": _card(None),
    "the card's agent gives no XML": _card(attrs.evolve(SIGNED, xml=7)),
    "transport raises": After(Port("transport", "send"), ep.Uncertain),
    "transport raises afterwards": After(Port("transport", "send", after=1), ep.Uncertain),
    "transport gives nothing": After(Port("transport", "send", None), ep.Uncertain),
    "transport gives nothing afterwards": After(Port("transport", "send", None, 1), ep.Uncertain),
    "transport gives no reply": After(
        Port("transport", "send", HttpReply(status=None, headers=None, content=None)),  # type: ignore[arg-type]
        ep.Uncertain,
    ),
    "transport does not say what it did": After(
        Port("transport", "send", TransportFailure("?", delivery=None)),  # type: ignore[arg-type]
        ep.Uncertain,
    ),
    "transport says that nothing left": After(
        Port("transport", "send", TransportFailure("?", delivery=Delivery.NOT_SENT)),
        ep.NotRegistered,
    ),
}


@pytest.mark.parametrize("name", AFTER)
def test_once_something_may_be_sent_it_is_an_outcome(name: str, side: str, tmp_path: Path) -> None:
    row = AFTER[name]
    broken = row.port.broken(side)
    with row.port.stage(tmp_path, side, broken) as stage:
        if row.faults:
            stage.sandbox.script(Operation.CREATE, *row.faults)
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, row.outcome)
        entry = stage.entry(outcome.number)
        assert (entry.state is State.UNCERTAIN) == isinstance(outcome, ep.Uncertain)
        # One broken port does not keep reconcile from ending, and a mended one settles.
        stage.later()
        stage.side.reconcile(stage.who)
        broken.mend()
        stage.later()
        # What failed in a row is left alone for a while.
        eventually(lambda: stage.side.reconcile(stage.who).open == 0)
        stage.agrees()


READING = {
    "action raises": (Port("codec", "action"), ep.ConfigurationError),
    "encode_consult raises": (Port("codec", "encode_consult"), ep.ConfigurationError),
    "encode_consult gives nothing": (Port("codec", "encode_consult", None), ep.ConfigurationError),
    "encode_search raises": (Port("codec", "encode_search"), ep.ConfigurationError),
    "encode_search gives no XML": (Port("codec", "encode_search", b"<a"), ep.ConfigurationError),
    "decode_consult raises": (Port("codec", "decode_consult"), ep.UnreadableReply),
    "decode_consult gives text": (Port("codec", "decode_consult", "rien"), ep.UnreadableReply),
    "decode_search raises": (Port("codec", "decode_search"), ep.UnreadableReply),
    "decode_search gives nothing": (Port("codec", "decode_search", None), ep.UnreadableReply),
    "transport gives nothing": (Port("transport", "send", None), ep.UnreadableReply),
    "transport raises": (Port("transport", "send"), ep.ServiceUnreachable),
}


@pytest.mark.parametrize("name", READING)
def test_a_consult_or_search_raises_an_error_of_ours(name: str, side: str, tmp_path: Path) -> None:
    port, error = READING[name]
    with port.stage(tmp_path, side, port.broken(side)) as stage:
        with pytest.raises(error) as caught:
            _read(stage, port.method)
        assert SECRET not in _logged(caught.value)


def _read(stage: World, method: str) -> None:
    if method.endswith("search"):
        stage.side.search(ep.SearchQuery(prescriber=stage.who.rpps))
    else:
        stage.side.consult(ep.PrescriptionNumber("INCONNU"))


def test_a_code_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    port = Port("code2d", "payload")
    with port.stage(tmp_path, "sync", port.broken("sync")) as stage:
        outcome = stage.side.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        with pytest.raises(ep.ConfigurationError, match="code2d") as caught:
            stage.side.client.document_block(outcome)
        assert SECRET not in str(caught.value)

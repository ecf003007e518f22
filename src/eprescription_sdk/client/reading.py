"""Consult and search: they change nothing, so they are tried again until the deadline."""

import logging
from collections.abc import Callable
from typing import TypeVar

import attrs

from eprescription_sdk import ledger, telemetry
from eprescription_sdk.client.classify import Verdict
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.doubt import agrees
from eprescription_sdk.client.effects import Engine, Settle, Sleep
from eprescription_sdk.client.exchange import Line
from eprescription_sdk.client.foreign import foreign, prepared
from eprescription_sdk.client.settlement import call_trace, record, settlement
from eprescription_sdk.clock import full_jitter
from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.errors import (
    InvalidInput,
    PrescriptionNotFound,
    ServiceError,
    ServiceFault,
    ServiceUnreachable,
    UnreadableReply,
)
from eprescription_sdk.ledger import State
from eprescription_sdk.model.exchange import (
    Operation,
    SearchPage,
    SearchQuery,
    StoredPrescription,
)
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.outcomes import Attempt, AttemptResult
from eprescription_sdk.model.trace import CallOutcome, CallTrace, FaultOrigin, Initiator
from eprescription_sdk.storage import Tx
from eprescription_sdk.transport.delivery import EXPLAINED
from eprescription_sdk.wire.envelope import Fragment

R = TypeVar("R")

_OUTCOMES = {
    AttemptResult.FOUND: CallOutcome.FOUND,
    AttemptResult.ABSENT: CallOutcome.ABSENT,
    AttemptResult.LISTED: CallOutcome.LISTED,
}


@attrs.define(kw_only=True)
class Reading:
    """One call of ``consult()``, or of one page of ``search()``.

    Args:
        core: what the client shares.
        practitioner: who acts.
        correlation_id: of the call.
        initiator: on whose behalf.
    """

    core: Core
    practitioner: Practitioner
    correlation_id: str
    initiator: Initiator = Initiator.PRESCRIBER
    _attempts: list[Attempt] = attrs.field(factory=list, init=False)

    def consult(self, number: PrescriptionNumber) -> Engine[StoredPrescription]:
        """One prescription (SEL_MP_032).

        Raises:
            PrescriptionNotFound: the service has no such prescription.
            ServiceError: no answer, a fault, or an answer nobody can read.
            CredentialUnavailable: the card or session is not at hand.
        """
        if problem := number.problem():
            raise InvalidInput(problem, path="number")
        with foreign("codec"):
            body = prepared(self.core.codec.encode_consult(number))
        return (yield from self._told(self._consult(body, number)))

    def _consult(self, body: Fragment, number: PrescriptionNumber) -> Engine[StoredPrescription]:
        answer = yield from self._call(Operation.CONSULT, body, number)
        if not isinstance(answer, StoredPrescription):
            raise PrescriptionNotFound(
                "The service has no prescription with this number.", path="number"
            )
        return answer

    def search(self, query: SearchQuery, cursor: str | None) -> Engine[SearchPage]:
        """One page of a search (SEL_MP_031).

        Raises:
            InvalidInput: the query has no criterion.
            ServiceError: no answer, a fault, or an answer nobody can read.
            CredentialUnavailable: the card or session is not at hand.
        """
        if query == SearchQuery():
            raise InvalidInput("A search needs at least one criterion.", path="query")
        with foreign("codec"):
            body = prepared(self.core.codec.encode_search(query, cursor))
        return (yield from self._told(self._search(body, cursor)))

    def _search(self, body: Fragment, cursor: str | None) -> Engine[SearchPage]:
        answer = yield from self._call(Operation.SEARCH, body, None)
        if not isinstance(answer, SearchPage):
            raise UnreadableReply("The service answered a search with something else.")
        if cursor is not None and answer.cursor == cursor:
            raise UnreadableReply("A page of the search result leads to itself.")
        self._seek_twins(answer)
        return answer

    def _seek_twins(self, page: SearchPage) -> None:
        """A service that holds a number twice does not refuse it: nothing is sent again."""
        numbers = [summary.number for summary in page.summaries]
        if len(set(numbers)) < len(numbers):
            self.core.doubled.set()
            telemetry.count("number_twice", "search")
            telemetry.event("service.number_twice", level=logging.WARNING)

    def _told(self, engine: Engine[R]) -> Engine[R]:
        """The ids of the requests go with the error: the service's support asks for them."""
        try:
            return (yield from engine)
        except ServiceError as error:
            error.message_ids = tuple(attempt.message_id for attempt in self._attempts)
            raise

    def _call(
        self, operation: Operation, body: Fragment, number: PrescriptionNumber | None
    ) -> Engine[object]:
        core, profile = self.core, self.core.settings.profile
        started = core.clock.monotonic()
        line = Line(
            core=core,
            practitioner=self.practitioner,
            ends=started + profile.deadline,
            correlation_id=self.correlation_id,
        )
        self._attempts = line.attempts
        turn = 0
        while True:
            turn += 1
            verdict = yield from line.exchange(operation, body, number)
            pause = max(
                full_jitter(turn, profile.backoff_base, profile.backoff_cap),
                verdict.retry_after or 0,
            )
            too_long = (verdict.retry_after or 0) > profile.retry_after_cap
            hopeless = pause >= line.left or too_long
            if not verdict.again or turn >= profile.max_attempts or hopeless:
                break
            yield Sleep(pause)
        outcome = _OUTCOMES.get(verdict.result, CallOutcome.FAILED)
        call = call_trace(
            core,
            rpps=self.practitioner.rpps,
            situation=self.practitioner.situation,
            operation=operation,
            initiator=self.initiator,
            attempts=line.attempts,
            outcome=outcome,
            duration=core.clock.monotonic() - started,
            origin=verdict.origin or FaultOrigin.SERVICE,
        )
        telemetry.duration(operation.value, outcome.value, call.duration_ms)
        yield Settle(self._record(call, verdict.answer, number))
        if outcome is CallOutcome.FAILED:
            raise _error(verdict)
        return verdict.answer

    def _record(
        self, call: CallTrace, answer: object, number: PrescriptionNumber | None
    ) -> Callable[[Tx], None]:
        def work(tx: Tx) -> None:
            if number is not None and isinstance(answer, StoredPrescription):
                self._sighted(tx, number, answer)
            record(self.core, tx, lambda: call)

        return work

    def _sighted(self, tx: Tx, number: PrescriptionNumber, stored: StoredPrescription) -> None:
        """A registration seen by chance settles or reopens its entry."""
        entry = ledger.find(tx, number=number)
        if entry is None or entry.state is State.REGISTERED:
            return
        if agrees(self.core, entry, stored):
            settlement(
                self.core,
                entry,
                State.REGISTERED,
                attempts=(),
                call=None,
                registered_at=stored.registered_at,
            )(tx)


def _error(verdict: Verdict) -> Exception:
    fault = verdict.fault
    if fault is not None:
        text = verdict.rule.text_fr if verdict.rule else "Le service a signalé une erreur."
        return ServiceFault(
            f"The service answered with the fault {fault.code or fault.subcode or 'unknown'}.",
            fault_code=fault.code,
            text_fr=text,
        )
    if verdict.origin is FaultOrigin.SERVICE:
        return UnreadableReply(f"The service gave no readable answer ({verdict.detail}).")
    meaning, way_out = EXPLAINED.get(verdict.detail or "", ("The service did not answer.", None))
    return ServiceUnreachable(f"{meaning} ({verdict.detail})", way_out=way_out)

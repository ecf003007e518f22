"""The HTTP application of the reference sandbox: routes, and how scripted faults are played.

Starlette is imported here, so this module is imported only when a sandbox starts. What is
answered is decided in ``service`` and ``collector``; here it is delivered late, cut, reset
or not at all. Ours, not the Assurance Maladie's.
"""

import asyncio
import json
import math
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eprescription_sdk.clock import Clock
from eprescription_sdk.sandbox import answers
from eprescription_sdk.sandbox.answers import NOTICE, NOTICE_HEADER, Answer
from eprescription_sdk.sandbox.bodies import read_body
from eprescription_sdk.sandbox.collector import Collector, Reply
from eprescription_sdk.sandbox.counter import Counter
from eprescription_sdk.sandbox.counter_page import CounterPage
from eprescription_sdk.sandbox.delivery import Connections, Cut
from eprescription_sdk.sandbox.faults import (
    AnswerAfter,
    CommitLate,
    CommitThenDrop,
    DropBeforeCommit,
    Endless,
    ExpiredCredential,
    Fault,
    FaultCode,
    Malformed,
    Refuse,
    ResetMidBody,
    Scripts,
    StaleConsult,
    Truncated,
    Unavailable,
)
from eprescription_sdk.sandbox.service import Received, Service
from eprescription_sdk.sandbox.state import Call, Operation, Registration, State

_MOST_BYTES = 8 * 1024 * 1024

_Played: TypeAlias = tuple[str, Response]


class Application:
    """The routes of the sandbox, and the playing of faults.

    Args:
        service: the téléservice's operations.
        collector: the trace collector.
        state: where calls are noted.
        scripts: the scripted faults.
        clock: the sandbox's time.
        scale: what every scripted duration is multiplied by.
    """

    def __init__(
        self,
        *,
        service: Service,
        collector: Collector,
        state: State,
        scripts: Scripts,
        clock: Clock,
        scale: float,
    ) -> None:
        self._service = service
        self._collector = collector
        self._state = state
        self._scripts = scripts
        self._clock = clock
        self._scale = scale
        self._closing = asyncio.Event()
        self.connections: Connections = {}
        self.asgi = Starlette(
            routes=[
                Route("/teleservice", self._teleservice, methods=["POST"]),
                Route("/collector/AuditEvent", self._store_trace, methods=["POST"]),
                Route("/collector/AuditEvent", self._search_traces, methods=["GET"]),
                *CounterPage(Counter(state.find)).routes,
            ]
        )

    def close(self) -> None:
        """Let every held request go: what is not committed by now never is."""
        self._closing.set()

    # The téléservice

    async def _teleservice(self, request: Request) -> Response:
        body = await read_body(request, _MOST_BYTES)
        if body is None:
            return Response(f"{NOTICE}.", 413, dict([NOTICE_HEADER]))
        received = self._service.receive(body, request.headers.get("content-type"))
        fault = self._scripts.take(received.operation)
        call = Call(
            operation=received.operation,
            message_id=received.message_id,
            number=received.number,
            at=received.at,
            fault=None if fault is None else type(fault).__name__,
        )
        index = self._state.open_call(call)
        answered, response = await self._play(fault, received)
        self._state.close_call(index, answered=answered)
        return response

    async def _play(self, fault: Fault | None, received: Received) -> _Played:
        """What is answered, for the record, and the response that delivers it."""
        if isinstance(fault, CommitLate) and await self._interrupted(fault.after):
            return "dropped", Cut(self.connections)
        uncommitted = self._before_commit(fault, received)
        if uncommitted is not None:
            return uncommitted
        answer = self._service.perform(received, stale=self._staleness(fault))
        if isinstance(fault, AnswerAfter):
            await self._interrupted(fault.seconds)
        return self._after_commit(fault, received, answer)

    def _before_commit(self, fault: Fault | None, received: Received) -> _Played | None:
        match fault:
            case Unavailable():
                return f"HTTP {fault.status}", self._unavailable(fault)
            case DropBeforeCommit():
                return "dropped", Cut(self.connections)
            case ExpiredCredential():
                text = "Accès refusé : l'assertion n'est plus valable."
                return self._faulted(answers.refused(answers.AUTH, text), received)
            case FaultCode(commit=False):
                return self._faulted(fault, received)
            case _:
                return None

    def _after_commit(self, fault: Fault | None, received: Received, answer: Answer) -> _Played:
        match fault:
            case FaultCode():
                return self._faulted(fault, received)
            case CommitThenDrop():
                return "dropped", Cut(self.connections)
            case Malformed():
                return "malformed", _soap(answers.broken(answer), 200)
            case Truncated():
                return "truncated", self._half(answer, reset=False)
            case ResetMidBody():
                return "reset", self._half(answer, reset=True)
            case Endless(limit=limit):
                chunks = answers.endless()
                return "endless", Cut(self.connections, chunks=chunks, limit=limit)
            case _:
                return answer.summary, _soap(answer.body, answer.status)

    def _faulted(self, form: FaultCode, received: Received) -> _Played:
        answer = answers.fault(form, relates_to=received.message_id)
        return answer.summary, _soap(answer.body, answer.status)

    def _half(self, answer: Answer, *, reset: bool) -> Response:
        half = answer.body[: len(answer.body) // 2]
        return Cut(self.connections, chunks=[half], announced=len(answer.body), reset=reset)

    def _staleness(self, fault: Fault | None) -> Callable[[Registration], bool] | None:
        if not isinstance(fault, StaleConsult):
            return None

        def stale(kept: Registration) -> bool:
            young = self._clock.monotonic() - kept.committed < fault.seconds * self._scale
            if not young:
                self._scripts.spend(fault)
            return young

        return stale

    async def _interrupted(self, seconds: float) -> bool:
        """Wait a scripted duration; True where the sandbox was stopped meanwhile."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds * self._scale)
        except TimeoutError:
            return False
        return True

    def _unavailable(self, fault: Unavailable) -> Response:
        headers = dict([NOTICE_HEADER])
        if fault.retry_after is not None:
            seconds = math.ceil(fault.retry_after * self._scale)
            moment = self._clock.now() + timedelta(seconds=seconds)
            headers["Retry-After"] = (
                format_datetime(moment, usegmt=True) if fault.as_date else str(seconds)
            )
        return Response(f"{NOTICE}.", fault.status, headers, media_type="text/plain")

    # The collector

    async def _store_trace(self, request: Request) -> Response:
        self._collector.count_one()
        body = await read_body(request, _MOST_BYTES)
        if body is None:
            return Response(f"{NOTICE}.", 413, dict([NOTICE_HEADER]))
        fault = self._scripts.take(Operation.TRACE)
        match fault:
            case Unavailable():
                return self._unavailable(fault)
            case DropBeforeCommit():
                return Cut(self.connections)
            case Refuse(status=status):
                return Response(f"{NOTICE}.", status, dict([NOTICE_HEADER]))
            case _:
                pass
        reply = self._collector.store(body)
        match fault:
            case CommitThenDrop():
                return Cut(self.connections)
            case AnswerAfter(seconds=seconds):
                await self._interrupted(seconds)
            case _:
                pass
        return _fhir(reply)

    async def _search_traces(self, request: Request) -> Response:
        return _fhir(self._collector.search(request.query_params.getlist("date")))


def _soap(body: bytes, status: int) -> Response:
    headers = dict([NOTICE_HEADER])
    return Response(body, status, headers, media_type=answers.CONTENT_TYPE)


def _fhir(reply: Reply) -> Response:
    body = json.dumps(reply.resource, ensure_ascii=False)
    headers = dict([NOTICE_HEADER])
    return Response(body, reply.status, headers, media_type="application/fhir+json")

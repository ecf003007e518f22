"""What one answer, or its absence, says about one request.

The table of ``docs/fault-table.md``. It judges a single attempt; what a call does next is
decided by ``create``, ``doubt`` and ``reading``.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import NoneType
from typing import TypeVar

import attrs

from eprescription_sdk.errors import Delivery, TransportFailure
from eprescription_sdk.model.exchange import (
    CreateAnswer,
    HttpReply,
    Operation,
    SearchPage,
    StoredPrescription,
)
from eprescription_sdk.model.faults import Fault, Processed
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.outcomes import AttemptResult
from eprescription_sdk.model.trace import FaultOrigin
from eprescription_sdk.ports import BodyCodec
from eprescription_sdk.settings import FaultClass, FaultRule, ServiceProfile
from eprescription_sdk.wire.reply import read

A = TypeVar("A")


@attrs.frozen(kw_only=True)
class Verdict:
    """What one attempt came to.

    Args:
        result: in one word.
        again: whether the same request may be sent again. For a create this is only ever
            true when nothing can have been registered.
        detail: what was seen; no content.
        origin: where a failure comes from.
        answer: what the codec read.
        fault: what a fault said.
        rule: how its code is read, if it is known.
        retry_after: the pause the service asked for, in seconds.
        down: nothing answered, or what stands before the service did in its stead.
        held: the request was not made, to spare a service that does not answer.
    """

    result: AttemptResult
    again: bool = False
    detail: str | None = None
    origin: FaultOrigin | None = None
    answer: CreateAnswer | StoredPrescription | SearchPage | None = None
    fault: Fault | None = None
    rule: FaultRule | None = None
    retry_after: float | None = None
    down: bool = False
    held: bool = False


def classify(
    operation: Operation,
    seen: HttpReply | TransportFailure,
    *,
    codec: BodyCodec,
    profile: ServiceProfile,
    now: datetime,
    number: PrescriptionNumber | None = None,
) -> Verdict:
    """Judge one attempt.

    Args:
        operation: what was asked.
        seen: what came back, or what is known of the delivery.
        codec: reads the body.
        profile: holds the fault table.
        now: to read a ``Retry-After`` that is a date.
        number: of a create or consult: an answer about another number is no answer.
    """
    if isinstance(seen, TransportFailure):
        return _unanswered(operation, seen)
    try:
        return _replied(operation, seen, codec=codec, profile=profile, now=now, number=number)
    except Exception as error:  # noqa: BLE001  (codec and transport are foreign code)
        status = getattr(seen, "status", None)
        return _unreadable(operation, f"HTTP {status}: {type(error).__name__}")


def _replied(
    operation: Operation,
    seen: HttpReply,
    *,
    codec: BodyCodec,
    profile: ServiceProfile,
    now: datetime,
    number: PrescriptionNumber | None,
) -> Verdict:
    retry_after = _retry_after(seen, now)
    # The body before the status: faults come on HTTP 500 and 400.
    reply = read(seen.content)
    if reply.fault is not None:
        verdict = _faulted(operation, _tokens_only(reply.fault), profile)
        return attrs.evolve(verdict, retry_after=retry_after)
    if reply.body is None:
        detail = f"HTTP {seen.status}: {reply.problem}"
        # What cannot be read may be a bug of ours; from 500 on it is an outage.
        down = seen.status >= _SERVER_ERROR
        return attrs.evolve(_unreadable(operation, detail), retry_after=retry_after, down=down)
    return _answered(operation, reply.body, codec, number)


_SERVER_ERROR = 500
_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def _tokens_only(fault: Fault) -> Fault:
    """The fault without codes that are none: they go where a patient's name must not."""

    def token(text: str | None) -> str | None:
        return text if text is not None and _TOKEN.fullmatch(text) else None

    return attrs.evolve(
        fault,
        code=token(fault.code),
        subcode=token(fault.subcode),
        severity=token(fault.severity),
        message_id=fault.message_id if _MESSAGE_ID.fullmatch(fault.message_id or "") else None,
    )


_MESSAGE_ID = re.compile(r"[A-Za-z0-9:_.-]{1,80}")


def _unanswered(operation: Operation, failure: TransportFailure) -> Verdict:
    detail, origin = failure.message, FaultOrigin.NETWORK
    match failure.delivery:
        case Delivery.NOT_SENT:
            return Verdict(
                result=AttemptResult.NOT_SENT, again=True, detail=detail, origin=origin, down=True
            )
        case Delivery.REJECTED:
            return Verdict(
                result=AttemptResult.NOT_SENT, detail=detail, origin=FaultOrigin.SOFTWARE
            )
        case _:
            create = operation is Operation.CREATE
            return Verdict(
                result=AttemptResult.IN_DOUBT if create else AttemptResult.FAILED,
                again=not create,
                detail=detail,
                origin=origin,
                down=True,
            )


def _faulted(operation: Operation, fault: Fault, profile: ServiceProfile) -> Verdict:
    rule = profile.faults.get(fault.code or "") or profile.faults.get(fault.subcode or "")
    origin = FaultOrigin.SOFTWARE if fault.sender else FaultOrigin.SERVICE
    if rule is not None and rule.credential:
        origin = FaultOrigin.USER
    kind = rule.kind if rule else FaultClass.IN_DOUBT
    if kind is FaultClass.REFUSED:
        result, again = AttemptResult.REFUSED, False
    elif kind is FaultClass.NOT_PROCESSED:
        result, again = AttemptResult.NOT_PROCESSED, True
    elif operation is Operation.CREATE:
        result, again = AttemptResult.IN_DOUBT, False
    else:
        result, again = AttemptResult.FAILED, False
    judged = attrs.evolve(fault, processed=_PROCESSED[kind], origin=origin, known=rule is not None)
    return Verdict(
        result=result, again=again, detail=fault.code, origin=origin, fault=judged, rule=rule
    )


_PROCESSED = {
    FaultClass.REFUSED: Processed.PROCESSED,
    FaultClass.NOT_PROCESSED: Processed.NOT_PROCESSED,
    FaultClass.IN_DOUBT: Processed.UNKNOWN,
}


def _unreadable(operation: Operation, detail: str) -> Verdict:
    if operation is Operation.CREATE:
        return Verdict(result=AttemptResult.IN_DOUBT, detail=detail, origin=FaultOrigin.SERVICE)
    return Verdict(
        result=AttemptResult.FAILED, again=True, detail=detail, origin=FaultOrigin.SERVICE
    )


def _answered(
    operation: Operation, body: bytes, codec: BodyCodec, number: PrescriptionNumber | None
) -> Verdict:
    match operation:
        case Operation.CREATE:
            created = _checked(codec.decode_create(body), CreateAnswer)
            if created.number != number:
                return _unreadable(operation, "The answer is about another number.")
            return Verdict(result=AttemptResult.REGISTERED, answer=created)
        case Operation.CONSULT:
            stored = _checked(codec.decode_consult(body), StoredPrescription, NoneType)
            if stored is not None and number is not None and stored.number != number:
                return _unreadable(operation, "The answer is about another number.")
            result = AttemptResult.ABSENT if stored is None else AttemptResult.FOUND
            return Verdict(result=result, answer=stored)
        case Operation.SEARCH:
            page = _checked(codec.decode_search(body), SearchPage)
            return Verdict(result=AttemptResult.LISTED, answer=page)


def _checked(answer: A, *kinds: type) -> A:
    """What a codec read, if it is what it promises.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(answer, kinds):
        raise TypeError
    return answer


def _retry_after(reply: HttpReply, now: datetime) -> float | None:
    """The pause asked for, in seconds: a number or a date (RFC 9110, 10.2.3)."""
    text = reply.headers.get("retry-after", "").strip()
    if not text:
        return None
    if re.fullmatch(r"\d+", text, re.ASCII):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except Exception:  # noqa: BLE001  (the parser fails in many ways on hostile text)
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())

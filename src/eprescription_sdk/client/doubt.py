"""In doubt, only a consult settles (law 1).

There, and the content agrees: registered. Absent proves nothing while the request may still
be on its way: it is final only ``in_flight_horizon`` after the last send. Sending again is
allowed only where the service refuses a second prescription with the same number.
"""

import logging
from datetime import datetime
from enum import Enum

import attrs

from eprescription_sdk import telemetry
from eprescription_sdk.client.classify import Verdict
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.effects import Engine, Sleep
from eprescription_sdk.client.exchange import NOTHING_LEFT, Line
from eprescription_sdk.clock import full_jitter
from eprescription_sdk.errors import CredentialUnavailable
from eprescription_sdk.ledger import Entry
from eprescription_sdk.model.exchange import CreateAnswer, Operation, StoredPrescription
from eprescription_sdk.model.outcomes import AttemptResult
from eprescription_sdk.wire.envelope import Fragment, prepare


@attrs.frozen(kw_only=True)
class Finding:
    """What consulting found.

    Args:
        registered: True if it is there, False if it is absent for good, None if not known.
        registered_at: as the service said.
        waits_for_credentials: the practitioner's card or session is needed to go on.
        last_send_at: the last moment at which bytes of a create may have left; None where this
            call sent none.
    """

    registered: bool | None
    registered_at: datetime | None = None
    waits_for_credentials: bool = False
    last_send_at: datetime | None = None


def settle_doubt(
    line: Line,
    entry: Entry,
    *,
    sent_at: datetime | None = None,
    resend: Fragment | None = None,
    patient: bool = True,
) -> Engine[Finding]:
    """Consult until it is known or the call's time is over.

    Args:
        line: the practitioner's line to the service.
        entry: what is in doubt.
        sent_at: when this call sent it; otherwise the entry's ``last_send_at`` starts the horizon.
        resend: the frozen body, where the caller still has it.
        patient: wait even while the service is left alone, since it does not answer.
    """
    try:
        consult = prepare(line.core.codec.encode_consult(entry.number))
        return (yield from _ask(line, entry, consult, sent_at, resend=resend, patient=patient))
    except Exception as error:  # noqa: BLE001  (a codec is foreign code, and something was sent)
        telemetry.event("codec.failed", level=logging.WARNING, kind=type(error).__name__)
        # When it was last sent is as journalled: this call may have sent it again.
        return Finding(registered=None)


def _ask(
    line: Line,
    entry: Entry,
    consult: Fragment,
    last_send: datetime | None,
    *,
    resend: Fragment | None,
    patient: bool,
) -> Engine[Finding]:
    clock, profile = line.core.clock, line.core.settings.profile
    on_its_way = (last_send or entry.last_send_at) - clock.now()
    # On the monotonic clock: the other one may be set ahead meanwhile.
    final = clock.monotonic() + on_its_way.total_seconds() + profile.in_flight_horizon
    turn = 0
    while True:
        turn += 1
        asked = clock.monotonic()
        try:
            verdict = yield from line.exchange(Operation.CONSULT, consult, entry.number)
            match = _match(line, entry, verdict)
            if match is _Match.OURS:
                return Finding(
                    registered=True,
                    registered_at=_registered_at(verdict.answer),
                    last_send_at=last_send,
                )
            if match is _Match.ABSENT and asked >= final:
                return Finding(registered=False, last_send_at=last_send)
            if match is _Match.ABSENT and resend is not None and _may_resend(line):
                verdict = yield from line.exchange(Operation.CREATE, resend, entry.number)
                if verdict.result not in NOTHING_LEFT:
                    last_send, final = clock.now(), clock.monotonic() + profile.in_flight_horizon
                if verdict.result is AttemptResult.REGISTERED:
                    return Finding(
                        registered=True,
                        registered_at=_registered_at(verdict.answer),
                        last_send_at=last_send,
                    )
        except CredentialUnavailable:
            return Finding(registered=None, waits_for_credentials=True, last_send_at=last_send)
        gone = verdict.rule is not None and verdict.rule.credential
        if gone or (verdict.held and not patient):
            return Finding(registered=None, waits_for_credentials=gone, last_send_at=last_send)
        pause = max(
            full_jitter(turn, profile.backoff_base, profile.backoff_cap), verdict.retry_after or 0
        )
        if pause >= line.left or (verdict.retry_after or 0) > profile.retry_after_cap:
            return Finding(registered=None, last_send_at=last_send)
        yield Sleep(pause)


class _Match(Enum):
    """What the service holds under our number."""

    OURS = "ours"
    ABSENT = "absent"
    UNCLEAR = "unclear"


def _match(line: Line, entry: Entry, verdict: Verdict) -> _Match:
    if verdict.result is AttemptResult.ABSENT:
        return _Match.ABSENT
    stored = verdict.answer
    if not isinstance(stored, StoredPrescription):
        return _Match.UNCLEAR
    if agrees(line.core, entry, stored):
        return _Match.OURS
    if stored.prescriber != entry.rpps:
        # Somebody else's: ours is not there.
        return _Match.ABSENT
    # The same practitioner under a number minted once: it may well be ours, rewritten by the
    # service. To call it absent could register it twice.
    telemetry.count("content_mismatch", "consult")
    telemetry.event("doubt.mismatch", level=logging.WARNING, state=entry.state.value)
    return _Match.UNCLEAR


def agrees(core: Core, entry: Entry, stored: StoredPrescription) -> bool:
    """Whether what the service holds under a number is what we sent."""
    if stored.number != entry.number:
        return False
    if stored.fingerprint is None:
        # A tombstone only knows the number, which was minted once.
        return entry.purged or stored.prescriber == entry.rpps
    return core.keyed("content", stored.fingerprint) == entry.fingerprint


def _may_resend(line: Line) -> bool:
    profile = line.core.settings.profile
    sent = sum(attempt.operation == Operation.CREATE.value for attempt in line.attempts)
    return (
        profile.unique_by_number
        and not line.core.doubled.is_set()
        and sent < profile.max_attempts
        and line.left > 0
        and not line.caller.barred
    )


def _registered_at(answer: object) -> datetime | None:
    if isinstance(answer, (StoredPrescription, CreateAnswer)):
        return answer.registered_at
    return None

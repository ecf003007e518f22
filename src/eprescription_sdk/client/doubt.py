"""In doubt, only a consult settles (law 1).

There, and the content agrees: registered. Absent proves nothing while the request may still
be on its way: it is final only ``in_flight_horizon`` after the last send. Sending again is
allowed only where the service refuses a second prescription with the same number.
"""

from datetime import datetime, timedelta

import attrs

from eprescription_sdk.client.effects import Engine, Sleep
from eprescription_sdk.client.exchange import Line
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
        last_send_at: the last moment at which bytes of a create may have left.
    """

    registered: bool | None
    registered_at: datetime | None = None
    waits_for_credentials: bool = False
    last_send_at: datetime


def settle_doubt(line: Line, entry: Entry, *, resend: Fragment | None = None) -> Engine[Finding]:
    """Consult until it is known or the call's time is over.

    Args:
        line: the practitioner's line to the service.
        entry: what is in doubt; its ``last_send_at`` starts the horizon.
        resend: the frozen body, where the caller still has it.
    """
    core, profile = line.core, line.core.settings.profile
    consult = prepare(core.codec.encode_consult(entry.number))
    last_send, turn = entry.last_send_at, 0
    while True:
        turn += 1
        try:
            verdict = yield from line.exchange(Operation.CONSULT, consult)
            if verdict.result is AttemptResult.FOUND and _agrees(line, entry, verdict.answer):
                return Finding(
                    registered=True,
                    registered_at=_registered_at(verdict.answer),
                    last_send_at=last_send,
                )
            absent = verdict.result in (AttemptResult.ABSENT, AttemptResult.FOUND)
            horizon = last_send + timedelta(seconds=profile.in_flight_horizon)
            if absent and line.attempts[-1].at >= horizon:
                return Finding(registered=False, last_send_at=last_send)
            if absent and resend is not None and profile.unique_by_number and line.left > 0:
                verdict = yield from line.exchange(Operation.CREATE, resend, entry.number)
                last_send = core.clock.now()
                if verdict.result is AttemptResult.REGISTERED:
                    return Finding(
                        registered=True,
                        registered_at=_registered_at(verdict.answer),
                        last_send_at=last_send,
                    )
        except CredentialUnavailable:
            return Finding(registered=None, waits_for_credentials=True, last_send_at=last_send)
        if verdict.rule is not None and verdict.rule.credential:
            return Finding(registered=None, waits_for_credentials=True, last_send_at=last_send)
        pause = max(
            full_jitter(turn, profile.backoff_base, profile.backoff_cap), verdict.retry_after or 0
        )
        if pause >= line.left or pause > max(profile.retry_after_cap, profile.backoff_cap):
            return Finding(registered=None, last_send_at=last_send)
        yield Sleep(pause)


def _agrees(line: Line, entry: Entry, answer: object) -> bool:
    """Whether what the service holds under our number is what we sent."""
    if not isinstance(answer, StoredPrescription) or answer.number != entry.number:
        return False
    if answer.fingerprint is None:
        return answer.prescriber == entry.rpps
    return line.core.keyed("content", answer.fingerprint) == entry.fingerprint


def _registered_at(answer: object) -> datetime | None:
    if isinstance(answer, (StoredPrescription, CreateAnswer)):
        return answer.registered_at
    return None

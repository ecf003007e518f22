"""The outcomes of one create, built from what the call and the ledger know."""

from datetime import datetime
from typing import Any

import attrs

from eprescription_sdk.client.advice import REGISTERED, not_registered, uncertain
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.exchange import Line
from eprescription_sdk.ledger import Entry
from eprescription_sdk.model.faults import Fault
from eprescription_sdk.model.outcomes import (
    Advice,
    Cause,
    NotRegistered,
    Outcome,
    Registered,
    Uncertain,
)
from eprescription_sdk.model.problems import Problem
from eprescription_sdk.model.trace import CallOutcome

CALL_OUTCOMES: dict[type[Outcome], CallOutcome] = {
    Registered: CallOutcome.REGISTERED,
    NotRegistered: CallOutcome.NOT_REGISTERED,
    Uncertain: CallOutcome.UNCERTAIN,
}


@attrs.frozen(kw_only=True)
class Outcomes:
    """What one call can answer.

    Args:
        core: what the client shares.
        line: the call's line to the service.
        started: when the call began, on the monotonic clock.
    """

    core: Core
    line: Line
    started: float

    def registered(self, entry: Entry, at: datetime | None = None) -> Registered:
        """It is there; found there now, where neither service nor ledger says when."""
        return Registered(
            **self._facts(entry),
            number=entry.number,
            registered_at=at or entry.registered_at or self.core.clock.now(),
            advice=REGISTERED,
        )

    def uncertain(self, entry: Entry, *, waits: bool = False) -> Uncertain:
        """Nobody knows yet; ``waits`` if only the practitioner's credentials can tell."""
        return Uncertain(
            **self._facts(entry),
            number=entry.number,
            advice=uncertain(self.core.policy),
            waits_for_credentials=waits,
        )

    def not_registered(
        self,
        cause: Cause,
        *,
        entry: Entry | None = None,
        problems: tuple[Problem, ...] = (),
        fault: Fault | None = None,
        advice: Advice | None = None,
    ) -> NotRegistered:
        """It is not there, and why."""
        return NotRegistered(
            **self._facts(entry),
            cause=cause,
            number=entry.number if entry else None,
            problems=problems,
            fault=fault,
            advice=advice or not_registered(cause),
        )

    def as_settled(self, entry: Entry) -> NotRegistered:
        """What another caller was told, as far as the ledger holds it."""
        cause, code = Cause(entry.cause), entry.fault_code
        if cause is not Cause.REFUSED or code is None:
            return self.not_registered(cause, entry=entry)
        rule = self.core.settings.profile.faults.get(code)
        return self.not_registered(
            cause, entry=entry, fault=Fault(code=code), advice=not_registered(cause, rule=rule)
        )

    def _facts(self, entry: Entry | None) -> dict[str, Any]:
        return {
            "attempts": tuple(self.line.attempts),
            "duration": self.core.clock.monotonic() - self.started,
            "simulation": self.core.simulation,
            "subject": entry.subject if entry else None,
            "correlation_id": self.line.correlation_id,
        }

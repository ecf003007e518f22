"""One call as its host sees it: a span, an id to quote, and a word in the log on how it ended.

The id goes with the outcome or the error, the span and each event of the call, so that whoever
holds one finds the others. Prescriber and prescription are named by keyed hash (law 4).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import attrs

from eprescription_sdk import telemetry
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.outcomes import CALL_OUTCOMES
from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.errors import EPrescriptionError
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.outcomes import NotRegistered, Outcome
from eprescription_sdk.model.trace import Initiator


@attrs.define
class Call:
    """One call.

    Args:
        core: what the client shares.
        initiator: on whose behalf.
        practitioner: who acts; None for several.
        id: to quote.
    """

    core: Core
    initiator: Initiator
    practitioner: Practitioner | None = None
    id: str = attrs.field(factory=lambda: str(uuid4()), kw_only=True)
    _number: PrescriptionNumber | None = attrs.field(default=None, init=False)
    _outcome: Outcome | None = attrs.field(default=None, init=False)

    def about(self, number: PrescriptionNumber) -> None:
        """Which prescription it is about."""
        self._number = number

    def told(self, outcome: Outcome) -> Outcome:
        """Note what a create came to."""
        self._number, self._outcome = outcome.number, outcome
        return outcome

    @contextmanager
    def span(self, operation: str) -> Iterator[None]:
        """The call's span, while it runs; what it raises gets its id."""
        fields: dict[str, Any] = {
            "operation": operation,
            "initiator": self.initiator.value,
            "correlation_id": self.id,
        }
        with telemetry.span(f"eprescription.{operation}", **fields) as note:
            try:
                yield
            except EPrescriptionError as error:
                error.correlation_id = self.id
                self._ended(note, fields, code=error.code)
                raise
            self._ended(note, fields)

    def _ended(
        self, note: telemetry.Note | None, fields: dict[str, Any], *, code: str | None = None
    ) -> None:
        if note is None and not telemetry.logs(logging.INFO):
            # Most hosts listen to neither, and hashes take their time.
            return
        # A number that no one could mint may be text that nothing encodes.
        with suppress(UnicodeError):
            fields |= dict(self._learnt())
        if code is None:
            telemetry.event("call.done", **fields)
        else:
            telemetry.event("call.failed", **fields, code=code)
        if note is not None:
            note(**fields, code=code)

    def _learnt(self) -> Iterator[tuple[str, str]]:
        if self.practitioner is not None:
            yield "prescriber_pseudonym", self.core.keyed("rpps", self.practitioner.rpps.value)
        if self._number is not None:
            yield "pseudonym", self.core.keyed("number", self._number.value)
        if self._outcome is not None:
            yield "outcome", CALL_OUTCOMES[type(self._outcome)].value
        if isinstance(self._outcome, NotRegistered):
            yield "cause", self._outcome.cause.value

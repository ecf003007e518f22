"""One call as its host sees it: a span, an id to quote, and a word in the log on how it ended.

The id goes with the outcome or the error, the span and each event of the call, so that whoever
holds one finds the others. Prescriber and prescription are named by keyed hash (law 4).
"""

from collections.abc import Iterator
from contextlib import contextmanager
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
    _learnt: dict[str, Any] = attrs.field(factory=dict, init=False)

    def about(self, number: PrescriptionNumber | None) -> None:
        """Which prescription it is about."""
        if number is not None:
            self._learnt["pseudonym"] = self.core.keyed("number", number.value)

    def told(self, outcome: Outcome) -> Outcome:
        """Note what a create came to."""
        self.about(outcome.number)
        self._learnt["outcome"] = CALL_OUTCOMES[type(outcome)].value
        if isinstance(outcome, NotRegistered):
            self._learnt["cause"] = outcome.cause.value
        return outcome

    @contextmanager
    def span(self, operation: str) -> Iterator[None]:
        """The call's span, while it runs; what it raises gets its id."""
        fields: dict[str, Any] = {
            "operation": operation,
            "initiator": self.initiator.value,
            "correlation_id": self.id,
        }
        if self.practitioner is not None:
            fields["prescriber_pseudonym"] = self.core.keyed("rpps", self.practitioner.rpps.value)
        with telemetry.span(f"eprescription.{operation}", **fields) as note:
            try:
                yield
            except EPrescriptionError as error:
                error.correlation_id = self.id
                note(**self._learnt, code=error.code)
                telemetry.event("call.failed", **fields, **self._learnt, code=error.code)
                raise
            note(**self._learnt)
            telemetry.event("call.done", **fields, **self._learnt)

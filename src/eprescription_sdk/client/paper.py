"""A prescription on paper: its trace, and what it means for the digital one it stands for."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from eprescription_sdk import ledger
from eprescription_sdk.client.core import Core
from eprescription_sdk.client.settlement import common, record
from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.ledger import DocumentGiven
from eprescription_sdk.model.family import Family
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.trace import NonDigitalReason, PrescriptionTrace
from eprescription_sdk.storage import Tx

if TYPE_CHECKING:
    from concurrent.futures import Future

_CODE = re.compile(r"[A-Z]{1,3}[0-9]{0,3}")
"""Too short for a name or an identifier: a trace leaves the house."""


def submit_non_digital(
    core: Core,
    practitioner: Practitioner,
    *,
    families: Collection[Family],
    reason: NonDigitalReason,
    reason_code: str | None,
    after: PrescriptionNumber | None,
    act: str | None,
    issued_at: datetime | None,
    test_identity: bool,
) -> "Future[bool]":
    """Hand the trace of a paper prescription to the writer.

    Whoever gives paper in place of a digital prescription makes it a duplicate risk, at once or
    when it is found registered later.

    Raises:
        InvalidInput: no family, a malformed code, number or time.
    """
    if not families:
        raise InvalidInput("A paper prescription has at least one family.", path="families")
    if after is not None and (problem := after.problem()):
        raise InvalidInput(problem, path="after")
    if issued_at is not None and issued_at.tzinfo is None:
        raise InvalidInput("A time has its offset.", path="issued_at")
    if reason_code is not None and (
        reason is not NonDigitalReason.OTHER or not _CODE.fullmatch(reason_code)
    ):
        raise InvalidInput(
            "A code goes with OTHER: one to three capital letters, up to three digits.",
            path="reason_code",
        )
    now = core.clock.now()
    trace = PrescriptionTrace(
        **common(core, practitioner.rpps, practitioner.situation, now, test_identity=test_identity),
        subject=str(uuid4()),
        revision=1,
        issued_at=issued_at or now,
        digital=False,
        families=frozenset(families),
        reason=reason,
        reason_code=reason_code,
        after=after,
        act=core.keyed("act", act) if act is not None else None,
    )

    def work(tx: Tx) -> bool:
        entry = ledger.find(tx, number=after) if after is not None else None
        if entry is not None and entry.rpps == practitioner.rpps:
            ledger.document_given(tx, entry.number, DocumentGiven.PLAIN, now=now)
        return record(core, tx, lambda: trace)

    return core.store.submit(work)

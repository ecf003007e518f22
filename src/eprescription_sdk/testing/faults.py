"""Fault scripts by name: what goes wrong in daily life, to play on a platform's own tests.

What each is made of is in ``eprescription_sdk.sandbox``; durations there are multiplied by the
sandbox's ``scale``.
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eprescription_sdk.sandbox import Fault, Operation, Sandbox

FAULTS: Mapping[str, str] = {
    "commit-then-drop": "registered, and the answer is lost",
    "drop-before-commit": "the connection is cut, and nothing is registered",
    "commit-late": "registered after everybody stopped waiting",
    "answer-late": "registered at once, answered after the attempt's time",
    "unavailable": "HTTP 503, with a moment to wait",
    "not-processed": "a fault that says that nothing was processed",
    "refused": "the content is refused",
    "unknown-fault": "a fault code that nobody knows",
    "card-refused": "the practitioner's assertion is refused",
    "malformed": "registered, and answered with what is no XML",
    "truncated": "registered, and answered by half",
    "reset-mid-body": "registered, and the connection is cut in mid-answer",
    "endless": "registered, and answered without end",
    "consult-stale": "consult does not see what was registered a moment ago",
    "consult-refused": "the practitioner's assertion is refused at the next consult",
    "collector-unavailable": "the collector of traces answers HTTP 503",
    "collector-refuses": "the collector refuses a trace",
}
"""The names, and what each does to the next request that it can be played on."""


def script_fault(sandbox: "Sandbox", name: str, *, times: int = 1) -> None:
    """Queue a fault by its name, first in first out.

    Args:
        sandbox: what the platform talks to.
        name: one of ``FAULTS``.
        times: on how many requests.

    Raises:
        ValueError: no such name, or ``times`` < 1.
    """
    if name not in FAULTS:
        raise ValueError(f"There is no fault {name!r}; there are: {', '.join(FAULTS)}.")
    operation, fault = _scripts()[name]
    sandbox.script(operation, fault, times=times)


@cache
def _scripts() -> "Mapping[str, tuple[Operation, Fault]]":
    from eprescription_sdk import sandbox as s

    create, consult, trace = s.Operation.CREATE, s.Operation.CONSULT, s.Operation.TRACE
    return {
        "commit-then-drop": (create, s.CommitThenDrop()),
        "drop-before-commit": (create, s.DropBeforeCommit()),
        "commit-late": (create, s.CommitLate(after=26)),
        "answer-late": (create, s.AnswerAfter(13)),
        "unavailable": (create, s.Unavailable(retry_after=2)),
        "not-processed": (create, s.FaultCode("sdkref_unavailable")),
        "refused": (create, s.FaultCode("sdkref_invalid", sender=True)),
        "unknown-fault": (create, s.FaultCode("sdkref_unheard_of")),
        "card-refused": (create, s.ExpiredCredential()),
        "malformed": (create, s.Malformed()),
        "truncated": (create, s.Truncated()),
        "reset-mid-body": (create, s.ResetMidBody()),
        "endless": (create, s.Endless()),
        "consult-stale": (consult, s.StaleConsult(10)),
        "consult-refused": (consult, s.ExpiredCredential()),
        "collector-unavailable": (trace, s.Unavailable()),
        "collector-refuses": (trace, s.Refuse()),
    }

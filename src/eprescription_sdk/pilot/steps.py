"""The steps of a pilot, and which are legal when.

preparing → running → prolonged* → assessed → (prolonged again | closing → closed) →
generalised; abandoned from anywhere but there. What a step writes is in ``lifecycle``.
Source: Cnam, présérie 2025-03, p. 4 to 6.
"""

from enum import Enum

from eprescription_sdk.traces.gate import Phase


class Step(Enum):
    """What can be done to a pilot."""

    APPLY = "apply"
    START = "start"
    PROLONG = "prolong"
    ASSESS = "assess"
    CLOSE_TRACES = "close_traces"
    GENERALISE = "generalise"
    ABANDON = "abandon"
    WITHDRAW = "withdraw"


LEGAL: dict[Phase | None, tuple[Step, ...]] = {
    None: (Step.APPLY,),
    Phase.PREPARING: (Step.APPLY, Step.START, Step.WITHDRAW, Step.ABANDON),
    Phase.RUNNING: (Step.APPLY, Step.PROLONG, Step.ASSESS, Step.WITHDRAW, Step.ABANDON),
    Phase.PROLONGED: (Step.APPLY, Step.PROLONG, Step.ASSESS, Step.WITHDRAW, Step.ABANDON),
    Phase.ASSESSED: (Step.APPLY, Step.PROLONG, Step.CLOSE_TRACES, Step.WITHDRAW, Step.ABANDON),
    # Closing goes on until it is done; nothing else may happen in between.
    Phase.CLOSING: (Step.CLOSE_TRACES,),
    Phase.CLOSED: (Step.CLOSE_TRACES, Step.GENERALISE, Step.WITHDRAW, Step.ABANDON),
    Phase.GENERALISED: (),
    Phase.ABANDONED: (),
}
"""The steps that are legal in each phase; ``None`` while no dossier was applied."""

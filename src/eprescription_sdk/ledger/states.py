"""The states of an entry and the transitions between them."""

from enum import Enum


class State(Enum):
    """Where a prescription stands."""

    SENDING = "sending"
    """Journalled; its owner sends, or died trying."""
    UNCERTAIN = "uncertain"
    """Sent, and nobody knows yet."""
    REGISTERED = "registered"
    """In the base of the Assurance Maladie."""
    NOT_REGISTERED = "not_registered"
    """Not there."""


TRANSITIONS: dict[State, frozenset[State]] = {
    State.SENDING: frozenset({State.UNCERTAIN, State.REGISTERED, State.NOT_REGISTERED}),
    State.UNCERTAIN: frozenset({State.UNCERTAIN, State.REGISTERED, State.NOT_REGISTERED}),
    # A registration sighted after all reopens what was thought absent.
    State.NOT_REGISTERED: frozenset({State.REGISTERED}),
    State.REGISTERED: frozenset(),
}

OPEN = frozenset({State.SENDING, State.UNCERTAIN})
"""The states that still have to be settled."""

BINDING = OPEN | {State.REGISTERED}
"""The states in which a host reference is bound to its entry."""


def diagram() -> str:
    """The states and transitions as a Mermaid diagram, for the documentation."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.SENDING.value}: journalled"]
    lines += [
        f"    {before.value} --> {after.value}"
        for before in State
        for after in State
        if after in TRANSITIONS[before]
    ]
    return "\n".join(lines) + "\n"

"""The table of states, in the code and in the documentation."""

import re
from pathlib import Path

from eprescription_sdk.ledger.states import BINDING, OPEN, TRANSITIONS, State, diagram

DOCUMENT = Path(__file__).parents[2] / "docs" / "ledger-states.md"


def documented() -> dict[str, list[str]]:
    """The rows of the table: the state, and its other cells."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return {state: [cell.strip() for cell in cells.split("|")] for state, cells in rows}


def test_the_documentation_lists_every_state_once() -> None:
    assert list(documented()) == [state.value for state in State]


def test_the_documented_transitions_are_those_of_the_code() -> None:
    found = {state: set(re.findall(r"`(\w+)`", cells[0])) for state, cells in documented().items()}
    assert found == {
        state.value: {each.value for each in after} for state, after in TRANSITIONS.items()
    }


def test_the_documented_marks_are_those_of_the_code() -> None:
    for state in State:
        _, open_, binding = documented()[state.value]
        assert open_ == ("yes" if state in OPEN else "no")
        assert binding == ("yes" if state in BINDING else "no")


def test_registered_is_final_and_can_be_reached_from_everywhere() -> None:
    assert not TRANSITIONS[State.REGISTERED]
    assert all(
        State.REGISTERED in after
        for state, after in TRANSITIONS.items()
        if state is not State.REGISTERED
    )


def test_the_documented_diagram_is_made_from_the_code() -> None:
    shown = re.findall(r"```mermaid\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert shown == [diagram()]


def test_the_diagram_has_each_transition_once() -> None:
    arrows = re.findall(r"^ +(\w+) --> (\w+)$", diagram(), re.MULTILINE)
    assert sorted(arrows) == sorted(
        (before.value, after.value) for before, all_ in TRANSITIONS.items() for after in all_
    )

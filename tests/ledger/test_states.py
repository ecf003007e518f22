"""The tables of states and of ownership, in the code and in the documentation."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from eprescription_sdk import ledger
from eprescription_sdk.ledger import Entry
from eprescription_sdk.ledger.states import BINDING, OPEN, TRANSITIONS, State, diagram
from eprescription_sdk.storage import Store, Tx
from tests.ledger.entries import at, entry

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


def _claim(tx: Tx, *, seconds: float) -> None:
    found = entry("N1").number
    ledger.claim(tx, found, owner="host:2", now=at(seconds), lease_until=at(seconds + 30))


def _settle(tx: Tx, state: State, *, epoch: int = 1, goes_on: bool = False) -> None:
    ledger.settle(tx, entry("N1").number, state, now=at(20), epoch=epoch, goes_on=goes_on)


EVENTS: dict[str, Callable[[Tx], None]] = {
    "claimed while the lease runs": partial(_claim, seconds=10),
    "claimed when the lease has run out": partial(_claim, seconds=30),
    "settled by its owner": partial(_settle, state=State.UNCERTAIN),
    "settled by its owner, who goes on": partial(_settle, state=State.UNCERTAIN, goes_on=True),
    "settled as registered by a former owner": partial(_settle, state=State.REGISTERED, epoch=0),
    "settled otherwise by a former owner": partial(_settle, state=State.NOT_REGISTERED, epoch=0),
}


def _cells(before: Entry, after: Entry) -> list[str]:
    lease = {before.lease_until: "kept", at(20): "ends"}
    return [
        "kept" if after.owner == before.owner else "who claims",
        {0: "kept", 1: "one more"}[after.epoch - before.epoch],
        lease.get(after.lease_until, "new"),
    ]


def test_the_documented_ownership_is_that_of_the_code(either: Store) -> None:
    text = DOCUMENT.read_text(encoding="utf-8").split("## Who may write")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in re.findall(r"^\|.*\|$", text, re.MULTILINE)[2:]
    ]
    assert rows[0] == ["journalled", "who sends", "1", "new"]
    assert [row[0] for row in rows[1:]] == list(EVENTS)
    for (name, *cells), happen in zip(rows[1:], EVENTS.values(), strict=True):
        before = entry("N1")
        either.write(lambda tx: tx.execute("DELETE FROM ledger"))
        either.write(partial(ledger.journal, entry=before))
        either.write(happen)
        after = either.read(partial(ledger.find, number=before.number))
        assert after is not None
        assert _cells(before, after) == cells, name

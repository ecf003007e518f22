"""The hash chain: what was tampered with is found and named."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.model.trace import ChainLink
from eprescription_sdk.storage import Store
from eprescription_sdk.traces import chain, closing
from eprescription_sdk.traces.body import canonical
from eprescription_sdk.traces.closing import receipt_of
from eprescription_sdk.traces.record import Recorder
from tests.traces.samples import KEY, record, rows
from tests.traces.test_retention import closed

DOCUMENT = Path(__file__).parents[2] / "docs" / "trace-chain.md"

Rows = list[tuple[ChainLink, str]]


def test_the_worked_example_of_the_documentation_holds(running: Store) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 6
    names: dict[str, Any] = {}
    exec("\n".join(blocks), names)  # noqa: S102
    # Its own functions are ours.
    assert names["pseudonym"]("number", "X") == pseudonym(names["key"], "number", "X")
    document = {"b": [1, None, True], "a": 'é\n"\u2028'}
    assert names["canonical"](document) == canonical(document)
    assert names["link"]("0" * 64, "é") == chain.link("0" * 64, "é")
    assert names["opening"]("s", chain.GENESIS) == chain.opening("s", chain.GENESIS)
    record(running, 2)
    closed(running)
    receipt = running.read(receipt_of)
    assert receipt is not None
    assert names["digest_of"](json.loads(canonical(receipt.to_json()))) == receipt.digest


@pytest.fixture
def chained(running: Store) -> Store:
    """Two segments of five traces."""
    for _ in range(2):
        record(running, 5, Recorder(KEY, running.path))
    return running


def segments(store: Store) -> list[tuple[str, str]]:
    return store.read(
        lambda tx: [(row[0], row[1]) for row in tx.execute("SELECT id, previous FROM segments")]
    )


def links(store: Store) -> Rows:
    found = rows(store, "segment, position, hash, body", "ORDER BY segment, position")
    return [
        (ChainLink(segment=segment, position=position, hash=hash_), body)
        for segment, position, hash_, body in found
    ]


def heads(store: Store) -> dict[str, ChainLink]:
    return {head.segment: head for head in store.read(closing.heads)}


def found(store: Store, rows: Rows, anchored: dict[str, ChainLink]) -> list[tuple[str, int]]:
    ordered = sorted(rows, key=lambda row: (row[0].segment, row[0].position))
    breaks = list(chain.breaks(segments(store), ordered, anchored))
    assert all(each.what.endswith(".") for each in breaks)
    return [(each.segment, each.position) for each in breaks]


def test_an_honest_chain_holds(chained: Store) -> None:
    assert len(heads(chained)) == 2
    assert not found(chained, links(chained), heads(chained))


def test_the_second_segment_goes_on_from_the_first(chained: Store) -> None:
    newest_of_first = rows(chained, "hash", "ORDER BY seq LIMIT 1 OFFSET 4")[0][0]
    assert [previous for _, previous in segments(chained)] == [chain.GENESIS, newest_of_first]


def test_a_changed_body_is_named(chained: Store) -> None:
    for index, (row, body) in enumerate(original := links(chained)):
        tampered = [*original]
        tampered[index] = (row, body.replace('"attempts":2', '"attempts":1'))
        assert found(chained, tampered, heads(chained)) == [(row.segment, row.position)]


def test_a_removed_row_is_named_by_the_one_after_it(chained: Store) -> None:
    original = links(chained)
    for index, (row, _) in enumerate(original):
        if row.position < 5:
            tampered = original[:index] + original[index + 1 :]
            assert found(chained, tampered, heads(chained)) == [(row.segment, row.position + 1)]


@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_removed_tail_shows_against_the_head(chained: Store, count: int) -> None:
    original = links(chained)
    segment = original[0][0].segment
    tampered = [
        row for row in original if row[0].segment != segment or row[0].position <= 5 - count
    ]
    assert found(chained, tampered, heads(chained)) == [(segment, 5)]
    assert not found(chained, tampered, {})


def test_a_removed_segment_shows_against_the_head(chained: Store) -> None:
    segment = links(chained)[0][0].segment
    kept = [row for row in links(chained) if row[0].segment != segment]
    opened = [each for each in segments(chained) if each[0] != segment]
    breaks = list(chain.breaks(opened, kept, heads(chained)))
    assert [(each.segment, each.position) for each in breaks] == [(segment, 5)]


def test_reordered_bodies_are_both_named(chained: Store) -> None:
    tampered = links(chained)
    (first, body), (second, other) = tampered[1], tampered[2]
    tampered[1], tampered[2] = (first, other), (second, body)
    assert found(chained, tampered, heads(chained)) == [
        (first.segment, first.position),
        (second.segment, second.position),
    ]


def inserted(original: Rows, place: int) -> Rows:
    """The rows with a copy of the first one put in, and those after it renumbered."""
    row, _ = original[place]
    before = original[place - 1][0].hash
    body = original[0][1]
    forged = ChainLink(segment=row.segment, position=row.position, hash=chain.link(before, body))
    moved = [
        (ChainLink(segment=r.segment, position=r.position + 1, hash=r.hash), text)
        if r.segment == row.segment and r.position >= row.position
        else (r, text)
        for r, text in original
    ]
    return [*moved, (forged, body)]


def test_an_inserted_row_is_named(chained: Store) -> None:
    original = links(chained)
    row, _ = original[2]
    named = found(chained, inserted(original, 2), heads(chained))
    assert (row.segment, row.position + 1) in named


def rehashed(original: Rows, tamper: Callable[[int, str], str]) -> Rows:
    """What somebody who knows the algorithm makes of the first segment."""
    segment = original[0][0].segment
    previous = chain.opening(segment, "?")
    result = []
    for row, body in original:
        if row.segment != segment:
            result.append((row, body))
            continue
        if row.position == 1:
            # The opening is public too: go on from what the first row was linked to.
            changed = tamper(row.position, body)
            previous = row.hash if changed == body else chain.link(previous, changed)
        else:
            changed = tamper(row.position, body)
            previous = chain.link(previous, changed)
        result.append((ChainLink(segment=segment, position=row.position, hash=previous), changed))
    return result


def test_a_chain_made_anew_does_not_lead_to_the_head(chained: Store) -> None:
    original = links(chained)

    def tamper(position: int, body: str) -> str:
        return body.replace('"attempts":2', '"attempts":1') if position == 3 else body

    tampered = rehashed(original, tamper)
    # By itself it holds: only what left the store tells.
    assert not found(chained, tampered, {})
    assert found(chained, tampered, heads(chained)) == [(original[0][0].segment, 5)]


def test_rows_of_a_segment_that_was_never_opened_are_named(chained: Store) -> None:
    stray = ChainLink(segment="zz", position=1, hash="0" * 64)
    assert ("zz", 0) in found(chained, [*links(chained), (stray, "{}")], heads(chained))


def test_a_moved_opening_is_named(chained: Store) -> None:
    moved = [(segment, hashlib.sha256(previous.encode()).hexdigest())
             for segment, previous in segments(chained)]  # fmt: skip
    breaks = list(chain.breaks(moved, links(chained), heads(chained)))
    assert [each.position for each in breaks] == [1, 1]

"""What both engines hold alike: one suite, run on each."""

import itertools
import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from eprescription_sdk.errors import StoreError, StoreUnavailable
from eprescription_sdk.storage import Store, Tx
from tests.processes import child
from tests.storage.children import insert
from tests.stores import opened

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def store(either: Store) -> Store:
    return either


def reasons(store: Store) -> set[str]:
    return {row[0] for row in store.read(lambda tx: tx.execute("SELECT reason FROM losses"))}


def test_a_result_comes_back(store: Store) -> None:
    assert store.write(lambda tx: tx.execute("SELECT 1, 'x'")) == [(1, "x")]
    assert store.submit(lambda _: 7).result() == 7


def test_a_failing_unit_is_undone_alone(store: Store) -> None:
    def failing(tx: Tx) -> None:
        insert(tx, "undone")
        raise KeyError("its own")

    before, failed, after = (
        store.submit(lambda tx: insert(tx, "before")),
        store.submit(failing),
        store.submit(lambda tx: insert(tx, "after")),
    )
    before.result()
    with pytest.raises(KeyError, match="its own"):
        failed.result()
    after.result()
    assert reasons(store) == {"before", "after"}


def test_a_failing_savepoint_is_undone_alone(store: Store) -> None:
    def failing(tx: Tx, reason: str) -> None:
        with tx.savepoint():
            insert(tx, reason)
            raise KeyError

    def work(tx: Tx) -> None:
        insert(tx, "outer")
        with tx.savepoint():
            insert(tx, "inner")
            with pytest.raises(KeyError):
                failing(tx, "innermost")
        with pytest.raises(KeyError):
            failing(tx, "second")

    store.write(work)
    assert reasons(store) == {"outer", "inner"}


def test_a_breach_of_a_rule_quotes_no_value(store: Store) -> None:
    store.write(lambda tx: insert(tx, "canary-99700218896"))
    with pytest.raises(StoreError) as caught:
        store.write(lambda tx: insert(tx, "canary-99700218896"))
    assert "canary" not in f"{caught.value}{caught.value!r}{caught.value.__cause__!r}"


def test_a_read_sees_a_snapshot_and_cannot_write(store: Store) -> None:
    store.write(lambda tx: insert(tx, "first"))

    def look(tx: Tx) -> tuple[int, int]:
        count = "SELECT count(*) FROM losses"
        before = tx.execute(count)[0][0]
        store.write(lambda inner: insert(inner, "second"))
        return before, tx.execute(count)[0][0]

    assert store.read(look) == (1, 1)
    assert reasons(store) == {"first", "second"}
    with pytest.raises(StoreUnavailable, match="read-only"):
        store.read(lambda tx: insert(tx, "third"))


def test_rows_can_be_read_one_by_one(store: Store) -> None:
    for number in range(5):
        store.write(lambda tx, number=number: insert(tx, str(number)))  # type: ignore[misc]

    def look(tx: Tx) -> list[str]:
        rows: Iterator[tuple[str]] = tx.iterate("SELECT reason FROM losses ORDER BY reason")
        return [next(rows)[0], next(rows)[0]]

    assert store.read(look) == ["0", "1"]


def test_more_rows_than_one_portion_come_one_by_one(store: Store) -> None:
    def fill(tx: Tx) -> None:
        for number in range(2500):
            insert(tx, f"{number:05}")

    def look(tx: Tx) -> list[tuple[str, int]]:
        outer = tx.iterate("SELECT reason FROM losses ORDER BY reason")
        # One reading within another.
        return [
            (row[0], sum(1 for _ in tx.iterate("SELECT 1 FROM losses WHERE reason < ?", (row[0],))))
            for row in itertools.islice(outer, 0, 2500, 500)
        ]

    store.write(fill)
    expected = [(f"{number:05}", number) for number in range(0, 2500, 500)]
    assert store.read(look) == expected
    assert store.write(look) == expected


@pytest.mark.parametrize(
    ("sql", "values", "expected"),
    [
        ("SELECT ?, 'what?', \"reason\" FROM losses -- why?\n", (5,), (5, "what?", "a%b'?")),
        (
            "SELECT /* ? % */ count(*) FROM losses WHERE reason LIKE 'a%b''?' AND ? = 1",
            (1,),
            (1,),
        ),
        ("SELECT 7 % ?, '%s', '100 %'", (4,), (3, "%s", "100 %")),
        ("SELECT reason FROM losses WHERE reason LIKE 'a%'", (), ("a%b'?",)),
        ("SELECT count(*) FROM losses WHERE reason = coalesce(?, reason)", (None,), (1,)),
    ],
)
def test_texts_and_comments_hold_no_marks(
    store: Store, sql: str, values: tuple[int | None, ...], expected: tuple[object, ...]
) -> None:
    store.write(lambda tx: insert(tx, "a%b'?"))
    assert store.read(lambda tx: tx.execute(sql, values)) == [expected]


@pytest.mark.parametrize("text", ['é\n"\u2028', "𝄞", "", "\\ ' %s ?"])
def test_a_text_comes_back_as_it_was(store: Store, text: str) -> None:
    store.write(lambda tx: insert(tx, text))
    assert reasons(store) == {text}


def test_texts_are_ordered_by_their_bytes(store: Store) -> None:
    texts = ["a", "B", "-", "_", "é", "Z", "2026-03-01T", "2026-03-01 "]
    for each in texts:
        store.write(partial(insert, reason=each))
    found = store.read(lambda tx: tx.execute("SELECT reason FROM losses ORDER BY reason"))
    assert [row[0] for row in found] == sorted(texts, key=str.encode)


def test_numbers_are_as_wide_as_they_need_be(store: Store) -> None:
    store.write(lambda tx: tx.execute("INSERT INTO losses VALUES (?, ?)", ("x", 2**40)))
    assert store.read(lambda tx: tx.execute("SELECT count FROM losses")) == [(2**40,)]


def test_rows_are_numbered_in_the_order_of_their_commits(store: Store, place: str) -> None:
    """Who reads the feed up to a number misses nothing that comes later with a lower one."""
    others = [opened(place) for _ in range(3)]
    over = threading.Event()

    def write(other: Store) -> None:
        while not over.is_set():
            other.write(
                lambda tx: tx.execute(
                    "INSERT INTO settlements (number, state, at) VALUES ('', '', '')"
                )
            )

    threads = [threading.Thread(target=write, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    cursor, seen = 0, 0
    while seen < 150:
        new = store.read(
            lambda tx, after=cursor: tx.execute(  # type: ignore[misc]
                "SELECT seq FROM settlements WHERE seq > ? ORDER BY seq", (after,)
            )
        )
        seen += len(new)
        cursor = new[-1][0] if new else cursor
    over.set()
    for thread, other in zip(threads, others, strict=True):
        thread.join()
        other.close()
    left = "SELECT count(*) FROM settlements WHERE seq <= ?"
    assert store.read(lambda tx: tx.execute(left, (cursor,))) == [(seen,)]


def test_what_one_unit_read_stays_true_until_its_commit(store: Store, place: str) -> None:
    """Two processes that look, and write what they conclude, do not both conclude the same."""
    others = [opened(place) for _ in range(4)]
    store.write(lambda tx: tx.execute("INSERT INTO losses VALUES ('n', 0)"))

    def add(tx: Tx) -> None:
        found = tx.execute("SELECT count FROM losses WHERE reason = 'n'")[0][0]
        tx.execute("UPDATE losses SET count = ? WHERE reason = 'n'", (found + 1,))

    futures = [other.submit(add) for _ in range(50) for other in others]
    for future in futures:
        future.result(20)
    assert store.read(lambda tx: tx.execute("SELECT count FROM losses")) == [(200,)]
    for other in others:
        other.close()


def test_a_closed_store_opens_again(store: Store) -> None:
    store.write(lambda tx: insert(tx, "before"))
    store.close()
    store.close()
    store.write(lambda tx: insert(tx, "after"))
    assert reasons(store) == {"before", "after"}


def test_a_writer_waits_for_another_process(store: Store, place: str) -> None:
    store.write(lambda _: None)
    with child("tests.storage.children", "hold", place, "0.5") as other:
        assert other.line() == "held"
        started = time.monotonic()
        store.write(lambda tx: insert(tx, "mine"))
        assert time.monotonic() - started > 0.2
    assert reasons(store) == {"holder", "mine"}


def test_two_processes_write_at_once(store: Store, place: str) -> None:
    with (
        child("tests.storage.children", "rows", place, "a", "500") as first,
        child("tests.storage.children", "rows", place, "b", "500") as second,
    ):
        said = {*first.rest().split(), *second.rest().split()}
        assert (first.status, second.status) == (0, 0)
    assert len(said) == 1000
    assert reasons(store) == said
    if store.path is not None:
        integrity = store.read(lambda tx: tx.execute("PRAGMA integrity_check"))
        assert integrity == [("ok",)]


@pytest.mark.parametrize("lines", [1, 30, 200])
def test_a_killed_writer_loses_nothing_acknowledged(place: str, lines: int) -> None:
    with child("tests.storage.children", "ever", place, "a") as writer:
        said = {writer.line() for _ in range(lines)}
        writer.signal(signal.SIGKILL)
        said |= {line for line in writer.rest().splitlines(keepends=True) if line.endswith("\n")}
    store = opened(place)
    assert {line.strip() for line in said} <= reasons(store)
    store.close()

"""What waits for later traces: how much memory it takes, and what of it may lie on a disk."""

import tracemalloc
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import apsw
import pytest

from eprescription_sdk.pilot.linking import (
    CORRECTED,
    NOT_REGISTERED,
    OUTSIDE,
    PAPER,
    REGISTERED,
    UNCERTAIN,
    Cells,
    Prescriptions,
    Shape,
)
from eprescription_sdk.storage.scratch import CACHE_KIB

DAY = date(2026, 3, 3).toordinal()


def shape(kind: int = REGISTERED, *, revision: int = 1, inside: int = 0) -> Shape:
    return revision, 1, DAY, kind, inside, 0, None


def filled(count: int) -> Prescriptions:
    """Every prescription numbered, some on paper after a refused one, some in acts."""
    prescriptions = Prescriptions()
    for each in range(count):
        if each % 10 == 9:
            prescriptions.add(
                f"subject-{each}", shape(PAPER, inside=2), number=None, act=None,
                link=f"number-{each - 1}",
            )  # fmt: skip
        else:
            prescriptions.add(
                f"subject-{each}", shape(NOT_REGISTERED if each % 10 == 8 else REGISTERED),
                number=f"number-{each}", act=f"act-{each // 3}" if each % 4 == 0 else None,
                link=None,
            )  # fmt: skip
        if each % 10 == 8:
            prescriptions.add_unregistered(f"subject-{each}", 1, DAY, uncertain=False)
    return prescriptions


def peaks(count: int) -> tuple[int, int]:
    """The most memory that counting took: Python's, and SQLite's, in bytes."""
    apsw.memory_high_water(reset=True)
    used = apsw.memory_used()
    tracemalloc.start()
    try:
        cells = filled(count).count()
        _, python = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(cells.documents[1].values()) == count
    return python, apsw.memory_high_water() - used


def test_memory_does_not_grow_with_the_prescriptions() -> None:
    peaks(3_000)  # what is made once is made now
    few, _ = peaks(3_000)
    many, engine = peaks(60_000)
    # A byte for each would be too many.
    assert many - few < 57_000
    assert engine < 3 * CACHE_KIB * 1024


def nameless() -> Iterator[bytes]:
    """The contents of the files that this process has open and that have no name."""
    for descriptor in Path("/proc/self/fd").iterdir():
        if descriptor.is_symlink() and str(descriptor.readlink()).endswith("(deleted)"):
            yield descriptor.read_bytes()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux shows open files")
def test_what_lies_on_a_disk_leads_to_nobody() -> None:
    kept = filled(120_000)
    written = b"".join(nameless())
    assert len(written) > 1_000_000
    for marked in (b"subject-", b"number-", b"act-"):
        assert marked not in written
    kept.count()
    assert not b"".join(nameless())


def test_a_number_given_twice_ties_once() -> None:
    """It cannot happen while numbers are minted once; a figure must not depend on luck."""
    prescriptions = Prescriptions()
    prescriptions.add("a", shape(NOT_REGISTERED), number="n", act=None, link=None)
    prescriptions.add("b", shape(), number="n", act=None, link=None)
    prescriptions.add("c", shape(PAPER, inside=1), number=None, act=None, link="n")
    cells = prescriptions.count()
    day = date.fromordinal(DAY)
    assert dict(cells.documents[1]) == {(day, NOT_REGISTERED): 1, (day, REGISTERED): 1}


def paper(inside: int, outside: int = 0, reason: str | None = None) -> Shape:
    return 1, 1, DAY, PAPER, inside, outside, reason


def counted(*added: tuple[Shape, str | None, str | None]) -> Cells:
    """The cells of prescriptions given by shape, act and link; their numbers are 0, 1, 2."""
    prescriptions = Prescriptions()
    for place, (each, act, link) in enumerate(added):
        number = None if each[3] == PAPER else str(place)
        prescriptions.add(f"s{place}", each, number=number, act=act, link=link)
    return prescriptions.count()


def kinds(cells: Cells) -> dict[int, int]:
    """The documents by kind."""
    return {kind: count for (_, kind), count in cells.documents[1].items()}


def acts(cells: Cells) -> dict[tuple[int, ...], int]:
    """The acts by the kinds of their documents, day by day."""
    return {tuple(kind for _, kind in days): count for days, count in cells.acts[1].items()}


def test_why_it_is_on_paper_is_counted_by_document() -> None:
    cells = counted(
        (paper(2, 1, "no_network"), None, None),
        (paper(1, 0, "no_network"), None, None),
        (paper(0, 1), None, None),
    )
    day = date.fromordinal(DAY)
    assert dict(cells.reasons[1]) == {(day, "no_network"): 4, (day, "other"): 1}


@pytest.mark.parametrize(
    ("inside", "outside", "left"),
    [
        (1, 0, {}),
        (3, 0, {PAPER: 2}),
        (3, 1, {PAPER: 2, OUTSIDE: 1}),
        (1, 1, {OUTSIDE: 1}),
        (0, 1, {}),
        (0, 3, {OUTSIDE: 2}),
    ],
)
def test_paper_after_a_digital_one_is_one_document_less(
    inside: int, outside: int, left: dict[int, int]
) -> None:
    cells = counted((shape(NOT_REGISTERED), None, None), (paper(inside, outside), None, "0"))
    assert kinds(cells) == {NOT_REGISTERED: 1, **left}
    together = NOT_REGISTERED
    for kind in left:
        together |= kind
    assert acts(cells) == {(together,): 1}


def test_a_paper_one_is_one_act_whatever_it_holds() -> None:
    cells = counted((paper(2, 1), None, None), (shape(), None, None), (shape(), None, None))
    assert acts(cells) == {(PAPER | OUTSIDE,): 1, (REGISTERED,): 2}


def test_the_documents_of_an_act_are_judged_together() -> None:
    later = (1, 1, DAY + 1, NOT_REGISTERED, 0, 0, None)
    cells = counted(
        (shape(NOT_REGISTERED), "a", None),
        (paper(1), "a", None),
        (later, "a", None),
        (shape(NOT_REGISTERED), "b", None),
        (paper(1), "b", None),
        (later, "b", None),
        (shape(NOT_REGISTERED), "c", None),
    )
    whole = (NOT_REGISTERED | PAPER, NOT_REGISTERED)
    assert acts(cells) == {whole: 2, (NOT_REGISTERED,): 1}
    assert [day.toordinal() for day, _ in next(iter(cells.acts[1]))] in ([DAY], [DAY, DAY + 1])


def test_two_practitioners_do_not_share_an_act() -> None:
    other = (1, 2, DAY, REGISTERED, 0, 0, None)
    cells = counted((shape(), "a", None), (other, "a", None))
    assert [list(cells.acts[who].values()) for who in (1, 2)] == [[1], [1]]


def test_a_link_to_another_practitioner_ties_nothing() -> None:
    other = (1, 2, DAY, PAPER, 1, 0, None)
    cells = counted((shape(NOT_REGISTERED), None, None), (other, None, "0"))
    assert kinds(cells) == {NOT_REGISTERED: 1}
    assert list(cells.documents[2].values()) == [1]


def test_what_did_not_register_by_the_kind_of_its_document() -> None:
    prescriptions = Prescriptions()
    for subject, kind, link in (
        ("doubtful", UNCERTAIN, None),
        ("refused", NOT_REGISTERED, None),
        ("mended", NOT_REGISTERED, None),
        ("mends", REGISTERED, "mended"),
    ):
        prescriptions.add(subject, shape(kind), number=subject, act=None, link=link)
    for told, uncertain in (
        ("doubtful", False), ("doubtful", False), ("refused", True), ("mended", True),
        ("mends", True), ("never traced", True), ("never traced", False), (None, True),
    ):  # fmt: skip
        prescriptions.add_unregistered(told, 1, DAY, uncertain=uncertain)
    found = {kind: count for (_, kind), count in prescriptions.count().creates[1].items()}
    assert found == {UNCERTAIN: 4, NOT_REGISTERED: 3, CORRECTED: 1}


def test_the_highest_revision_stands_whenever_it_comes() -> None:
    prescriptions = Prescriptions()
    for revision, kind in ((0, NOT_REGISTERED), (2, REGISTERED), (1, UNCERTAIN), (2, UNCERTAIN)):
        prescriptions.add("s", shape(kind, revision=revision), number="n", act=None, link=None)
    assert kinds(prescriptions.count()) == {REGISTERED: 1}


def test_what_is_kept_is_hidden_under_a_key_of_its_own() -> None:
    one, other = Prescriptions(), Prescriptions()
    assert one._hidden("n") == one._hidden("n")  # noqa: SLF001  (nobody else sees it)
    assert one._hidden("n") != other._hidden("n")  # noqa: SLF001


@pytest.mark.parametrize("revision", [-1, 2**31, "1", None, 1.5])
def test_a_revision_that_is_none_is_damage(revision: object) -> None:
    damaged: Shape = (revision, 1, DAY, REGISTERED, 0, 0, None)  # type: ignore[assignment]
    with pytest.raises(ValueError, match="revision"):
        Prescriptions().add("s", damaged, number="n", act=None, link=None)

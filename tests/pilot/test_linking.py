"""What waits for later traces: how much memory it takes, and what of it may lie on a disk."""

import tracemalloc
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import apsw
import pytest

from eprescription_sdk.pilot.linking import NOT_REGISTERED, PAPER, REGISTERED, Prescriptions, Shape
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


@pytest.mark.parametrize("revision", [-1, 2**31, "1", None, 1.5])
def test_a_revision_that_is_none_is_damage(revision: object) -> None:
    damaged: Shape = (revision, 1, DAY, REGISTERED, 0, 0, None)  # type: ignore[assignment]
    with pytest.raises(ValueError, match="revision"):
        Prescriptions().add("s", damaged, number="n", act=None, link=None)

"""The scratch database: rows in, rows out, memory bounded, and what happens without room."""

from pathlib import Path

import apsw
import pytest

from eprescription_sdk.errors import StoreUnavailable
from eprescription_sdk.storage.scratch import CACHE_KIB, Scratch

ROW = b"r" * 1000


def filled(kibibytes: int) -> Scratch:
    scratch = Scratch()
    scratch.run("CREATE TABLE rows (place INTEGER, text BLOB)")
    scratch.add("INSERT INTO rows VALUES (?, ?)", ((-n, ROW) for n in range(kibibytes)))
    return scratch


def open_files() -> list[str]:
    """What this process has open and nobody else can."""
    links = [each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return [str(link) for link in links if str(link).endswith("(deleted)")]


def test_rows_come_back_in_the_order_asked_for() -> None:
    scratch = filled(20)
    assert [row[0] for row in scratch.rows("SELECT place FROM rows ORDER BY place")] == [
        *range(-19, 1)
    ]
    scratch.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux shows open files")
def test_what_outgrows_the_cache_goes_to_a_file_without_a_name() -> None:
    before = open_files()
    small = filled(CACHE_KIB // 4)
    assert open_files() == before
    apsw.memory_high_water(reset=True)
    used = apsw.memory_used()
    large = filled(CACHE_KIB * 4)
    assert len(open_files()) == len(before) + 1
    ordered = large.rows("SELECT text FROM rows ORDER BY place")
    assert sum(row[0] == ROW for row in ordered) == CACHE_KIB * 4
    # The cache, and one more for sorting.
    assert apsw.memory_high_water() - used < 2.5 * CACHE_KIB * 1024
    small.close()
    large.close()
    assert open_files() == before


def test_without_room_the_error_says_where_to_make_some() -> None:
    scratch = filled(1)
    scratch.run("PRAGMA max_page_count = 50")
    with pytest.raises(StoreUnavailable, match="TMPDIR"):
        scratch.add("INSERT INTO rows VALUES (?, ?)", ((n, ROW) for n in range(1000)))
    with pytest.raises(StoreUnavailable):
        list(scratch.rows("SELECT nothing FROM rows"))
    scratch.close()

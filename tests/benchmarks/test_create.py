"""The comparisons of ``create()``: that each side does what it says, never how fast."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import eprescription_sdk as ep
from benchmarks import concurrency, create, stage
from benchmarks.bare_zeep import BareZeep, leaves_of
from benchmarks.loopback import serving
from eprescription_sdk.testing import sample_prescription


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


def test_every_call_is_registered_and_traced(url: str, tmp_path: Path) -> None:
    measured = create.measure(sample_prescription(), url, tmp_path, rounds=2, calls=2)
    # In turns, and in loops.
    assert measured.registered == 2 * 4
    assert measured.traces == 2 * 2 * 4
    assert measured.sent == 2 * 4
    assert set(measured.turns.seconds) == set(measured.loops.seconds)
    assert set(measured.turns.seconds) == {"httpx", "bare", "whole", "commit", "zeep"}
    rows = create.report("one medicine", measured)
    assert [row.budget for row in rows] == [1.8, 1.8, 1.0]


def test_the_bare_request_is_the_one_that_a_create_sends(url: str, tmp_path: Path) -> None:
    request = stage.request_of(sample_prescription(), url, tmp_path / "none.db")
    assert b"<ref:CreerRequest" in request.content
    assert b"Assertion" in request.content
    answer = httpx.post(url, content=request.content, headers=dict(request.headers))
    number = request.content.split(b"<ref:Numero>")[1].split(b"<")[0]
    assert number in answer.content


def test_zeep_sends_as_many_leaves_and_reads_the_answer(url: str, tmp_path: Path) -> None:
    zeep = BareZeep(tmp_path, 66, url)
    assert leaves_of(zeep.build()) >= 66
    assert zeep.send().CodeCR == "00"


def test_fifty_in_flight_are_all_registered_and_traced(url: str, tmp_path: Path) -> None:
    speeds, kept = asyncio.run(concurrency.measure(url, tmp_path, rounds=1, calls=50))
    assert {name: len(figures) for name, figures in speeds.items()} == {
        "bare httpx": 1, "ours on httpx": 1, "ours on httpx2": 1,
    }  # fmt: skip
    assert kept == {"ours on httpx": (100, 200), "ours on httpx2": (100, 200)}


def test_an_outcome_that_is_no_registration_is_not_measured(tmp_path: Path) -> None:
    of_another = sample_prescription(rpps=ep.Rpps("99900063480"))
    settings = stage.settings("http://127.0.0.1:1/", tmp_path / "none.db")
    with ep.Client(settings, store=stage.NoStore()) as client:
        outcome = client.acting_as(stage.practitioner()).create(of_another)
    with pytest.raises(AssertionError):
        create.registered(outcome)

"""Traces dropped as files: whole, counted, signed, and none lost when a sender dies."""

import gzip
import hashlib
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from eprescription_sdk.clock import SimulatedClock, SystemClock
from eprescription_sdk.model.trace import ChainLink
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.files import DirectorySink
from eprescription_sdk.traces.outbox import refusals
from eprescription_sdk.traces.shipper import Shipment, Shipper
from eprescription_sdk.traces.signing import Signer
from eprescription_sdk.traces.sinks import Encoded
from eprescription_sdk.traces.tde import TdeProfile
from tests.traces.samples import AT, record, rows
from tests.traces.test_declared import field, profile
from tests.traces.test_signing import pem

DAY = "2026-03-02"


def ship(store: Store, sink: DirectorySink) -> Shipment:
    return Shipper(store, sink._profile, sink=sink, clock=SystemClock()).ship_once()  # noqa: SLF001


def read(folder: Path, day: str = DAY, suffix: str = ".txt") -> tuple[list[str], dict[str, Any]]:
    """The lines of a day's file, which must be the one of its manifest."""
    content = (folder / f"{day}{suffix}.gz").read_bytes()
    manifest = json.loads((folder / f"{day}{suffix}.manifest.json").read_bytes())
    assert manifest["bytes"] == len(content)
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    return gzip.decompress(content).decode().splitlines(), manifest


def ids(lines: list[str]) -> list[str]:
    return [json.loads(line)["id"] for line in lines]


def test_one_file_a_day_grows_whole(running: Store, tmp_path: Path) -> None:
    clock = SimulatedClock(AT)
    sink = DirectorySink(tmp_path / "out", TdeProfile(), clock=clock)
    first = record(running, 70)
    assert ship(running, sink) == Shipment(sent=70)
    second = record(running, 2)
    assert ship(running, sink) == Shipment(sent=2)
    lines, manifest = read(tmp_path / "out")
    assert ids(lines) == first + second
    assert manifest["traces"] == 72
    heads = {(one["segment"], one["position"], one["hash"]) for one in manifest["heads"]}
    newest = "WHERE (segment, position) IN (SELECT segment, max(position) FROM traces GROUP BY 1)"
    assert heads == set(rows(running, "segment, position, hash", newest))
    clock.advance(timedelta(days=1))
    third = record(running, 1)
    assert ship(running, sink) == Shipment(sent=1)
    assert ids(read(tmp_path / "out", "2026-03-03")[0]) == third
    assert ids(read(tmp_path / "out")[0]) == first + second


def test_nobody_else_reads_them_and_nothing_is_left_over(running: Store, tmp_path: Path) -> None:
    record(running, 1)
    ship(running, DirectorySink(tmp_path / "out", TdeProfile(), clock=SimulatedClock(AT)))
    names = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "out").iterdir()}
    assert names.pop(".lock", 0) is not None
    assert names == {f"{DAY}.txt.gz": 0, f"{DAY}.txt.manifest.json": 0}


def test_the_manifest_is_signed_with_the_organisations_key(running: Store, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    sink = DirectorySink(tmp_path, TdeProfile(), signer=Signer(pem(key)), clock=SimulatedClock(AT))
    for _ in range(2):
        record(running, 1)
        ship(running, sink)
        signature = (tmp_path / f"{DAY}.txt.manifest.json.sig").read_bytes()
        manifest = (tmp_path / f"{DAY}.txt.manifest.json").read_bytes()
        key.public_key().verify(signature, manifest, ec.ECDSA(SHA256()))


def test_what_a_dead_sender_left_on_another_day_is_cut_off_too(
    running: Store, tmp_path: Path
) -> None:
    first = record(running, 2)
    ship(running, DirectorySink(tmp_path, TdeProfile(), clock=SimulatedClock(AT)))
    data, whole = tmp_path / f"{DAY}.txt.gz", tmp_path / "2026-03-01.txt.gz"
    data.write_bytes(data.read_bytes() + gzip.compress(b"half a tr"))
    whole.write_bytes(gzip.compress(b"never counted"))
    clock = SimulatedClock(AT + timedelta(days=1))
    second = record(running, 1)
    ship(running, DirectorySink(tmp_path, TdeProfile(), clock=clock))
    assert ids(read(tmp_path)[0]) == first
    assert ids(read(tmp_path, "2026-03-03")[0]) == second
    assert not whole.exists()


def test_what_a_dead_sender_left_uncounted_is_cut_off(running: Store, tmp_path: Path) -> None:
    sink = DirectorySink(tmp_path, TdeProfile(), clock=SimulatedClock(AT))
    first = record(running, 2)
    ship(running, sink)
    data = tmp_path / f"{DAY}.txt.gz"
    data.write_bytes(data.read_bytes() + gzip.compress(b"half a tr"))
    second = record(running, 1)
    assert ship(running, sink) == Shipment(sent=1)
    assert ids(read(tmp_path)[0]) == first + second


def test_a_file_that_was_tampered_with_is_not_gone_on_from(running: Store, tmp_path: Path) -> None:
    sink = DirectorySink(tmp_path, TdeProfile(), clock=SimulatedClock(AT))
    record(running, 2)
    ship(running, sink)
    data = tmp_path / f"{DAY}.txt.gz"
    data.write_bytes(b"x" + data.read_bytes()[1:])
    record(running, 1)
    assert ship(running, sink) == Shipment(failed=1)


def test_a_directory_that_cannot_be_written_loses_nothing(running: Store, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file is in the way")
    record(running, 2)
    sink = DirectorySink(tmp_path / "out", TdeProfile(), clock=SimulatedClock(AT))
    assert ship(running, sink) == Shipment(failed=2)
    (tmp_path / "out").unlink()
    assert ship(running, sink) == Shipment(sent=2)


def test_the_columns_have_their_titles_once(running: Store, tmp_path: Path) -> None:
    made = profile(tmp_path, field("Id", 'from = "id"'), form="csv")
    sink = DirectorySink(tmp_path / "out", made, clock=SimulatedClock(AT))
    first = record(running, 2)
    ship(running, sink)
    second = record(running, 2)
    ship(running, sink)
    assert read(tmp_path / "out", suffix=".csv")[0] == ["Id", *first, *second]


def test_a_profile_of_several_lines_must_say_how_files_hold_them(
    running: Store, tmp_path: Path
) -> None:
    class Tall(TdeProfile):
        def encode(self, *_: object) -> bytes:
            return b"<a>\n</a>"

    record(running, 2)
    sink = DirectorySink(tmp_path / "out", Tall(), clock=SimulatedClock(AT))
    assert ship(running, sink) == Shipment(quarantined=2)
    ((reason, count),) = running.read(refusals).items()
    assert ("several lines" in reason, count) == (True, 2)


@pytest.mark.parametrize("senders", [6])
def test_many_senders_write_one_file(tmp_path: Path, senders: int) -> None:
    def work(name: int) -> None:
        sink = DirectorySink(tmp_path, TdeProfile(), clock=SimulatedClock(AT))
        for place in range(10):
            link = ChainLink(segment=str(name), position=place, hash="h")
            sink.send([Encoded(link=link, content=f'{{"id":"{name}/{place}"}}'.encode())])

    threads = [threading.Thread(target=work, args=(name,)) for name in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines, manifest = read(tmp_path)
    assert len(set(ids(lines))) == manifest["traces"] == senders * 10
    assert {one["position"] for one in manifest["heads"]} == {9}


def test_a_declared_format_of_json_is_one_a_line(running: Store, tmp_path: Path) -> None:
    made = profile(tmp_path, field("id", 'from = "id"'))
    expected = record(running, 3)
    ship(running, DirectorySink(tmp_path / "out", made, clock=SimulatedClock(AT)))
    assert ids(read(tmp_path / "out", suffix=".jsonl")[0]) == expected

"""What is in an export, and what is not."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from eprescription_sdk.errors import ConfigurationError, InvalidInput
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.pilot.collect import SECTIONS
from eprescription_sdk.pilot.export import read_manifest, write_export
from eprescription_sdk.traces.record import Recorder
from tests.pilot.pilots import KEY, REFUSED, PilotStore, at, number, rpps
from tests.pilot.purged import write_purged


@pytest.fixture
def pilot(tmp_path: Path) -> Iterator[PilotStore]:
    made = PilotStore(tmp_path / "store", practitioners=2)
    yield made
    made.store.close()


def rows(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "rows.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_the_traces_are_the_exact_texts_in_chain_order(pilot: PilotStore, tmp_path: Path) -> None:
    pilot.digital(at(3))
    pilot.flush()
    pilot.recorder = Recorder(KEY, None)  # another process: another segment
    pilot.paper(at(4))
    pilot.flush()
    write_export(pilot.store, tmp_path / "out", key=KEY, at=at(9))
    stored = pilot.store.read(
        lambda tx: tx.execute("SELECT segment, position, hash, body FROM traces ORDER BY seq")
    )
    exported = [
        (row["segment"], row["position"], row["hash"], row["body"])
        for row in rows(tmp_path / "out")
        if row["segment"] not in ("enrolments", "volumes", "events")
    ]
    assert sorted(exported) == sorted(stored)
    assert exported == sorted(exported)


def test_it_says_how_to_read_it(pilot: PilotStore, tmp_path: Path) -> None:
    pilot.digital(at(3))
    pilot.flush()
    path = write_export(pilot.store, tmp_path / "out", key=KEY, at=at(9))
    manifest = read_manifest(tmp_path / "out")
    assert path == tmp_path / "out" / "manifest.json"
    assert manifest["rule_version"] == "2025-03/1"
    assert manifest["cut_off"] == "2026-03-09T09:00:00.000000+00:00"
    assert manifest["rows"] == len(rows(tmp_path / "out")) == 4
    assert [one["id"] for one in manifest["segments"][:3]] == ["enrolments", "volumes", "events"]
    assert manifest["segments"][1]["head"] is None
    assert manifest["segments"][3]["head"]["position"] == 2


def test_practitioners_are_pseudonyms_and_labels(pilot: PilotStore, tmp_path: Path) -> None:
    pilot.enrol(2, withdrawn_on=date(2026, 3, 5), withdrawn_reason="départ")
    pilot.volume(date(2026, 3, 3), 7, ps=2, when=at(3, 20))
    write_export(pilot.store, tmp_path / "out", key=KEY, at=at(9))
    first, second, left, volume = (json.loads(row["body"]) for row in rows(tmp_path / "out"))
    assert (first["label"], second["withdrawn_reason"]) == (1, None)
    assert second["practitioner"] == pseudonym(KEY, "rpps", rpps(2).value)
    assert (left["practitioner"], left["label"]) == (second["practitioner"], 2)
    assert left["withdrawn_reason"] == "départ"
    assert (volume["practitioner"], volume["documents"]) == (second["practitioner"], 7)


def spaced(number: str) -> str:
    """As a person reads it out."""
    return f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"


def test_no_rpps_no_number_and_no_dossier(pilot: PilotStore, tmp_path: Path) -> None:
    refused = pilot.digital(at(3), REFUSED, ps=1)
    pilot.paper(at(3), ps=1, after=refused)
    pilot.flush()
    pilot.event("step", at(3), {"step": "running"})
    pilot.event("correction", at(4), {"version": "1.1"}, reference=f"vu par {rpps(1).value}")
    pilot.questionnaire(at(5), 1, [f"le {rpps(2).value} aussi", f"et {spaced(rpps(1).value)}"])
    pilot.enrol(2, withdrawn_on=date(2026, 3, 8), withdrawn_reason=f"relayé par {rpps(1).value}")
    write_export(pilot.store, tmp_path / "out", key=KEY, at=at(9))
    text = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir())
    for hidden in (rpps(1).value, rpps(2).value, number(refused).value):
        assert hidden not in text
    events = [
        json.loads(row["body"]) for row in rows(tmp_path / "out") if row["segment"] == "events"
    ]
    assert [event["kind"] for event in events] == ["correction", "questionnaire"]
    assert events[0]["reference"] == "vu par PS 1"
    assert events[1]["data"]["blocking_remarks"] == ["le PS 2 aussi", "et PS 1"]
    shown = json.dumps(pilot.assess(at(9)).to_dict(), ensure_ascii=False)
    assert "relayé par PS 1" in shown
    assert rpps(1).value not in shown


def test_what_came_after_the_cut_off_is_left_out(pilot: PilotStore, tmp_path: Path) -> None:
    pilot.paper(at(3))
    pilot.paper(at(9))
    pilot.flush()
    pilot.volume(date(2026, 3, 3), 7, when=at(9))
    pilot.event("correction", at(9), {"version": "1.1"})
    write_export(pilot.store, tmp_path / "out", key=KEY, at=at(5))
    assert len(rows(tmp_path / "out")) == 3  # two practitioners, one trace


def test_what_is_in_its_files_is_documented(tmp_path: Path) -> None:
    write_purged(tmp_path)
    text = (Path(__file__).parents[2] / "docs" / "trace-chain.md").read_text(encoding="utf-8")
    for name in ("manifest.json", "checkpoint.json"):
        for field in json.loads((tmp_path / "out" / name).read_bytes()):
            assert f"`{field}`" in text, f"{name}: {field}"
    for section in SECTIONS:
        assert f"`{section}`" in text


def test_a_folder_that_cannot_be_written_is_named(pilot: PilotStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "out" / "rows.jsonl").mkdir(parents=True)
    for place, named in (("file", "file"), ("file/out", "file/out"), ("out", "out/rows.jsonl")):
        with pytest.raises(ConfigurationError, match="cannot be written") as caught:
            write_export(pilot.store, tmp_path / place, key=KEY, at=at(5))
        assert caught.value.path == str(tmp_path / named)


def test_only_its_owner_reads_it_and_an_earlier_one_is_replaced(
    pilot: PilotStore, tmp_path: Path
) -> None:
    for _ in range(2):
        write_export(pilot.store, tmp_path / "out", key=KEY, at=at(5))
    for path in (tmp_path / "out").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    assert len(rows(tmp_path / "out")) == 2


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "\x00", '{"format":"eprescription-sdk export 1","cut_off":"soon"}']
)
def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        read_manifest(tmp_path)
    assert str(caught.value.path).endswith("manifest.json")


def test_another_format_is_refused(pilot: PilotStore, tmp_path: Path) -> None:
    path = write_export(pilot.store, tmp_path / "out", key=KEY, at=at(5))
    path.write_text(path.read_text(encoding="utf-8").replace("export 1", "export 9"), "utf-8")
    with pytest.raises(InvalidInput, match="another format"):
        read_manifest(tmp_path / "out")

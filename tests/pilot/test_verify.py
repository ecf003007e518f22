"""Whatever is done to an export is found and named."""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from eprescription_sdk.errors import InvalidInput, VerificationFailed
from eprescription_sdk.model.trace import ChainLink
from eprescription_sdk.pilot.assessing import assess
from eprescription_sdk.pilot.export import write_export
from eprescription_sdk.pilot.verify import Verification, verify_export
from eprescription_sdk.traces.chain import link, opening
from eprescription_sdk.traces.record import Recorder
from tests.pilot.pilots import KEY, REFUSED, PilotStore, at

UNTIL = at(20)
Rows = list[dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An export: 2 practitioners, 3 volumes, 2 events, segments of 6 and 5 traces."""
    pilot = PilotStore(tmp_path / "store", practitioners=2)
    for day in range(3, 6):
        pilot.digital(at(day), ps=1)
    pilot.flush()
    pilot.recorder = Recorder(KEY, None)
    refused = pilot.digital(at(6), REFUSED, ps=2)
    pilot.paper(at(6), ps=2, after=refused)
    pilot.uses(7)
    pilot.flush()
    for day in range(3, 6):
        pilot.volume(date(2026, 3, day), 2, when=at(day, 20))
    pilot.event("correction", at(8), {"version": "1.1"})
    pilot.questionnaire(at(9), 1)
    write_export(pilot.store, tmp_path / "out", key=KEY, at=UNTIL)
    document = assess(pilot.store, key=KEY, at=UNTIL).to_dict()
    (tmp_path / "assessment.json").write_text(json.dumps(document), encoding="utf-8")
    pilot.store.close()
    return tmp_path / "out"


def given(folder: Path) -> dict[str, Any]:
    path = folder.parent / "assessment.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def read(folder: Path) -> Rows:
    text = (folder / "rows.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def write(folder: Path, rows: Rows) -> None:
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    (folder / "rows.jsonl").write_text("".join(lines), encoding="utf-8")


def rewrite_manifest(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def places(verification: Verification) -> set[str]:
    return {finding.where for finding in verification.findings}


def test_an_export_as_written_holds(folder: Path) -> None:
    verification = verify_export(folder, assessment=given(folder))
    assert verification.findings == ()
    assert verification.holds
    assert verification.rows == 18
    assert json.loads(json.dumps(verification.require().to_dict())) == given(folder)


def test_the_figures_come_from_the_export_alone(folder: Path) -> None:
    alone = verify_export(folder)
    assert alone.assessment is not None
    assert alone.assessment.to_dict()["strict"] == given(folder)["strict"]


@pytest.mark.parametrize("index", range(18))
def test_a_changed_row_is_named(folder: Path, index: int) -> None:
    rows = read(folder)
    rows[index]["body"] = rows[index]["body"].replace('"', '" ', 1)
    write(folder, rows)
    row = rows[index]
    assert f"{row['segment']}/{row['position']}" in places(verify_export(folder))


@pytest.mark.parametrize("index", range(18))
def test_a_removed_row_is_found(folder: Path, index: int) -> None:
    rows = read(folder)
    row = rows.pop(index)
    write(folder, rows)
    found = places(verify_export(folder))
    # Named where the chain breaks: at the next row, or at the head that is not reached.
    near = {f"{row['segment']}/{row['position'] + step}" for step in (0, 1)}
    assert found & near


@pytest.mark.parametrize("index", range(17))
def test_swapped_neighbours_are_found(folder: Path, index: int) -> None:
    rows = read(folder)
    rows[index], rows[index + 1] = rows[index + 1], rows[index]
    write(folder, rows)
    row = rows[index + 1]
    named = places(verify_export(folder)) - {"rows.jsonl"}
    assert any(place.startswith(row["segment"]) for place in named)


@pytest.mark.parametrize("index", range(18))
def test_an_inserted_row_is_named(folder: Path, index: int) -> None:
    rows = read(folder)
    rows.insert(index, dict(rows[index]))
    write(folder, rows)
    row = rows[index]
    assert f"{row['segment']}/{row['position']}" in places(verify_export(folder))


def test_rows_of_an_unknown_segment_are_named(folder: Path) -> None:
    rows = read(folder)
    body = rows[-1]["body"]
    rows.append(
        {
            "segment": "mine",
            "position": 1,
            "hash": link(opening("mine", "0" * 64), body),
            "body": body,
        }
    )
    write(folder, rows)
    assert "mine/0" in places(verify_export(folder))


@pytest.mark.parametrize("line", ["not JSON", "[]", '{"segment":"events"}', ""])
def test_a_line_that_cannot_be_read_is_named(folder: Path, line: str) -> None:
    with (folder / "rows.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    assert "line 19" in places(verify_export(folder))


def forge(rows: Rows, manifest: dict[str, Any]) -> None:
    """Make every hash agree with the bodies again, as one who knows the format would."""
    newest: dict[str, str] = {}
    heads: dict[str, dict[str, Any]] = {}
    replaced: dict[str, str] = {}
    for segment in manifest["segments"]:
        previous = replaced.get(segment["previous"], segment["previous"])
        segment["previous"] = previous
        newest[segment["id"]] = opening(segment["id"], previous)
        for row in rows:
            if row["segment"] == segment["id"]:
                position = heads.get(segment["id"], {"position": 0})["position"] + 1
                digest = link(newest[segment["id"]], row["body"])
                replaced[row["hash"]] = digest
                newest[segment["id"]] = digest
                row["position"], row["hash"] = position, digest
                heads[segment["id"]] = {"position": position, "hash": digest}
        segment["head"] = heads.get(segment["id"])
    manifest["rows"] = len(rows)


def test_a_wholly_forged_export_falls_on_anchored_heads(folder: Path) -> None:
    rows = read(folder)
    del rows[-1]
    rewrite_manifest(folder, lambda manifest: forge(rows, manifest))
    write(folder, rows)
    text = (folder / "rows.jsonl").read_bytes()
    rewrite_manifest(
        folder, lambda manifest: manifest.update(sha256=hashlib.sha256(text).hexdigest())
    )
    heads = given(folder)["inputs"]["heads"]
    whole = {f"{head['segment']}/{head['position']}" for head in heads}
    assert places(verify_export(folder, assessment=given(folder))) & whole
    anchors = [ChainLink(**head) for head in heads]
    assert places(verify_export(folder, anchors=anchors)) & whole


def test_a_segment_taken_away_with_its_head_is_found(folder: Path) -> None:
    rows = read(folder)
    first = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["segments"][3:]
    # The one that the other goes on from.
    (gone,) = (one["id"] for one in first if one["previous"] == "0" * 64)
    rows = [row for row in rows if row["segment"] != gone]
    write(folder, rows)
    data = (folder / "rows.jsonl").read_bytes()

    def change(manifest: dict[str, Any]) -> None:
        manifest["segments"] = [one for one in manifest["segments"] if one["id"] != gone]
        manifest.update(rows=len(rows), sha256=hashlib.sha256(data).hexdigest())

    rewrite_manifest(folder, change)
    (left,) = (one["id"] for one in first if one["id"] != gone)
    assert places(verify_export(folder)) == {f"{left}/0"}


def test_an_assessment_that_says_something_else_is_named(folder: Path) -> None:
    document = given(folder)
    document["strict"]["criteria"]["C1"]["practitioners"][1]["figure"]["num"] += 1
    document["simulation"] = True
    assert places(verify_export(folder, assessment=document)) == {
        "assessment/strict/criteria/C1/practitioners/1/figure/num",
        "assessment/simulation",
    }


def test_an_earlier_assessment_is_recomputed_at_its_own_cut_off(tmp_path: Path) -> None:
    pilot = PilotStore(tmp_path / "store")
    pilot.digital(at(3))
    document = pilot.assess(at(4)).to_dict()
    pilot.paper(at(5))
    pilot.flush()
    write_export(pilot.store, tmp_path / "out", key=KEY, at=at(9))
    assert verify_export(tmp_path / "out", assessment=document).holds
    later = pilot.assess(at(10)).to_dict()
    assert "assessment/cut_off" in places(verify_export(tmp_path / "out", assessment=later))
    pilot.store.close()


def test_another_edition_of_the_rules_is_said(folder: Path) -> None:
    rewrite_manifest(folder, lambda manifest: manifest.update(rule_version="2031-01/4"))
    assert places(verify_export(folder)) == {"manifest/rule_version"}


def test_what_cannot_be_verified_is_an_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        verify_export(tmp_path / "nowhere")
    with pytest.raises(InvalidInput):
        verify_export(folder, assessment={"cut_off": "soon"})
    (folder / "rows.jsonl").unlink()
    with pytest.raises(InvalidInput, match="rows"):
        verify_export(folder)


def test_require_names_the_findings(folder: Path) -> None:
    rows = read(folder)
    del rows[-1]
    write(folder, rows)
    with pytest.raises(VerificationFailed, match=r"rows\.jsonl"):
        verify_export(folder).require()


def test_a_store_whose_rows_were_touched_does_not_verify(tmp_path: Path) -> None:
    pilot = PilotStore(tmp_path / "store")
    for day in range(3, 7):
        pilot.paper(at(day))
    pilot.flush()
    pilot.store.write(lambda tx: tx.execute("DELETE FROM traces WHERE position = 2"))
    write_export(pilot.store, tmp_path / "out", key=KEY, at=at(9))
    assert any(place.endswith("/3") for place in places(verify_export(tmp_path / "out")))
    pilot.store.close()

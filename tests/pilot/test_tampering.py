"""Whatever is done to any file of an export, it is found, and the file or the row is named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot.verify import Verification, verify_export
from eprescription_sdk.traces.closing import Receipt
from eprescription_sdk.traces.signing import PublicKey
from tests.pilot.purged import write_purged
from tests.stores import opened

if TYPE_CHECKING:
    from tests.postgres import Postgres

FILES = ("manifest.json", "manifest.json.sig", "checkpoint.json", "checkpoint.json.sig")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a store of each engine exports."""
    made = tmp_path_factory.mktemp("purged")
    if request.param == "sqlite":
        write_purged(made)
        return made
    server: Postgres = request.getfixturevalue("postgres")
    with server.lent() as place:
        write_purged(made, opened(place))
    return made


@pytest.fixture(scope="module")
def copy(folder: Path) -> Path:
    """An export to tamper with; each example begins with ``afresh``."""
    return folder / "copy"


def afresh(copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(copy.parent / "out", copy)


def verify(export: Path, **further: Any) -> Verification:
    key = PublicKey.from_file(export.parent / "key.pem")
    return verify_export(export, key=key, receipt=receipt(export.parent), **further)


def receipt(folder: Path) -> Receipt:
    return Receipt.from_json((folder / "receipt.json").read_text())


def places(found: Verification) -> set[str]:
    return {one.where for one in found.findings}


def named(export: Path) -> str:
    """What does not hold; or the error, where there is nothing left to verify."""
    try:
        return " ".join(places(verify(export)))
    except InvalidInput as error:
        return str(error)


def quietly(test: Callable[..., None]) -> Callable[..., None]:
    """Examples share a folder; each puts it back first."""
    fixed = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=25, deadline=None, suppress_health_check=fixed)(test)


def test_a_purged_export_holds_from_its_checkpoint_on(folder: Path) -> None:
    found = verify(folder / "out")
    assert found.findings == ()
    assert found.checkpoint is not None
    assert found.checkpoint.purged == 5
    assert {(one.position) for one in found.checkpoint.starts} == {2, 3}


def test_without_the_key_nothing_vouches_for_what_was_purged(folder: Path) -> None:
    assert places(verify_export(folder / "out")) == {"checkpoint.json"}


def test_figures_of_before_the_purge_are_not_compared_silently(folder: Path) -> None:
    document = json.loads((folder / "assessment.json").read_text())
    assert places(verify(folder / "out", assessment=document)) == {"assessment"}


@quietly
@given(data=st.data(), name=st.sampled_from(FILES))
def test_a_changed_byte_of_what_is_signed_names_its_file(
    copy: Path, data: st.DataObject, name: str
) -> None:
    afresh(copy)
    path = copy / name
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert name.removesuffix(".sig") in named(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    afresh(copy)
    (copy / name).unlink()
    assert name.removesuffix(".sig") in named(copy)


@quietly
@given(data=st.data(), how=st.sampled_from(["change", "remove", "cut", "insert", "swap"]))
def test_rows_that_were_tampered_with_are_named(copy: Path, data: st.DataObject, how: str) -> None:
    afresh(copy)
    path = copy / "rows.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    other = data.draw(st.integers(0, len(lines) - 1).filter(lambda each: each != place))
    rows = [json.loads(line) for line in lines]
    if how == "change":
        line = bytearray(lines[place])
        where = data.draw(st.integers(0, len(line) - 1))
        line[where] = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[where]))
        lines[place] = bytes(line)
    elif how == "remove":
        del lines[place]
    elif how == "cut":
        del lines[place:]
    elif how == "insert":
        lines.insert(other, lines[place])
    else:
        lines[place], lines[other] = lines[other], lines[place]
    path.write_bytes(b"".join(lines))
    found = places(verify(copy))
    assert "rows.jsonl" in found
    # Beside the file, a row of the segment that was touched, or the line as it stands now.
    touched = {rows[place]["segment"], rows[other]["segment"]}
    near = found - {"rows.jsonl", "figures"}
    assert any(one.startswith("line ") or one.partition("/")[0] in touched for one in near)


@pytest.mark.parametrize("kept", [1, 2])
def test_a_forged_checkpoint_hides_no_row(copy: Path, kept: int) -> None:
    """Who takes the first rows away and says that they were purged has no key to sign that with."""
    afresh(copy)
    path = copy / "checkpoint.json"
    rows = (copy / "rows.jsonl").read_bytes().splitlines(keepends=True)
    document = json.loads(path.read_bytes())
    for start in document["starts"]:
        mine = [line for line in rows if json.loads(line)["segment"] == start["segment"]]
        for line in mine[:kept]:
            rows.remove(line)
        last = json.loads(mine[kept - 1])
        start.update(position=last["position"], hash=last["hash"])
    path.write_text(json.dumps(document))
    (copy / "rows.jsonl").write_bytes(b"".join(rows))
    assert "checkpoint.json" in places(verify(copy))


def test_heads_behind_the_checkpoint_are_compared_where_they_can_be(folder: Path) -> None:
    found = verify(folder / "out")
    assert found.checkpoint is not None
    start = found.checkpoint.starts[0]
    other = "0" * 64
    good = [start, attrs.evolve(start, position=1, hash=other)]
    assert verify(folder / "out", anchors=good).holds
    bad = [attrs.evolve(start, hash=other)]
    assert places(verify(folder / "out", anchors=bad)) == {f"{start.segment}/{start.position}"}


def test_a_receipt_that_was_changed_or_never_signed_is_named(folder: Path) -> None:
    key = PublicKey.from_file(folder / "key.pem")
    mine = receipt(folder)
    for altered, where in (
        (attrs.evolve(mine, module="other"), "receipt/digest"),
        (attrs.evolve(mine, signature=""), "receipt/signature"),
    ):
        assert where in places(verify_export(folder / "out", key=key, receipt=altered))

"""The archive: sums, receipt and checkpoint, and nobody in it."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from eprescription_sdk.errors import IllegalStep
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.archive import write_archive
from eprescription_sdk.traces.closing import receipt_of
from eprescription_sdk.traces.record import Recorder
from eprescription_sdk.traces.signing import Signer
from tests.traces.samples import AT, KEY, RPPS, call, digital, paper
from tests.traces.test_retention import closed
from tests.traces.test_signing import pem


def test_an_archive_holds_sums_and_nobody(running: Store, tmp_path: Path) -> None:
    recorder = Recorder(KEY, None)
    for trace in (call(), call(), digital(), paper()):
        running.write(lambda tx, one=trace: recorder.record(tx, one))  # type: ignore[misc]
    closed(running)
    key = ed25519.Ed25519PrivateKey.generate()
    path = tmp_path / "archive.json"
    write_archive(running, path, now=AT, signer=Signer(pem(key)), assessment={"verdict": "met"})
    content = path.read_bytes()
    key.public_key().verify((tmp_path / "archive.json.sig").read_bytes(), content)
    document = json.loads(content)
    receipt = running.read(receipt_of)
    assert receipt is not None
    assert document["receipt"] == receipt.to_json()
    assert document["assessment"] == {"verdict": "met"}
    assert sorted((one["kind"], one["count"]) for one in document["traces"]) == [
        ("CALL", 2), ("PRESCRIPTION", 1), ("PRESCRIPTION", 1),
    ]  # fmt: skip
    text = content.decode()
    hidden = (RPPS.value, pseudonym(KEY, "rpps", RPPS.value), "NUMBER1")
    assert not any(each in text for each in hidden)


def test_only_what_is_closed_is_archived(running: Store, tmp_path: Path) -> None:
    with pytest.raises(IllegalStep):
        write_archive(running, tmp_path / "archive.json", now=AT)
    assert not [*tmp_path.glob("archive*")]

"""The archive: sums, receipt and checkpoint, and nobody in it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from eprescription_sdk.errors import ConfigurationError, IllegalStep, InvalidInput
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.archive import write_archive
from eprescription_sdk.traces.closing import receipt_of
from eprescription_sdk.traces.gate import Phase
from eprescription_sdk.traces.record import Recorder
from eprescription_sdk.traces.retention import Checkpoint
from eprescription_sdk.traces.signing import PublicKey, Signer
from tests.traces.samples import (
    AT,
    KEY,
    RPPS,
    call,
    digital,
    paper,
    record,
    rows,
    set_phase,
)
from tests.traces.test_retention import closed
from tests.traces.test_signing import pem, public_pem


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


def test_what_is_archived_may_be_purged_in_the_same_breath(running: Store, tmp_path: Path) -> None:
    record(running, 5)
    closed(running)
    key = ed25519.Ed25519PrivateKey.generate()
    path = tmp_path / "archive.json"
    later = AT + timedelta(days=400)
    made = write_archive(
        running, path, now=later, retention=timedelta(days=365), signer=Signer(pem(key))
    )
    assert made is not None
    assert made.purged == 4
    assert made.signed_by(PublicKey(public_pem(key)))
    document = json.loads(path.read_bytes())
    assert [one["count"] for one in document["traces"]] == [5]
    assert Checkpoint.from_json(document["checkpoint"]) == made
    assert rows(running) == [(1,)]


def test_an_archive_that_cannot_be_written_purges_nothing(running: Store, tmp_path: Path) -> None:
    record(running, 5)
    closed(running)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_archive(
            running, tmp_path / "none" / "archive.json", now=AT + timedelta(days=400),
            retention=timedelta(days=365),
        )  # fmt: skip
    assert rows(running) == [(5,)]
    with pytest.raises(InvalidInput):
        write_archive(running, tmp_path / "a", now=AT, retention=timedelta(days=-1))


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.ASSESSED, Phase.CLOSING])
def test_only_what_is_over_is_archived(running: Store, tmp_path: Path, phase: Phase) -> None:
    set_phase(running, phase)
    with pytest.raises(IllegalStep):
        write_archive(running, tmp_path / "archive.json", now=AT)
    assert not [*tmp_path.glob("archive*")]


def test_an_abandoned_pilot_is_archived_without_a_receipt(running: Store, tmp_path: Path) -> None:
    """Its traces must not stay for ever either."""
    record(running, 5)
    set_phase(running, Phase.ABANDONED)
    path, later = tmp_path / "archive.json", AT + timedelta(days=400)
    made = write_archive(running, path, now=later, retention=timedelta(days=365))
    assert made is not None
    assert made.purged == 4
    document = json.loads(path.read_bytes())
    assert document["receipt"] is None
    assert [one["count"] for one in document["traces"]] == [5]
    assert rows(running, "identity") == [(None,)]

"""The export: all that an assessment is computed from, in files that a stranger can read.

``rows.jsonl`` has one JSON object a line: ``segment``, ``position``, ``hash`` and ``body``, the
exact text that the hash covers. First come the enrolments, the volumes and the pilot's journal,
each a chain of its own that starts from nothing; then the traces, in chain order. The chain is
that of ``traces.chain``. ``manifest.json`` says how to read it: rule version, cut-off, segments,
heads; with a key, ``manifest.json.sig`` signs it. Once traces were purged, ``checkpoint.json`` is
where the chains begin, and ``checkpoint.json.sig`` vouches for what is gone. No RPPS and no
prescription number is in any of them; what stands for them is keyed.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs

from eprescription_sdk.clock import Clock, SystemClock, iso, moment_of
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.files import json_of, read, read_lines
from eprescription_sdk.pilot.collect import SECTIONS, Collector
from eprescription_sdk.pilot.criteria import RULE_VERSION
from eprescription_sdk.pilot.facts import Facts
from eprescription_sdk.pilot.rows import enrolment_rows, event_rows, volume_rows
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.traces.body import canonical
from eprescription_sdk.traces.chain import GENESIS, link, link_of, opening
from eprescription_sdk.traces.files import put, replace, writing
from eprescription_sdk.traces.record import losses
from eprescription_sdk.traces.retention import Checkpoint, checkpoint_of
from eprescription_sdk.traces.signing import Signer

FORMAT = "eprescription-sdk export 1"
ROWS = "rows.jsonl"
MANIFEST = "manifest.json"
CHECKPOINT = "checkpoint.json"

DAMAGE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""How reading a document fails that is not as it was written."""


def write_export(
    store: Store,
    folder: Path,
    *,
    key: bytes,
    at: datetime | None = None,
    clock: Clock | None = None,
    signer: Signer | None = None,
) -> Path:
    """Write the export of a store; files of an earlier one in the folder are replaced.

    Every trace up to the last one recorded by the cut-off is written, so that the chain is
    whole. Rows stream: memory does not grow with them.

    Args:
        store: the pilot's.
        folder: made if it is not there. What is written belongs in the host's HDS perimeter.
        key: the secret of the settings that the traces were recorded with.
        at: the cut-off, aware. Now, by default.
        clock: says what now is.
        signer: holds the organisation's key, to sign the manifest with.

    Returns:
        The manifest's path; it is written last.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    cut_off = at or (clock or SystemClock()).now()
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in (MANIFEST, CHECKPOINT):
            (folder / name).unlink(missing_ok=True)
            (folder / f"{name}.sig").unlink(missing_ok=True)

    def work(tx: Tx) -> tuple[dict[str, Any], Checkpoint | None]:
        # Not the store's failure, were it one.
        with writing(folder / ROWS):
            return _write_rows(tx, key, cut_off, folder / ROWS), checkpoint_of(tx)

    manifest, checkpoint = store.read(work)
    manifest["checkpoint"] = None
    if checkpoint is not None and checkpoint.starts:
        content = checkpoint.to_bytes()
        manifest["checkpoint"] = hashlib.sha256(content).hexdigest()
        with writing(folder / CHECKPOINT):
            if checkpoint.signature:
                signature = base64.b64decode(checkpoint.signature)
                replace(folder / f"{CHECKPOINT}.sig", signature)
            replace(folder / CHECKPOINT, content)
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    put(folder / MANIFEST, text.encode(), signer)
    return folder / MANIFEST


def _write_rows(tx: Tx, key: bytes, cut_off: datetime, path: Path) -> dict[str, Any]:
    heads: dict[str, dict[str, Any]] = {}
    digest = hashlib.sha256()
    count = 0
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    with path.open("wb") as file:
        for row in _rows(tx, key, cut_off):
            line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            file.write(line)
            digest.update(line)
            count += 1
            heads[row["segment"]] = {"position": row["position"], "hash": row["hash"]}
    opened = tx.execute("SELECT id, previous FROM segments ORDER BY id")
    segments = [(section, GENESIS) for section in SECTIONS]
    segments += [(segment, previous) for segment, previous in opened if segment in heads]
    return {
        "format": FORMAT,
        "rule_version": RULE_VERSION,
        "cut_off": iso(cut_off),
        "rows": count,
        "sha256": digest.hexdigest(),
        "segments": [
            {"id": segment, "previous": previous, "head": heads.get(segment)}
            for segment, previous in segments
        ],
        "losses": losses(tx),
    }


def _rows(tx: Tx, key: bytes, cut_off: datetime) -> Iterator[dict[str, Any]]:
    sources = (
        enrolment_rows(tx, key, cut_off),
        volume_rows(tx, key, cut_off),
        event_rows(tx, cut_off),
    )
    for section, source in zip(SECTIONS, sources, strict=True):
        newest = opening(section, GENESIS)
        for position, document in enumerate(source, start=1):
            body = canonical(document)
            newest = link(newest, body)
            yield {"segment": section, "position": position, "hash": newest, "body": body}
    last = tx.execute("SELECT coalesce(max(seq), 0) FROM traces WHERE at <= ?", (iso(cut_off),))
    traces = tx.iterate(
        "SELECT segment, position, hash, body FROM traces WHERE seq <= ?"
        " ORDER BY segment, position",
        (last[0][0],),
    )
    for segment, place, written, text in traces:
        yield {"segment": segment, "position": place, "hash": written, "body": text}


def facts_of_export(folder: Path, at: datetime | None = None) -> Facts:
    """The facts of an export, as its rows say; whether its chains hold is not asked here.

    Args:
        folder: that ``write_export`` wrote.
        at: an earlier cut-off, aware; that of the export by default.

    Raises:
        InvalidInput: there is no export, a row cannot be read (the path names it), or the
            cut-off is later than the export's.
    """
    manifest = read_manifest(folder)
    own = moment_of(manifest["cut_off"])
    if at is not None and at > own:
        raise InvalidInput("The export ends before this cut-off.", path="at")
    path = folder / ROWS
    collector = Collector(at or own)
    line = 0
    try:
        for text in read_lines(path):
            line += 1
            row = json_of(text)
            collector.row(row["segment"], row["position"], row["hash"], row["body"])
        return collector.facts(manifest["losses"])
    except DAMAGE:
        raise InvalidInput("A row of the export cannot be read.", path=f"{path}:{line}") from None
    except OSError as error:
        raise InvalidInput(
            f"The rows of the export cannot be read: {error.strerror}.", path=str(path)
        ) from None


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an export.

    Raises:
        InvalidInput: there is none, or it is not one of ours.
    """
    path = folder / MANIFEST
    try:
        manifest = json_of(read(path))
        known = manifest["format"] == FORMAT
        moment_of(manifest["cut_off"])
        for segment in manifest["segments"]:
            link_of((segment["head"] or {"position": 0, "hash": ""}) | {"segment": segment["id"]})
            opening(segment["id"], segment["previous"])
        _ = manifest["rows"], manifest["sha256"], manifest["rule_version"], manifest["losses"]
        _ = manifest["checkpoint"]
    except (OSError, *DAMAGE):
        raise InvalidInput(
            "The folder holds no manifest that can be read.",
            path=str(path),
            way_out="Name the folder of an export.",
        ) from None
    if not known:
        raise InvalidInput("The export is of another format.", path=str(path))
    return dict(manifest)


def read_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint that the chains of an export begin at, with its signature if there is one.

    Raises:
        InvalidInput: it cannot be read.
    """
    path = folder / CHECKPOINT
    try:
        checkpoint = Checkpoint.from_json(json_of(read(path)))
        signature = signature_of(path)
    except (OSError, ValueError):
        raise InvalidInput("The checkpoint cannot be read.", path=str(path)) from None
    return attrs.evolve(checkpoint, signature=base64.b64encode(signature).decode())


def signature_of(path: Path) -> bytes:
    """The detached signature of a file of an export; empty if there is none."""
    signature = path.with_name(f"{path.name}.sig")
    return read(signature) if signature.exists() else b""

"""Traces dropped as files in a directory: one a day, gzip, with a manifest.

``2026-03-02.jsonl.gz`` holds what was shipped on that day (Europe/Paris),
``2026-03-02.jsonl.manifest.json`` its size, its hash and the chain heads in it, and, with a key,
``2026-03-02.jsonl.manifest.json.sig`` a detached signature of the manifest. Each file is replaced
whole, so a reader never sees half of one; a file is final once its day is over. What a manifest
does not count was left by a sender that died: it is not acknowledged, and the next sender cuts it
off.
"""

import fcntl
import gzip
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from uuid import uuid4

from eprescription_sdk.clock import Clock, SystemClock, paris_day
from eprescription_sdk.errors import ConfigurationError, Delivery, TransportFailure
from eprescription_sdk.ports import TraceProfile
from eprescription_sdk.traces.signing import Signer
from eprescription_sdk.traces.sinks import Encoded

FORMAT = "eprescription-sdk traces of a day 1"
BATCH = 1000


@runtime_checkable
class FileProfile(Protocol):
    """What a profile has besides, if it knows how its traces follow each other in a file."""

    @property
    def suffix(self) -> str:
        """How the file's name ends."""

    def append(self, contents: Sequence[bytes], *, first: bool) -> bytes:
        """Several encoded traces; ``first`` says whether the file begins with them."""


class DirectorySink:
    """Drops traces in a directory that something else carries away.

    Args:
        folder: made if it is not there. It belongs in the host's HDS perimeter.
        profile: the format; one that is no ``FileProfile`` is written one trace a line.
        signer: signs the manifests; without one they stand unsigned.
        clock: says which day it is.
    """

    def __init__(
        self,
        folder: Path,
        profile: TraceProfile,
        *,
        signer: Signer | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._folder = folder
        self._profile = profile
        self._signer = signer
        self._clock = clock or SystemClock()
        self._mended = False

    @property
    def batch(self) -> int:
        """How many traces it takes at once: whatever a shipper claims."""
        return BATCH

    def send(self, traces: Sequence[Encoded]) -> str | None:
        """Add them to the file of the day.

        Returns:
            Why they cannot be in such a file, or None once they are.

        Raises:
            TransportFailure: the directory cannot be written now.
        """
        contents = [each.content for each in traces]
        if not isinstance(self._profile, FileProfile) and any(b"\n" in one for one in contents):
            return "The profile writes several lines a trace, and does not say how files hold them."
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._alone():
                if not self._mended:
                    self._mend()
                self._add(traces, contents)
        except (OSError, ValueError):
            raise TransportFailure(
                "The directory of the traces cannot be written.", delivery=Delivery.UNKNOWN
            ) from None
        return None

    def close(self) -> None:
        """Nothing is held between two batches."""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _mend(self) -> None:
        """Cut off what senders that died left behind, on whatever day that was."""
        for data in self._folder.glob("????-??-??.*.gz"):
            counted = _counted(_manifest_of(data))["bytes"]
            if not counted:
                data.unlink()
            elif data.stat().st_size > counted:
                replace(data, data.read_bytes()[:counted])
        self._mended = True

    def _add(self, traces: Sequence[Encoded], contents: Sequence[bytes]) -> None:
        day = paris_day(self._clock.now()).isoformat()
        form = self._profile if isinstance(self._profile, FileProfile) else None
        data = self._folder / f"{day}{form.suffix if form else '.txt'}.gz"
        manifest_path = _manifest_of(data)
        before = _counted(manifest_path)
        lines = b"".join(one + b"\n" for one in contents)
        if form is not None:
            lines = form.append(contents, first=not before["bytes"])
        # Members of gzip may follow each other: what is there stays as it is.
        kept = data.read_bytes()[: before["bytes"]] if before["bytes"] else b""
        if hashlib.sha256(kept).hexdigest() != before["sha256"]:
            raise ValueError("The file of the day is not the one of its manifest.")
        content = kept + gzip.compress(lines, mtime=0)
        heads = {one["segment"]: one for one in before["heads"]}
        for each in traces:
            link = {"segment": each.link.segment, "position": each.link.position}
            known = heads.get(each.link.segment)
            if known is None or known["position"] < each.link.position:
                heads[each.link.segment] = link | {"hash": each.link.hash}
        manifest = {
            "format": FORMAT,
            "profile": self._profile.name,
            "day": day,
            "file": data.name,
            "traces": before["traces"] + len(traces),
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "heads": [heads[segment] for segment in sorted(heads)],
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n"
        replace(data, content)
        if self._signer is not None:
            replace(Path(f"{manifest_path}.sig"), self._signer.sign(text))
        replace(manifest_path, text)


def _manifest_of(data: Path) -> Path:
    return data.with_suffix(".manifest.json")


def _counted(manifest: Path) -> dict[str, Any]:
    """What the day's file holds so far, by its manifest."""
    try:
        found: dict[str, Any] = json.loads(manifest.read_bytes())
    except FileNotFoundError:
        return {"traces": 0, "bytes": 0, "sha256": hashlib.sha256().hexdigest(), "heads": []}
    return found


def put(path: Path, content: bytes, signer: Signer | None = None) -> None:
    """Put a document in place; with a signer, its detached signature in ``path.sig`` before it.

    Raises:
        ConfigurationError: it cannot be written there.
    """
    signature = Path(f"{path}.sig")
    with writing(path):
        if signer is not None:
            replace(signature, signer.sign(content))
        else:
            # That of an earlier document would vouch for nothing.
            signature.unlink(missing_ok=True)
        replace(path, content)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """A block that writes files for a person.

    Raises:
        ConfigurationError: they cannot be written there.
    """
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"The file cannot be written: {error.strerror}.",
            path=str(path),
            way_out="Name a place that this process may write to.",
        ) from None


def replace(path: Path, content: bytes) -> None:
    """Put a file in place whole and durably, readable by its owner alone."""
    partial = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

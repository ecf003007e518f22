"""Verifying an export: whether its chains hold and its figures follow from its rows.

Only the export is read, never a store. A changed, removed, reordered or inserted row shows
relative to the heads in the manifest; that the manifest itself is the one that was handed over
shows by its signature, or relative to heads anchored elsewhere: an assessment, a receipt, a
shipped trace. Where traces were purged the chains begin at a checkpoint, and only its signature
vouches for what was before.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs

from eprescription_sdk.clock import moment_of
from eprescription_sdk.errors import ConfigurationError, InvalidInput, VerificationFailed
from eprescription_sdk.files import json_of, read, read_lines
from eprescription_sdk.model.trace import ChainLink
from eprescription_sdk.pilot.assessing import assess_facts
from eprescription_sdk.pilot.assessment import Assessment
from eprescription_sdk.pilot.collect import Collector
from eprescription_sdk.pilot.criteria import RULE_VERSION
from eprescription_sdk.pilot.export import (
    CHECKPOINT,
    DAMAGE,
    MANIFEST,
    ROWS,
    read_checkpoint,
    read_manifest,
    signature_of,
)
from eprescription_sdk.traces.chain import GENESIS, breaks, link_of
from eprescription_sdk.traces.closing import Receipt
from eprescription_sdk.traces.retention import Checkpoint
from eprescription_sdk.traces.signing import PublicKey


@attrs.frozen(kw_only=True)
class Finding:
    """One thing that does not hold.

    Args:
        where: the row, as segment and position or as a line; or a file; or a figure's path.
        what: what is wrong, in one sentence.
    """

    where: str
    what: str


@attrs.frozen(kw_only=True)
class Verification:
    """What verifying an export came to.

    Args:
        findings: all that does not hold; empty when everything does.
        rows: how many rows were read.
        assessment: recomputed from the rows as they are; None when they allow none.
        checkpoint: where the chains begin, if traces were purged: the assessment is then of what
            is left.
    """

    findings: tuple[Finding, ...]
    rows: int
    assessment: Assessment | None
    checkpoint: Checkpoint | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def require(self) -> Assessment:
        """The recomputed assessment.

        Raises:
            VerificationFailed: something does not hold; the message names the first findings.
        """
        if self.findings or self.assessment is None:
            named = "".join(f"\n  {one.where}: {one.what}" for one in self.findings[:20])
            raise VerificationFailed(f"The export does not hold.{named}")
        return self.assessment


def verify_export(
    folder: Path,
    *,
    assessment: Mapping[str, Any] | None = None,
    anchors: Iterable[ChainLink] = (),
    receipt: Receipt | None = None,
    key: PublicKey | None = None,
) -> Verification:
    """Check the chains of an export and recompute its figures.

    Args:
        folder: that ``write_export`` wrote.
        assessment: the JSON form of one, to compare with; the figures are then recomputed at
            its cut-off.
        anchors: heads that left the store some other way.
        receipt: of the closing, whose heads the export must reach.
        key: the organisation's: manifest, checkpoint and receipt must be signed with it. An
            export that begins at a checkpoint does not hold without.

    Raises:
        InvalidInput: there is no export to verify.
    """
    manifest = read_manifest(folder)
    reading = _Reading(folder, manifest, assessment)
    try:
        reading.anchor(anchors)
        if receipt is not None:
            reading.receipt(receipt, key)
        reading.begin(key)
        reading.run()
    except OSError:
        raise InvalidInput(
            "The rows of the export cannot be read.",
            path=str(folder / ROWS),
            way_out="Name the folder of an export.",
        ) from None
    recomputed = reading.assess()
    return Verification(
        findings=tuple(reading.findings),
        rows=reading.rows,
        assessment=recomputed,
        checkpoint=reading.checkpoint,
    )


class _Reading:
    """One pass over the rows: chain, order, facts."""

    def __init__(
        self, folder: Path, manifest: dict[str, Any], assessment: Mapping[str, Any] | None
    ) -> None:
        self.findings: list[Finding] = []
        self.rows = 0
        self.checkpoint: Checkpoint | None = None
        self._folder = folder
        self._path = folder / ROWS
        self._starts: dict[str, ChainLink] = {}
        self._manifest = manifest
        self._assessment = assessment
        self._anchors: dict[tuple[str, int], str] = {}
        self._segments = [(one["id"], one["previous"]) for one in manifest["segments"]]
        # Every segment but the first of a store goes on from a trace.
        self._joints = {previous: segment for segment, previous in self._segments}
        self._joints.pop(GENESIS, None)
        self._collector = Collector(self._cut_off())

    def _cut_off(self) -> datetime:
        own = moment_of(self._manifest["cut_off"])
        if self._manifest["rule_version"] != RULE_VERSION:
            self._find("manifest/rule_version", "The export is of another edition of the rules.")
        if self._assessment is None:
            return own
        try:
            wanted = moment_of(self._assessment["cut_off"])
            self.anchor(link_of(head) for head in self._assessment["inputs"]["heads"])
        except DAMAGE:
            raise InvalidInput("The assessment cannot be read.", path="assessment") from None
        if wanted > own:
            self._find("assessment/cut_off", "The assessment is later than the export.")
        return min(own, wanted)

    def _find(self, where: str, what: str) -> None:
        self.findings.append(Finding(where=where, what=what))

    def anchor(self, links: Iterable[ChainLink]) -> None:
        """Expect these heads among the rows."""
        for one in links:
            self._anchors[one.segment, one.position] = one.hash

    def receipt(self, receipt: Receipt, key: PublicKey | None) -> None:
        """Expect the heads of a receipt, once it is the one that was written."""
        if not receipt.holds():
            self._find("receipt/digest", "The receipt is not as it was written.")
        elif key is not None and not receipt.signed_by(key):
            self._find("receipt/signature", "The receipt is not signed with this key.")
        self.anchor(receipt.heads)

    def begin(self, key: PublicKey | None) -> None:
        """Look at what is signed, and where the chains begin."""
        path = self._folder / MANIFEST
        if key is not None and not key.signed(read(path), signature_of(path)):
            self._find(path.name, "The manifest is not signed with this key.")
        expected = self._manifest["checkpoint"]
        if expected is None:
            return
        try:
            self.checkpoint = checkpoint = read_checkpoint(self._folder)
        except InvalidInput as error:
            self._find(CHECKPOINT, error.message)
            return
        content = read(self._folder / CHECKPOINT)
        if hashlib.sha256(content).hexdigest() != expected:
            self._find(CHECKPOINT, "The checkpoint is not the one of the manifest.")
        if key is None:
            what = "The chains begin at this checkpoint: name the key that it was signed with."
            self._find(CHECKPOINT, what)
        elif not key.signed(content, base64.b64decode(checkpoint.signature)):
            self._find(CHECKPOINT, "The checkpoint is not signed with this key.")
        self._begin_at(checkpoint)

    def _begin_at(self, checkpoint: Checkpoint) -> None:
        opened = {segment for segment, _ in self._segments}
        for start in checkpoint.starts:
            if start.segment in opened:
                self._starts[start.segment] = start
        for joint in checkpoint.joints:
            self._joints.pop(joint, None)
        for (segment, position), anchored in [*self._anchors.items()]:
            begun = self._starts.get(segment)
            if begun is None or begun.position < position:
                continue
            # What is before the checkpoint cannot be looked at any more; its last link can.
            del self._anchors[segment, position]
            if begun.position == position and begun.hash != anchored:
                self._find(f"{segment}/{position}", "The checkpoint is not on the chain.")

    def run(self) -> None:
        """Read every row."""
        heads = {
            one["id"]: ChainLink(
                segment=one["id"], position=one["head"]["position"], hash=one["head"]["hash"]
            )
            for one in self._manifest["segments"]
            if one["head"]
        }
        for fault in breaks(self._segments, self._links(), heads, self._starts):
            self._find(f"{fault.segment}/{fault.position}", fault.what)
        for segment, position in self._anchors:
            self._find(f"{segment}/{position}", "A head that was anchored elsewhere is not here.")
        for segment in self._joints.values():
            self._find(f"{segment}/0", "The trace that this segment goes on from is not here.")

    def _links(self) -> Iterator[tuple[ChainLink, str]]:
        order = {segment: index for index, (segment, _) in enumerate(self._segments)}
        digest = hashlib.sha256()
        reached = 0
        for number, line in enumerate(read_lines(self._path), start=1):
            digest.update(line)
            self.rows += 1
            try:
                row = json_of(line)
                link, body = link_of(row), row["body"]
                body.encode()
            except DAMAGE:
                self._find(f"line {number}", "The row cannot be read.")
                continue
            place = order.get(link.segment, reached)
            if place < reached:
                what = "The row stands after rows of a later segment."
                self._find(f"{link.segment}/{link.position}", what)
            reached = max(reached, place)
            self._take(link, body)
            yield link, body
        if digest.hexdigest() != self._manifest["sha256"] or self.rows != self._manifest["rows"]:
            what = f"The file is not the one of the manifest: {self.rows} rows were read."
            self._find(self._path.name, what)

    def _take(self, link: ChainLink, body: str) -> None:
        self._joints.pop(link.hash, None)
        anchored = self._anchors.pop((link.segment, link.position), link.hash)
        where = f"{link.segment}/{link.position}"
        if anchored != link.hash:
            self._find(where, "The chain does not lead to the head that was anchored elsewhere.")
        try:
            self._collector.row(link.segment, link.position, link.hash, body)
        except (InvalidInput, *DAMAGE):
            self._find(where, "The body cannot be read.")

    def _known_faults(self) -> frozenset[str] | None:
        """The fault table that the given assessment was made with; no export holds it."""
        known = (self._assessment or {}).get("inputs", {}).get("known_faults")
        return None if known is None else frozenset(known)

    def assess(self) -> Assessment | None:
        """The assessment of what was read, compared with the one given."""
        try:
            facts = self._collector.facts(self._manifest["losses"])
            assessment = assess_facts(attrs.evolve(facts, known_faults=self._known_faults()))
        except (ConfigurationError, *DAMAGE):
            self._find("figures", "The figures cannot be recomputed from these rows.")
            return None
        if self._assessment is not None and self.checkpoint is not None:
            what = "The figures cannot be compared: traces before the checkpoint were purged."
            self._find("assessment", what)
        elif self._assessment is not None:
            # As read back from a file: tuples are lists. Losses are counted at writing time.
            mine = json.loads(json.dumps(assessment.to_dict()))
            for path in _differences(mine, self._assessment, "assessment"):
                if not path.startswith("assessment/inputs/losses"):
                    self._find(path, "The assessment says something else than the rows.")
        return assessment


def _differences(mine: Any, theirs: Any, path: str) -> Iterator[str]:
    if isinstance(mine, dict) and isinstance(theirs, Mapping):
        for key in sorted({*mine, *theirs}, key=str):
            if key in mine and key in theirs:
                yield from _differences(mine[key], theirs[key], f"{path}/{key}")
            else:
                yield f"{path}/{key}"
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for index, (one, other) in enumerate(zip(mine, theirs, strict=True)):
            yield from _differences(one, other, f"{path}/{index}")
    elif mine != theirs or type(mine) is not type(theirs):
        yield path

r"""The hash chain: one segment for each incarnation of a writer.

``hash(n) = SHA-256(hash(n-1) + "\n" + body(n))`` in hexadecimal. A segment opens with
``SHA-256("segment" + "\n" + id + "\n" + head)``, where head is the newest hash of the store
at that moment, or 64 zeros. Tampering shows relative to the heads that left the store: in
every shipped trace, in the receipt, in signed manifests.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from eprescription_sdk.model.trace import ChainLink

GENESIS = "0" * 64


def opening(segment: str, previous: str) -> str:
    """The hash that a segment starts from."""
    return hashlib.sha256(f"segment\n{segment}\n{previous}".encode()).hexdigest()


def link(previous: str, body: str) -> str:
    """The hash of a trace, from the one before it and its canonical body."""
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


def link_of(document: Any) -> ChainLink:
    """A link as JSON holds it, whatever stands beside it.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    segment, position, digest = (document[name] for name in ("segment", "position", "hash"))
    if not (type(segment) is type(digest) is str and type(position) is int):
        raise TypeError("a link is a segment, a position and a hash")
    # What no hash can be computed over is no name either.
    segment.encode()
    return ChainLink(segment=segment, position=position, hash=digest)


@attrs.frozen(kw_only=True)
class Break:
    """A place where the chain does not hold.

    Args:
        segment: which segment.
        position: of the trace; 0 for the segment's opening.
        what: what is wrong, in one sentence.
    """

    segment: str
    position: int
    what: str


def breaks(
    segments: Iterable[tuple[str, str]],
    rows: Iterable[tuple[ChainLink, str]],
    heads: Mapping[str, ChainLink],
    starts: Mapping[str, ChainLink] | None = None,
) -> Iterator[Break]:
    """Every place where a chain does not hold, by what left the store.

    Args:
        segments: id and previous head of every segment.
        rows: links with their bodies, ordered by segment and position.
        heads: the newest link of each segment as it was anchored outside.
        starts: of segments whose first traces were purged, the last link that was.
    """
    state = {segment: (0, opening(segment, previous)) for segment, previous in segments}
    for segment, begun in (starts or {}).items():
        state[segment] = (begun.position, begun.hash)
    seen: dict[tuple[str, int], str] = {}
    for row, body in rows:
        if row.segment not in state:
            yield Break(segment=row.segment, position=0, what="The segment was never opened.")
            state[row.segment] = (0, "")
        position, previous = state[row.segment]
        if row.position != position + 1:
            what = f"Position {position + 1} is missing: {row.position} follows {position}."
            yield Break(segment=row.segment, position=row.position, what=what)
        elif link(previous, body) != row.hash:
            what = "The body was changed, or a trace was removed or inserted before it."
            yield Break(segment=row.segment, position=row.position, what=what)
        # Going on from the hash as stored names each faulty row once.
        state[row.segment] = (row.position, row.hash)
        head = heads.get(row.segment)
        if head is not None and head.position == row.position:
            seen[row.segment, row.position] = row.hash
    for segment, head in heads.items():
        found = seen.get((segment, head.position))
        if found is None:
            what = "The chain ends before the head that was anchored."
            yield Break(segment=segment, position=head.position, what=what)
        elif found != head.hash:
            what = "The chain does not lead to the head that was anchored."
            yield Break(segment=segment, position=head.position, what=what)

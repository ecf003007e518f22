"""From prescriptions and their links to documents, acts and create calls by day and kind.

What a document, an act and a pair are:

- A document is a subject at its highest revision recorded by the cut-off. Its day is the one it
  was issued on; a call's day is the one it was recorded on.
- A paper record counts one document for each document type among its families, imaging and
  transport one each. Without an act of its own, it is one act.
- A paper record ``after`` a digital one of the same practitioner is one document less: it and
  the digital one are a single document, which has the day and the act of the digital one.
- A refused digital prescription that a later one ``corrects`` is a kind of its own (Q10).
- A create call that did not register is of the kind of its document if that is still uncertain,
  or was refused and corrected since; else it is one that was not registered.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import TypeVar

import attrs

from eprescription_sdk.model.trace import NonDigitalReason
from eprescription_sdk.pilot.facts import Kind

# Loops over all prescriptions work on plain numbers; flags are ten times slower.
REGISTERED, NOT_REGISTERED, CORRECTED, UNCERTAIN, PAPER, OUTSIDE = (int(kind) for kind in Kind)

Shape = tuple[int, int, date, int, int, int, str | None]
"""What is kept of a prescription: revision, practitioner, day, kind, and for a paper one its
documents in the perimeter and outside, and why. Equal ones are one object."""

Days = tuple[tuple[date, int], ...]
"""The days of an act, and the kinds of its documents on each."""


class Prescriptions:
    """All that counts of what was prescribed, as the traces tell it.

    It is what grows with the traces, so it is kept small: for most prescriptions, their subject,
    a shape that equal ones share, and the 16 bytes of their number.
    """

    def __init__(self) -> None:
        self.shapes: dict[str, Shape] = {}
        """By subject, at the highest revision."""
        self.acts: dict[str, str] = {}
        """By subject, for those that belong to one."""
        self.after: dict[str, bytes] = {}
        """By subject of a paper record: number of the digital one that it follows."""
        self.corrects: dict[str, bytes] = {}
        """By subject: number of the one that it corrects."""
        # In the order of the shapes. A number is minted once: no revision changes it.
        self._numbers = bytearray()
        self._alike: dict[Shape, Shape] = {}

    def add(
        self, subject: str, shape: Shape, *, number: str | None, act: str | None, link: str | None
    ) -> None:
        """Keep one, unless a higher revision is known.

        Args:
            subject: which.
            shape: what it is.
            number: pseudonym of its number; a paper one has none.
            act: what ties it to others.
            link: pseudonym of the number that it follows, on paper, or corrects.

        Raises:
            ValueError: a pseudonym is none.
        """
        known = self.shapes.get(subject)
        if known is not None and known[0] >= shape[0]:
            return
        if known is None:
            self._numbers += _NO_NUMBER if number is None else packed(number)
        self.shapes[subject] = self._alike.setdefault(shape, shape)
        _put(self.acts, subject, act)
        other = packed(link) if link is not None else None
        _put(self.after if shape[3] == PAPER else self.corrects, subject, other)

    def numbered(self, wanted: set[bytes]) -> dict[bytes, str]:
        """The subjects that have these numbers."""
        found = {}
        for index, subject in enumerate(self.shapes):
            number = bytes(self._numbers[index * _LENGTH : (index + 1) * _LENGTH])
            if number in wanted:
                found[number] = subject
        return found


_LENGTH = 16
_NO_NUMBER = bytes(_LENGTH)
_OTHER = NonDigitalReason.OTHER.value
T = TypeVar("T")


def packed(number: str) -> bytes:
    """The pseudonym of a number as bytes.

    Raises:
        ValueError: it is not one.
    """
    raw = bytes.fromhex(number)
    if len(raw) != _LENGTH:
        raise ValueError("Not a pseudonym.")
    return raw


def _put(links: dict[str, T], subject: str, link: T | None) -> None:
    if link is not None:
        links[subject] = link
    else:
        links.pop(subject, None)


@attrs.frozen(kw_only=True)
class Cells:
    """How many there are, by number of the practitioner, then by day and kind."""

    documents: Mapping[int, Counter[tuple[date, int]]]
    acts: Mapping[int, Counter[Days]]
    creates: defaultdict[int, Counter[tuple[date, int]]]
    reasons: Mapping[int, Counter[tuple[date, str]]]


def count(
    prescriptions: Prescriptions, unregistered: list[tuple[int, date, bool, str | None]]
) -> Cells:
    """Count documents, acts and create calls, now that every link is known.

    Args:
        prescriptions: all of them.
        unregistered: create calls that did not register: practitioner, day, whether the call
            itself ended uncertain, subject.
    """
    corrected, paired = _links(prescriptions)
    return Cells(
        documents=_documents(prescriptions, corrected, paired),
        acts=_acts(prescriptions, corrected, paired),
        creates=_creates(prescriptions, corrected, unregistered),
        reasons=_reasons(prescriptions),
    )


def _links(prescriptions: Prescriptions) -> tuple[set[str], dict[str, str]]:
    """The refused prescriptions corrected since; paper subject → digital one it follows."""
    shapes = prescriptions.shapes
    wanted = {*prescriptions.after.values(), *prescriptions.corrects.values()}
    subjects = prescriptions.numbered(wanted)

    def found(links: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
        for later, number in links.items():
            earlier = subjects.get(number)
            if earlier is None or earlier == later:
                continue
            # A link between two practitioners is a mistake of the host's.
            if shapes[earlier][1] == shapes[later][1]:
                yield later, earlier

    refused = (earlier for _, earlier in found(prescriptions.corrects))
    return (
        {subject for subject in refused if shapes[subject][3] == NOT_REGISTERED},
        dict(found(prescriptions.after)),
    )


def _units(shape: Shape, *, is_corrected: bool, is_paired: bool) -> tuple[tuple[int, int], ...]:
    """The documents of one prescription: kind and how many."""
    _, _, _, kind, inside, outside, _ = shape
    if kind != PAPER:
        return ((CORRECTED if is_corrected else kind, 1),)
    if is_paired:
        # One of its documents is the digital one, counted there.
        inside, outside = (inside - 1, outside) if inside else (0, outside - 1)
    return tuple((kind, many) for kind, many in ((PAPER, inside), (OUTSIDE, outside)) if many > 0)


def _documents(
    prescriptions: Prescriptions, corrected: set[str], paired: Mapping[str, str]
) -> Mapping[int, Counter[tuple[date, int]]]:
    documents: dict[int, Counter[tuple[date, int]]] = defaultdict(Counter)
    for subject, shape in prescriptions.shapes.items():
        _, number, day, *_ = shape
        units = _units(shape, is_corrected=subject in corrected, is_paired=subject in paired)
        for kind, many in units:
            documents[number][day, kind] += many
    return documents


def _reasons(prescriptions: Prescriptions) -> Mapping[int, Counter[tuple[date, str]]]:
    """Paper documents by day and reason; those that follow a failed digital one included."""
    reasons: dict[int, Counter[tuple[date, str]]] = defaultdict(Counter)
    for _, number, day, kind, inside, outside, reason in prescriptions.shapes.values():
        if kind == PAPER:
            reasons[number][day, reason or _OTHER] += inside + outside
    return reasons


def _acts(
    prescriptions: Prescriptions, corrected: set[str], paired: Mapping[str, str]
) -> Mapping[int, Counter[Days]]:
    named = prescriptions.acts
    followed = set(paired.values())
    acts: dict[int, Counter[Days]] = defaultdict(Counter)
    # By practitioner and act, or the subject that stands for an act without a name.
    together: dict[tuple[int, bool, str], Days] = {}
    for subject, shape in prescriptions.shapes.items():
        _, number, day, *_ = shape
        units = _units(shape, is_corrected=subject in corrected, is_paired=subject in paired)
        first = paired.get(subject, subject)
        act = named.get(subject) or named.get(first)
        for kind, _ in units:
            if act is not None:
                place = number, True, act
            elif first in followed:
                place = number, False, first
            elif len(units) == 1:
                acts[number][(day, kind),] += 1
                continue
            else:
                place = number, False, subject
            together[place] = _joined(together.get(place, ()), day, kind)
    for (number, _, _), days in together.items():
        acts[number][days] += 1
    return acts


@lru_cache(maxsize=65536)
def _joined(days: Days, day: date, kind: int) -> Days:
    """An act with one more document; equal acts are one object."""
    kinds = dict(days)
    kinds[day] = kinds.get(day, 0) | kind
    return tuple(sorted(kinds.items()))


def _creates(
    prescriptions: Prescriptions,
    corrected: set[str],
    unregistered: list[tuple[int, date, bool, str | None]],
) -> defaultdict[int, Counter[tuple[date, int]]]:
    creates: defaultdict[int, Counter[tuple[date, int]]] = defaultdict(Counter)
    for number, day, uncertain, subject in unregistered:
        known = prescriptions.shapes.get(subject) if subject is not None else None
        still_uncertain = uncertain if known is None else known[3] == UNCERTAIN
        if subject in corrected:
            kind = CORRECTED
        else:
            kind = UNCERTAIN if still_uncertain else NOT_REGISTERED
        creates[number][day, kind] += 1
    return creates

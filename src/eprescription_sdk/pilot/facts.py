"""The facts of a pilot at a cut-off: what was counted, before any question is answered.

For each practitioner, how many documents, acts and calls of each kind fell on each Europe/Paris
day. ``collect`` makes them from the traces; ``criteria`` computes every reading from them.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from enum import IntFlag

import attrs

from eprescription_sdk.clock import paris_day
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.trace import ChainLink, FaultOrigin
from eprescription_sdk.pilot.journal import Journal
from eprescription_sdk.pilot.questions import Question, Readings


class Kind(IntFlag):
    """What a document is at the cut-off; an act is the kinds of its documents together."""

    REGISTERED = 1
    NOT_REGISTERED = 2
    CORRECTED = 4
    UNCERTAIN = 8
    PAPER = 16
    PAPER_OUTSIDE = 32
    """On paper, and outside the perimeter of the service."""


# A plain number: in loops over days and kinds, flags are ten times slower.
DIGITAL = int(Kind.REGISTERED | Kind.NOT_REGISTERED | Kind.CORRECTED | Kind.UNCERTAIN)


@attrs.frozen(kw_only=True)
class Tally:
    """What one practitioner did from some day on.

    Args:
        documents: how many of each kind.
        acts: how many of each set of kinds.
        creates: how many create calls of each kind.
        missing: documents declared in volume and not traced.
    """

    documents: Mapping[int, int]
    acts: Mapping[int, int]
    creates: Mapping[int, int]
    missing: int


@attrs.frozen(kw_only=True)
class Use:
    """How one operation was used.

    Args:
        calls: how many calls.
        succeeded: how many did what the operation is for.
        failures: how many failed, by where the failure comes from and the service's code.
    """

    calls: int
    succeeded: int
    failures: Mapping[tuple[FaultOrigin | None, str | None], int]


@attrs.frozen(kw_only=True)
class Practitioner:
    """One practitioner of the pilot and all that counts of what they did.

    Args:
        number: stands for them in reports.
        situation: id of the practice situation that the pilot is about.
        go_live: the day of their installation.
        withdrawn_on: the day they left; None if they did not by the cut-off.
        withdrawn_reason: why.
        documents: how many, by day and kind.
        acts: how many, by the days and kinds of their documents.
        creates: how many create calls, by day and kind.
        reasons: paper documents, by day and reason; also those after a failed digital one.
        volumes: documents declared, by day.
        uses: by operation.
        first_digital: the day of their first digital prescription, whatever became of it.
    """

    number: int
    situation: str
    go_live: date
    withdrawn_on: date | None
    withdrawn_reason: str | None
    documents: Mapping[tuple[date, int], int]
    acts: Mapping[tuple[tuple[date, int], ...], int]
    creates: Mapping[tuple[date, int], int]
    reasons: Mapping[tuple[date, str], int]
    volumes: Mapping[date, int]
    uses: Mapping[Operation, Use]
    first_digital: date | None = attrs.field(init=False)
    _tallies: dict[date, Tally] = attrs.field(factory=dict, init=False, eq=False, repr=False)

    @property
    def label(self) -> str:
        """What reports call them."""
        return f"PS {self.number}"

    @first_digital.default
    def _first_digital(self) -> date | None:
        return min((day for day, kind in self.documents if kind & DIGITAL), default=None)

    def is_user(self, readings: Readings) -> bool:
        """Whether they are a user practitioner (Q4)."""
        return readings.strict(Question.Q4) or self.first_digital is not None

    def traced(self, day: date) -> int:
        """Documents traced on a day, of any kind."""
        return sum(self.documents.get((day, int(kind)), 0) for kind in Kind)

    def missing(self, day: date) -> int:
        """Documents declared for a day and not traced on it."""
        return max(0, self.volumes.get(day, 0) - self.traced(day))

    def since(self, opening: date) -> Tally:
        """What they did from a day on, that day included."""
        if opening not in self._tallies:
            acts: Counter[int] = Counter()
            for dated, count in self.acts.items():
                kinds = 0
                for day, kind in dated:
                    if day >= opening:
                        kinds |= kind
                acts[kinds] += count
            self._tallies[opening] = Tally(
                documents=_from(self.documents, opening),
                acts=acts,
                creates=_from(self.creates, opening),
                missing=sum(self.missing(day) for day in self.volumes if day >= opening),
            )
        return self._tallies[opening]


def _from(cells: Mapping[tuple[date, int], int], opening: date) -> Mapping[int, int]:
    kinds: Counter[int] = Counter()
    for (day, kind), count in cells.items():
        if day >= opening:
            kinds[kind] += count
    return kinds


@attrs.frozen(kw_only=True)
class Facts:
    """All that an assessment is computed from.

    Args:
        cut_off: what was recorded up to this moment was read.
        practitioners: who is equipped by then, by number; withdrawn ones included.
        journal: what people recorded.
        traces: how many were recorded by the cut-off.
        apart: how many of them do not count, by reason.
        simulation: whether a stand-in of this SDK took part in any.
        heads: newest link of each segment of the chain.
        losses: traces that could not be recorded, by reason, whatever the cut-off.
        known_faults: fault codes that the integrator's table names; None where it is not known.
    """

    cut_off: datetime
    practitioners: tuple[Practitioner, ...]
    journal: Journal
    traces: int
    apart: Mapping[str, int]
    simulation: bool
    heads: tuple[ChainLink, ...]
    losses: Mapping[str, int]
    known_faults: frozenset[str] | None = None

    @property
    def first_digital(self) -> date | None:
        """The day of the pilot's first digital prescription, whoever's; None before it."""
        firsts = (one.first_digital for one in self.practitioners)
        return min((first for first in firsts if first is not None), default=None)

    @property
    def today(self) -> date:
        """The Europe/Paris day of the cut-off."""
        return paris_day(self.cut_off)

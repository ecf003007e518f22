"""What people recorded about the pilot, read back from the lines of its journal.

Corrections, rulings, anomalies, attestations, questionnaires, official figures: the newest line
about a thing stands. Writing the lines is the business of ``registers``; what they mean for a
criterion, of ``criteria``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import attrs

from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.trace import FaultOrigin
from eprescription_sdk.pilot.questions import Answer, Opening, Question, Unit, answer_of


@attrs.frozen(kw_only=True)
class Ruling:
    """How the Cnam reads an open question.

    Args:
        reading: its answer; to Q3 it may be the unit, to Q5 the opening.
        day: of the letter.
        reference: of the letter.
    """

    reading: Answer
    day: date
    reference: str

    @property
    def label_fr(self) -> str:
        """What the Cnam reads."""
        words = {Unit: "unité :", Opening: "ouverture :"}
        return f"{words.get(type(self.reading), 'lecture')} {self.reading.label_fr}"


@attrs.frozen(kw_only=True)
class Anomaly:
    """An anomaly of the register, as it stands (criterion C3; présérie 2025-03, p. 6).

    Args:
        id: the company's own name for it.
        operation: the operation that it touches.
        blocking: whether it prevents nominal use of that operation.
        origin: where it comes from; only the software's own count.
        title: one line, without any patient or practitioner.
        opened_on: the day it was found.
        closed_on: the day it was solved; None while open.
    """

    id: str
    operation: Operation
    blocking: bool
    origin: FaultOrigin
    title: str
    opened_on: date
    closed_on: date | None = None

    @property
    def breaks_c3(self) -> bool:
        """Whether it is the software's own, blocking and open."""
        return self.blocking and self.origin is FaultOrigin.SOFTWARE and self.closed_on is None


@attrs.frozen(kw_only=True)
class Prerequisite:
    """One line of the checklist of C4.

    Args:
        item: which, as named in ``checklist``.
        needed: what rollout needs, in the company's words; None where nothing.
    """

    item: str
    needed: str | None


@attrs.frozen(kw_only=True)
class Questionnaire:
    """A practitioner's newest answer (C5).

    Args:
        satisfaction: from 1 to 5.
        blocking_remarks: obstacles to rollout, in their words.
        marks: from 1 to 5, by item of the form (``survey``).
    """

    satisfaction: int
    # Free text: whoever wrote it may have named somebody.
    blocking_remarks: tuple[str, ...] = attrs.field(repr=False)
    marks: Mapping[str, int] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class OfficialFigure:
    """One figure that the Assurance Maladie gave.

    Args:
        criterion: ``"C1"`` or ``"C2"``.
        practitioner: such as "PS 1"; None for all together.
        figure: as given: ``"25/52"`` or ``"48,0 %"``.
        day: of the letter.
        reference: of the letter.
    """

    criterion: str
    practitioner: str | None
    figure: str
    day: date
    reference: str


@attrs.frozen(kw_only=True)
class Journal:
    """All of it, as it stands at a cut-off.

    Args:
        corrections: days of the corrective releases, in order.
        rulings: questions that the Cnam has settled.
        anomalies: the register, by first appearance.
        attestations: the newest document for C4 and C5.
        prerequisites: the checklist behind the newest document of C4; empty without one.
        questionnaires: by number of the practitioner.
        official: the newest figures received.
    """

    corrections: tuple[date, ...] = ()
    rulings: Mapping[Question, Ruling] = attrs.field(factory=dict)
    anomalies: tuple[Anomaly, ...] = ()
    attestations: Mapping[str, str] = attrs.field(factory=dict)
    prerequisites: tuple[Prerequisite, ...] = ()
    questionnaires: Mapping[int, Questionnaire] = attrs.field(factory=dict)
    official: tuple[OfficialFigure, ...] = ()

    @property
    def readings(self) -> Mapping[Question, Answer]:
        """What the rulings answer."""
        return {question: ruling.reading for question, ruling in self.rulings.items()}


def read_journal(rows: Iterable[Mapping[str, Any]], numbers: Mapping[str, int]) -> Journal:
    """The journal that these lines make.

    Args:
        rows: kind, day, reference and data of each line, oldest first.
        numbers: of the practitioners, by pseudonym; others are passed over.

    Raises:
        KeyError, ValueError, TypeError: a line is damaged.
    """
    of: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        of[row["kind"]].append(row)
    attested = {row["data"]["criterion"]: row["data"] for row in of["attestation"]}
    answers = {row["data"]["rpps"]: row["data"] for row in of["questionnaire"]}
    return Journal(
        corrections=tuple(sorted(date.fromisoformat(row["day"]) for row in of["correction"])),
        rulings={
            question: Ruling(
                reading=answer_of(question, row["data"]["reading"]),
                day=date.fromisoformat(row["day"]),
                reference=row["reference"],
            )
            for row in of["ruling"]
            for question in (Question(row["data"]["question"]),)
        },
        anomalies=read_anomalies(row["data"] for row in of["anomaly"]),
        attestations={criterion: data["document"] for criterion, data in attested.items()},
        prerequisites=tuple(
            Prerequisite(item=item, needed=needed)
            for item, needed in attested.get("C4", {}).get("checklist", {}).items()
        ),
        questionnaires={
            numbers[who]: Questionnaire(
                satisfaction=data["satisfaction"],
                blocking_remarks=tuple(data["blocking_remarks"]),
                marks=data.get("marks", {}),
            )
            for who, data in answers.items()
            if who in numbers
        },
        official=tuple(
            OfficialFigure(
                criterion=each["criterion"],
                practitioner=each["practitioner"],
                figure=each["figure"],
                day=date.fromisoformat(row["day"]),
                reference=row["reference"],
            )
            for row in of["official"][-1:]
            for each in row["data"]["figures"]
        ),
    )


def read_anomalies(rows: Iterable[Mapping[str, Any]]) -> tuple[Anomaly, ...]:
    """The register that these lines make; a later line with the same id replaces."""
    newest = {data["id"]: data for data in rows}
    return tuple(
        Anomaly(
            id=data["id"],
            operation=Operation(data["operation"]),
            blocking=data["blocking"],
            origin=FaultOrigin(data["origin"]),
            title=data["title"],
            opened_on=date.fromisoformat(data["opened_on"]),
            closed_on=date.fromisoformat(data["closed_on"]) if data["closed_on"] else None,
        )
        for data in newest.values()
    )

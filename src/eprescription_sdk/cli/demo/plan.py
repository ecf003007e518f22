"""What happens in the two weeks: who prescribes what, when, and what goes wrong.

Drawn with a fixed seed, so that every run tells the same story.
"""

import random
from datetime import date, datetime, time, timedelta
from enum import Enum

import attrs

from eprescription_sdk.clock import PARIS
from eprescription_sdk.model.family import Family
from eprescription_sdk.model.trace import NonDigitalReason

SEED = 20250317
DAYS = 14
PER_DAY = 6
"""Documents that a practitioner writes on a weekday, about."""

LOST_SHARE = 0.05
"""Of the digital prescriptions, those whose first answer is lost."""

RELUCTANT = 3
"""Index of the practitioner who stays on paper until they are reminded."""

REMINDER_AFTER_DAYS = 7
OUTAGE_DAY = 9


class Mishap(Enum):
    """What goes wrong with one digital prescription."""

    LOST_ANSWER = "the answer is lost after the registration"
    LATE_COMMIT = "the registration comes after the client gave up"
    LOST_REQUEST = "the request is lost before the registration"
    REFUSED = "the service refuses it; it is corrected and sent again"


@attrs.frozen(kw_only=True)
class Document:
    """One document to be written.

    Args:
        at: when.
        who: index of the practitioner.
        case: which example prescription, when it is to be digital.
        paper: why it is on paper; None when it is to be digital.
        families: of a paper document.
        mishap: what goes wrong.
        outage: whether the service is down at that moment.
    """

    at: datetime
    who: int
    case: int = 0
    paper: NonDigitalReason | None = None
    families: frozenset[Family] = frozenset()
    mishap: Mishap | None = None
    outage: bool = False


def plan(first_days: list[date], cases: int) -> list[Document]:
    """All documents of the two weeks, in order of time.

    Args:
        first_days: go-live day of each practitioner.
        cases: how many example prescriptions there are.
    """
    chance = random.Random(SEED)  # noqa: S311  (a story, not a secret)
    begins = min(first_days)
    documents = [
        _document(chance, day, who, cases, (day - begins).days)
        for offset in range(DAYS)
        for day in [begins + timedelta(days=offset)]
        for who, first in enumerate(first_days)
        if day >= first and day.weekday() < 6
        for _ in range(_load(chance, day))
    ]
    return _with_mishaps(chance, sorted(documents, key=lambda document: document.at))


def _load(chance: random.Random, day: date) -> int:
    return chance.randint(PER_DAY - 1, PER_DAY + 1) if day.weekday() < 5 else 2


def _document(chance: random.Random, day: date, who: int, cases: int, elapsed: int) -> Document:
    at = datetime.combine(day, time(9), PARIS) + timedelta(minutes=chance.randrange(9 * 60))
    outage = elapsed == OUTAGE_DAY and at.hour == 11
    reluctant = who == RELUCTANT and elapsed < REMINDER_AFTER_DAYS
    draw = chance.random()
    if draw < (0.7 if reluctant else 0.05):
        families = frozenset({chance.choice([Family.MEDICATION, Family.BIOLOGY])})
        reason = (
            NonDigitalReason.PRESCRIBER_CHOICE if reluctant else NonDigitalReason.PATIENT_REQUEST
        )
        return Document(at=at, who=who, paper=reason, families=families, outage=outage)
    if draw > 0.93:
        families = frozenset({chance.choice([Family.IMAGING, Family.TRANSPORT])})
        reason = NonDigitalReason.OUT_OF_PERIMETER
        return Document(at=at, who=who, paper=reason, families=families, outage=outage)
    return Document(at=at, who=who, case=chance.randrange(cases), outage=outage)


def _with_mishaps(chance: random.Random, documents: list[Document]) -> list[Document]:
    """Lose the answers of a twentieth, and let a few other things happen once."""
    digital = [
        index
        for index, document in enumerate(documents)
        if document.paper is None and not document.outage
    ]
    lost = round(len(digital) * LOST_SHARE)
    unlucky = chance.sample(digital, lost + 3)
    mishaps = [Mishap.LOST_ANSWER] * lost
    mishaps += [Mishap.LATE_COMMIT, Mishap.LOST_REQUEST, Mishap.REFUSED]
    for index, mishap in zip(unlucky, mishaps, strict=True):
        documents[index] = attrs.evolve(documents[index], mishap=mishap)
    return documents

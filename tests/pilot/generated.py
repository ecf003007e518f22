"""Pilots made by a seeded die, in which everything that counts happens and happens to meet."""

from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.family import Family
from eprescription_sdk.model.trace import CallOutcome, Initiator
from eprescription_sdk.pilot.questions import Question
from eprescription_sdk.storage import Store
from tests.pilot.pilots import (
    GO_LIVE,
    REFUSED,
    REGISTERED,
    SITUATION,
    UNCERTAIN,
    PilotStore,
    at,
)

DAYS = range(2, 32)  # the clock changes on 29 March 2026
UNTIL = at(26, 15)
"""A cut-off amid the pilot."""

ACTS = tuple(f"act-{number}" for number in range(6))
APART: tuple[dict[str, Any], ...] = (
    {"test_identity": True},
    {"environment": "sandbox"},
    {"situation": "elsewhere"},
    {"simulation": True},
)


def generate(seed: int, folder: Path, store: Store | None = None) -> PilotStore:
    """The pilot of a seed, in a folder or in a store that is there already."""
    return _Generator(seed, folder, store).run()


class _Generator:
    def __init__(self, seed: int, folder: Path, store: Store | None) -> None:
        self.die = Random(seed)  # noqa: S311  (reproducible, not a secret)
        self.people = self.die.randint(1, 4)
        self.pilot = PilotStore(folder, self.people, store)
        self.digital_share = self.die.choice([0.35, 0.6, 0.85])
        self.good_share = self.die.choice([0.6, 0.8, 0.97])
        self.sent: list[str] = []
        self.uncertain: list[tuple[str, int]] = []

    def run(self) -> PilotStore:
        for when in sorted(self.moment() for _ in range(self.die.randint(5, 70))):
            drawn = self.die.random()
            if drawn < self.digital_share:
                self.digital(when)
            elif drawn < self.digital_share + 0.05 and self.uncertain:
                self.settle(when)
            else:
                self.paper(when)
            self.calls(when)
        self.pilot.flush()
        self.journal()
        self.enrolments()
        return self.pilot

    def luck(self, chance: float) -> bool:
        return self.die.random() < chance

    def moment(self) -> datetime:
        # Around midnight in Paris more often than not.
        hour = self.die.choice([8, 10, 21, 22, 23])
        return at(self.die.choice(DAYS), hour, self.die.randrange(60))

    def common(self, when: datetime) -> dict[str, Any]:
        apart = self.die.choice(APART) if self.luck(0.08) else {}
        return apart | {
            "ps": self.die.randint(1, self.people),
            "issued_at": when - timedelta(minutes=self.die.choice([0, 0, 5, 90])),
            "act": self.die.choice(ACTS) if self.luck(0.4) else None,
        }

    def earlier(self, chance: float) -> str | None:
        return self.die.choice(self.sent) if self.sent and self.luck(chance) else None

    def digital(self, when: datetime) -> None:
        good = self.luck(self.good_share)
        state = REGISTERED if good else self.die.choice([REGISTERED, REFUSED, UNCERTAIN])
        common = self.common(when)
        corrects = self.earlier(0.25)
        if self.luck(0.03):
            # A mistake of the host's: it says that it corrects itself.
            common["subject"] = corrects = f"own-{self.pilot.count}"
        subject = self.pilot.digital(when, state, corrects=corrects, **common)
        self.sent.append(subject)
        if state is UNCERTAIN:
            self.uncertain.append((subject, common["ps"]))
        if self.luck(0.1):
            outcome = self.die.choice([CallOutcome.REGISTERED, CallOutcome.UNCERTAIN])
            self.pilot.call(when, outcome, ps=common["ps"], subject=subject)

    def settle(self, when: datetime) -> None:
        subject, ps = self.uncertain.pop()
        state = self.die.choice([REGISTERED, REFUSED])
        self.pilot.digital(when, state, ps=ps, subject=subject, revision=2, call=False)
        self.pilot.call(
            when,
            CallOutcome.FOUND,
            ps=ps,
            operation=Operation.CONSULT,
            initiator=Initiator.RECONCILE,
        )

    def paper(self, when: datetime) -> None:
        families = self.die.sample(list(Family), self.die.randint(1, 3))
        self.pilot.paper(when, families, after=self.earlier(0.35), **self.common(when))

    def calls(self, when: datetime) -> None:
        ps = self.die.randint(1, self.people)
        if self.luck(0.15):
            operation = self.die.choice([Operation.CONSULT, Operation.SEARCH])
            outcomes = [CallOutcome.FOUND, CallOutcome.ABSENT, CallOutcome.FAILED]
            self.pilot.call(when, self.die.choice(outcomes), ps=ps, operation=operation)
        if self.luck(0.03):
            self.pilot.call(when, CallOutcome.UNCERTAIN, ps=ps, subject="never traced")

    def journal(self) -> None:
        for _ in range(self.die.randint(0, 6)):
            day = GO_LIVE + timedelta(days=self.die.randrange(-2, 30))
            ps = self.die.randint(1, self.people)
            self.pilot.volume(day, self.die.randint(0, 6), ps=ps, when=self.moment())
        for version in range(self.die.choice([0, 1, 2])):
            data = {"version": f"1.{version}"}
            self.pilot.event("correction", at(self.die.choice(DAYS)), data)
        for _ in range(self.die.choice([0, 0, 1, 3])):
            # Two have more answers than the others.
            question = self.die.choice([*Question, *[Question.Q3, Question.Q5] * 2])
            answer = self.die.choice(question.answers)
            data = {"question": question.value, "reading": answer.value}
            self.pilot.event("ruling", at(self.die.choice(DAYS)), data)
        if self.luck(0.3):
            anomaly = {
                "id": "A",
                "operation": "create",
                "blocking": self.luck(0.7),
                "origin": self.die.choice(["software", "service"]),
                "title": "t",
                "opened_on": "2026-03-05",
                "closed_on": self.die.choice([None, "2026-03-06"]),
            }
            self.pilot.event("anomaly", at(6), anomaly)
        if self.luck(0.5):
            attestation = {"criterion": self.die.choice(["C4", "C5"]), "document": "d"}
            self.pilot.event("attestation", at(7), attestation)
        for ps in range(1, self.people + 1):
            if self.luck(0.7):
                remarks = ["frein"] if self.luck(0.1) else []
                self.pilot.questionnaire(at(self.die.choice(DAYS)), ps, remarks)

    def enrolments(self) -> None:
        if self.luck(0.3):
            left = date(2026, 3, self.die.choice([20, 28]))
            # Recorded on the day or long after it, at times after the cut-off.
            when = at(left.day + self.die.choice([0, 1, 5, 9]))
            self.pilot.enrol(1, when=when, withdrawn_on=left, withdrawn_reason="départ")
        if self.luck(0.1):
            situation = self.die.choice(["elsewhere", SITUATION])
            self.pilot.enrol(self.people, when=self.moment(), situation=situation)

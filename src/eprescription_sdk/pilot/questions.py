"""The questions that the Cnam's text leaves open, and the two readings of each.

None is settled silently: STRICT answers every question against the company, LENIENT for it,
and a ruling of the Cnam fixes one; on Q3 and Q5 it may name a third thing. How a reading
changes a figure is in ``criteria``.

Source: Cnam, présérie (March 2025), pp. 4 to 6; the questions are ours.
"""

from collections.abc import Iterator, Mapping
from enum import Enum

import attrs


class Reading(Enum):
    """One of the two answers to an open question."""

    STRICT = "strict"
    LENIENT = "lenient"

    @property
    def other(self) -> "Reading":
        """The opposite answer."""
        return Reading.LENIENT if self is Reading.STRICT else Reading.STRICT

    @property
    def label_fr(self) -> str:
        """What the Cnam reads."""
        return "stricte" if self is Reading.STRICT else "favorable"


class Unit(Enum):
    """What was counted."""

    DOCUMENT = "document"
    ACT = "act"
    CALL = "call"

    @property
    def label_fr(self) -> str:
        """What the Cnam reads."""
        return {"document": "document", "act": "acte de prescription", "call": "appel"}[self.value]

    @property
    def plural_fr(self) -> str:
        """The same, of two or more."""
        return self.label_fr.replace(" ", "s ", 1) if self is Unit.ACT else f"{self.label_fr}s"

    @property
    def other(self) -> "Unit":
        """The other one that an ordonnance may be (Q3)."""
        return Unit.ACT if self is Unit.DOCUMENT else Unit.DOCUMENT


class Opening(Enum):
    """Whose first digital prescription opens a window, where it is not each practitioner's own."""

    PILOT = "pilot"

    @property
    def label_fr(self) -> str:
        """What the Cnam reads."""
        return "première ordonnance numérique de la présérie"

    @property
    def other(self) -> Reading:
        """The practitioner's own (Q5)."""
        return Reading.LENIENT


Answer = Reading | Unit | Opening
"""How a question is answered: by a reading; once ruled on, also Q3 by a unit, Q5 by an opening."""


class Question(Enum):
    """What the text does not say."""

    Q1 = "Q1"
    Q2 = "Q2"
    Q3 = "Q3"
    Q4 = "Q4"
    Q5 = "Q5"
    Q6 = "Q6"
    Q7 = "Q7"
    Q8 = "Q8"
    Q9 = "Q9"
    Q10 = "Q10"

    @property
    def text_fr(self) -> str:
        """The question, in French."""
        return _FRENCH[self][0]

    @property
    def text_en(self) -> str:
        """The question, in English."""
        return _ENGLISH[self][0]

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What the Cnam may answer."""
        return (*Reading, *_NAMED.get(self, ()))

    def answer_fr(self, reading: Answer) -> str:
        """What a reading, or what a ruling names, answers in French."""
        if not isinstance(reading, Reading):
            return _NAMED_FR[reading]
        return _FRENCH[self][1 if reading is Reading.STRICT else 2]

    def answer_en(self, reading: Reading) -> str:
        """What a reading answers, in English."""
        return _ENGLISH[self][1 if reading is Reading.STRICT else 2]


_NAMED: Mapping[Question, tuple[Answer, ...]] = {
    Question.Q3: (Unit.DOCUMENT, Unit.ACT),
    Question.Q5: (Opening.PILOT,),
}
"""What a ruling may answer beside the readings."""

_NAMED_FR = {
    Unit.DOCUMENT: "l'unité est le document",
    Unit.ACT: "l'unité est l'acte de prescription",
    Opening.PILOT: "à la première ordonnance numérique de la présérie, tous PS confondus",
}

_FRENCH = {
    Question.Q1: (
        "Le dénominateur de C1 comprend-il les prescriptions hors périmètre du service ?",
        "oui : « toutes ses prescriptions, toutes prestations confondues »",
        "non : seulement celles du périmètre",
    ),
    Question.Q2: (
        "Le numérateur de C1 compte-t-il une ordonnance numérique qui n'a pas été enregistrée ?",
        "non",
        "oui",
    ),
    Question.Q3: (
        "L'unité de C1 et de C2 est-elle le document ou l'acte de prescription ?",
        "la moins favorable des deux",
        "la plus favorable des deux",
    ),
    Question.Q4: (
        "Qui est « PS utilisateur » ?",
        "tout PS équipé, même sans aucune ordonnance numérique",
        "tout PS qui a envoyé au moins une ordonnance numérique",
    ),
    Question.Q5: (
        "Quand s'ouvre la période d'un PS ?",
        "à la date de son installation",
        "à sa première ordonnance numérique envoyée",
    ),
    Question.Q6: (
        "Après une version corrective, les chiffres antérieurs comptent-ils ?",
        "oui",
        "non : seulement à partir de la dernière correction",
    ),
    Question.Q7: (
        "Que vaut un envoi dont l'issue est encore incertaine à la date d'arrêté ?",
        "il n'est pas enregistré",
        "il est laissé de côté",
    ),
    Question.Q8: (
        "C2 se compte-t-il par ordonnance, après nouvelles tentatives, ou par appel ?",
        "par appel du service « créer »",
        "par ordonnance",
    ),
    Question.Q9: (
        "Que valent les prescriptions déclarées en volume mais jamais tracées une à une ?",
        "elles comptent comme papier",
        "elles sont laissées de côté",
    ),
    Question.Q10: (
        "Une ordonnance refusée, corrigée et créée de nouveau compte-t-elle deux fois dans C2 ?",
        "oui : deux fois",
        "non : une fois",
    ),
}

_ENGLISH = {
    Question.Q1: (
        "Does C1's denominator hold prescriptions outside the perimeter?",
        "yes: all prescriptions, all kinds of care together",
        "no: the perimeter only",
    ),
    Question.Q2: (
        "Does C1's numerator count a digital prescription that was not registered?",
        "no",
        "yes",
    ),
    Question.Q3: (
        "Is the unit of C1 and C2 a document or a prescribing act?",
        "the less favourable of the two",
        "the more favourable of the two",
    ),
    Question.Q4: (
        "Who is a user practitioner?",
        "every equipped practitioner, one with no digital prescription included",
        "whoever sent at least one digital prescription",
    ),
    Question.Q5: (
        "When does a practitioner's window open?",
        "at their go-live date",
        "at their first digital prescription sent",
    ),
    Question.Q6: (
        "After a corrective release, do earlier figures count?",
        "yes",
        "no: only from the last correction on",
    ),
    Question.Q7: (
        "What is an attempt that is still uncertain at the cut-off?",
        "not registered",
        "left out",
    ),
    Question.Q8: (
        "Is C2 counted per prescription after retries, or per create call?",
        "per call",
        "per prescription",
    ),
    Question.Q9: (
        "What are prescriptions declared in volume but never traced one by one?",
        "paper",
        "left out",
    ),
    Question.Q10: (
        "Is a prescription refused, corrected and created again one or two in C2?",
        "two",
        "one",
    ),
}


@attrs.frozen
class Readings:
    """An answer to every question.

    Args:
        answers: one for each of the ten questions.
    """

    answers: Mapping[Question, Answer] = attrs.field()

    @answers.validator
    def _complete(self, _attribute: object, value: Mapping[Question, Answer]) -> None:
        if set(value) != set(Question):
            raise ValueError("Readings answer every question, each once.")
        if any(answer not in question.answers for question, answer in value.items()):
            raise ValueError("This is no answer to that question.")

    def __getitem__(self, question: Question) -> Answer:
        return self.answers[question]

    def __iter__(self) -> Iterator[Question]:
        return iter(Question)

    def strict(self, question: Question) -> bool:
        """Whether a question is read against the company."""
        return self.answers[question] is Reading.STRICT

    @property
    def unit(self) -> Unit | None:
        """What is counted, where it is ruled on (Q3)."""
        answer = self.answers[Question.Q3]
        return answer if isinstance(answer, Unit) else None

    def flipped(self, question: Question) -> "Readings":
        """The same answers, save one that is the opposite."""
        return self.ruled({question: self.answers[question].other})

    def ruled(self, rulings: Mapping[Question, Answer]) -> "Readings":
        """The same answers, save those that a ruling fixes."""
        return Readings({**self.answers, **rulings})


STRICT = Readings(dict.fromkeys(Question, Reading.STRICT))
"""Every open question against the company."""

LENIENT = Readings(dict.fromkeys(Question, Reading.LENIENT))
"""Every open question for the company."""


def answer_of(question: Question, text: str) -> Answer:
    """An answer as it is written: ``strict``, ``lenient``, or what may be named beside them.

    Raises:
        ValueError: it is none to this question, in a sentence that names those that are.
    """
    for answer in question.answers:
        if answer.value == text:
            return answer
    names = ", ".join(answer.value for answer in question.answers)
    raise ValueError(f"To {question.value} this is no answer. It is one of {names}.")

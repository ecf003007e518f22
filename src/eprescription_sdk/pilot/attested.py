"""C4 and C5: what a document attests, and what the practitioners answered.

A blocking remark stays one, whoever made it.

Source: Cnam, présérie (March 2025), p. 6.
"""

from eprescription_sdk.pilot.facts import Facts, Practitioner
from eprescription_sdk.pilot.journal import Questionnaire
from eprescription_sdk.pilot.questions import Readings
from eprescription_sdk.pilot.results import (
    Criterion,
    CriterionResult,
    PractitionerResult,
    Survey,
    Verdict,
    worst,
)
from eprescription_sdk.pilot.wording import counted_fr


def c4(facts: Facts) -> CriterionResult:
    """The prerequisites of rollout: attested by a document."""
    document = facts.journal.attestations.get(Criterion.C4.value)
    return CriterionResult(
        criterion=Criterion.C4,
        verdict=Verdict.NOT_ASSESSABLE if document is None else Verdict.ATTESTED,
        reason_fr="aucun document" if document is None else f"document : {document}",
        document=document,
        prerequisites=facts.journal.prerequisites,
    )


def c5(facts: Facts, readings: Readings) -> CriterionResult:
    """Satisfaction: attested by every user's questionnaire, or a document; no blocking remark."""
    document = facts.journal.attestations.get(Criterion.C5.value)
    each = tuple(_c5_of(one, facts, readings) for one in facts.practitioners)
    remarks = sum(one.blocking_remarks for one in each)
    deciding = [one.verdict for one in each if one.decides]
    answered = len(deciding) - deciding.count(Verdict.NOT_ASSESSABLE)
    if remarks:
        verdict = Verdict.NOT_MET
        reason = counted_fr(remarks, "frein bloquant signalé", "freins bloquants signalés")
    elif document is not None:
        verdict, reason = Verdict.ATTESTED, f"document : {document}"
    else:
        verdict = worst(deciding)
        answers = counted_fr(answered, "questionnaire", "questionnaires")
        reason = f"{answers} pour {counted_fr(len(deciding), 'PS utilisateur', 'PS utilisateurs')}"
    return CriterionResult(
        criterion=Criterion.C5,
        verdict=verdict,
        reason_fr=reason,
        practitioners=each,
        document=document,
        survey=_survey(list(facts.journal.questionnaires.values())),
    )


def _survey(answers: list[Questionnaire]) -> Survey:
    marks = [{"satisfaction": each.satisfaction, **each.marks} for each in answers]
    return Survey(
        answers=len(answers),
        marks={
            item: tuple(sum(each.get(item) == mark for each in marks) for mark in range(1, 6))
            for item in sorted({item for each in marks for item in each})
        },
        # In an order that does not tell who said what.
        blocking_remarks=tuple(sorted(text for each in answers for text in each.blocking_remarks)),
    )


def _c5_of(one: Practitioner, facts: Facts, readings: Readings) -> PractitionerResult:
    answer = facts.journal.questionnaires.get(one.number)
    verdict = Verdict.NOT_ASSESSABLE
    if answer is not None:
        verdict = Verdict.NOT_MET if answer.blocking_remarks else Verdict.ATTESTED
    return PractitionerResult(
        label=one.label,
        verdict=verdict,
        decides=one.is_user(readings) and one.withdrawn_on is None,
        satisfaction=answer.satisfaction if answer else None,
        blocking_remarks=len(answer.blocking_remarks) if answer else 0,
    )

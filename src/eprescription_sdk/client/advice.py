"""What the host does next, and the French sentence to show the prescriber."""

from collections.abc import Sequence

from eprescription_sdk.model.outcomes import Advice, Cause, NextStep
from eprescription_sdk.model.problems import Level, Problem
from eprescription_sdk.settings import FaultRule, UncertainPolicy

REGISTERED = Advice(
    step=NextStep.PRINT_WITH_NUMBER,
    text_fr="Ordonnance numérique enregistrée : remettez-la avec son numéro et son code 2D.",
)

_PLAIN = "Remettez une ordonnance papier, sans numéro ni code 2D."

_NOT_REGISTERED = {
    Cause.NOT_SENT: f"Le service n'a pas pu être joint. {_PLAIN}",
    Cause.ABSENT: f"Le service n'a pas enregistré l'ordonnance. {_PLAIN}",
    Cause.NOT_IN_PILOT: f"L'ordonnance numérique ne vous est pas encore ouverte. {_PLAIN}",
    Cause.REFUSED: f"Le service a refusé l'ordonnance. {_PLAIN}",
}

_UNCERTAIN = {
    UncertainPolicy.HOLD: Advice(
        step=NextStep.HOLD,
        text_fr="Enregistrement en cours de vérification : ne remettez pas encore l'ordonnance.",
    ),
    UncertainPolicy.PLAIN: Advice(
        step=NextStep.PRINT_PLAIN,
        text_fr=f"Enregistrement en cours de vérification. {_PLAIN}",
    ),
}

_NO_CREDENTIAL = "Votre carte ou votre session n'est pas disponible."


def not_registered(
    cause: Cause, *, rule: FaultRule | None = None, no_credential: bool = False
) -> Advice:
    """Advice for a prescription that is not there."""
    if no_credential:
        return Advice(step=NextStep.PRINT_PLAIN, text_fr=f"{_NO_CREDENTIAL} {_PLAIN}")
    if cause is Cause.REFUSED and rule is not None:
        if rule.credential:
            return Advice(step=NextStep.PRINT_PLAIN, text_fr=f"{rule.text_fr} {_PLAIN}")
        return Advice(
            step=NextStep.CORRECT,
            text_fr=f"{rule.text_fr} Corrigez-la, ou remettez une ordonnance papier.",
        )
    return Advice(step=NextStep.PRINT_PLAIN, text_fr=_NOT_REGISTERED[cause])


def invalid(problems: Sequence[Problem]) -> Advice:
    """Advice for a prescription that breaks rules: every one of them, once."""
    sentences = dict.fromkeys(
        problem.text_fr for problem in problems if problem.level is Level.ERROR
    )
    return Advice(step=NextStep.CORRECT, text_fr=" ".join(sentences))


def uncertain(policy: UncertainPolicy) -> Advice:
    """Advice while nobody knows, as the host chose."""
    return _UNCERTAIN[policy]

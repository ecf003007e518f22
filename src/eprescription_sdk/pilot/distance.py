"""The way to a goal in plain French: how many more prescriptions would reach it.

Each further digital prescription is taken to be registered at once, alone in its act, and no
paper one comes between.
"""

from fractions import Fraction
from math import ceil

from eprescription_sdk.pilot.questions import Unit
from eprescription_sdk.pilot.results import Figure
from eprescription_sdk.pilot.wording import counted_fr


def still_needed(figure: Figure, threshold: Fraction) -> int:
    """The least number of further successes that reaches a threshold below 1.

    With n of d, k more make (n + k) ÷ (d + k).
    """
    if not figure.denominator:
        return 1
    lacking = threshold * figure.denominator - figure.numerator
    return max(0, ceil(lacking / (1 - threshold)))


def way_fr(figure: Figure, threshold: Fraction) -> str:
    """One French sentence: the goal is reached, or what is still needed.

    Args:
        figure: where it stands.
        threshold: the least rate, below 1.
    """
    goal = f"{threshold * 100} %"
    needed = still_needed(figure, threshold)
    if not figure.denominator:
        return "Aucune ordonnance comptée pour l'instant : une ordonnance numérique suffirait."
    stands = f"{figure.numerator} sur {figure.denominator}, soit {figure.percent_fr}"
    if not needed:
        return f"Objectif de {goal} atteint : {stands}."
    if figure.unit is Unit.CALL:
        more = counted_fr(needed, "création réussie", "créations réussies")
        return f"Encore {more} de suite pour atteindre {goal} ({stands})."
    more = counted_fr(
        needed, "ordonnance numérique enregistrée", "ordonnances numériques enregistrées"
    )
    return f"Encore {more} de suite pour atteindre {goal} ({stands})."

"""The way to a goal."""

from fractions import Fraction

import pytest

from eprescription_sdk.pilot.distance import still_needed, way_fr
from eprescription_sdk.pilot.questions import Unit
from eprescription_sdk.pilot.results import Figure


@pytest.mark.parametrize("threshold", [Fraction(1, 2), Fraction(7, 10)])
def test_it_is_the_least_number_that_reaches_the_goal(threshold: Fraction) -> None:
    for denominator in range(1, 40):
        for numerator in range(denominator + 1):
            needed = still_needed(Figure(numerator, denominator), threshold)
            assert Fraction(numerator + needed, denominator + needed) >= threshold
            if needed:
                assert Fraction(numerator + needed - 1, denominator + needed - 1) < threshold


def test_from_nothing_one_is_enough() -> None:
    assert still_needed(Figure(0, 0), Fraction(7, 10)) == 1


def test_the_sentences() -> None:
    half = Fraction(1, 2)
    assert way_fr(Figure(3, 10), half) == (
        "Encore 4 ordonnances numériques enregistrées de suite pour atteindre 50 % "
        "(3 sur 10, soit 30,0 %)."
    )
    assert way_fr(Figure(4, 9), half).startswith("Encore 1 ordonnance numérique enregistrée de")
    assert way_fr(Figure(5, 10), half) == "Objectif de 50 % atteint : 5 sur 10, soit 50,0 %."
    assert way_fr(Figure(0, 0), half).startswith("Aucune ordonnance comptée")
    several = way_fr(Figure(5, 9, Unit.CALL), Fraction(7, 10))
    assert several.startswith("Encore 5 créations réussies de suite pour atteindre 70 %")
    calls = way_fr(Figure(6, 9, Unit.CALL), Fraction(7, 10))
    assert calls.startswith("Encore 1 création réussie de suite pour atteindre 70 %")

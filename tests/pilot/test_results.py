"""Rates and overall verdicts."""

from fractions import Fraction

import pytest

from eprescription_sdk.pilot.questions import STRICT
from eprescription_sdk.pilot.results import Criterion, CriterionResult, Figure, Results, Verdict


@pytest.mark.parametrize(
    ("figure", "percent"),
    [
        (Figure(1, 2), "50,0 %"),
        (Figure(4999, 10000), "49,9 %"),
        (Figure(6999, 10000), "69,9 %"),
        (Figure(1, 1), "100,0 %"),
        (Figure(0, 0), "—"),
    ],
)
def test_a_percentage_is_never_rounded_up(figure: Figure, percent: str) -> None:
    assert figure.percent_fr == percent


def test_a_rate_is_exact() -> None:
    assert Figure(35, 50).fraction == Fraction(7, 10)
    assert Figure(0, 0).fraction is None


@pytest.mark.parametrize(
    ("verdicts", "overall"),
    [
        ("met met met attested attested", Verdict.MET),
        ("met met met attested not_assessable", Verdict.NOT_ASSESSABLE),
        ("met not_met met attested not_assessable", Verdict.NOT_MET),
    ],
)
def test_the_worst_criterion_decides(verdicts: str, overall: Verdict) -> None:
    criteria = tuple(
        CriterionResult(criterion=criterion, verdict=Verdict(verdict), reason_fr="")
        for criterion, verdict in zip(Criterion, verdicts.split(), strict=True)
    )
    results = Results(readings=STRICT, criteria=criteria)
    assert results.verdict is overall
    assert results[Criterion.C4] is criteria[3]

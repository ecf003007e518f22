"""Law 7: a stranger's script gets the same figures from the export (generated pilots)."""

from pathlib import Path
from typing import Any

import pytest

from eprescription_sdk.pilot.assessing import assess
from eprescription_sdk.pilot.criteria import evaluate
from eprescription_sdk.pilot.export import write_export
from eprescription_sdk.pilot.questions import LENIENT, STRICT, Question, Readings
from eprescription_sdk.pilot.results import Criterion, Figure, Results
from eprescription_sdk.pilot.rows import facts_of_store
from eprescription_sdk.pilot.verify import verify_export
from tests.pilot.generated import UNTIL, generate
from tests.pilot.pilots import KEY
from tests.pilot.stranger import recompute

PILOTS = 200
QUICK = 80
"""Of them, those recomputed on every run; the others by `make soak`."""

ALL = (
    STRICT,
    LENIENT,
    *(bundle.flipped(question) for bundle in (STRICT, LENIENT) for question in Question),
)


def ours(results: Results) -> dict[str, Any]:
    """Our results in the stranger's form."""
    c1, c2, c3, c4, c5 = (results[criterion] for criterion in Criterion)

    def pair(figure: Figure | None) -> tuple[int, int]:
        assert figure is not None
        return figure.numerator, figure.denominator

    return {
        "C1": (
            c1.verdict.value,
            {one.label: (pair(one.figure), one.verdict.value) for one in c1.practitioners},
        ),
        "C2": (
            c2.verdict.value,
            pair(c2.figure),
            {one.label: pair(one.figure) for one in c2.practitioners},
        ),
        "C3": c3.verdict.value,
        "C4": c4.verdict.value,
        "C5": c5.verdict.value,
    }


def _strict(readings: Readings) -> dict[str, bool]:
    return {question.value: readings.strict(question) for question in Question}


@pytest.mark.parametrize(
    "seed",
    [
        *range(QUICK),
        *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(QUICK, PILOTS)),
    ],
)
def test_a_stranger_gets_the_same_figures(seed: int, tmp_path: Path) -> None:
    pilot = generate(seed, tmp_path)
    write_export(pilot.store, tmp_path / "export", key=KEY, at=UNTIL)
    facts = pilot.store.read(lambda tx: facts_of_store(tx, KEY, UNTIL))
    for readings in ALL:
        theirs = recompute(tmp_path / "export", _strict(readings))
        assert ours(evaluate(facts, readings.ruled(facts.journal.readings))) == theirs
    assessment = assess(pilot.store, key=KEY, at=UNTIL)
    assert ours(assessment.strict) == recompute(tmp_path / "export", _strict(STRICT))
    assert ours(assessment.lenient) == recompute(tmp_path / "export", _strict(LENIENT))
    assert verify_export(tmp_path / "export", assessment=assessment.to_dict()).findings == ()
    pilot.store.close()


def test_the_generated_pilots_are_worth_it(tmp_path: Path) -> None:
    """Each question moves a figure somewhere; else the test above would pass for a wrong rule."""
    moved: set[Question] = set()
    verdicts: set[str] = set()
    for seed in range(40):
        folder = tmp_path / str(seed)
        pilot = generate(seed, folder)
        facts = pilot.store.read(lambda tx: facts_of_store(tx, KEY, UNTIL))
        for bundle in (STRICT, LENIENT):
            before = ours(evaluate(facts, bundle))
            verdicts |= {f"C{n}{before[f'C{n}'][0]}" for n in (1, 2)}
            moved |= {q for q in Question if ours(evaluate(facts, bundle.flipped(q))) != before}
        pilot.store.close()
    assert moved == set(Question)
    assert {"C1met", "C1not_met", "C2met", "C2not_met"} <= verdicts

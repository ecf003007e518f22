"""Law 7: a stranger's script gets the same figures from the export (generated pilots)."""

from pathlib import Path
from typing import Any

import pytest

from eprescription_sdk.pilot.assessing import assess
from eprescription_sdk.pilot.criteria import evaluate
from eprescription_sdk.pilot.export import write_export
from eprescription_sdk.pilot.questions import (
    LENIENT,
    STRICT,
    Answer,
    Opening,
    Question,
    Reading,
    Readings,
    Unit,
)
from eprescription_sdk.pilot.results import Criterion, Figure, Results
from eprescription_sdk.pilot.rows import facts_of_store
from eprescription_sdk.pilot.verify import verify_export
from tests.pilot.generated import UNTIL, generate
from tests.pilot.pilots import KEY
from tests.pilot.stranger import Answers, read, recompute

PILOTS = 200
LOOKED_AT = 120
"""The first of them, that are asked whether they exercise every rule."""

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


def _strict(readings: Readings) -> Answers:
    return {question.value: readings.strict(question) for question in Question}


@pytest.mark.parametrize("seed", range(PILOTS))
def test_a_stranger_gets_the_same_figures(seed: int, tmp_path: Path) -> None:
    pilot = generate(seed, tmp_path)
    write_export(pilot.store, tmp_path / "export", key=KEY, at=UNTIL)
    export = read(tmp_path / "export")
    facts = pilot.store.read(lambda tx: facts_of_store(tx, KEY, UNTIL))
    for readings in ALL:
        theirs = recompute(export, _strict(readings))
        assert ours(evaluate(facts, readings.ruled(facts.journal.readings))) == theirs
    assessment = assess(pilot.store, key=KEY, at=UNTIL)
    assert ours(assessment.strict) == recompute(export, _strict(STRICT))
    assert ours(assessment.lenient) == recompute(export, _strict(LENIENT))
    assert verify_export(tmp_path / "export", assessment=assessment.to_dict()).findings == ()
    pilot.store.close()


def test_the_generated_pilots_are_worth_it(tmp_path: Path) -> None:
    """Every question moves a figure from both bundles, and every answer of a ruling does.

    Else the test above would pass for a wrong rule.
    """
    moved: set[tuple[Reading, Question]] = set()
    verdicts: set[str] = set()
    ruled: set[Question] = set()
    answers: set[Answer] = set()
    for seed in range(LOOKED_AT):
        pilot = generate(seed, tmp_path / str(seed))
        facts = pilot.store.read(lambda tx: facts_of_store(tx, KEY, UNTIL))
        pilot.store.close()
        ruled |= set(facts.journal.readings)
        for bundle, readings in ((Reading.STRICT, STRICT), (Reading.LENIENT, LENIENT)):
            before = ours(evaluate(facts, readings))
            verdicts |= {f"C{n} {before[f'C{n}'][0]}" for n in (1, 2)}
            verdicts |= {f"C{n} {before[f'C{n}']}" for n in (3, 4, 5)}

            moved |= {(bundle, each) for each in Question
                      if ours(evaluate(facts, readings.flipped(each))) != before}  # fmt: skip
            for question, answer in facts.journal.readings.items():
                if ours(evaluate(facts, readings.ruled({question: answer}))) != before:
                    answers.add(answer)
    assert moved == {(bundle, question) for bundle in Reading for question in Question}
    assert ruled == set(Question)
    assert answers == {*Reading, Unit.DOCUMENT, Unit.ACT, Opening.PILOT}
    met = {f"C{n} {verdict}" for n in (1, 2, 3) for verdict in ("met", "not_met", "not_assessable")}
    attested = {"C4 attested", "C4 not_assessable", "C5 attested", "C5 not_met"}
    assert verdicts == met | attested | {"C5 not_assessable"}

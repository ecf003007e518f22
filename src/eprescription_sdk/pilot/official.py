"""The official figures, once received: read, and held against ours.

The Assurance Maladie counts from the same traces and answers the open questions in its own way.
Where it comes to another figure, each question is answered the other way, one at a time, from both
bundles: one that then gives the official figure would explain the gap.

Source: Cnam, présérie (March 2025), p. 6: the bilan is shared.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import attrs

from eprescription_sdk.pilot.criteria import evaluate
from eprescription_sdk.pilot.facts import Facts
from eprescription_sdk.pilot.journal import OfficialFigure
from eprescription_sdk.pilot.questions import LENIENT, STRICT, Answer, Question, Reading
from eprescription_sdk.pilot.results import Criterion, Figure, Results
from eprescription_sdk.pilot.sheets import read_sheet, refused

COLUMNS = ("critere", "praticien", "chiffre")
_COUNTS = re.compile(r"(\d{1,9})\s*/\s*(\d{1,9})")
_PERCENT = re.compile(r"(\d{1,3})(?:[.,](\d{1,6}))?\s*%")


@attrs.frozen(kw_only=True)
class Explanation:
    """A question that, answered the other way, gives the official figure.

    Args:
        bundle: that it is flipped in.
        question: which.
        reading: the other answer, that gives it.
    """

    bundle: Reading
    question: Question
    reading: Answer


@attrs.frozen(kw_only=True)
class Comparison:
    """One official figure beside ours.

    Args:
        official: as received.
        strict: ours, every open question against the company; None where we have none.
        lenient: ours, every open question for the company.
        agrees: the bundles that give the official figure.
        explanations: where none does, the single questions that would explain the gap.
    """

    official: OfficialFigure
    strict: Figure | None
    lenient: Figure | None
    agrees: tuple[Reading, ...]
    explanations: tuple[Explanation, ...]


def read_official(path: Path) -> list[dict[str, str | None]]:
    """The figures of a sheet: criterion, practitioner, figure.

    Args:
        path: CSV or JSON; criterion C1 (with "PS 1"…) or C2 (alone, or with "PS 1"…); the figure
            as counts, ``25/52``, or as a percentage, ``48,0 %``.

    Raises:
        InvalidInput: another criterion, a figure that is none (each with its place).
    """
    figures: list[dict[str, str | None]] = []
    faults = []
    for row in read_sheet(path, columns=("critere", "chiffre"), optional=("praticien",)):
        criterion, who = row.values["critere"].upper(), row.values["praticien"].upper() or None
        if criterion not in {"C1", "C2"}:
            faults.append((row.path("critere"), "Only C1 and C2 are figures."))
        if who is None and criterion == "C1":
            faults.append((row.path("praticien"), "C1 has a figure for each practitioner."))
        if who is not None and not re.fullmatch(r"PS \d{1,4}", who):
            faults.append((row.path("praticien"), 'Name them as the report does: "PS 1".'))
        if _parsed(row.values["chiffre"]) is None:
            faults.append((row.path("chiffre"), "A figure such as 25/52 or 48,0 % was expected."))
        place = criterion, who
        if any((each["criterion"], each["practitioner"]) == place for each in figures):
            faults.append((row.path("critere"), "This figure stands there twice."))
        figures.append(
            {"criterion": criterion, "practitioner": who, "figure": row.values["chiffre"]}
        )
    if faults:
        raise refused(path, faults)
    return figures


def compare(facts: Facts) -> Iterator[Comparison]:
    """Every official figure beside ours; the first of each criterion all together."""
    if not facts.journal.official:
        return
    bundles = {
        Reading.STRICT: evaluate(facts, STRICT.ruled(facts.journal.readings)),
        Reading.LENIENT: evaluate(facts, LENIENT.ruled(facts.journal.readings)),
    }
    flipped = {
        (bundle, question): evaluate(facts, results.readings.flipped(question))
        for bundle, results in bundles.items()
        for question in Question
    }
    for official in facts.journal.official:
        ours = {bundle: _ours(results, official) for bundle, results in bundles.items()}
        agrees = tuple(bundle for bundle in Reading if _agrees(official.figure, ours[bundle]))
        yield Comparison(
            official=official,
            strict=ours[Reading.STRICT],
            lenient=ours[Reading.LENIENT],
            agrees=agrees,
            explanations=()
            if agrees
            else tuple(
                Explanation(bundle=bundle, question=question, reading=results.readings[question])
                for (bundle, question), results in flipped.items()
                if _agrees(official.figure, _ours(results, official))
            ),
        )


def _ours(results: Results, official: OfficialFigure) -> Figure | None:
    result = results[Criterion(official.criterion)]
    if official.practitioner is None:
        return result.figure
    for each in result.practitioners:
        if each.label == official.practitioner:
            return each.figure
    return None


def _parsed(text: str) -> tuple[int, int] | tuple[Fraction, int] | None:
    """Counts, or a rate in per cent and its decimals."""
    if found := _COUNTS.fullmatch(text.strip()):
        numerator, denominator = int(found[1]), int(found[2])
        return (numerator, denominator) if numerator <= denominator else None
    if found := _PERCENT.fullmatch(text.strip()):
        decimals = found[2] or ""
        rate = Fraction(int(found[1] + decimals), 10 ** len(decimals))
        return (rate, len(decimals)) if rate <= 100 else None
    return None


def _agrees(text: str, figure: Figure | None) -> bool:
    """Whether a figure of ours is the official one: the same counts, or the same percentage.

    A percentage agrees when ours, rounded or cut to as many decimals, is that one: the text does
    not say which is done.
    """
    parsed = _parsed(text)
    if parsed is None or figure is None:
        return False
    given, second = parsed
    if not isinstance(given, Fraction):
        return (figure.numerator, figure.denominator) == (given, second)
    if figure.fraction is None:
        return False
    scaled = figure.fraction * 100 * 10**second
    wanted = given * 10**second
    return wanted in (scaled.__floor__(), (scaled + Fraction(1, 2)).__floor__())

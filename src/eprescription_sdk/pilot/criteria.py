"""How the rates are counted: pure functions from facts and readings to results.

- C1, for each practitioner: digital ÷ (digital + paper + declared and never traced). It is MET
  when every user practitioner reaches one half. A withdrawn practitioner keeps their figures and
  decides nothing: nobody can mend them any more.
- C2: registered ÷ created, over all practitioners, withdrawn ones included: it is about the
  software, not about who uses it. What was uncertain when they left stays so (Q7): the gate takes
  no trace of them any more, a revision included. An act counts here by its digital documents alone.
- C3 is in ``nominal_use``, C4 and C5 in ``attested``.

Q6 left aside, C2 has no window: every digital prescription is after its practitioner's go-live.
Under Q8 per call, Q7 and Q10 leave out the calls that did not register and whose document is
still uncertain, or was refused and corrected since.

Source: Cnam, présérie (March 2025), p. 6.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from eprescription_sdk.pilot.attested import c4, c5
from eprescription_sdk.pilot.facts import DIGITAL, Facts, Kind, Practitioner
from eprescription_sdk.pilot.nominal_use import c3
from eprescription_sdk.pilot.questions import Opening, Question, Readings, Unit
from eprescription_sdk.pilot.results import (
    Criterion,
    CriterionResult,
    Figure,
    PractitionerResult,
    Results,
    Verdict,
    worst,
)
from eprescription_sdk.pilot.wording import counted_fr

RULE_VERSION = "2025-03/1"
"""The text that is applied, by its date, and the edition of our way of counting it."""

C1_THRESHOLD = Fraction(1, 2)
C2_THRESHOLD = Fraction(7, 10)


def evaluate(facts: Facts, readings: Readings) -> Results:
    """The five criteria under one answer to every question.

    Args:
        facts: of the pilot at a cut-off.
        readings: the answers; a ruling is the caller's to apply.
    """
    return Results(
        readings=readings,
        criteria=(
            _c1(facts, readings),
            _c2(facts, readings),
            c3(facts),
            c4(facts),
            c5(facts, readings),
        ),
    )


# --- C1 ---------------------------------------------------------------------------------------


def _c1(facts: Facts, readings: Readings) -> CriterionResult:
    each = tuple(_c1_of(one, facts, readings) for one in facts.practitioners)
    deciding = [one.verdict for one in each if one.decides]
    met = deciding.count(Verdict.MET)
    if not deciding:
        reason = "aucun PS utilisateur à la date d'arrêté"
    else:
        users = counted_fr(met, "PS utilisateur", "PS utilisateurs")
        reason = f"{users} sur {len(deciding)} à 50 % ou plus"
    return CriterionResult(
        criterion=Criterion.C1,
        verdict=worst(deciding),
        reason_fr=reason,
        threshold=C1_THRESHOLD,
        practitioners=each,
    )


def _c1_of(one: Practitioner, facts: Facts, readings: Readings) -> PractitionerResult:
    opening = _opening(one, facts, readings)
    user = one.is_user(readings)
    decides = user and one.withdrawn_on is None
    figure, digital, paper, missing = Figure(0, 0), 0, 0, 0
    if opening is not None:
        left_out = 0
        if not readings.strict(Question.Q1):
            left_out |= Kind.PAPER_OUTSIDE
        if not readings.strict(Question.Q7):
            left_out |= Kind.UNCERTAIN
        counted = Kind.REGISTERED if readings.strict(Question.Q2) else DIGITAL
        tally = one.since(opening)
        missing = tally.missing if readings.strict(Question.Q9) else 0
        digital, documents = _rate(tally.documents, ~left_out, counted)
        paper = documents - digital
        acts = _rate(tally.acts, ~left_out, counted)
        figure = _unit(
            Figure(digital, documents + missing),
            # What was never traced has no act: each such document stands for one.
            Figure(acts[0], acts[1] + missing, Unit.ACT),
            readings,
        )
    return PractitionerResult(
        label=one.label,
        verdict=_c1_verdict(figure, readings) if user else Verdict.NOT_ASSESSABLE,
        decides=decides,
        figure=figure,
        opens_on=opening,
        digital=digital,
        paper=paper,
        missing=missing,
    )


def _c1_verdict(figure: Figure, readings: Readings) -> Verdict:
    # An equipped practitioner with nothing to show has not reached one half (Q4 strict).
    if figure.fraction is None and readings.strict(Question.Q4):
        return Verdict.NOT_MET
    return _reached(figure, C1_THRESHOLD)


def _opening(one: Practitioner, facts: Facts, readings: Readings) -> date | None:
    """The first day of a practitioner's window (Q5, Q6); None while it is not open."""
    opening = one.go_live
    if not readings.strict(Question.Q5):
        of_the_pilot = readings[Question.Q5] is Opening.PILOT
        first = facts.first_digital if of_the_pilot else one.first_digital
        if first is None:
            return None
        opening = max(opening, first)
    return max(opening, _cut(facts, readings))


def _cut(facts: Facts, readings: Readings) -> date:
    """The day that figures count from, for all practitioners (Q6)."""
    if readings.strict(Question.Q6) or not facts.journal.corrections:
        return date.min
    return facts.journal.corrections[-1]


# --- C2 ---------------------------------------------------------------------------------------


def _c2(facts: Facts, readings: Readings) -> CriterionResult:
    cut = _cut(facts, readings)
    left_out = 0
    if not readings.strict(Question.Q7):
        left_out |= Kind.UNCERTAIN
    if not readings.strict(Question.Q10):
        left_out |= Kind.CORRECTED
    kept = DIGITAL & ~left_out
    each = []
    totals: Counter[Unit] = Counter()
    registered: Counter[Unit] = Counter()
    for one in facts.practitioners:
        tally = one.since(cut)
        figures = {
            unit: Figure(*_rate(cells, kept, Kind.REGISTERED), unit)
            for unit, cells in (
                (Unit.DOCUMENT, tally.documents),
                (Unit.ACT, tally.acts),
                (Unit.CALL, tally.creates),
            )
        }
        for unit, figure in figures.items():
            registered[unit] += figure.numerator
            totals[unit] += figure.denominator
        figure = _c2_unit(figures, readings)
        each.append(
            PractitionerResult(
                label=one.label,
                verdict=_reached(figure, C2_THRESHOLD),
                decides=True,
                figure=figure,
            )
        )
    overall = _c2_unit(
        {unit: Figure(registered[unit], totals[unit], unit) for unit in Unit}, readings
    )
    done = counted_fr(overall.numerator, "enregistrement", "enregistrements")
    made = counted_fr(overall.denominator, overall.unit.label_fr, overall.unit.plural_fr)
    what = f"{made} « créer »" if overall.unit is Unit.CALL else made
    return CriterionResult(
        criterion=Criterion.C2,
        verdict=_reached(overall, C2_THRESHOLD),
        reason_fr=f"{done} pour {what}"
        if overall.denominator
        else "aucune ordonnance numérique créée",
        figure=overall,
        threshold=C2_THRESHOLD,
        practitioners=tuple(each),
    )


def _c2_unit(figures: Mapping[Unit, Figure], readings: Readings) -> Figure:
    if readings.strict(Question.Q8):
        return figures[Unit.CALL]
    return _unit(figures[Unit.DOCUMENT], figures[Unit.ACT], readings)


# --- Shared -----------------------------------------------------------------------------------


def _rate(cells: Mapping[int, int], kept: int, counted: int) -> tuple[int, int]:
    """Of documents, acts or calls by their kinds: how many count wholly, of how many.

    Args:
        cells: how many of each set of kinds.
        kept: the kinds that are not left out.
        counted: the kinds that the numerator takes.
    """
    kept, counted = int(kept), int(counted)
    numerator = denominator = 0
    for kinds, count in cells.items():
        left = kinds & kept
        if left:
            denominator += count
            if not left & ~counted:
                numerator += count
    return numerator, denominator


def _unit(documents: Figure, acts: Figure, readings: Readings) -> Figure:
    """The less or more favourable of the two (Q3), or the one that is ruled on.

    Documents when they are equal.
    """
    if readings.unit is not None:
        return acts if readings.unit is Unit.ACT else documents
    one, other = documents.fraction, acts.fraction
    if one is None or other is None or one == other:
        return documents
    strict = readings.strict(Question.Q3)
    return documents if (one < other) is strict else acts


def _reached(figure: Figure, threshold: Fraction) -> Verdict:
    rate = figure.fraction
    if rate is None:
        return Verdict.NOT_ASSESSABLE
    return Verdict.MET if rate >= threshold else Verdict.NOT_MET

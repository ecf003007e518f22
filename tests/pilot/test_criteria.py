"""How C1 to C5 count, question by question (the table and the rules of counting)."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.family import Family
from eprescription_sdk.model.trace import CallOutcome, FaultOrigin, Initiator
from eprescription_sdk.pilot.criteria import evaluate
from eprescription_sdk.pilot.questions import LENIENT, STRICT, Opening, Question, Readings, Unit
from eprescription_sdk.pilot.results import (
    Criterion,
    Figure,
    PractitionerResult,
    Results,
    Verdict,
)
from eprescription_sdk.pilot.rows import facts_of_store
from tests.pilot.pilots import KEY, REFUSED, REGISTERED, UNCERTAIN, PilotStore, at


@pytest.fixture
def pilot(tmp_path: Path) -> Iterator[PilotStore]:
    made = PilotStore(tmp_path)
    yield made
    made.store.close()


def judge(pilot: PilotStore, readings: Readings = STRICT) -> Results:
    pilot.flush()
    return evaluate(pilot.store.read(lambda tx: facts_of_store(tx, KEY, at(120))), readings)


def c1(pilot: PilotStore, readings: Readings = STRICT, ps: int = 1) -> PractitionerResult:
    return judge(pilot, readings)[Criterion.C1].practitioners[ps - 1]


def rate(pilot: PilotStore, readings: Readings, criterion: Criterion) -> tuple[int, int]:
    result = judge(pilot, readings)[criterion]
    figure = result.practitioners[0].figure
    assert figure is not None
    return figure.numerator, figure.denominator


def flip(question: Question, readings: Readings = STRICT) -> Readings:
    return readings.flipped(question)


PER_PRESCRIPTION = flip(Question.Q8)


class TestC1:
    def test_exactly_half_is_met(self, pilot: PilotStore) -> None:
        pilot.digital(at(3))
        pilot.paper(at(3))
        assert c1(pilot).verdict is Verdict.MET
        pilot.paper(at(4))
        assert c1(pilot).verdict is Verdict.NOT_MET

    def test_every_user_must_reach_it(self, pilot: PilotStore) -> None:
        pilot.enrol(2)
        pilot.digital(at(3), ps=1)
        pilot.digital(at(3), ps=1)
        pilot.digital(at(3), ps=2)
        assert judge(pilot)[Criterion.C1].verdict is Verdict.MET
        pilot.paper(at(3), ps=2)
        pilot.paper(at(3), ps=2)
        result = judge(pilot)[Criterion.C1]
        assert result.verdict is Verdict.NOT_MET
        assert [one.verdict for one in result.practitioners] == [Verdict.MET, Verdict.NOT_MET]

    def test_nothing_at_all_depends_on_who_is_a_user(self, pilot: PilotStore) -> None:
        assert c1(pilot).figure == Figure(0, 0)
        assert judge(pilot)[Criterion.C1].verdict is Verdict.NOT_MET
        assert judge(pilot, flip(Question.Q4))[Criterion.C1].verdict is Verdict.NOT_ASSESSABLE
        assert not c1(pilot, flip(Question.Q4)).decides

    def test_a_user_whose_window_is_empty_is_not_assessable_when_only_users_count(
        self, pilot: PilotStore
    ) -> None:
        pilot.digital(at(3), UNCERTAIN)
        readings = flip(Question.Q4, flip(Question.Q7))
        assert c1(pilot, readings).verdict is Verdict.NOT_ASSESSABLE
        assert c1(pilot, readings).decides

    def test_q1_paper_outside_the_perimeter(self, pilot: PilotStore) -> None:
        pilot.digital(at(3))
        pilot.paper(at(3), [Family.IMAGING, Family.TRANSPORT])
        assert rate(pilot, STRICT, Criterion.C1) == (1, 3)
        assert rate(pilot, flip(Question.Q1), Criterion.C1) == (1, 1)

    def test_q2_sent_and_not_registered(self, pilot: PilotStore) -> None:
        pilot.digital(at(3), REFUSED)
        pilot.digital(at(3), REGISTERED)
        assert rate(pilot, STRICT, Criterion.C1) == (1, 2)
        assert rate(pilot, flip(Question.Q2), Criterion.C1) == (2, 2)

    def test_q3_takes_the_worse_or_the_better_unit(self, pilot: PilotStore) -> None:
        for _ in range(3):
            pilot.digital(at(3), act="one")
        pilot.paper(at(3), act="one")
        pilot.digital(at(4))
        strict, lenient = c1(pilot), c1(pilot, flip(Question.Q3))
        assert strict.figure == Figure(1, 2, Unit.ACT)
        assert lenient.figure == Figure(4, 5, Unit.DOCUMENT)

    def test_q3_the_act_may_be_the_better_one(self, pilot: PilotStore) -> None:
        pilot.digital(at(3))
        pilot.paper(at(3), [Family.MEDICATION, Family.BIOLOGY, Family.NURSING])
        assert c1(pilot).figure == Figure(1, 4, Unit.DOCUMENT)
        assert c1(pilot, flip(Question.Q3)).figure == Figure(1, 2, Unit.ACT)

    @pytest.mark.parametrize("unit", [Unit.DOCUMENT, Unit.ACT])
    def test_q3_ruled_on_is_that_unit_in_both_bundles(self, pilot: PilotStore, unit: Unit) -> None:
        for _ in range(3):
            pilot.digital(at(3), act="one")
        pilot.paper(at(3), act="one")
        pilot.digital(at(4))
        pilot.event("ruling", at(5), {"question": "Q3", "reading": unit.value}, "CNAM-3")
        assessment = pilot.assess()
        wanted = {Unit.DOCUMENT: Figure(4, 5, unit), Unit.ACT: Figure(1, 2, unit)}[unit]
        for bundle in (assessment.strict, assessment.lenient):
            assert bundle[Criterion.C1].practitioners[0].figure == wanted
        assert {flip.question for flip in assessment.flips}.isdisjoint({Question.Q3})
        found = assessment.rulings[Question.Q3]
        assert (found.reading, found.reference) == (unit, "CNAM-3")
        assert found.label_fr == f"unité : {unit.label_fr}"
        document = assessment.to_dict()
        assert document["rulings"]["Q3"]["reading"] == unit.value
        assert document["strict"]["readings"]["Q3"] == unit.value
        assert document["lenient"]["readings"]["Q3"] == unit.value

    def test_q5_the_window_opens_at_go_live_or_at_the_first_digital_one(
        self, pilot: PilotStore
    ) -> None:
        pilot.paper(at(3))
        pilot.paper(at(5, 7))
        pilot.digital(at(5, 9))
        assert c1(pilot).opens_on == date(2026, 3, 2)
        assert rate(pilot, STRICT, Criterion.C1) == (1, 3)
        # The opening day is included, what came before the first digital one too.
        assert c1(pilot, flip(Question.Q5)).opens_on == date(2026, 3, 5)
        assert rate(pilot, flip(Question.Q5), Criterion.C1) == (1, 2)

    def test_q5_ruled_on_the_first_of_the_pilot_may_be_somebody_elses(
        self, pilot: PilotStore
    ) -> None:
        pilot.enrol(2)
        pilot.paper(at(3), ps=1)
        pilot.digital(at(4), ps=2)
        pilot.paper(at(4), ps=1)
        pilot.digital(at(6), ps=1)
        ruled = LENIENT.ruled({Question.Q5: Opening.PILOT})
        assert c1(pilot, ruled).opens_on == date(2026, 3, 4)
        assert rate(pilot, ruled, Criterion.C1) == (1, 2)
        assert rate(pilot, LENIENT, Criterion.C1) == (1, 1)
        assert rate(pilot, STRICT, Criterion.C1) == (1, 3)
        pilot.enrol(3, go_live=date(2026, 3, 9))
        assert c1(pilot, ruled, ps=3).opens_on == date(2026, 3, 9)

    def test_q5_a_window_that_never_opens(self, pilot: PilotStore) -> None:
        pilot.paper(at(3))
        result = c1(pilot, flip(Question.Q5))
        assert result.opens_on is None
        assert result.figure == Figure(0, 0)
        assert result.verdict is Verdict.NOT_MET

    def test_q6_only_what_follows_the_last_correction(self, pilot: PilotStore) -> None:
        pilot.digital(at(3), REFUSED)
        pilot.digital(at(10))
        pilot.digital(at(11))
        pilot.event("correction", at(5), {"version": "1.1"})
        pilot.event("correction", at(10), {"version": "1.2"})
        assert rate(pilot, STRICT, Criterion.C1) == (2, 3)
        assert rate(pilot, flip(Question.Q6), Criterion.C1) == (2, 2)
        assert rate(pilot, flip(Question.Q6), Criterion.C2) == (2, 2)

    def test_q7_still_uncertain(self, pilot: PilotStore) -> None:
        pilot.digital(at(3), UNCERTAIN)
        pilot.digital(at(3))
        assert rate(pilot, STRICT, Criterion.C1) == (1, 2)
        assert rate(pilot, flip(Question.Q7), Criterion.C1) == (1, 1)

    def test_q9_declared_and_never_traced(self, pilot: PilotStore) -> None:
        pilot.digital(at(3))
        pilot.digital(at(4))
        pilot.volume(date(2026, 3, 3), 4, when=at(3, 20))
        pilot.volume(date(2026, 3, 4), 0, when=at(4, 20))  # traced more than was declared
        pilot.volume(date(2026, 3, 1), 9, when=at(4, 20))  # before the go-live
        assert rate(pilot, STRICT, Criterion.C1) == (2, 5)
        assert c1(pilot).missing == 3
        assert rate(pilot, flip(Question.Q9), Criterion.C1) == (2, 2)

    def test_the_newest_declaration_stands(self, pilot: PilotStore) -> None:
        pilot.digital(at(3))
        pilot.volume(date(2026, 3, 3), 9, when=at(3, 20))
        pilot.volume(date(2026, 3, 3), 2, when=at(4, 20))
        assert rate(pilot, STRICT, Criterion.C1) == (1, 2)

    def test_paper_after_a_failed_digital_one_is_the_same_document(self, pilot: PilotStore) -> None:
        failed = pilot.digital(at(3), REFUSED)
        pilot.paper(at(3), after=failed)
        assert rate(pilot, STRICT, Criterion.C1) == (0, 1)
        assert rate(pilot, flip(Question.Q2), Criterion.C1) == (1, 1)

    def test_an_uncertain_one_is_left_out_with_its_paper(self, pilot: PilotStore) -> None:
        doubtful = pilot.digital(at(3), UNCERTAIN)
        pilot.paper(at(3), after=doubtful)
        pilot.digital(at(3))
        assert rate(pilot, STRICT, Criterion.C1) == (1, 2)
        assert rate(pilot, flip(Question.Q7), Criterion.C1) == (1, 1)

    def test_paper_after_one_that_was_registered_in_the_end(self, pilot: PilotStore) -> None:
        late = pilot.digital(at(3), UNCERTAIN)
        pilot.paper(at(3), after=late)
        pilot.digital(at(4), subject=late, revision=2, issued_at=at(3), call=False)
        assert rate(pilot, STRICT, Criterion.C1) == (1, 1)

    def test_what_else_the_paper_holds_stays(self, pilot: PilotStore) -> None:
        failed = pilot.digital(at(3), REFUSED)
        pilot.paper(at(3), [Family.MEDICATION, Family.IMAGING], after=failed)
        by_document = flip(Question.Q3)
        assert rate(pilot, by_document, Criterion.C1) == (0, 2)
        assert rate(pilot, flip(Question.Q1, by_document), Criterion.C1) == (0, 1)
        assert c1(pilot, flip(Question.Q2)).figure == Figure(0, 1, Unit.ACT)

    def test_paper_after_a_number_nobody_traced_is_paper(self, pilot: PilotStore) -> None:
        pilot.paper(at(3), after="never-traced")
        assert rate(pilot, STRICT, Criterion.C1) == (0, 1)

    def test_a_withdrawn_practitioner_is_listed_and_decides_nothing(
        self, pilot: PilotStore
    ) -> None:
        pilot.enrol(2)
        pilot.digital(at(3), ps=1)
        pilot.paper(at(3), ps=2)
        pilot.flush()
        assert judge(pilot)[Criterion.C1].verdict is Verdict.NOT_MET
        pilot.enrol(2, withdrawn_on=date(2026, 3, 9), withdrawn_reason="départ")
        result = judge(pilot)[Criterion.C1]
        assert result.verdict is Verdict.MET
        assert result.practitioners[1].figure == Figure(0, 1)
        assert not result.practitioners[1].decides

    def test_all_that_is_told_of_a_practitioner(self, pilot: PilotStore) -> None:
        pilot.digital(at(3))
        pilot.digital(at(3), REFUSED)
        pilot.paper(at(4), [Family.MEDICATION, Family.IMAGING, Family.BIOLOGY])
        pilot.volume(date(2026, 3, 5), 2, when=at(5, 20))
        assert c1(pilot) == PractitionerResult(
            label="PS 1",
            verdict=Verdict.NOT_MET,
            decides=True,
            figure=Figure(1, 7),
            opens_on=date(2026, 3, 2),
            digital=1,
            paper=4,
            missing=2,
        )

    def test_who_used_nothing_has_no_figures(self, pilot: PilotStore) -> None:
        pilot.paper(at(3))
        assert c1(pilot, flip(Question.Q4, flip(Question.Q5))) == PractitionerResult(
            label="PS 1",
            verdict=Verdict.NOT_ASSESSABLE,
            decides=False,
            figure=Figure(0, 0),
            opens_on=None,
            digital=0,
            paper=0,
            missing=0,
        )
        # On paper alone they are no user, whatever the figure says.
        shown = c1(pilot, flip(Question.Q4))
        assert (shown.figure, shown.verdict) == (Figure(0, 1), Verdict.NOT_ASSESSABLE)

    def test_q1_and_q7_leave_out_together(self, pilot: PilotStore) -> None:
        pilot.digital(at(3))
        pilot.digital(at(3), UNCERTAIN)
        pilot.paper(at(3), [Family.IMAGING])
        assert rate(pilot, STRICT, Criterion.C1) == (1, 3)
        assert rate(pilot, flip(Question.Q1, flip(Question.Q7)), Criterion.C1) == (1, 1)

    def test_q6_the_last_of_three_corrections(self, pilot: PilotStore) -> None:
        for day in (3, 6, 9, 12):
            pilot.digital(at(day), REFUSED)
        for day in (4, 7, 10):
            pilot.event("correction", at(day), {"version": f"1.{day}"})
        assert rate(pilot, flip(Question.Q6), Criterion.C1) == (0, 1)
        assert c1(pilot, flip(Question.Q6)).opens_on == date(2026, 3, 10)

    def test_the_reasons(self, pilot: PilotStore) -> None:
        def reason(readings: Readings = STRICT) -> str:
            return judge(pilot, readings)[Criterion.C1].reason_fr

        assert reason(flip(Question.Q4)) == "aucun PS utilisateur à la date d'arrêté"
        pilot.enrol(2)
        assert reason() == "0 PS utilisateur sur 2 à 50 % ou plus"
        pilot.digital(at(3), ps=1)
        assert reason() == "1 PS utilisateur sur 2 à 50 % ou plus"
        pilot.digital(at(3), ps=2)
        assert reason() == "2 PS utilisateurs sur 2 à 50 % ou plus"
        assert judge(pilot)[Criterion.C1].threshold == Fraction(1, 2)

    def test_families_are_counted_by_document_type(self, pilot: PilotStore) -> None:
        pilot.digital(at(3))
        pilot.paper(at(3), [Family.MEDICATION, Family.DEVICE, Family.IMAGING, Family.TRANSPORT])
        assert rate(pilot, STRICT, Criterion.C1) == (1, 4)


class TestC2:
    def test_exactly_seventy_percent_is_met(self, pilot: PilotStore) -> None:
        for _ in range(7):
            pilot.digital(at(3))
        for _ in range(3):
            pilot.digital(at(3), REFUSED)
        assert judge(pilot)[Criterion.C2].verdict is Verdict.MET
        pilot.digital(at(3), REFUSED)
        assert judge(pilot)[Criterion.C2].verdict is Verdict.NOT_MET

    def test_the_reasons(self, pilot: PilotStore) -> None:
        def reason(readings: Readings = STRICT) -> str:
            return judge(pilot, readings)[Criterion.C2].reason_fr

        assert reason() == "aucune ordonnance numérique créée"
        pilot.digital(at(3), act="a")
        assert reason() == "1 enregistrement pour 1 appel « créer »"
        pilot.digital(at(3), act="b")
        pilot.digital(at(3), REFUSED, act="b")
        assert reason() == "2 enregistrements pour 3 appels « créer »"
        assert reason(PER_PRESCRIPTION) == "1 enregistrement pour 2 actes de prescription"
        documents = flip(Question.Q3, PER_PRESCRIPTION)
        assert reason(documents) == "2 enregistrements pour 3 documents"
        result = judge(pilot)[Criterion.C2]
        assert result.threshold == Fraction(7, 10)
        assert [one.decides for one in result.practitioners] == [True]

    def test_q7_and_q10_leave_out_together(self, pilot: PilotStore) -> None:
        refused = pilot.digital(at(3), REFUSED)
        pilot.digital(at(3), corrects=refused)
        pilot.digital(at(3), UNCERTAIN)
        assert rate(pilot, STRICT, Criterion.C2) == (1, 3)
        assert rate(pilot, flip(Question.Q7, flip(Question.Q10)), Criterion.C2) == (1, 1)

    def test_nothing_created_is_not_assessable(self, pilot: PilotStore) -> None:
        pilot.paper(at(3))
        for readings in (STRICT, LENIENT):
            assert judge(pilot, readings)[Criterion.C2].verdict is Verdict.NOT_ASSESSABLE

    def test_q8_a_call_that_failed_first(self, pilot: PilotStore) -> None:
        subject = pilot.digital(at(3), UNCERTAIN)
        pilot.digital(at(3), subject=subject, revision=2)
        assert rate(pilot, STRICT, Criterion.C2) == (1, 2)
        assert rate(pilot, PER_PRESCRIPTION, Criterion.C2) == (1, 1)

    def test_attempts_within_a_call_do_not_count_twice(self, pilot: PilotStore) -> None:
        pilot.digital(at(3), call=False, subject="s")
        pilot.call(at(3), CallOutcome.REGISTERED, subject="s", message_id="the third attempt's")
        assert rate(pilot, STRICT, Criterion.C2) == (1, 1)

    def test_q3_does_not_apply_to_calls(self, pilot: PilotStore) -> None:
        pilot.digital(at(3), act="a")
        pilot.digital(at(3), REFUSED, act="a")
        calls = judge(pilot)[Criterion.C2].figure
        assert calls == Figure(1, 2, Unit.CALL)
        assert judge(pilot, flip(Question.Q3))[Criterion.C2].figure == calls
        assert judge(pilot, PER_PRESCRIPTION)[Criterion.C2].figure == Figure(0, 1, Unit.ACT)
        better = flip(Question.Q3, PER_PRESCRIPTION)
        assert judge(pilot, better)[Criterion.C2].figure == Figure(1, 2, Unit.DOCUMENT)

    def test_an_act_is_judged_by_its_digital_documents(self, pilot: PilotStore) -> None:
        pilot.digital(at(3), act="a")
        pilot.paper(at(3), [Family.IMAGING], act="a")
        assert rate(pilot, PER_PRESCRIPTION, Criterion.C2) == (1, 1)

    def test_q7_leaves_out_the_uncertain_one_and_its_call(self, pilot: PilotStore) -> None:
        pilot.digital(at(3))
        pilot.digital(at(3), UNCERTAIN)
        settled = pilot.digital(at(3), UNCERTAIN)
        pilot.digital(at(4), subject=settled, revision=2, issued_at=at(3), call=False)
        assert rate(pilot, STRICT, Criterion.C2) == (1, 3)
        assert rate(pilot, flip(Question.Q7), Criterion.C2) == (1, 2)
        assert rate(pilot, PER_PRESCRIPTION, Criterion.C2) == (2, 3)
        assert rate(pilot, flip(Question.Q7, PER_PRESCRIPTION), Criterion.C2) == (2, 2)

    def test_q10_refused_corrected_and_created_again(self, pilot: PilotStore) -> None:
        refused = pilot.digital(at(3), REFUSED)
        pilot.digital(at(3), corrects=refused)
        assert rate(pilot, STRICT, Criterion.C2) == (1, 2)
        assert rate(pilot, flip(Question.Q10), Criterion.C2) == (1, 1)
        assert rate(pilot, PER_PRESCRIPTION, Criterion.C2) == (1, 2)
        assert rate(pilot, flip(Question.Q10, PER_PRESCRIPTION), Criterion.C2) == (1, 1)

    def test_q10_a_chain_of_corrections_is_one(self, pilot: PilotStore) -> None:
        first = pilot.digital(at(3), REFUSED)
        second = pilot.digital(at(3), REFUSED, corrects=first)
        pilot.digital(at(3), corrects=second)
        assert rate(pilot, PER_PRESCRIPTION, Criterion.C2) == (1, 3)
        assert rate(pilot, flip(Question.Q10, PER_PRESCRIPTION), Criterion.C2) == (1, 1)

    def test_it_is_over_all_practitioners_withdrawn_ones_too(self, pilot: PilotStore) -> None:
        pilot.enrol(2)
        pilot.digital(at(3), ps=1)
        pilot.digital(at(3), REFUSED, ps=2)
        pilot.flush()
        pilot.enrol(2, withdrawn_on=date(2026, 3, 9), withdrawn_reason="départ")
        result = judge(pilot)[Criterion.C2]
        assert result.figure == Figure(1, 2, Unit.CALL)
        assert [one.figure for one in result.practitioners] == [
            Figure(1, 1, Unit.CALL),
            Figure(0, 1, Unit.CALL),
        ]

    def test_reconciled_and_probing_calls_do_not_count(self, pilot: PilotStore) -> None:
        pilot.digital(at(3))
        for initiator in (Initiator.RECONCILE, Initiator.SUPPORT, Initiator.PROBE):
            pilot.call(at(3), CallOutcome.NOT_REGISTERED, initiator=initiator)
        assert rate(pilot, STRICT, Criterion.C2) == (1, 1)


class TestC3:
    def test_each_operation_must_have_succeeded(self, pilot: PilotStore) -> None:
        pilot.digital(at(3))
        assert judge(pilot)[Criterion.C3].verdict is Verdict.NOT_ASSESSABLE
        assert "consulter, rechercher" in judge(pilot)[Criterion.C3].reason_fr
        pilot.uses()
        assert judge(pilot)[Criterion.C3].verdict is Verdict.MET

    def test_one_that_never_succeeded_is_not_met(self, pilot: PilotStore) -> None:
        pilot.digital(at(3), REFUSED)
        pilot.uses()
        result = judge(pilot)[Criterion.C3]
        assert result.verdict is Verdict.NOT_MET
        assert "créer" in result.reason_fr

    def test_a_practitioner_who_never_used_one(self, pilot: PilotStore) -> None:
        pilot.enrol(2)
        pilot.digital(at(3))
        pilot.uses()
        result = judge(pilot)[Criterion.C3]
        assert result.verdict is Verdict.MET
        verdicts = [one.verdict for one in result.practitioners]
        assert verdicts == [Verdict.MET, Verdict.NOT_ASSESSABLE]

    def test_an_open_blocking_anomaly_of_the_software(self, pilot: PilotStore) -> None:
        pilot.digital(at(3))
        pilot.uses()
        anomaly = {
            "id": "A-1", "operation": "search", "blocking": True, "origin": "software",
            "opened_on": "2026-03-04", "closed_on": None, "title": "t",
        }  # fmt: skip
        pilot.event("anomaly", at(4), anomaly | {"id": "A-2", "blocking": False})
        pilot.event("anomaly", at(4), anomaly | {"id": "A-3", "origin": "service"})
        assert judge(pilot)[Criterion.C3].verdict is Verdict.MET
        pilot.event("anomaly", at(4), anomaly)
        assert judge(pilot)[Criterion.C3].verdict is Verdict.NOT_MET
        assert judge(pilot)[Criterion.C3].anomalies == ("A-1",)
        pilot.event("anomaly", at(6), anomaly | {"closed_on": "2026-03-06"})
        assert judge(pilot)[Criterion.C3].verdict is Verdict.MET

    def test_software_failures_are_shown(self, pilot: PilotStore) -> None:
        pilot.call(at(3), CallOutcome.FAILED, operation=Operation.SEARCH,
                   fault_origin=FaultOrigin.SOFTWARE)  # fmt: skip
        pilot.call(at(3), CallOutcome.FAILED, operation=Operation.SEARCH,
                   fault_origin=FaultOrigin.NETWORK)  # fmt: skip
        use = judge(pilot)[Criterion.C3].operations[2]
        assert (use.calls, use.succeeded, use.software_failures) == (2, 0, 1)


class TestC4AndC5:
    def test_c4_is_attested_by_its_document(self, pilot: PilotStore) -> None:
        assert judge(pilot)[Criterion.C4].verdict is Verdict.NOT_ASSESSABLE
        pilot.event("attestation", at(4), {"criterion": "C4", "document": "prerequis.pdf"})
        assert judge(pilot)[Criterion.C4].verdict is Verdict.ATTESTED
        assert judge(pilot)[Criterion.C4].document == "prerequis.pdf"
        assert judge(pilot)[Criterion.C5].verdict is Verdict.NOT_ASSESSABLE

    def test_c5_needs_every_user(self, pilot: PilotStore) -> None:
        pilot.enrol(2)
        pilot.digital(at(3), ps=1)
        pilot.questionnaire(at(4), 1)
        assert judge(pilot)[Criterion.C5].verdict is Verdict.NOT_ASSESSABLE
        assert judge(pilot, flip(Question.Q4))[Criterion.C5].verdict is Verdict.ATTESTED
        pilot.questionnaire(at(4), 2)
        assert judge(pilot)[Criterion.C5].verdict is Verdict.ATTESTED

    def test_c5_a_blocking_remark_outweighs_the_document(self, pilot: PilotStore) -> None:
        pilot.event("attestation", at(4), {"criterion": "C5", "document": "enquete.pdf"})
        assert judge(pilot)[Criterion.C5].verdict is Verdict.ATTESTED
        pilot.questionnaire(at(5), 1, ["le code 2D ne s'imprime pas"])
        assert judge(pilot)[Criterion.C5].verdict is Verdict.NOT_MET
        pilot.questionnaire(at(9), 1)
        assert judge(pilot)[Criterion.C5].verdict is Verdict.ATTESTED

    def test_c5_nobody_to_ask_is_not_assessable(self, pilot: PilotStore) -> None:
        assert judge(pilot, LENIENT)[Criterion.C5].verdict is Verdict.NOT_ASSESSABLE

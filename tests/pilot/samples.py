"""Hand-made assessments and dossiers for the tests of this room."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.trace import ChainLink, FaultOrigin, NonDigitalReason
from eprescription_sdk.pilot.assessment import (
    Assessment,
    Coverage,
    Flip,
    Inputs,
    PractitionerSummary,
    TrendDay,
)
from eprescription_sdk.pilot.journal import Anomaly, OfficialFigure, Prerequisite, Ruling
from eprescription_sdk.pilot.official import Comparison, Explanation
from eprescription_sdk.pilot.questions import LENIENT, STRICT, Question, Reading, Readings, Unit
from eprescription_sdk.pilot.registers import Note
from eprescription_sdk.pilot.results import (
    Criterion,
    CriterionResult,
    Failure,
    Figure,
    OperationUse,
    PractitionerResult,
    Results,
    Survey,
    Verdict,
)

EXAMPLE = Path(__file__).parents[2] / "examples" / "pilot.toml"
"""The dossier that the documentation shows."""

RPPS = (
    "99700218896", "99900063480", "99700112230", "99700543210", "99900123409", "99700887765",
)  # fmt: skip
"""The practitioners of the example, in order."""

GO_LIVE = date(2025, 3, 17)
LABELS = tuple(f"PS {number}" for number in range(1, 7))


NOTE = Note(
    day=date(2025, 4, 20),
    by="cellule présérie",
    reference="demande de la direction",
    at=datetime(2025, 4, 20, 8, tzinfo=UTC),
)
ANOMALY = Anomaly(
    id="AN-7",
    operation=Operation.SEARCH,
    blocking=True,
    origin=FaultOrigin.SOFTWARE,
    title="La recherche échoue sans date",
    opened_on=date(2025, 3, 24),
    closed_on=date(2025, 4, 2),
)


def _c1(verdict: Verdict, rates: tuple[tuple[int, int], ...]) -> CriterionResult:
    return CriterionResult(
        criterion=Criterion.C1,
        verdict=verdict,
        reason_fr="Chaque PS utilisateur est jugé sur sa propre période.",
        threshold=Fraction(1, 2),
        practitioners=tuple(
            PractitionerResult(
                label=label,
                verdict=Verdict.MET if 2 * digital >= total else Verdict.NOT_MET,
                decides=label != "PS 6",
                figure=Figure(digital, total),
                opens_on=GO_LIVE,
                digital=digital,
                paper=total - digital,
            )
            for label, (digital, total) in zip(LABELS, rates, strict=True)
        ),
    )


def _c2(verdict: Verdict, figure: Figure) -> CriterionResult:
    return CriterionResult(
        criterion=Criterion.C2,
        verdict=verdict,
        reason_fr="Tous les PS ensemble.",
        figure=figure,
        threshold=Fraction(7, 10),
        practitioners=tuple(
            PractitionerResult(
                label=label,
                verdict=verdict,
                decides=False,
                figure=Figure(20 + index, 30, figure.unit),
            )
            for index, label in enumerate(LABELS)
        ),
    )


def _c3(verdict: Verdict) -> CriterionResult:
    uses = {Operation.CREATE: (181, 178), Operation.CONSULT: (64, 64), Operation.SEARCH: (9, 8)}
    return CriterionResult(
        criterion=Criterion.C3,
        verdict=verdict,
        reason_fr="Chaque opération a réussi au moins une fois.",
        operations=tuple(
            OperationUse(
                operation=operation,
                calls=calls,
                succeeded=good,
                software_failures=calls - good,
                unknown_faults=calls - good,
                failures=(
                    Failure(
                        origin=FaultOrigin.SOFTWARE, code="xyz_99", known=False, calls=calls - good
                    ),
                )
                if calls > good
                else (),
            )
            for operation, (calls, good) in uses.items()
        ),
        practitioners=tuple(
            PractitionerResult(
                label=label,
                verdict=verdict,
                decides=False,
                operations=tuple(
                    OperationUse(operation=each, calls=12, succeeded=11, software_failures=0)
                    for each in uses
                ),
            )
            for label in LABELS
        ),
        anomalies=("AN-7",) if verdict is Verdict.NOT_MET else (),
    )


def _attested(criterion: Criterion, verdict: Verdict) -> CriterionResult:
    answered = criterion is Criterion.C5
    return CriterionResult(
        criterion=criterion,
        verdict=verdict,
        reason_fr="Un document l'atteste." if verdict is Verdict.ATTESTED else "Rien ne l'atteste.",
        document="Note technique v2" if verdict is Verdict.ATTESTED and not answered else None,
        prerequisites=()
        if answered or verdict is not Verdict.ATTESTED
        else (
            Prerequisite(item="network", needed="Ouvrir le pare-feu vers le téléservice"),
            Prerequisite(item="monitoring", needed=None),
        ),
        survey=Survey(
            answers=6,
            marks={"satisfaction": (0, 0, 0, 3, 3), "creer": (0, 1, 0, 2, 3)},
            blocking_remarks=("La recherche est trop lente",) if verdict is Verdict.NOT_MET else (),
        )
        if answered
        else None,
        practitioners=tuple(
            PractitionerResult(
                label=label,
                verdict=verdict,
                decides=True,
                satisfaction=5 if index % 2 else 4,
                blocking_remarks=int(verdict is Verdict.NOT_MET and index == 0),
            )
            for index, label in enumerate(LABELS)
        )
        if answered
        else (),
    )


def results(readings: Readings, verdicts: tuple[Verdict, ...], *, good: bool) -> Results:
    """Five criteria with the verdicts given, and figures that are good or not."""
    c1, c2, c3, c4, c5 = verdicts
    low = ((25, 52), (31, 48), (40, 41), (18, 40), (29, 33), (0, 7))
    high = ((38, 52), (39, 48), (40, 41), (24, 40), (30, 33), (4, 7))
    return Results(
        readings=readings,
        criteria=(
            _c1(c1, high if good else low),
            _c2(c2, Figure(178, 196) if good else Figure(143, 211, Unit.CALL)),
            _c3(c3),
            _attested(Criterion.C4, c4),
            _attested(Criterion.C5, c5),
        ),
    )


GOOD = (Verdict.MET, Verdict.MET, Verdict.MET, Verdict.ATTESTED, Verdict.ATTESTED)
BAD = (Verdict.NOT_MET,) * 5
OPEN = (Verdict.NOT_ASSESSABLE,) * 5
MIXED = (
    Verdict.NOT_MET, Verdict.NOT_MET, Verdict.MET, Verdict.ATTESTED, Verdict.NOT_ASSESSABLE,
)  # fmt: skip


def assessment(
    strict: tuple[Verdict, ...] = MIXED,
    lenient: tuple[Verdict, ...] = GOOD,
    *,
    simulation: bool = False,
    reason: str = "départ de la société",
) -> Assessment:
    """An assessment of six practitioners over five weeks."""
    days = [GO_LIVE + timedelta(days=number) for number in range(36)]
    return Assessment(
        rule_version="1",
        cut_off=datetime(2025, 4, 22, 16, 0, tzinfo=UTC),
        opens_on=GO_LIVE,
        simulation=simulation,
        inputs=Inputs(
            traces=742,
            counted=698,
            apart={"test_identity": 31, "reconcile": 9, "other_situation": 4},
            volumes=151,
            corrections=(date(2025, 4, 2),),
            losses={"store": 2},
            heads=(
                ChainLink(
                    segment="3f0c6f0e-7a55-4a44-9a5e-0c2e7b8f4f11", position=742, hash="ab" * 32
                ),
            ),
        ),
        rulings={
            Question.Q4: Ruling(
                reading=Reading.LENIENT, day=date(2025, 4, 9), reference="CNAM-2025-052"
            )
        },
        anomalies=(ANOMALY,),
        strict=results(STRICT, strict, good=strict == GOOD),
        lenient=results(LENIENT, lenient, good=lenient == GOOD),
        flips=(
            Flip(
                bundle=Reading.STRICT,
                question=Question.Q8,
                criterion=Criterion.C2,
                before=Verdict.NOT_MET,
                after=Verdict.MET,
            ),
            Flip(
                bundle=Reading.LENIENT,
                question=Question.Q1,
                criterion=Criterion.C1,
                before=Verdict.MET,
                after=Verdict.NOT_MET,
            ),
        )
        if strict != lenient
        else (),
        practitioners=tuple(
            PractitionerSummary(
                label=label,
                situation=f"SIT-EX-{index + 1}",
                go_live=GO_LIVE + timedelta(days=index),
                withdrawn_on=date(2025, 4, 4) if label == "PS 6" else None,
                withdrawn_reason=reason if label == "PS 6" else None,
                registered=24 + index,
                not_registered=index,
                uncertain=index % 2,
                paper=14,
                reasons={
                    NonDigitalReason.OUT_OF_PERIMETER: 6,
                    NonDigitalReason.SERVICE_FAILURE: 3 + index,
                    NonDigitalReason.PRESCRIBER_CHOICE: 5 - index,
                },
                coverage=Coverage(days=25, declared=52, traced=49, missing=3),
                distance_fr={
                    Reading.STRICT: "Il manque 2 ordonnances numériques pour atteindre 50 % (à "
                    "volume de papier égal).",
                    Reading.LENIENT: "Objectif atteint, avec 12 ordonnances d'avance.",
                },
            )
            for index, label in enumerate(LABELS)
        ),
        trend=tuple(
            TrendDay(
                day=day,
                registered=0 if day.weekday() > 4 else 5 + number // 4,
                digital=0 if day.weekday() > 4 else 6 + number // 4 + number % 3,
                total=0 if day.weekday() > 4 else 14 + number // 4 + number % 5,
                missing=int(number % 7 == 3),
            )
            for number, day in enumerate(days)
        ),
        distance_c2_fr={
            Reading.STRICT: "Il manque 5 enregistrements pour atteindre 70 %.",
            Reading.LENIENT: "Objectif atteint, avec 41 enregistrements d'avance.",
        },
        official=(
            Comparison(
                official=OfficialFigure(
                    criterion="C1",
                    practitioner="PS 1",
                    figure="25/50",
                    day=date(2025, 4, 20),
                    reference="CNAM-BILAN-3",
                ),
                strict=Figure(25, 52),
                lenient=Figure(38, 52),
                agrees=(),
                explanations=(
                    Explanation(
                        bundle=Reading.STRICT, question=Question.Q7, reading=Reading.LENIENT
                    ),
                ),
            ),
        ),
    )

"""What an assessment of the five criteria comes to: verdicts, exact rates, results.

How each criterion counts is in ``criteria``. Source: Cnam, présérie (March 2025), p. 6.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from fractions import Fraction

import attrs

from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.trace import FaultOrigin
from eprescription_sdk.pilot.journal import Prerequisite
from eprescription_sdk.pilot.questions import Readings, Unit


class Criterion(Enum):
    """The five criteria of the bilan (Cnam, présérie, p. 6)."""

    C1 = "C1"
    C2 = "C2"
    C3 = "C3"
    C4 = "C4"
    C5 = "C5"

    @property
    def label_fr(self) -> str:
        """What the Cnam reads."""
        return _CRITERIA_FR[self]


_CRITERIA_FR = {
    Criterion.C1: "au moins 50 % d'ordonnances numériques par PS utilisateur",
    Criterion.C2: "au moins 70 % des ordonnances numériques créées sont enregistrées",
    Criterion.C3: "pas d'anomalie du logiciel qui empêche de créer, consulter ou rechercher",
    Criterion.C4: "prérequis techniques au déploiement identifiés",
    Criterion.C5: "satisfaction des PS utilisateurs, sans frein bloquant",
}


class Verdict(Enum):
    """What a criterion comes to."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_ASSESSABLE = "not_assessable"
    ATTESTED = "attested"

    @property
    def label_fr(self) -> str:
        """What the Cnam reads."""
        return _VERDICTS_FR[self]


_VERDICTS_FR = {
    Verdict.MET: "atteint",
    Verdict.NOT_MET: "non atteint",
    Verdict.NOT_ASSESSABLE: "non évaluable",
    Verdict.ATTESTED: "attesté",
}


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Of all who decide; NOT_ASSESSABLE when nobody does."""
    for verdict in (Verdict.NOT_MET, Verdict.NOT_ASSESSABLE):
        if verdict in verdicts:
            return verdict
    return verdicts[0] if verdicts else Verdict.NOT_ASSESSABLE


@attrs.frozen
class Figure:
    """An exact rate.

    Args:
        numerator: what counts.
        denominator: of how many; 0 when there is nothing to judge.
        unit: what was counted.
    """

    numerator: int
    denominator: int
    unit: Unit = Unit.DOCUMENT

    @property
    def fraction(self) -> Fraction | None:
        """The exact rate; None for 0/0."""
        return Fraction(self.numerator, self.denominator) if self.denominator else None

    @property
    def percent_fr(self) -> str:
        """The rate for the eye, cut (never rounded up) to one decimal: "49,9 %"; "—" for 0/0."""
        if not self.denominator:
            return "—"
        tenths = self.numerator * 1000 // self.denominator
        return f"{tenths // 10},{tenths % 10} %"


@attrs.frozen(kw_only=True)
class Failure:
    """Calls of one operation that failed alike.

    Args:
        origin: where the failure comes from; None where the trace does not say.
        code: the service's fault code; None where it gave none.
        known: whether the integrator's fault table names the code; None without a code, or when
            the table was not given.
        calls: how many.
    """

    origin: FaultOrigin | None
    code: str | None
    known: bool | None
    calls: int


@attrs.frozen(kw_only=True)
class OperationUse:
    """How one operation was used, for C3.

    Args:
        operation: which.
        calls: how many calls.
        succeeded: how many did what the operation is for.
        software_failures: how many failed by the software's own fault.
        unknown_faults: how many failed with a code that the fault table does not name.
        failures: all that failed, by class and code.
    """

    operation: Operation
    calls: int
    succeeded: int
    software_failures: int
    unknown_faults: int = 0
    failures: tuple[Failure, ...] = ()


@attrs.frozen(kw_only=True)
class Survey:
    """The questionnaires of C5, taken together.

    Args:
        answers: how many.
        marks: for each item of the form, how many gave 1, 2, 3, 4, 5.
        blocking_remarks: all of them, in the practitioners' words, without who said it.
    """

    answers: int
    marks: Mapping[str, tuple[int, ...]]
    # Free text: whoever wrote it may have named somebody.
    blocking_remarks: tuple[str, ...] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class PractitionerResult:
    """One practitioner under one criterion.

    Args:
        label: such as "PS 1".
        verdict: what their figures come to.
        decides: whether they count towards the criterion's verdict; a withdrawn practitioner,
            or one who is no user (Q4), is listed and does not decide C1 and C5.
        figure: C1 and C2; None elsewhere.
        opens_on: C1: first day of their window, Europe/Paris; None while it is not open.
        digital: C1: documents that count as digital.
        paper: C1: documents that count as paper.
        missing: C1: documents declared in volume that count as paper without a trace (Q9).
        operations: C3.
        satisfaction: C5: 1 to 5; None without a questionnaire.
        blocking_remarks: C5: how many.
    """

    label: str
    verdict: Verdict
    decides: bool
    figure: Figure | None = None
    opens_on: date | None = None
    digital: int = 0
    paper: int = 0
    missing: int = 0
    operations: tuple[OperationUse, ...] = ()
    satisfaction: int | None = None
    blocking_remarks: int = 0


@attrs.frozen(kw_only=True)
class CriterionResult:
    """One criterion under one set of readings.

    Args:
        criterion: which.
        verdict: what it comes to.
        reason_fr: why, in one French sentence.
        figure: C2: over all practitioners; None elsewhere (C1 has one for each practitioner).
        threshold: C1 and C2: the least rate.
        practitioners: each of them, by label.
        operations: C3: over all practitioners.
        anomalies: C3: ids of the open blocking anomalies of the software.
        document: C4 and C5: what attests it.
        prerequisites: C4: the checklist behind the document.
        survey: C5: the answers of all practitioners together.
    """

    criterion: Criterion
    verdict: Verdict
    reason_fr: str
    figure: Figure | None = None
    threshold: Fraction | None = None
    practitioners: tuple[PractitionerResult, ...] = ()
    operations: tuple[OperationUse, ...] = ()
    anomalies: tuple[str, ...] = ()
    document: str | None = None
    prerequisites: tuple[Prerequisite, ...] = ()
    survey: Survey | None = None


@attrs.frozen(kw_only=True)
class Results:
    """The five criteria under one set of readings.

    Args:
        readings: how each question was answered.
        criteria: C1 to C5, in order.
    """

    readings: Readings
    criteria: tuple[CriterionResult, ...]

    def __getitem__(self, criterion: Criterion) -> CriterionResult:
        return self.criteria[list(Criterion).index(criterion)]

    @property
    def verdict(self) -> Verdict:
        """NOT_MET if one criterion is, else NOT_ASSESSABLE if one is, else MET."""
        verdicts = {result.verdict for result in self.criteria}
        for verdict in (Verdict.NOT_MET, Verdict.NOT_ASSESSABLE):
            if verdict in verdicts:
                return verdict
        return Verdict.MET

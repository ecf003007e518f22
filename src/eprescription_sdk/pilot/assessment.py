"""The assessment (*bilan calculé localement*): what it holds, and its JSON.

How it is made from facts is in ``assessing``, the counting in ``criteria``. Practitioners are
"PS 1", "PS 2"…; no RPPS and no prescription number is in an assessment.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import attrs

from eprescription_sdk.model.trace import ChainLink, NonDigitalReason
from eprescription_sdk.pilot.journal import Anomaly, Ruling
from eprescription_sdk.pilot.official import Comparison
from eprescription_sdk.pilot.plain import plain
from eprescription_sdk.pilot.questions import Question, Reading
from eprescription_sdk.pilot.results import Criterion, Results, Verdict

FORMAT = "eprescription-sdk assessment 1"


@attrs.frozen(kw_only=True)
class Coverage:
    """What was traced against the volumes that the host declared, over the days declared.

    Args:
        days: how many days have a declared volume.
        declared: documents declared on them.
        traced: documents traced on them.
        missing: sum over the days of what was declared and not traced.
    """

    days: int
    declared: int
    traced: int
    missing: int


@attrs.frozen(kw_only=True)
class PractitionerSummary:
    """One practitioner of the pilot, whatever the readings, since their go-live.

    Args:
        label: such as "PS 1".
        situation: id of the practice situation that the pilot is about; no other counts.
        go_live: the day of their installation.
        withdrawn_on: the day they left; None if they did not by the cut-off.
        withdrawn_reason: why.
        registered: digital documents registered.
        not_registered: digital documents that were not.
        uncertain: digital documents still uncertain.
        paper: paper documents, those that follow a failed digital one left out.
        reasons: paper documents by reason, those that follow a failed digital one included.
        coverage: against the declared volumes.
        distance_fr: the way to C1's goal in plain French, one sentence for each bundle.
    """

    label: str
    situation: str
    go_live: date
    withdrawn_on: date | None
    withdrawn_reason: str | None
    registered: int
    not_registered: int
    uncertain: int
    paper: int
    reasons: Mapping[NonDigitalReason, int]
    coverage: Coverage
    distance_fr: Mapping[Reading, str]


@attrs.frozen(kw_only=True)
class TrendDay:
    """What was prescribed on one Europe/Paris day, all practitioners together.

    Args:
        day: which.
        registered: digital documents registered.
        digital: digital documents, whatever became of them.
        total: digital and paper documents.
        missing: documents declared in volume and not traced.
    """

    day: date
    registered: int
    digital: int
    total: int
    missing: int


@attrs.frozen(kw_only=True)
class Flip:
    """One question that, answered the other way, changes one verdict.

    Args:
        bundle: the bundle that it is flipped in.
        question: which.
        criterion: whose verdict changes.
        before: the verdict in the bundle.
        after: the verdict once flipped.
    """

    bundle: Reading
    question: Question
    criterion: Criterion
    before: Verdict
    after: Verdict


@attrs.frozen(kw_only=True)
class Inputs:
    """What the assessment read.

    Args:
        traces: how many traces were recorded by the cut-off.
        counted: how many of them count.
        apart: how many do not, by reason: ``test_identity``, ``reconcile``, ``support``,
            ``probe``, ``sandbox``, ``qualification``, ``other_situation``, ``not_enrolled``.
        volumes: how many practitioner days have a declared volume.
        corrections: days of the recorded corrections.
        losses: traces that could not be recorded, by reason, as counted when this was made.
        heads: newest link of each segment of the chain at the cut-off.
        known_faults: fault codes that the integrator's table names; None where it is not known.
    """

    traces: int
    counted: int
    apart: Mapping[str, int]
    volumes: int
    corrections: tuple[date, ...]
    losses: Mapping[str, int]
    heads: tuple[ChainLink, ...]
    known_faults: tuple[str, ...] | None = None


@attrs.frozen(kw_only=True)
class Assessment:
    """How a pilot stands at a cut-off.

    Args:
        rule_version: which edition of the counting rules was applied.
        cut_off: what was recorded up to this moment was read, UTC.
        opens_on: the first go-live; None while nobody is live.
        simulation: whether a stand-in of this SDK took part in any trace.
        inputs: what was read.
        rulings: questions that the Cnam has settled, each with its letter.
        anomalies: the register of anomalies.
        strict: every other question against the company.
        lenient: every other question for the company.
        flips: which single question would change which verdict, from both bundles.
        practitioners: by label, withdrawn ones included.
        trend: day by day.
        distance_c2_fr: the way to C2's goal in plain French, one sentence for each bundle.
        official: the official figures, once received, beside ours.
    """

    rule_version: str
    cut_off: datetime
    opens_on: date | None
    simulation: bool
    inputs: Inputs
    rulings: Mapping[Question, Ruling]
    anomalies: tuple[Anomaly, ...]
    strict: Results
    lenient: Results
    flips: tuple[Flip, ...]
    practitioners: tuple[PractitionerSummary, ...]
    trend: tuple[TrendDay, ...]
    distance_c2_fr: Mapping[Reading, str]
    official: tuple[Comparison, ...] = ()

    def results(self, bundle: Reading) -> Results:
        """The results of one bundle."""
        return self.strict if bundle is Reading.STRICT else self.lenient

    def to_dict(self) -> dict[str, Any]:
        """The assessment as JSON-ready data, without RPPS or number.

        Rates are ``{"num", "den", "percent", "unit"}``; days and times are ISO 8601; enums are
        their values. ``overall`` holds the verdict of each bundle.
        """
        document: dict[str, Any] = plain(self)
        overall = {bundle.value: self.results(bundle).verdict.value for bundle in Reading}
        return {"format": FORMAT, **document, "overall": overall}

    @property
    def coverage(self) -> Coverage:
        """Over all practitioners."""
        each = [practitioner.coverage for practitioner in self.practitioners]
        return Coverage(
            days=sum(one.days for one in each),
            declared=sum(one.declared for one in each),
            traced=sum(one.traced for one in each),
            missing=sum(one.missing for one in each),
        )

"""Letting it happen: each document of the plan, at its moment, with its mishap."""

from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, datetime, time, timedelta

import attrs

from eprescription_sdk.cli.demo.plan import RELUCTANT, REMINDER_AFTER_DAYS, Document, Mishap
from eprescription_sdk.cli.demo.stage import BY, SCALE, Stage
from eprescription_sdk.client import Acting
from eprescription_sdk.clock import PARIS, paris_day
from eprescription_sdk.model.exchange import SearchQuery
from eprescription_sdk.model.family import Family
from eprescription_sdk.model.identifiers import PrescriptionNumber, Rpps
from eprescription_sdk.model.outcomes import Cause, NotRegistered, Outcome, Registered, Uncertain
from eprescription_sdk.model.trace import NonDigitalReason
from eprescription_sdk.pilot.assessing import assess
from eprescription_sdk.pilot.assessment import Assessment
from eprescription_sdk.pilot.registers import record_attestation, record_questionnaire
from eprescription_sdk.sandbox import (
    CommitLate,
    CommitThenDrop,
    DropBeforeCommit,
    FaultCode,
    Operation,
)

MINUTES_AFTER = timedelta(minutes=5)
"""How long after a call in doubt the back-end reconciles; beyond the in-flight horizon."""


@attrs.define(kw_only=True)
class Score:
    """What came of the two weeks.

    Args:
        outcomes: first answers, by name.
        lost: numbers of the prescriptions whose answer was lost.
        settled_later: how many were uncertain and known later.
        paper: paper documents, by reason.
        turned_away: whether the practitioner outside the pilot was.
        midway: the assessment on the eve of the reminder.
    """

    outcomes: Counter[str] = attrs.field(factory=Counter)
    lost: list[PrescriptionNumber] = attrs.field(factory=list)
    settled_later: int = 0
    paper: Counter[str] = attrs.field(factory=Counter)
    turned_away: bool = False
    midway: Assessment | None = None


def play(stage: Stage, documents: list[Document], advance: Callable[[str], None]) -> Score:
    """Play the two weeks.

    Args:
        stage: as set.
        documents: in order of time.
        advance: called after each document with the simulated day.
    """
    score = Score()
    _begin(stage)
    written: Counter[tuple[date, Rpps]] = Counter()
    by_day: dict[date, list[Document]] = defaultdict(list)
    for document in documents:
        by_day[document.at.date()].append(document)
    first = min(by_day)
    down = False
    for day, todays in by_day.items():
        if score.midway is None and (day - first).days >= REMINDER_AFTER_DAYS:
            score.midway = assess(stage.client.store, key=stage.settings.key, clock=stage.clock)
        for document in todays:
            if down and not document.outage:
                _service_is_back(stage)
            down = document.outage
            stage.clock.move_to(document.at)
            practitioner = stage.practitioners[document.who]
            with ExitStack() as stack:
                if document.outage:
                    stack.enter_context(stage.sandbox.refusing_connections())
                _write(stage, stage.client.acting_as(practitioner), document, score)
            written[day, practitioner.rpps] += 1
            advance(f"{day:%d/%m/%Y}")
        if down:
            _service_is_back(stage)
        down = False
        _evening(stage, day, written)
    _turn_away(stage, score)
    _registers(stage)
    return score


def _begin(stage: Stage) -> None:
    """The dossier is applied, and the pilot starts on the morning of the first installation."""
    stage.pilot.apply(stage.dossier, by=BY, reference="SIMULATION-DOSSIER")
    first = min(each.go_live for each in stage.dossier.practitioners)
    stage.clock.move_to(datetime.combine(first, time(8), PARIS))
    stage.pilot.start(by=BY, reference="SIMULATION-LANCEMENT")


def _service_is_back(stage: Stage) -> None:
    """The simulated clock jumps an hour; the breaker measures real time, so it is given some."""
    stage.clock.sleep(stage.settings.profile.breaker_pause)


def _write(stage: Stage, doctor: Acting, document: Document, score: Score) -> None:
    if document.paper is not None:
        doctor.record_non_digital(families=document.families, reason=document.paper)
        score.paper[document.paper.value] += 1
        return
    prescription = stage.prescription(document.case, stage.practitioners[document.who])
    _arrange(stage, document.mishap)
    outcome = doctor.create(prescription)
    score.outcomes[type(outcome).__name__] += 1
    match outcome:
        case Registered(number=number):
            if document.mishap is Mishap.LOST_ANSWER:
                score.lost.append(number)
        case Uncertain(number=number):
            if document.mishap in (Mishap.LOST_ANSWER, Mishap.LATE_COMMIT):
                score.lost.append(number)
            _later(stage, doctor, outcome, prescription.families, score)
        case NotRegistered(cause=Cause.REFUSED, number=number):
            corrected = attrs.evolve(prescription, corrects=number)
            score.outcomes[type(doctor.create(corrected)).__name__] += 1
        case NotRegistered(number=number):
            doctor.record_non_digital(
                families=prescription.families,
                reason=NonDigitalReason.SERVICE_FAILURE,
                after=number,
            )
            score.paper[NonDigitalReason.SERVICE_FAILURE.value] += 1


def _arrange(stage: Stage, mishap: Mishap | None) -> None:
    """Tell the sandbox what to do with the next create."""
    match mishap:
        case Mishap.LOST_ANSWER:
            stage.sandbox.script(Operation.CREATE, CommitThenDrop())
        case Mishap.LATE_COMMIT:
            # Later than the client's whole deadline: it can only be uncertain.
            deadline = stage.settings.profile.deadline
            stage.sandbox.script(Operation.CREATE, CommitLate(after=1.1 * deadline / SCALE))
        case Mishap.LOST_REQUEST:
            stage.sandbox.script(Operation.CREATE, DropBeforeCommit())
        case Mishap.REFUSED:
            stage.sandbox.script(Operation.CREATE, FaultCode("sdkref_invalid", sender=True))
        case None:
            pass


def _later(
    stage: Stage, doctor: Acting, outcome: Uncertain, families: frozenset[Family], score: Score
) -> None:
    """The back-end reconciles some minutes later; the patient waits for the document (HOLD)."""
    stage.clock.sleep(0.3 * stage.settings.profile.deadline)
    stage.clock.advance(MINUTES_AFTER)
    found = stage.client.reconcile(
        credentials=[p for p in stage.practitioners if p.rpps == doctor.practitioner.rpps]
    )
    score.settled_later += found.registered + found.not_registered
    if found.not_registered:
        doctor.record_non_digital(
            families=families, reason=NonDigitalReason.SERVICE_FAILURE, after=outcome.number
        )
        score.paper[NonDigitalReason.SERVICE_FAILURE.value] += 1


def _evening(stage: Stage, day: date, written: Counter[tuple[date, Rpps]]) -> None:
    """Each practitioner looks something up; the host declares its volumes; traces leave."""
    stage.clock.move_to(datetime.combine(day, time(19), PARIS))
    for practitioner in stage.practitioners:
        documents = written[day, practitioner.rpps]
        if not documents:
            continue
        doctor = stage.client.acting_as(practitioner)
        query = SearchQuery(prescriber=practitioner.rpps, issued_from=day)
        summary = next(iter(doctor.search(query)), None)
        if summary is not None:
            doctor.consult(summary.number)
        stage.client.declare_volume(prescriber=practitioner.rpps, day=day, documents=documents)
    stage.client.shipper.drain(timeout=20)


def _turn_away(stage: Stage, score: Score) -> None:
    outcome: Outcome = stage.client.acting_as(stage.outsider).create(
        stage.prescription(0, stage.outsider)
    )
    score.turned_away = isinstance(outcome, NotRegistered) and outcome.cause is Cause.NOT_IN_PILOT


def _registers(stage: Stage) -> None:
    """What a person brings: the prerequisites' document and the questionnaires."""
    store, today = stage.client.store, paris_day(stage.clock.now())
    note = stage.pilot.note(by=BY, reference="SIMULATION-PREREQUIS", day=today)
    record_attestation(store, note, criterion="C4", document="Prérequis techniques (fictif)")
    for index, practitioner in enumerate(stage.practitioners):
        record_questionnaire(
            store,
            stage.pilot.note(by=BY, reference="SIMULATION-QUESTIONNAIRE", day=today),
            key=stage.settings.key,
            rpps=practitioner.rpps,
            satisfaction=4 if index == RELUCTANT else 5 - index % 2,
        )

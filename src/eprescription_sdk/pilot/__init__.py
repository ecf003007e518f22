"""The pilot (*présérie*) of one company: dossier, lifecycle, registers, assessment, report.

Names only. Nothing here judges officially: the assessment is the company's own, computed from
its own store, and only the Assurance Maladie validates a pilot.
"""

from typing import TYPE_CHECKING, Any

from eprescription_sdk.pilot.assessing import assess
from eprescription_sdk.pilot.assessment import Assessment
from eprescription_sdk.pilot.card import Card, card
from eprescription_sdk.pilot.checks import Finding, Level, check
from eprescription_sdk.pilot.difference import Change, Difference
from eprescription_sdk.pilot.dossier import Dossier, Practitioner
from eprescription_sdk.pilot.export import write_export
from eprescription_sdk.pilot.handover import write_handover
from eprescription_sdk.pilot.journal import Anomaly
from eprescription_sdk.pilot.letter import letter
from eprescription_sdk.pilot.lifecycle import Pilot
from eprescription_sdk.pilot.named import NamedEdition, named_edition
from eprescription_sdk.pilot.questions import Opening, Question, Reading, Unit
from eprescription_sdk.pilot.registers import (
    Event,
    Note,
    close_anomaly,
    record_anomaly,
    record_attestation,
    record_correction,
    record_official,
    record_questionnaire,
    record_ruling,
)
from eprescription_sdk.pilot.rehearsal import Rehearsal, rehearse
from eprescription_sdk.pilot.results import Criterion, Verdict
from eprescription_sdk.pilot.steps import Step
from eprescription_sdk.pilot.verify import verify_export
from eprescription_sdk.traces.closing import Receipt
from eprescription_sdk.traces.gate import Phase

if TYPE_CHECKING:
    from eprescription_sdk.pilot.report import render_html, write_report

__all__ = [
    "Anomaly",
    "Assessment",
    "Card",
    "Change",
    "Criterion",
    "Difference",
    "Dossier",
    "Event",
    "Finding",
    "Level",
    "NamedEdition",
    "Note",
    "Opening",
    "Phase",
    "Pilot",
    "Practitioner",
    "Question",
    "Reading",
    "Receipt",
    "Rehearsal",
    "Step",
    "Unit",
    "Verdict",
    "assess",
    "card",
    "check",
    "close_anomaly",
    "letter",
    "named_edition",
    "record_anomaly",
    "record_attestation",
    "record_correction",
    "record_official",
    "record_questionnaire",
    "record_ruling",
    "rehearse",
    "render_html",
    "verify_export",
    "write_export",
    "write_handover",
    "write_report",
]


def __getattr__(name: str) -> Any:
    # A back-end that only records need not load what draws a report.
    if name in {"render_html", "write_report"}:
        from eprescription_sdk.pilot import report

        return getattr(report, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

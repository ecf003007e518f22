"""The rows of a store as an assessment and an export see them: no RPPS, no number in clear.

Practitioners are the keyed pseudonyms that stand in the bodies of the traces too. Dossiers and
lifecycle steps are left out: no criterion needs them, and a dossier holds RPPS numbers.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from eprescription_sdk.clock import iso
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.pilot.collect import Collector
from eprescription_sdk.pilot.facts import Facts
from eprescription_sdk.storage import Tx
from eprescription_sdk.traces.gate import enrolments
from eprescription_sdk.traces.record import losses


def enrolment_rows(tx: Tx, key: bytes, cut_off: datetime) -> Iterator[dict[str, Any]]:
    """What the dossiers applied by the cut-off say of each practitioner, oldest first.

    One row when a practitioner is named, and one for each change: who leaves has two.
    """
    clean = _cleaner(tx)
    labels = {one.rpps.value: one.label for one in enrolments(tx)}
    known: dict[str, dict[str, Any]] = {}
    dossiers = tx.iterate(
        "SELECT recorded_at, data FROM pilot_events WHERE kind = 'dossier' AND recorded_at <= ?"
        " ORDER BY seq",
        (iso(cut_off),),
    )
    for recorded_at, data in dossiers:
        for one in json.loads(data)["practitioners"]:
            reason = one.get("withdrawn_reason")
            row = {
                "practitioner": pseudonym(key, "rpps", one["rpps"]),
                "label": labels[one["rpps"]],
                "situation": one["situation"],
                "go_live": one["go_live"],
                "withdrawn_on": one.get("withdrawn_on"),
                "withdrawn_reason": clean(reason) if reason else None,
            }
            if known.get(one["rpps"]) != row:
                known[one["rpps"]] = row
                yield row | {"recorded_at": recorded_at}


def volume_rows(tx: Tx, key: bytes, cut_off: datetime) -> Iterator[dict[str, Any]]:
    """Every declaration of a volume recorded by the cut-off, oldest first."""
    rows = tx.iterate(
        "SELECT rpps, day, documents, recorded_at FROM volumes WHERE recorded_at <= ?"
        " ORDER BY recorded_at, seq",
        (iso(cut_off),),
    )
    for rpps, day, documents, recorded_at in rows:
        yield {
            "practitioner": pseudonym(key, "rpps", rpps),
            "day": day,
            "documents": documents,
            "recorded_at": recorded_at,
        }


def event_rows(tx: Tx, cut_off: datetime) -> Iterator[dict[str, Any]]:
    """Every line of the pilot's journal that a criterion reads, oldest first."""
    clean = _cleaner(tx)
    rows = tx.iterate(
        "SELECT kind, day, recorded_at, reference, data FROM pilot_events WHERE recorded_at <= ?"
        " AND kind IN ('correction', 'ruling', 'anomaly', 'attestation', 'questionnaire',"
        " 'official')"
        " ORDER BY seq",
        (iso(cut_off),),
    )
    for kind, day, recorded_at, reference, data in rows:
        yield {
            "kind": kind,
            "day": day,
            "recorded_at": recorded_at,
            "reference": clean(reference),
            "data": json.loads(clean(data)),
        }


def _cleaner(tx: Tx) -> Callable[[str], str]:
    """What puts labels where people typed an RPPS of the pilot: titles, remarks, reasons."""
    labels = {one.rpps.value: f"PS {one.label}" for one in enrolments(tx)}

    def label(found: re.Match[str]) -> str:
        return labels.get(re.sub(r"\D", "", found[0]), found[0])

    return lambda text: _RPPS.sub(label, text)


# As people write long numbers: in one piece, or in groups.
_RPPS = re.compile(r"(?<!\d)\d(?:[ .\u00a0\u202f-]?\d){10}(?!\d)")


def facts_of_store(tx: Tx, key: bytes, cut_off: datetime) -> Facts:
    """The facts of a store at a cut-off.

    Args:
        tx: a reading transaction.
        key: the secret of the settings that the traces were recorded with.
        cut_off: what was recorded up to this moment is read, aware.

    Raises:
        InvalidInput: a row cannot be read; the path names it.
    """
    collector = Collector(cut_off)
    for row in enrolment_rows(tx, key, cut_off):
        collector.enrolment(row)
    for row in volume_rows(tx, key, cut_off):
        collector.volume(row)
    for row in event_rows(tx, cut_off):
        collector.event(row)
    for trace in tx.iterate("SELECT segment, position, hash, body FROM traces ORDER BY seq"):
        collector.trace(*trace)
    return collector.facts(losses(tx))

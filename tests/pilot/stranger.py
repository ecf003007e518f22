"""What a stranger would write: the criteria recomputed from an export alone.

Only the standard library, no code of ours, and another way of counting: lists of documents, no
cells. It follows the rules of counting sentence by sentence.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

TYPES = {
    "medication": "products", "device": "products", "biology": "biology", "nursing": "nursing",
    "physiotherapy": "physiotherapy", "speech_therapy": "speech_therapy",
    "orthoptics": "orthoptics", "podiatry": "podiatry",
}  # fmt: skip
OUTSIDE = {"imaging", "transport"}
SUCCESSES = {"registered", "found", "absent", "listed"}


Answers = dict[str, bool | str]
"""By question, whether it is read strictly; a ruling may name Q3's unit, or the pilot for Q5."""


def paris(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(ZoneInfo("Europe/Paris")).date()


@dataclass
class Export:
    """The rows of an export, by what they are."""

    cut_off: str
    people: list[dict[str, Any]]
    volumes: list[dict[str, Any]]
    events: list[dict[str, Any]]
    traces: list[dict[str, Any]]


def read(folder: Path) -> Export:
    """What stands in the two files."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    export = Export(manifest["cut_off"], [], [], [], [])
    kinds = {"enrolments": export.people, "volumes": export.volumes, "events": export.events}
    for line in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        kinds.get(row["segment"], export.traces).append(json.loads(row["body"]))
    return export


def recompute(export: Export, strict: Answers) -> dict[str, Any]:
    """Verdicts and figures, for an answer to each question."""
    until, today = export.cut_off, paris(export.cut_off)
    people, volumes, events = export.people, export.volumes, export.events
    strict = dict(strict)
    for event in events:
        if event["kind"] == "ruling":
            answer = event["data"]["reading"]
            strict[event["data"]["question"]] = (
                answer if answer in {"document", "act", "pilot"} else answer == "strict"
            )
    newest_of = {one["practitioner"]: one for one in people}
    people = [one for one in newest_of.values() if date.fromisoformat(one["go_live"]) <= today]
    by_name = {one["practitioner"]: one for one in people}
    counting = [
        trace
        for trace in export.traces
        if trace["at"] <= until
        and trace["rpps"] in by_name
        and trace["environment"] == "production"
        and not trace["test_identity"]
        and trace.get("initiator") in (None, "prescriber")
        and trace["situation"] == by_name[trace["rpps"]]["situation"]
    ]
    calls = [trace for trace in counting if trace["kind"] == "CALL"]
    newest: dict[str, dict[str, Any]] = {}
    for trace in counting:
        if trace["kind"] == "PRESCRIPTION":
            other = newest.get(trace["subject"])
            if other is None or other["revision"] < trace["revision"]:
                newest[trace["subject"]] = trace
    corrections = [event["day"] for event in events if event["kind"] == "correction"]
    cut = date.min
    if corrections and not strict["Q6"]:
        cut = date.fromisoformat(max(corrections))
    documents = _documents(newest)
    each = [
        _person(
            one,
            [entry for entry in documents if entry["who"] == one["practitioner"]],
            [row for row in volumes if row["practitioner"] == one["practitioner"]],
            cut=cut,
            first=min((day for day in map(_digital_day, documents) if day), default=None),
            today=today,
            strict=strict,
        )
        for one in people
    ]
    return {
        "C1": _c1(each),
        "C2": _c2(people, documents, calls, cut, strict),
        "C3": _c3(calls, events),
        "C4": _c4(events),
        "C5": _c5(each, events),
    }


def _documents(newest: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry a document."""
    numbers = {one["number"]: subject for subject, one in newest.items() if one["digital"]}
    corrected = set()
    for subject, one in newest.items():
        earlier = numbers.get(one["corrects"]) if one["digital"] and one["corrects"] else None
        if not earlier or earlier == subject or newest[earlier]["rpps"] != one["rpps"]:
            continue
        if newest[earlier]["registration"] == "not_registered":
            corrected.add(earlier)
    documents = []
    for subject, one in newest.items():
        entry = {
            "who": one["rpps"],
            "day": paris(one["issued_at"]),
            "act": one["act"] or f"alone {subject}",
            "subject": subject,
        }
        if one["digital"]:
            state = one["registration"]
            documents.append(
                entry | {"state": state, "corrected": subject in corrected, "inside": True}
            )
            continue
        inside = sorted({TYPES[family] for family in one["families"] if family in TYPES})
        outside = sorted(family for family in one["families"] if family in OUTSIDE)
        units = [(name, True) for name in inside] + [(name, False) for name in outside]
        first = newest.get(numbers.get(one["after"] or "", ""))
        if first is not None and first["rpps"] == one["rpps"]:
            # This paper and the digital one are a single document: the digital entry.
            units = units[1:]
            entry["act"] = one["act"] or first["act"] or f"alone {first['subject']}"
        for _, within in units:
            documents.append(entry | {"state": "paper", "corrected": False, "inside": within})
    return documents


def _acts(documents: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    acts = defaultdict(list)
    for one in documents:
        acts[one["who"], one["act"]].append(one)
    return list(acts.values())


def _choose(document: tuple[int, int], act: tuple[int, int], strict: Answers) -> tuple[int, int]:
    if strict["Q3"] in {"document", "act"}:
        return document if strict["Q3"] == "document" else act
    if not document[1]:
        return document
    rates = {Fraction(*document): document, Fraction(*act): act}
    if len(rates) == 1:
        return document
    return rates[min(rates) if strict["Q3"] else max(rates)]


def _missing(
    mine: list[dict[str, Any]], volumes: list[dict[str, Any]], first: date, last: date
) -> int:
    declared = {}
    for row in sorted(volumes, key=lambda row: str(row["recorded_at"])):
        declared[date.fromisoformat(row["day"])] = row["documents"]
    missing = 0
    for day, many in declared.items():
        if first <= day < last:
            missing += max(0, many - len([each for each in mine if each["day"] == day]))
    return missing


def _c1_rate(window: list[dict[str, Any]], missing: int, strict: Answers) -> tuple[int, int]:
    if not strict["Q1"]:
        window = [each for each in window if each["inside"]]
    if not strict["Q7"]:
        window = [each for each in window if each["state"] != "uncertain"]

    def counts(each: dict[str, Any]) -> bool:
        if strict["Q2"]:
            return bool(each["state"] == "registered")
        return bool(each["state"] != "paper")

    acts = _acts(window)
    return _choose(
        (len([each for each in window if counts(each)]), len(window) + missing),
        (len([act for act in acts if all(map(counts, act))]), len(acts) + missing),
        strict,
    )


def _digital_day(document: dict[str, Any]) -> date | None:
    return document["day"] if document["state"] != "paper" else None


def _person(
    one: dict[str, Any],
    mine: list[dict[str, Any]],
    volumes: list[dict[str, Any]],
    *,
    cut: date,
    first: date | None,
    today: date,
    strict: Answers,
) -> dict[str, Any]:
    digital_days = [day for day in map(_digital_day, mine) if day]
    opening: date | None = date.fromisoformat(one["go_live"])
    left = date.fromisoformat(one["withdrawn_on"] or "9999-12-31")
    if strict["Q5"] == "pilot":
        opening = max(opening, first) if opening and first else None
    elif not strict["Q5"]:
        opening = max(opening, min(digital_days)) if opening and digital_days else None
    rate = 0, 0
    if opening is not None:
        opening = max(opening, cut)
        last = left if left <= today else date.max
        missing = _missing(mine, volumes, opening, last) if strict["Q9"] else 0
        rate = _c1_rate([each for each in mine if each["day"] >= opening], missing, strict)
    user = strict["Q4"] or bool(digital_days)
    verdict = "met" if 2 * rate[0] >= rate[1] else "not_met"
    if not rate[1]:
        verdict = "not_met" if strict["Q4"] else "not_assessable"
    return {
        "name": one["practitioner"],
        "label": f"PS {one['label']}",
        "rate": rate,
        "verdict": verdict if user else "not_assessable",
        "decides": user and left > today,
    }


def _c1(each: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    verdicts = [one["verdict"] for one in each if one["decides"]]
    return _all(verdicts, "met"), {one["label"]: (one["rate"], one["verdict"]) for one in each}


def _all(verdicts: list[str], good: str) -> str:
    if "not_met" in verdicts:
        return "not_met"
    return good if verdicts and "not_assessable" not in verdicts else "not_assessable"


def _c2(
    people: list[dict[str, Any]],
    documents: list[dict[str, Any]],
    calls: list[dict[str, Any]],
    cut: date,
    strict: Answers,
) -> tuple[str, Any, dict[str, Any]]:
    if strict["Q8"]:
        outcomes = _create_calls(documents, calls, cut, strict)

        def rate(who: set[str]) -> tuple[int, int]:
            counted = [registered for name, registered in outcomes if name in who]
            return sum(counted), len(counted)
    else:
        created = [
            one
            for one in documents
            if one["state"] != "paper" and one["day"] >= cut and not _left_out(one, strict)
        ]

        def rate(who: set[str]) -> tuple[int, int]:
            theirs = [one for one in created if one["who"] in who]
            acts = _acts(theirs)
            good = [act for act in acts if all(one["state"] == "registered" for one in act)]
            registered = [one for one in theirs if one["state"] == "registered"]
            return _choose((len(registered), len(theirs)), (len(good), len(acts)), strict)

    whole = rate({one["practitioner"] for one in people})
    verdict = "not_assessable"
    if whole[1]:
        verdict = "met" if 10 * whole[0] >= 7 * whole[1] else "not_met"
    return verdict, whole, {f"PS {one['label']}": rate({one["practitioner"]}) for one in people}


def _left_out(one: dict[str, Any], strict: Answers) -> bool:
    if one["state"] == "uncertain":
        return not strict["Q7"]
    return bool(one["corrected"]) and not strict["Q10"]


def _create_calls(
    documents: list[dict[str, Any]],
    calls: list[dict[str, Any]],
    cut: date,
    strict: Answers,
) -> list[tuple[str, bool]]:
    states = {one["subject"]: one for one in documents if one["state"] != "paper"}
    counted = []
    for call in calls:
        if call["operation"] != "create" or paris(call["at"]) < cut:
            continue
        registered = call["outcome"] == "registered"
        about = states.get(call["subject"], {"state": call["outcome"], "corrected": False})
        if registered or not _left_out(about, strict):
            counted.append((call["rpps"], registered))
    return counted


def _c3(calls: list[dict[str, Any]], events: list[dict[str, Any]]) -> str:
    register = {
        event["data"]["id"]: event["data"] for event in events if event["kind"] == "anomaly"
    }
    for one in register.values():
        if one["blocking"] and one["origin"] == "software" and one["closed_on"] is None:
            return "not_met"
    verdict = "met"
    for operation in ("create", "consult", "search"):
        outcomes = [call["outcome"] for call in calls if call["operation"] == operation]
        if outcomes and not SUCCESSES & set(outcomes):
            return "not_met"
        if not outcomes:
            verdict = "not_assessable"
    return verdict


def _c4(events: list[dict[str, Any]]) -> str:
    return "attested" if _document(events, "C4") else "not_assessable"


def _document(events: list[dict[str, Any]], criterion: str) -> bool:
    return any(
        event["kind"] == "attestation" and event["data"]["criterion"] == criterion
        for event in events
    )


def _c5(each: list[dict[str, Any]], events: list[dict[str, Any]]) -> str:
    names = {one["name"] for one in each}
    answers = {
        event["data"]["rpps"]: event["data"]
        for event in events
        if event["kind"] == "questionnaire" and event["data"]["rpps"] in names
    }
    if any(answer["blocking_remarks"] for answer in answers.values()):
        return "not_met"
    if _document(events, "C5"):
        return "attested"
    users = [one["name"] for one in each if one["decides"]]
    return "attested" if users and all(user in answers for user in users) else "not_assessable"

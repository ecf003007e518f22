"""The trace collector of the reference sandbox: stores AuditEvents, lists them by date.

It takes what the public national guide (ANS tde 2.0.0, IHE ITI-20 and ITI-81) asks of a
trace. The official format and transport of the traces postes are not public: this is ours,
not the Assurance Maladie's. HTTP is in ``app``.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from attrs import frozen

from eprescription_sdk.sandbox.answers import NOTICE

_MOST_AGENTS = 2


@frozen(kw_only=True, repr=False)
class Reply:
    """A status and a FHIR JSON resource, ready to be delivered."""

    status: int
    resource: Mapping[str, Any]


class Collector:
    """The stored traces and the counters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._traces: dict[str, Mapping[str, Any]] = {}
        self._received = 0

    @property
    def received(self) -> int:
        """How many times a trace was posted, whatever became of it."""
        with self._lock:
            return self._received

    @property
    def traces(self) -> dict[str, Mapping[str, Any]]:
        """The stored traces by their ``id``, in the order of their first arrival."""
        with self._lock:
            return dict(self._traces)

    def count_one(self) -> None:
        """Count a post that has just arrived."""
        with self._lock:
            self._received += 1

    def store(self, body: bytes) -> Reply:
        """Keep a trace: 201, also when its id is known (the first one stays), or 400."""
        try:
            resource = json.loads(body)
        except (ValueError, RecursionError):
            return _problem(400, "The body is not JSON.")
        problem = _malformed(resource)
        if problem:
            return _problem(400, problem)
        with self._lock:
            self._traces.setdefault(resource["id"], resource)
        return Reply(status=201, resource=resource)

    def search(self, dates: Sequence[str]) -> Reply:
        """The traces recorded within bounds: ``ge``, ``gt``, ``le``, ``lt`` (ITI-81).

        Args:
            dates: the values of the ``date`` parameters; at least one is mandatory.
        """
        if not dates:
            return _problem(400, "A bound on 'date' is mandatory.")
        try:
            bounds = [(text[:2], *_span(text[2:])) for text in dates]
            kept = [t for t in self.traces.values() if all(_within(t, *b) for b in bounds)]
        except ValueError:
            return _problem(400, "A bound on 'date' cannot be read.")
        entries = [
            {"fullUrl": f"urn:uuid:{t['id']}", "resource": t, "search": {"mode": "match"}}
            for t in kept
        ]
        bundle = {
            "resourceType": "Bundle",
            "type": "searchset",
            "meta": {"source": "urn:eprescription-sdk:reference-sandbox"},
            "total": len(entries),
            "entry": entries,
        }
        return Reply(status=200, resource=bundle)


def _malformed(resource: object) -> str | None:
    """What the tde profile asks and a resource lacks, in one sentence, or None."""
    if not isinstance(resource, dict) or resource.get("resourceType") != "AuditEvent":
        return "The body is not an AuditEvent."
    if not isinstance(resource.get("id"), str) or not resource["id"]:
        return "The AuditEvent has no id."
    if not _is_moment(resource.get("recorded")):
        return "The AuditEvent has no readable 'recorded'."
    period = resource.get("period")
    if not isinstance(period, dict) or not _is_moment(period.get("start")):
        return "The AuditEvent has no readable 'period.start'."
    subtypes = resource.get("subtype", [])
    if not isinstance(subtypes, list) or len(subtypes) > 1:
        return "The AuditEvent has more than one 'subtype'."
    agents = resource.get("agent")
    if not isinstance(agents, list) or not 1 <= len(agents) <= _MOST_AGENTS:
        return "The AuditEvent has no 'agent', or more than two."
    if not all(isinstance(agent, dict) and agent.get("who") for agent in agents):
        return "An 'agent' of the AuditEvent has no 'who'."
    source = resource.get("source")
    if not isinstance(source, dict) or not source.get("observer"):
        return "The AuditEvent has no 'source.observer'."
    return None


def _problem(status: int, sentence: str) -> Reply:
    issue = {"severity": "error", "code": "invalid", "diagnostics": f"{sentence} ({NOTICE}.)"}
    return Reply(status=status, resource={"resourceType": "OperationOutcome", "issue": [issue]})


def _is_moment(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _span(text: str) -> tuple[datetime, datetime]:
    """The first moment of a FHIR date or instant, and the first one after it."""
    if "T" not in text:
        start = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        return start, start + timedelta(days=1)
    start = datetime.fromisoformat(text)
    if start.tzinfo is None:
        msg = "An instant needs a time zone."
        raise ValueError(msg)
    return start, start + timedelta(microseconds=1 if "." in text else 1_000_000)


def _within(trace: Mapping[str, Any], prefix: str, start: datetime, end: datetime) -> bool:
    recorded = datetime.fromisoformat(trace["recorded"])
    if prefix == "ge":
        return recorded >= start
    if prefix == "gt":
        return recorded >= end
    if prefix == "le":
        return recorded < end
    if prefix == "lt":
        return recorded < start
    msg = "Only ge, gt, le and lt bounds are known."
    raise ValueError(msg)

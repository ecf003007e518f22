"""The trace collector, over the real socket."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from eprescription_sdk.sandbox import (
    AnswerAfter,
    CommitThenDrop,
    DropBeforeCommit,
    Operation,
    Refuse,
    Sandbox,
    Unavailable,
)
from tests.sandbox.envelopes import Reply, post, search


def event(identifier: str = "t1", recorded: str = "2026-03-02T10:00:00Z") -> dict[str, Any]:
    return {
        "resourceType": "AuditEvent",
        "id": identifier,
        "recorded": recorded,
        "period": {"start": recorded},
        "agent": [{"who": {"display": "software"}, "requestor": False}],
        "source": {"observer": {"display": "software"}},
    }


def send(sandbox: Sandbox, content: object) -> Reply:
    text = content if isinstance(content, bytes) else json.dumps(content)
    url = f"{sandbox.collector_url}/AuditEvent"
    return post(url, text, content_type="application/fhir+json")


def listed(sandbox: Sandbox, *dates: str) -> Reply:
    query = "&".join(f"date={quote(date)}" for date in dates)
    return post(f"{sandbox.collector_url}/AuditEvent?{query}", "", method="GET")


def test_a_trace_is_stored(sandbox: Sandbox) -> None:
    reply = send(sandbox, event())
    assert reply.status == 201
    assert json.loads(reply.body) == event()
    assert sandbox.collector.traces == {"t1": event()}
    assert sandbox.collector.received == 1
    assert "not the Assurance Maladie" in reply.headers["x-reference-sandbox"]


def test_the_id_deduplicates_and_the_first_stays(sandbox: Sandbox) -> None:
    send(sandbox, event())
    assert send(sandbox, event(recorded="2027-01-01T00:00:00Z")).status == 201
    assert sandbox.collector.traces == {"t1": event()}
    assert sandbox.collector.received == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        [],
        event() | {"resourceType": "Patient"},
        event() | {"id": ""},
        event() | {"id": 7},
        event() | {"recorded": "yesterday"},
        event() | {"recorded": "2026-03-02T10:00:00"},
        event() | {"period": {}},
        event() | {"period": {"end": "2026-03-02T10:00:00Z"}},
        event() | {"subtype": [{}, {}]},
        event() | {"agent": []},
        event() | {"agent": [{"who": {"display": "x"}}] * 3},
        event() | {"agent": [{"requestor": True}]},
        event() | {"source": {}},
    ],
)
def test_a_malformed_trace_is_refused(sandbox: Sandbox, content: object) -> None:
    reply = send(sandbox, content)
    assert reply.status == 400
    outcome = json.loads(reply.body)
    assert outcome["resourceType"] == "OperationOutcome"
    assert "non de l'Assurance Maladie" in outcome["issue"][0]["diagnostics"]
    assert sandbox.collector.traces == {}
    assert sandbox.collector.received == 1


def test_traces_are_listed_by_date(sandbox: Sandbox) -> None:
    for day in (1, 2, 3):
        send(sandbox, event(f"t{day}", f"2026-03-0{day}T12:00:00Z"))

    def found(*dates: str) -> list[str]:
        reply = listed(sandbox, *dates)
        assert reply.status == 200
        bundle = json.loads(reply.body)
        assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
        assert bundle["total"] == len(bundle["entry"])
        return [item["resource"]["id"] for item in bundle["entry"]]

    assert found("ge2026-03-02") == ["t2", "t3"]
    assert found("le2026-03-02") == ["t1", "t2"]
    assert found("gt2026-03-02") == ["t3"]
    assert found("lt2026-03-02") == ["t1"]
    assert found("ge2026-03-02", "le2026-03-02") == ["t2"]
    assert found("ge2026-03-02T12:00:00Z") == ["t2", "t3"]
    assert found("gt2026-03-02T13:00:00+01:00") == ["t3"]
    assert found("le2026-03-02T12:00:00.000Z") == ["t1", "t2"]
    assert found("ge2027-01-01") == []


@pytest.mark.parametrize(
    "date", ["2026-03-02", "eq2026-03-02", "ge2026", "gex", "ge2026-03-02T10:00:00"]
)
def test_a_bound_nobody_can_read_is_refused(sandbox: Sandbox, date: str) -> None:
    send(sandbox, event())
    assert listed(sandbox, date).status == 400


def test_a_bound_is_mandatory(sandbox: Sandbox) -> None:
    assert listed(sandbox).status == 400


def test_unavailable(sandbox: Sandbox) -> None:
    sandbox.script(Operation.TRACE, Unavailable(retry_after=100))
    reply = send(sandbox, event())
    assert (reply.status, reply.headers["retry-after"]) == (503, "5")
    assert sandbox.collector.traces == {}
    assert sandbox.collector.received == 1


def test_refuse(sandbox: Sandbox) -> None:
    sandbox.script(Operation.TRACE, Refuse(422))
    assert send(sandbox, event()).status == 422
    assert sandbox.collector.traces == {}
    assert send(sandbox, event()).status == 201


def test_drop_before_commit(sandbox: Sandbox) -> None:
    sandbox.script(Operation.TRACE, DropBeforeCommit())
    with pytest.raises(ConnectionError):
        send(sandbox, event())
    assert sandbox.collector.traces == {}
    assert sandbox.collector.received == 1


def test_commit_then_drop(sandbox: Sandbox) -> None:
    sandbox.script(Operation.TRACE, CommitThenDrop())
    with pytest.raises(ConnectionError):
        send(sandbox, event())
    assert list(sandbox.collector.traces) == ["t1"]


def test_answer_after(sandbox: Sandbox) -> None:
    sandbox.script(Operation.TRACE, AnswerAfter(2))
    assert send(sandbox, event()).status == 201


def test_a_script_for_the_service_spares_the_collector(sandbox: Sandbox) -> None:
    sandbox.script(Operation.SEARCH, Unavailable())
    assert send(sandbox, event()).status == 201
    assert search(sandbox.url).status == 503


def test_a_trace_that_is_too_large_is_refused(sandbox: Sandbox) -> None:
    assert send(sandbox, b" " * (8 * 1024 * 1024 + 1)).status == 413

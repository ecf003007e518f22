"""The tde profile, as the public national guide has it (domain: ANS tde 2.0.0)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from hypothesis import given

from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.trace import CallOutcome, ChainLink, RegistrationState, Trace
from eprescription_sdk.traces.fictitious import fictitious
from eprescription_sdk.traces.tde import TdeProfile
from tests.traces.samples import call, digital, paper
from tests.traces.test_body import traces

LINK = ChainLink(segment="segment", position=7, hash="ab" * 32)


def written(trace: Trace) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(TdeProfile().encode(trace, LINK))
    return document


def details(document: dict[str, Any]) -> dict[str, str]:
    return {
        each["type"]: each["valueString"]
        for entity in document["entity"]
        for each in entity.get("detail", ())
    }


def leaves(document: object) -> Iterator[object]:
    if isinstance(document, dict):
        for value in document.values():
            yield from leaves(value)
    elif isinstance(document, list):
        for value in document:
            yield from leaves(value)
    else:
        yield document


@pytest.mark.parametrize("trace", [trace for _, trace in fictitious()])
def test_it_is_a_valid_audit_event(trace: Trace) -> None:
    event = AuditEvent.model_validate_json(TdeProfile().encode(trace, LINK))
    assert event.id == trace.id
    assert event.recorded == trace.at


@given(trace=traces)
def test_the_profile_is_met_whatever_the_trace(trace: Trace) -> None:
    document = written(trace)
    assert len(document["subtype"]) == 1
    assert document["period"]["start"]
    assert 1 <= len(document["agent"]) <= 2
    assert all(agent["who"] for agent in document["agent"])
    assert sum(agent["requestor"] for agent in document["agent"]) == 1
    assert document["source"]["observer"]
    # FHIR knows no empty string, and no null.
    assert all(leaf is not None and leaf != "" for leaf in leaves(document))


@pytest.mark.parametrize("trace", [call(), digital(), paper()])
def test_no_patient_is_in_it(trace: Trace) -> None:
    text = json.dumps(written(trace)).lower()
    assert "patient" not in text.replace("patient_request", "")
    assert "1.2.250.1.213.1.4." not in text


def test_it_carries_its_link_so_that_heads_are_anchored() -> None:
    found = details(written(digital()))
    assert (found["chain-segment"], found["chain-position"], found["chain-hash"]) == (
        LINK.segment, "7", LINK.hash,
    )  # fmt: skip


def test_it_names_practitioner_company_and_number() -> None:
    document = written(digital(number=PrescriptionNumber("NUMBER1")))
    assert document["agent"][0]["who"]["identifier"] == {
        "system": "https://rpps.esante.gouv.fr", "value": "99700218896",
    }  # fmt: skip
    assert document["source"]["observer"]["identifier"]["value"] == "330781287"
    number = document["entity"][1]
    assert number["what"]["identifier"] == {
        "system": "urn:oid:1.2.250.1.215.500.1.1", "value": "NUMBER1",
    }  # fmt: skip
    assert number["type"]["code"] == "57833-6"


@pytest.mark.parametrize(
    ("trace", "outcome", "action"),
    [
        (call(outcome=CallOutcome.REGISTERED), "0", "C"),
        (call(outcome=CallOutcome.FAILED), "8", "C"),
        (call(outcome=CallOutcome.NOT_REGISTERED), "8", "C"),
        (digital(registration=RegistrationState.NOT_REGISTERED), "8", "C"),
        (call(outcome=CallOutcome.UNCERTAIN), "4", "C"),
        (digital(), "0", "C"),
        (digital(revision=2), "0", "U"),
        (digital(registration=RegistrationState.UNCERTAIN), "4", "C"),
        (paper(), "0", "C"),
    ],
)
def test_outcome_and_action(trace: Trace, outcome: str, action: str) -> None:
    document = written(trace)
    assert (document["outcome"], document["action"]) == (outcome, action)


def test_simulation_is_said() -> None:
    assert details(written(call(simulation=True)))["simulation"] == "true"
    assert "simulation" not in details(written(call()))


def test_its_name_does_not_pose_as_the_official_format() -> None:
    assert "AuditEvent" in TdeProfile().name
    assert written(call())["type"]["system"].startswith("urn:eprescription-sdk:")

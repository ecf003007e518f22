"""The FastAPI example, started with uvicorn and asked over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import eprescription_sdk as ep
from eprescription_sdk.sandbox import (
    CommitThenDrop,
    ExpiredCredential,
    FaultCode,
    Operation,
    Sandbox,
)
from eprescription_sdk.testing import Canary, assert_no_patient_data
from tests.examples.backends import (
    EXAMPLES,
    RPPS,
    SITUATION,
    assertion,
    assessed,
    call,
    content,
    environment,
    eventually,
    free_port,
    running,
    running_pilot,
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running_one:
        yield running_one


def test_prescriptions_over_http(sandbox: Sandbox, tmp_path: Path) -> None:
    told = environment(sandbox, tmp_path / "store.db")
    running_pilot(told)
    canary = Canary()
    port, log = free_port(), tmp_path / "server.log"
    base = f"http://127.0.0.1:{port}"
    with running(
        "uvicorn", "--port", str(port), "app:app",
        told=told, cwd=EXAMPLES / "fastapi_backend", log=log, until="startup complete",
    ):  # fmt: skip
        session = f"{base}/practitioners/{RPPS.value}/session?situation={SITUATION}"
        assert call("POST", f"{base}/consultations/7/prescription", content())[0] == 401
        assert call("PUT", session, b"<no-assertion/>")[0] == 401
        assert call("PUT", session, assertion(sandbox)) == (204, None)
        _registered(f"{base}/consultations/7/prescription", sandbox)
        _refused(f"{base}/consultations/8/prescription", sandbox)
        _uncertain(f"{base}/consultations/9/prescription", sandbox)
        marked = ep.prescription_to_json(canary.prescription(rpps=RPPS, situation=SITUATION))
        assert call("POST", f"{base}/consultations/10/prescription", marked)[0] == 201
        paper = f"{base}/practitioners/{RPPS.value}/paper?reason=out_of_perimeter"
        assert call("POST", paper, ["imaging"])[0] == 204
        # Refused and its paper, the doubt and its end: two each; then the canary and the imaging.
        eventually(lambda: _shipped_documents(sandbox) == 1 + 2 + 2 + 1 + 1)
    assessment = assessed(told)
    figure = assessment.lenient[ep.pilot.Criterion.C2].figure
    assert figure is not None
    assert (figure.numerator, figure.denominator) == (2, 3)  # the canary is a test identity
    assert assessment.simulation
    said = log.read_text(encoding="utf-8")
    assert '"name": "eprescription.create"' in said
    assert '"name": "eprescription.call.duration"' in said
    assert_no_patient_data(canary, {"console": said, "store": tmp_path})


def _registered(consultation: str, sandbox: Sandbox) -> None:
    given = content()
    status, answer = call("POST", consultation, given)
    assert (status, answer["outcome"]) == (201, "registered")
    assert sandbox.count(answer["number"]) == 1
    assert "<svg" in answer["print"]
    assert "SIMULATION" in answer["print"]
    assert answer["simulation"] is True
    # A second click gets the same answer, and other content none.
    assert call("POST", consultation, given) == (status, answer)
    assert call("POST", consultation, content(text="1 le soir"))[0] == 409
    assert call("POST", consultation, {"lines": "?"})[0] == 422
    assert len(sandbox.registrations) == 1


def _refused(consultation: str, sandbox: Sandbox) -> None:
    sandbox.script(Operation.CREATE, FaultCode("sdkref_auth", sender=True))
    status, answer = call("POST", consultation, content())
    assert (status, answer["outcome"]) == (200, "not registered")
    assert (answer["next"], answer["why"]) == ("print_plain", "refused")
    assert "carte" in answer["text"]


def _uncertain(consultation: str, sandbox: Sandbox) -> None:
    """Asked again, the call learns that it was registered after all."""
    sandbox.script(Operation.CREATE, CommitThenDrop())
    sandbox.script(Operation.CONSULT, ExpiredCredential())
    given = content()
    status, answer = call("POST", consultation, given)
    assert (status, answer["outcome"]) == (202, "uncertain")
    assert set(answer) == {"text", "simulation", "outcome", "next"}
    assert call("POST", consultation, given)[0] == 201
    assert len(sandbox.registrations) == 2


def _shipped_documents(sandbox: Sandbox) -> int:
    return sum("revision" in json.dumps(each) for each in sandbox.collector.traces.values())

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


def test_a_prescription_over_http(sandbox: Sandbox, tmp_path: Path) -> None:
    told = environment(sandbox, tmp_path / "store.db")
    running_pilot(told)
    port, log = free_port(), tmp_path / "server.log"
    base = f"http://127.0.0.1:{port}"
    with running(
        "uvicorn", "--port", str(port), "app:app",
        told=told, cwd=EXAMPLES / "fastapi_backend", log=log, until="startup complete",
    ):  # fmt: skip
        consultation = f"{base}/consultations/7f1d/prescription"
        given = content()
        assert call("POST", consultation, given)[0] == 401
        session = f"{base}/practitioners/{RPPS.value}/session?situation={SITUATION}"
        assert call("PUT", session, b"<no-assertion/>")[0] == 401
        assert call("PUT", session, assertion(sandbox)) == (204, None)

        status, answer = call("POST", consultation, given)
        assert (status, answer["outcome"]) == (201, "registered")
        assert sandbox.count(answer["number"]) == 1
        assert "<svg" in answer["print"]
        assert "SIMULATION" in answer["print"]
        assert answer["simulation"] is True
        # A second click gets the same answer, and other content none.
        assert call("POST", consultation, given) == (status, answer)
        assert call("POST", consultation, content(text="1 le soir"))[0] == 409
        assert len(sandbox.registrations) == 1
        status, answer = call("POST", consultation, {"lines": "?"})
        assert status == 422
        assert answer["outcome"] == "not sent"

        sandbox.script(Operation.CREATE, FaultCode("sdkref_auth", sender=True))
        status, answer = call("POST", f"{base}/consultations/8/prescription", content())
        assert (status, answer["outcome"]) == (200, "not registered")
        assert (answer["next"], answer["why"]) == ("print_plain", "refused")
        assert "carte" in answer["text"]

        sandbox.script(Operation.CREATE, CommitThenDrop())
        sandbox.script(Operation.CONSULT, ExpiredCredential())
        unsure, given = f"{base}/consultations/9/prescription", content()
        status, answer = call("POST", unsure, given)
        assert (status, answer["outcome"]) == (202, "uncertain")
        assert set(answer) == {"text", "simulation", "outcome", "next"}
        assert call("POST", unsure, given)[0] == 201
        assert len(sandbox.registrations) == 2

        paper = f"{base}/practitioners/{RPPS.value}/paper"
        wish = {"families": ["imaging"], "reason": "out_of_perimeter"}
        assert call("POST", f"{paper}?reason={wish['reason']}", wish["families"])[0] == 204
        # Calls: 3 by the prescriber, 1 behind; documents: 3 digital, the doubt twice, 2 on paper.
        eventually(lambda: len(_of_documents(sandbox)) == 6)
    assessment = assessed(told)
    figure = assessment.lenient[ep.pilot.Criterion.C2].figure
    assert figure is not None
    assert (figure.numerator, figure.denominator) == (2, 3)
    assert assessment.simulation
    said = log.read_text(encoding="utf-8")
    assert '"name": "eprescription.create"' in said
    assert '"name": "eprescription.call.duration"' in said
    patient = given["patient"]
    for secret in (patient["family_name"], patient["ins"]["value"], given["lines"][0]["label"]):
        assert secret not in said


def _of_documents(sandbox: Sandbox) -> list[str]:
    found = [json.dumps(each) for each in sandbox.collector.traces.values()]
    return [each for each in found if "revision" in each]

"""Codes that the profile does not have are kept, counted, and reach criterion C3."""

from collections import Counter
from pathlib import Path

import pytest

import eprescription_sdk as ep
from eprescription_sdk import telemetry
from eprescription_sdk.sandbox import FaultCode
from eprescription_sdk.sandbox import Operation as Asked
from eprescription_sdk.testing import sample_prescription
from tests.client.harness import traces, world

KINDS = [
    ("sdkref_invalid", ep.Processed.PROCESSED, ep.FaultOrigin.SOFTWARE, True),
    ("sdkref_auth", ep.Processed.PROCESSED, ep.FaultOrigin.USER, True),
]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()

    def count(name: str, reason: str, amount: int = 1) -> None:
        found[name, reason] += amount

    monkeypatch.setattr(telemetry, "count", count)
    return found


@pytest.mark.parametrize(("code", "processed", "origin", "known"), KINDS)
def test_a_known_code_says_all_of_itself(
    tmp_path: Path,
    counted: Counter[tuple[str, str]],
    code: str,
    processed: ep.Processed,
    origin: ep.FaultOrigin,
    *,
    known: bool,
) -> None:
    with world(tmp_path) as stage:
        fault = FaultCode(code, "siram_40", sender=True, severity="fatale", text="refusé")
        stage.sandbox.script(Asked.CREATE, fault)
        outcome = stage.side.create(sample_prescription())
    assert isinstance(outcome, ep.NotRegistered)
    said = outcome.fault
    assert said is not None
    assert (said.code, said.subcode, said.level) == (code, "siram_40", ep.FaultSeverity.FATAL)
    assert (said.processed, said.origin, said.known) == (processed, origin, known)
    assert said.message_id == outcome.message_ids[0]
    assert said.text == "refusé"
    assert not [name for name, _ in counted if name == "fault_unknown"]


def test_an_unknown_code_is_counted_and_traced(
    side: str, tmp_path: Path, counted: Counter[tuple[str, str]]
) -> None:
    with world(tmp_path, side, pilot=True) as stage:
        for code in ("jamais_vu_7", "jamais_vu_7", "desir_550"):
            fault = FaultCode(code, "siram_100", sender=False, severity="GRAVE", text="non")
            stage.sandbox.script(Asked.CONSULT, fault)
            with pytest.raises(ep.ServiceFault) as caught:
                stage.side.consult(ep.PrescriptionNumber("SIM1"))
            assert caught.value.fault_code == code
        calls = [body for body in traces(stage.store) if body["kind"] == "CALL"]
    assert counted["fault_unknown", "jamais_vu_7"] == 2
    assert counted["fault_unknown", "desir_550"] == 1
    assert [(call["fault_code"], call["fault_origin"]) for call in calls] == [
        ("jamais_vu_7", "service"),
        ("jamais_vu_7", "service"),
        ("desir_550", "service"),
    ]


def test_a_subcode_alone_is_a_name_too(tmp_path: Path, counted: Counter[tuple[str, str]]) -> None:
    with world(tmp_path) as stage:
        fault = FaultCode("", "siram_777", sender=True, severity="erreur", text="non")
        stage.sandbox.script(Asked.CONSULT, fault)
        with pytest.raises(ep.ServiceFault, match="siram_777"):
            stage.side.consult(ep.PrescriptionNumber("SIM1"))
    assert counted["fault_unknown", "siram_777"] == 1

"""A fault's taxonomy survives what nobody has seen before."""

import pytest

from eprescription_sdk.model.faults import Fault, FaultLayer, FaultSeverity, Processed


@pytest.mark.parametrize(
    ("code", "subcode", "layer"),
    [
        ("insi_102", "siram_100", FaultLayer.SERVICE),
        ("desir_550", "siram_40", FaultLayer.ACCESS),
        (None, "siram_40", FaultLayer.EXCHANGE),
        ("SIRAM_40", None, FaultLayer.EXCHANGE),
        ("jamais-vu", None, FaultLayer.SERVICE),
        (None, None, FaultLayer.SOAP),
    ],
)
def test_the_prefix_says_who_speaks(
    code: str | None, subcode: str | None, layer: FaultLayer
) -> None:
    fault = Fault(code=code, subcode=subcode)
    assert fault.layer is layer
    assert fault.name == (code or subcode)


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("information", FaultSeverity.INFORMATION),
        ("avertissement", FaultSeverity.WARNING),
        ("erreur", FaultSeverity.ERROR),
        ("FATALE", FaultSeverity.FATAL),
        ("catastrophe", FaultSeverity.UNKNOWN),
        ("", FaultSeverity.UNKNOWN),
        (None, FaultSeverity.UNKNOWN),
    ],
)
def test_severities_are_known_or_unknown_and_kept(word: str | None, level: FaultSeverity) -> None:
    fault = Fault(severity=word)
    assert fault.level is level
    assert fault.severity == word


def test_before_it_is_judged_nothing_is_claimed() -> None:
    fault = Fault(text="NOM DU PATIENT")
    assert (fault.processed, fault.origin, fault.known) == (Processed.UNKNOWN, None, False)
    assert "PATIENT" not in repr(fault)

"""How fast a prescription is written to the reference body, and read from it.

The yardstick is ``fhir.resources`` (R4B, pydantic) on the same content: the very same Bundle of
ten medicines. What is compared:

- *writing*: from our model to the bytes of the reference body (FHIR R4 XML), against
  ``fhir.resources`` writing that Bundle as XML from its own objects, which are built beforehand
  and not timed. We do more: the model is turned into FHIR first.
- *reading*: from those bytes to our model, against ``fhir.resources`` reading the same XML into
  its own objects. We do more here too: its objects would still have to become a prescription.
- beside them, the same in JSON, the form that ``fhir.resources`` is fastest in: from our model
  to the text, and from the text to our model.

Each figure is the best of many short runs, ours and theirs in turn, so that a busy machine slows
both. The goals are five times as fast in writing the body, twice in reading it; they are printed
and never asserted. Run: ``python -m benchmarks.fhir_forms``.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from fhir.resources.R4B.bundle import Bundle

from benchmarks import table
from eprescription_sdk.fhir import from_xml, prescription_from_fhir, prescription_to_fhir, to_xml
from eprescription_sdk.model.flags import HeaderFlag, LineFlag, Substitution
from eprescription_sdk.model.identifiers import Finess, Ins, InsOid, PrescriptionNumber, Rpps
from eprescription_sdk.model.lines import CodeSystem, Coding, MedicationLine
from eprescription_sdk.model.people import Patient, PracticeSituation, Prescriber, Profession, Sex
from eprescription_sdk.model.posology import (
    Dosage,
    Duration,
    Maximum,
    Moment,
    Quantity,
    TimeUnit,
)
from eprescription_sdk.model.prescription import ExecutionReading, Prescription
from eprescription_sdk.wire.reference_body import ReferenceCodec

LINES = 10
ROUNDS = 25
NUMBER = PrescriptionNumber("SIMULATION0000000001")


def ten_lines() -> Prescription:
    """A prescription of ten coded medicines, each with a structured posology of two steps."""
    tablet = Quantity(
        value=Decimal(1), unit="comprimé", code="15054000", system="http://standardterms.edqm.eu"
    )
    day = Duration(value=Decimal(1), unit=TimeUnit.DAY)
    steps = (
        Dosage(
            dose=tablet,
            moments=(Moment.WITH_BREAKFAST, Moment.WITH_DINNER),
            duration=Duration(value=Decimal(7), unit=TimeUnit.DAY),
            max_per_period=(Maximum(quantity=tablet, period=day),),
        ),
        Dosage(
            sequence=2,
            dose=tablet,
            frequency=1,
            every=day,
            as_needed=True,
            as_needed_reason="douleur",
            instructions=("avec un verre d'eau",),
        ),
    )
    lines = [
        MedicationLine(
            label=f"MÉDICAMENT {rank} 500 mg, comprimé",
            text="1 comprimé matin et soir pendant 7 jours, puis 1 par jour en cas de douleur",
            codes=(Coding(system=CodeSystem.CIS, code=f"6000000{rank}"),),
            flags=frozenset({LineFlag.LONG_TERM_ILLNESS}),
            dosage=steps,
            quantity=Quantity(value=Decimal(2), unit="boîte"),
            duration=Duration(value=Decimal(1), unit=TimeUnit.MONTH),
            renewals=2,
            substitution=Substitution(allowed=True),
        )
        for rank in range(LINES)
    ]
    return Prescription(
        prescriber=Prescriber(
            rpps=Rpps("99700218896"),
            family_name="EXEMPLE",
            given_name="Camille",
            profession=Profession.DOCTOR,
            situation=PracticeSituation(id="situation", finess=Finess("330781287")),
        ),
        patient=Patient(
            ins=Ins("278109999999966", InsOid.TEST),
            family_name="ESSAI",
            given_name="Dominique",
            birth_date=date(1978, 10, 2),
            sex=Sex.FEMALE,
        ),
        lines=lines,
        execution_reading=ExecutionReading.AGREED,
        flags=frozenset({HeaderFlag.BIZONE}),
        issued_at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
    )


def best(rounds: int, *actions: Callable[[], Any]) -> list[float]:
    """The best time of each, in seconds; they take turns."""
    found = [float("inf")] * len(actions)
    for _ in range(rounds):
        for index, action in enumerate(actions):
            begun = time.perf_counter()
            action()
            found[index] = min(found[index], time.perf_counter() - begun)
    return found


def show(what: str, pair: list[float], goal: float | None = None) -> None:
    """Two times, and their ratio where there is a goal for it."""
    ours, theirs = pair
    print(f"  {what:<28} {ours * 1e3:7.2f} ms {theirs * 1e3:9.2f} ms {theirs / ours:7.1f}×")
    if goal is not None:
        asked = f"`fhir.resources` against ours: {what}"
        measured = theirs / ours
        table.show([table.Row(what=asked, measured=measured, budget=goal, least=True, shown=".1f")])


def main(rounds: int = ROUNDS) -> None:
    """Print the figures."""
    prescription = ten_lines()
    assert not prescription.problems()
    codec = ReferenceCodec()
    sent = prescription_to_fhir(prescription, number=NUMBER)
    xml = to_xml(sent).encode()
    text = json.dumps(sent)
    theirs = Bundle.model_validate_json(text)
    # The same content on both sides, or nothing here means anything.
    assert json.loads(Bundle.model_validate_xml(xml).model_dump_json()) == json.loads(
        theirs.model_dump_json()
    )
    assert xml in codec.encode_create(prescription, NUMBER)
    assert prescription_from_fhir(from_xml(xml)) == prescription

    print(f"FHIR, {LINES} lines, {len(xml):,} bytes of XML")
    print(f"  {'':<28} {'ours':>10} {'fhir.resources':>14}")
    pair = best(rounds, lambda: codec.encode_create(prescription, NUMBER), theirs.model_dump_xml)
    show("write the reference body", pair, goal=5)
    pair = best(
        rounds,
        lambda: prescription_from_fhir(from_xml(xml)),
        lambda: Bundle.model_validate_xml(xml),
    )
    show("read the reference body", pair, goal=2)
    pair = best(
        rounds,
        lambda: json.dumps(prescription_to_fhir(prescription, number=NUMBER)),
        theirs.model_dump_json,
    )
    show("write JSON", pair)
    pair = best(
        rounds,
        lambda: prescription_from_fhir(json.loads(text)),
        lambda: Bundle.model_validate_json(text),
    )
    show("read JSON", pair)
    (checked,) = best(rounds, prescription.problems)
    print(f"  {'check the rules':<28} {checked * 1e3:7.2f} ms")


if __name__ == "__main__":
    main()

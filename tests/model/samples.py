"""Prescriptions for tests: the examples of the project, and one that uses every field."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

from eprescription_sdk.model.flags import (
    HeaderFlag,
    LineFlag,
    Substitution,
    SubstitutionReason,
)
from eprescription_sdk.model.identifiers import Finess, Ins, InsOid, PrescriptionNumber, Rpps
from eprescription_sdk.model.json_form import prescription_from_json
from eprescription_sdk.model.lines import (
    CodeSystem,
    Coding,
    DeviceLine,
    Laterality,
    Line,
    MedicationLine,
    Period,
)
from eprescription_sdk.model.people import (
    ExerciseMode,
    Patient,
    PracticeSituation,
    Prescriber,
    Profession,
    Sex,
)
from eprescription_sdk.model.posology import (
    Dosage,
    Duration,
    Maximum,
    Moment,
    Quantity,
    TimeUnit,
    Weekday,
)
from eprescription_sdk.model.prescription import ExecutionReading, Prescription

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "prescriptions").glob("*.json"))

SITUATION = PracticeSituation(id="situation-1", finess=Finess("330781287"))
PRESCRIBER = Prescriber(
    rpps=Rpps("99700218896"),
    family_name="FABRE",
    given_name="Solène",
    profession=Profession.DOCTOR,
    situation=SITUATION,
)
OTHER_PRESCRIBER = Prescriber(
    rpps=Rpps("99900063480"),
    family_name="KERVELLA",
    given_name="Yann",
    profession=Profession.MIDWIFE,
    situation=PracticeSituation(
        id="situation-2", finess=Finess("750712184"), mode=ExerciseMode.SELF_EMPLOYED
    ),
)
PATIENT = Patient(
    ins=Ins("279063315500182", InsOid.TEST),
    family_name="ESSAI-MARTEL",
    given_name="Hélène",
    birth_date=date(1979, 6, 12),
    sex=Sex.FEMALE,
)
DAY = Duration(value=Decimal(1), unit=TimeUnit.DAY)
WEEK = Duration(value=Decimal(1), unit=TimeUnit.WEEK)
TABLET = Quantity(
    value=Decimal("0.75"),
    unit="comprimé",
    code="15054000",
    system="http://standardterms.edqm.eu",
)
NUMBER = PrescriptionNumber("SPECIMEN1")


def example(path: Path) -> Prescription:
    """One of the example prescriptions."""
    return prescription_from_json(json.loads(path.read_text(encoding="utf-8")))


def prescription(*lines: Line) -> Prescription:
    """A valid prescription of these lines, or of one plain medicine."""
    return Prescription(
        prescriber=PRESCRIBER,
        patient=PATIENT,
        lines=lines or (MedicationLine(label="PARACÉTAMOL 1 g", text="1 comprimé par jour"),),
        execution_reading=ExecutionReading.AGREED,
        issued_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    )


EVERY_DOSAGE_FIELD = Dosage(
    sequence=2,
    text="puis",
    dose=TABLET,
    dose_high=Quantity(value=Decimal(2), unit="comprimé"),
    frequency=1,
    frequency_max=3,
    every=Duration(value=Decimal("1.5"), unit=TimeUnit.WEEK),
    every_max=Duration(value=Decimal(2), unit=TimeUnit.WEEK),
    count=12,
    times_of_day=(time(8), time(20, 30)),
    moments=(Moment.BEFORE_LUNCH, Moment.AT_BEDTIME),
    offset=30,
    days_of_week=(Weekday.MONDAY, Weekday.SUNDAY),
    duration=Duration(value=Decimal(2), unit=TimeUnit.MONTH),
    duration_max=Duration(value=Decimal(3), unit=TimeUnit.MONTH),
    over=Duration(value=Decimal(20), unit=TimeUnit.MINUTE),
    rate=Quantity(value=Decimal(20), unit="mL/h", code="mL/h", system="http://unitsofmeasure.org"),
    as_needed=True,
    as_needed_reason="douleur",
    max_per_intake=TABLET,
    max_per_period=(
        Maximum(quantity=TABLET, period=DAY),
        Maximum(quantity=TABLET, period=WEEK),
    ),
    minimum_interval=Duration(value=Decimal(6), unit=TimeUnit.HOUR),
    route="voie orale",
    site="bras",
    instructions=("avec de l'eau", "debout"),
)

EVERY_FIELD = Prescription(
    prescriber=PRESCRIBER,
    patient=PATIENT,
    lines=(
        MedicationLine(
            label='LÉVOTHYROXINE <75> & "fils"',
            text="Un comprimé\nle matin\tà jeun",
            codes=(
                Coding(system=CodeSystem.CIP, code="3400930000014", display="LÉVOTHYROXINE"),
                Coding(system=CodeSystem.CIS, code="60000001"),
            ),
            flags=frozenset({LineFlag.LONG_TERM_ILLNESS, LineFlag.OFF_LABEL}),
            validity=Period(start=date(2026, 3, 1), end=date(2026, 6, 1)),
            note="À jeun.",
            dosage=(Dosage(dose=TABLET), EVERY_DOSAGE_FIELD),
            quantity=Quantity(value=Decimal(3), unit="boîte"),
            duration=Duration(value=Decimal(3), unit=TimeUnit.MONTH),
            renewals=2,
            substitution=Substitution(allowed=False, reason=SubstitutionReason.NARROW_MARGIN),
        ),
        DeviceLine(
            label="Lit médicalisé",
            text="Un lit",
            quantity=2,
            renewals=1,
            rental_days=7,
            site="genou",
            side=Laterality.LEFT,
            validity=Period(end=date(2026, 6, 1)),
            flags=frozenset({LineFlag.PREVENTION}),
        ),
    ),
    execution_reading=ExecutionReading.OPPOSED,
    flags=frozenset({HeaderFlag.BIZONE, HeaderFlag.URGENT}),
    issued_at=datetime(2026, 3, 1, 9, 30, 15, 250000, tzinfo=UTC),
    reference="cabinet-42",
    act="act-7",
    replaces=PrescriptionNumber("AAA"),
    renews=PrescriptionNumber("BBB"),
    corrects=PrescriptionNumber("CCC"),
    replaced_prescriber=OTHER_PRESCRIBER,
)

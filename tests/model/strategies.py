"""Valid prescriptions of every shape, for property tests."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
from hypothesis import strategies as st

from eprescription_sdk.model.flags import HeaderFlag, LineFlag, Substitution, SubstitutionReason
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.lines import (
    LINE_TYPES,
    ActLine,
    BiologyLine,
    Coding,
    DeviceLine,
    Laterality,
    Line,
    MedicationLine,
    Period,
    SitedLine,
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
from tests.model import samples

# What XML can carry; other texts are a problem, and tested as such. A FHIR string is never empty.
_ALPHABET = st.characters(
    exclude_categories=["Cs"], exclude_characters=[chr(n) for n in range(32)] + ["\ufffe", "\uffff"]
) | st.sampled_from("\n\t\r<>&\"'")
texts = st.text(_ALPHABET, min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
some_text = st.none() | texts
counts = st.integers(1, 9999)
some_count = st.none() | counts
numbers = st.decimals(
    min_value=Decimal("0.0001"), max_value=Decimal(10**8), places=4
) | st.integers(1, 10**8).map(Decimal)
codes = st.from_regex(
    r"[^\s\x00-\x1f\ud800-\udfff\ufffe\uffff]{1,6}( [0-9A-Z]{1,4})?", fullmatch=True
)
systems = st.from_regex(r"urn:[a-z]{1,6}:[0-9.]{1,6}", fullmatch=True)
quantities = st.builds(
    Quantity, value=numbers, unit=texts, code=st.none() | codes, system=st.none() | systems
)
some_quantity = st.none() | quantities
units = st.sampled_from(TimeUnit)
durations = st.builds(Duration, value=numbers, unit=units)
some_duration = st.none() | durations
FIRST = datetime(2000, 1, 1)  # noqa: DTZ001  (hypothesis adds the time zone)
LAST = datetime(2100, 1, 1)  # noqa: DTZ001  (likewise)
days = st.dates(date(1900, 1, 1), date(2100, 1, 1))
FLAGS = st.frozensets(st.sampled_from(LineFlag))


@st.composite
def ranges(draw: st.DrawFn) -> tuple[Duration | None, Duration | None]:
    """Nothing, a length of time, or two of them in order."""
    low = draw(some_duration)
    if low is None or draw(st.booleans()):
        return low, None
    return low, attrs.evolve(low, value=low.value + draw(st.integers(0, 5)))


@st.composite
def periods(draw: st.DrawFn) -> Period:
    """Open at one end, or closed."""
    first, last = sorted((draw(days), draw(days)))
    start, end = draw(st.sampled_from([(first, last), (first, None), (None, last)]))
    return Period(start=start, end=end)


@st.composite
def dosages(draw: st.DrawFn) -> Dosage:
    """A step of a posology."""
    every, every_max = draw(ranges())
    duration, duration_max = draw(ranges())
    dose = draw(some_quantity)
    high = attrs.evolve(dose, value=dose.value + draw(st.integers(0, 5))) if dose else None
    frequency = draw(some_count)
    reason = draw(some_text)
    maxima = st.builds(Maximum, quantity=quantities, period=durations)
    return Dosage(
        sequence=draw(counts),
        text=draw(some_text),
        dose=dose,
        dose_high=high if draw(st.booleans()) else None,
        frequency=frequency,
        frequency_max=9999 if frequency and draw(st.booleans()) else None,
        every=every,
        every_max=every_max,
        count=draw(some_count),
        times_of_day=tuple(draw(st.lists(st.times().map(whole_seconds), max_size=3))),
        moments=tuple(draw(st.lists(st.sampled_from(Moment), max_size=3))),
        offset=draw(some_count),
        days_of_week=tuple(draw(st.lists(st.sampled_from(Weekday), max_size=3))),
        duration=duration,
        duration_max=duration_max,
        over=draw(some_duration),
        rate=draw(some_quantity),
        as_needed=reason is not None or draw(st.booleans()),
        as_needed_reason=reason,
        max_per_intake=draw(some_quantity),
        max_per_period=tuple(draw(st.lists(maxima, max_size=2))),
        minimum_interval=draw(some_duration),
        route=draw(some_text),
        site=draw(some_text),
        instructions=tuple(draw(st.lists(texts, max_size=2))),
    )


def whole_seconds(moment: time) -> time:
    """FHIR knows fractions of a second, but no prescriber does."""
    return moment.replace(microsecond=0, fold=0)


codings = st.builds(Coding, system=systems, code=codes, display=some_text)
substitutions = st.builds(Substitution, allowed=st.just(True)) | st.builds(
    Substitution, allowed=st.booleans(), reason=st.sampled_from(SubstitutionReason)
)


@st.composite
def lines(draw: st.DrawFn, kind: type[Line]) -> Line:
    """A line of this type."""
    more: dict[str, Any] = {}
    if issubclass(kind, SitedLine):
        more |= {"site": draw(some_text), "side": draw(st.none() | st.sampled_from(Laterality))}
    if issubclass(kind, MedicationLine):
        more |= {
            "dosage": tuple(draw(st.lists(dosages(), max_size=2))),
            "quantity": draw(some_quantity),
            "duration": draw(some_duration),
            "renewals": draw(st.integers(0, 20)),
            "substitution": draw(st.none() | substitutions),
        }
    elif issubclass(kind, DeviceLine):
        more |= {
            "quantity": draw(counts),
            "renewals": draw(st.integers(0, 20)),
            "rental_days": draw(some_count),
        }
    elif issubclass(kind, BiologyLine):
        more["urgent"] = draw(st.booleans())
    elif issubclass(kind, ActLine):
        more |= {"sessions": draw(some_count), "duration": draw(some_duration)}
    return kind(
        label=draw(texts),
        text=draw(texts),
        codes=tuple(draw(st.lists(codings, max_size=2))),
        flags=draw(FLAGS),
        validity=draw(st.none() | periods()),
        note=draw(some_text),
        **more,
    )


@st.composite
def prescriptions(draw: st.DrawFn) -> Prescription:
    """A prescription without errors, of one document type."""
    first = draw(st.sampled_from(LINE_TYPES))
    kinds = [kind for kind in LINE_TYPES if kind.family.document_type is first.family.document_type]
    numbers = st.none() | st.from_regex(r"[0-9A-Z]{1,64}", fullmatch=True).map(PrescriptionNumber)
    zone = timezone(timedelta(minutes=draw(st.integers(-720, 840))))
    return Prescription(
        prescriber=samples.PRESCRIBER,
        patient=attrs.evolve(samples.PATIENT, birth_date=draw(days)),
        lines=tuple(
            draw(lines(draw(st.sampled_from(kinds)))) for _ in range(draw(st.integers(1, 3)))
        ),
        execution_reading=draw(st.sampled_from(ExecutionReading)),
        flags=draw(st.frozensets(st.sampled_from(sorted(HeaderFlag, key=str))))
        - {HeaderFlag.SECURED},
        issued_at=draw(st.datetimes(FIRST, LAST, timezones=st.sampled_from([UTC, zone]))),
        reference=draw(some_text),
        act=draw(some_text),
        replaces=draw(numbers),
        renews=draw(numbers),
        corrects=draw(numbers),
        replaced_prescriber=draw(st.sampled_from([None, samples.OTHER_PRESCRIBER])),
    )


def full_line(kind: type[Line]) -> Line:
    """A line of this type in which every field says something."""
    more: dict[str, Any] = {}
    if issubclass(kind, SitedLine):
        more |= {"site": "poignet", "side": Laterality.BOTH}
    if issubclass(kind, MedicationLine):
        return samples.EVERY_FIELD.lines[0]
    if issubclass(kind, DeviceLine):
        more |= {"quantity": 3, "renewals": 2, "rental_days": 30}
    elif issubclass(kind, BiologyLine):
        more["urgent"] = True
    else:
        more |= {"sessions": 12, "duration": samples.WEEK}
    return kind(
        label="Libellé",
        text="Les mots du prescripteur",
        codes=(Coding(system="urn:x", code="1", display="Un"),),
        flags=frozenset(LineFlag),
        validity=Period(start=date(2026, 3, 1), end=date(2026, 9, 1)),
        note="Remarque",
        **more,
    )

"""Structured posology beside the prescriber's own words.

The words (``MedicationLine.text``) are what is sent; the structure never replaces them.
``repr`` shows no content: a posology is health data.
"""

from datetime import time
from decimal import Decimal
from enum import Enum

import attrs

from eprescription_sdk.model.typed import typed


class TimeUnit(Enum):
    """Units of time, as UCUM writes them."""

    SECOND = "s"
    MINUTE = "min"
    HOUR = "h"
    DAY = "d"
    WEEK = "wk"
    MONTH = "mo"
    YEAR = "a"


class Moment(Enum):
    """Moments of the day, as FHIR R4 codes them."""

    MORNING = "MORN"
    EARLY_MORNING = "MORN.early"
    LATE_MORNING = "MORN.late"
    NOON = "NOON"
    AFTERNOON = "AFT"
    EARLY_AFTERNOON = "AFT.early"
    LATE_AFTERNOON = "AFT.late"
    EVENING = "EVE"
    EARLY_EVENING = "EVE.early"
    LATE_EVENING = "EVE.late"
    NIGHT = "NIGHT"
    AFTER_SLEEP_ONSET = "PHS"
    ON_WAKING = "WAKE"
    AT_BEDTIME = "HS"
    BEFORE_MEAL = "AC"
    WITH_MEAL = "C"
    AFTER_MEAL = "PC"
    BEFORE_BREAKFAST = "ACM"
    WITH_BREAKFAST = "CM"
    AFTER_BREAKFAST = "PCM"
    BEFORE_LUNCH = "ACD"
    WITH_LUNCH = "CD"
    AFTER_LUNCH = "PCD"
    BEFORE_DINNER = "ACV"
    WITH_DINNER = "CV"
    AFTER_DINNER = "PCV"


class Weekday(Enum):
    """Days of the week, as FHIR R4 codes them."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class Quantity:
    """A number with its unit.

    Args:
        value: exact.
        unit: as read by a person.
        code: coded unit, with its ``system`` (UCUM or EDQM).
        system: URI of the code system.
    """

    value: Decimal
    unit: str
    code: str | None = None
    system: str | None = None

    def __repr__(self) -> str:
        return "Quantity(***)"


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class Duration:
    """A length of time."""

    value: Decimal
    unit: TimeUnit

    def __repr__(self) -> str:
        return "Duration(***)"


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class Maximum:
    """The most that may be taken within a period."""

    quantity: Quantity
    period: Duration

    def __repr__(self) -> str:
        return "Maximum(***)"


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class Dosage:
    """One step of a posology; steps follow each other by ``sequence``.

    Args:
        sequence: rank of the step, from 1; steps of equal rank go together.
        text: the step in words, where the prescriber wrote it apart.
        dose: how much each time; with ``dose_high``, the low end of a range.
        dose_high: the high end of a range.
        frequency: how many times within ``every``; with ``frequency_max``, at least.
        frequency_max: at most how many times within ``every``.
        every: the period that ``frequency`` counts in: 1 day, 72 hours, 2 weeks.
        every_max: the high end of a range of periods, in the unit of ``every``: every 4 to 6 hours.
        count: how many intakes in all.
        times_of_day: clock times.
        moments: moments of the day, meal-related ones included.
        offset: minutes before or after the moments.
        days_of_week: the days it is taken.
        duration: how long the step lasts; with ``duration_max``, at least.
        duration_max: at most how long the step lasts, in the unit of ``duration``.
        over: how long one administration takes, such as a perfusion.
        rate: the speed of an administration, such as 20 mL/h.
        as_needed: taken only if needed.
        as_needed_reason: for what.
        max_per_intake: the most at one time.
        max_per_period: the most within each period.
        minimum_interval: the least time between two intakes.
        route: in words.
        site: where on the body, in words: the left eye.
        instructions: what to add: "with water", "until the third negative strip".
        kept: what a FHIR source said beyond this model; opaque, made and read by ``fhir``.
    """

    sequence: int = 1
    text: str | None = None
    dose: Quantity | None = None
    dose_high: Quantity | None = None
    frequency: int | None = None
    frequency_max: int | None = None
    every: Duration | None = None
    every_max: Duration | None = None
    count: int | None = None
    times_of_day: tuple[time, ...] = ()
    moments: tuple[Moment, ...] = ()
    offset: int | None = None
    days_of_week: tuple[Weekday, ...] = ()
    duration: Duration | None = None
    duration_max: Duration | None = None
    over: Duration | None = None
    rate: Quantity | None = None
    as_needed: bool = False
    as_needed_reason: str | None = None
    max_per_intake: Quantity | None = None
    max_per_period: tuple[Maximum, ...] = ()
    minimum_interval: Duration | None = None
    route: str | None = None
    site: str | None = None
    instructions: tuple[str, ...] = ()
    kept: str | None = None

    def __repr__(self) -> str:
        return "Dosage(***)"

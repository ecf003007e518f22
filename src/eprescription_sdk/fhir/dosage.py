"""The posology of a medicine and FHIR's ``Dosage``, both ways.

Reading takes what the model can say; the caller remembers the rest (``kept``). The source is
already checked to be well-formed.
"""

from datetime import time
from decimal import Decimal
from typing import Any

import attrs

from eprescription_sdk.fhir import names
from eprescription_sdk.fhir.kept import plain_number, remember, restore
from eprescription_sdk.model.posology import (
    Dosage,
    Duration,
    Maximum,
    Moment,
    Quantity,
    TimeUnit,
    Weekday,
)

_UNITS_FR = {
    TimeUnit.SECOND: "seconde",
    TimeUnit.MINUTE: "minute",
    TimeUnit.HOUR: "heure",
    TimeUnit.DAY: "jour",
    TimeUnit.WEEK: "semaine",
    TimeUnit.MONTH: "mois",
    TimeUnit.YEAR: "an",
}


def write_quantity(quantity: Quantity) -> dict[str, Any]:
    """A quantity, exact."""
    found: dict[str, Any] = {"value": plain_number(quantity.value)}
    if quantity.unit:
        found["unit"] = quantity.unit
    if quantity.system is not None:
        found["system"] = quantity.system
    if quantity.code is not None:
        found["code"] = quantity.code
    return found


def write_duration(duration: Duration) -> dict[str, Any]:
    """A length of time, in UCUM."""
    return {
        "value": plain_number(duration.value),
        "unit": _UNITS_FR[duration.unit],
        "system": names.UCUM,
        "code": duration.unit.value,
    }


def write_dosages(dosages: tuple[Dosage, ...], text: str, path: str) -> list[dict[str, Any]]:
    """The steps of a posology; FHIR wants at least one, so words alone make one.

    Args:
        dosages: the steps.
        text: the whole posology in words.
        path: of the line, for errors.
    """
    if not dosages:
        return [{"text": text}]
    several = len(dosages) > 1
    found = []
    for index, dosage in enumerate(dosages):
        written = _write(dosage, several=several)
        restore(written, dosage.kept, f"{path}.dosage[{index}].kept")
        # An edit may leave a step nothing to say, and its import may have had no rank: an element
        # cannot be empty.
        found.append(written or {"sequence": dosage.sequence})
    return found


def read_dosages(source: list[dict[str, Any]], text: str) -> tuple[Dosage, ...]:
    """The steps of a posology, each with what the model does not say of it.

    Args:
        source: ``dosageInstruction``.
        text: the whole posology in words.
    """
    if source == [{"text": text}]:
        return ()
    several = len(source) > 1
    found = []
    for each in source:
        dosage = _read(each)
        kept = remember(_write(dosage, several=several), each)
        found.append(dosage if kept is None else attrs.evolve(dosage, kept=kept))
    return tuple(found)


def _write(dosage: Dosage, *, several: bool) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if extensions := _write_extensions(dosage):
        written["extension"] = extensions
    # Words alone, without a rank, stand for a posology that has no structure.
    if several or dosage.sequence != 1 or _says_nothing(dosage):
        written["sequence"] = dosage.sequence
    if dosage.text is not None:
        written["text"] = dosage.text
    if dosage.instructions:
        written["additionalInstruction"] = [{"text": each} for each in dosage.instructions]
    if timing := _write_timing(dosage):
        written["timing"] = {"repeat": timing}
    if dosage.as_needed_reason is not None:
        written["asNeededCodeableConcept"] = {"text": dosage.as_needed_reason}
    elif dosage.as_needed:
        written["asNeededBoolean"] = True
    for name in ("site", "route"):
        if (words := getattr(dosage, name)) is not None:
            written[name] = {"text": words}
    return written | _write_amounts(dosage)


def _says_nothing(dosage: Dosage) -> bool:
    """Whether there is nothing but words."""
    return all(getattr(dosage, field.name) == field.default for field in _STRUCTURE)


_STRUCTURE = [
    field for field in attrs.fields(Dosage) if field.name not in ("kept", "sequence", "text")
]


def _write_amounts(dosage: Dosage) -> dict[str, Any]:
    written: dict[str, Any] = {}
    amount: dict[str, Any] = {}
    if dosage.dose is not None and dosage.dose_high is not None:
        ends = {"low": write_quantity(dosage.dose), "high": write_quantity(dosage.dose_high)}
        amount["doseRange"] = ends
    elif dosage.dose is not None:
        amount["doseQuantity"] = write_quantity(dosage.dose)
    if dosage.rate is not None:
        amount["rateQuantity"] = write_quantity(dosage.rate)
    if amount:
        written["doseAndRate"] = [amount]
    if dosage.max_per_period:
        written["maxDosePerPeriod"] = _write_maximum(dosage.max_per_period[0])
    if dosage.max_per_intake is not None:
        written["maxDosePerAdministration"] = write_quantity(dosage.max_per_intake)
    return written


def _write_timing(dosage: Dosage) -> dict[str, Any]:
    repeat = _write_bounds(dosage)
    for name, count in (
        ("count", dosage.count),
        ("frequency", dosage.frequency),
        ("frequencyMax", dosage.frequency_max),
        ("offset", dosage.offset),
    ):
        if count is not None:
            repeat[name] = count
    for name, length in (("duration", dosage.over), ("period", dosage.every)):
        if length is not None:
            repeat[name] = plain_number(length.value)
            repeat[f"{name}Unit"] = length.unit.value
    if dosage.every is not None and dosage.every_max is not None:
        repeat["periodMax"] = plain_number(dosage.every_max.value)
    if dosage.days_of_week:
        repeat["dayOfWeek"] = [day.value for day in dosage.days_of_week]
    if dosage.times_of_day:
        repeat["timeOfDay"] = [moment.isoformat() for moment in dosage.times_of_day]
    if dosage.moments:
        repeat["when"] = [moment.value for moment in dosage.moments]
    return repeat


def _write_bounds(dosage: Dosage) -> dict[str, Any]:
    if dosage.duration is None:
        return {}
    least = write_duration(dosage.duration)
    if dosage.duration_max is None:
        return {"boundsDuration": least}
    return {"boundsRange": {"low": least, "high": write_duration(dosage.duration_max)}}


def _write_extensions(dosage: Dosage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if dosage.minimum_interval is not None:
        interval = write_duration(dosage.minimum_interval)
        found.append({"url": names.MINIMUM_INTERVAL, "valueDuration": interval})
    # R4 has room for one maximum per period.
    found += (
        {"url": names.FURTHER_MAXIMUM, "valueRatio": _write_maximum(maximum)}
        for maximum in dosage.max_per_period[1:]
    )
    return found


def _write_maximum(maximum: Maximum) -> dict[str, Any]:
    return {
        "numerator": write_quantity(maximum.quantity),
        "denominator": write_duration(maximum.period),
    }


def _read(source: dict[str, Any]) -> Dosage:
    repeat = source.get("timing", {}).get("repeat", {})
    doses = source.get("doseAndRate", [])
    dose = doses[0] if len(doses) == 1 else {}
    range_ = dose.get("doseRange", {})
    low, high = read_quantity(range_.get("low")), read_quantity(range_.get("high"))
    every = _duration(repeat.get("period"), repeat.get("periodUnit"))
    duration, duration_max = _read_bounds(repeat)
    need = source.get("asNeededCodeableConcept")
    extensions = source.get("extension", [])
    maxima = [source.get("maxDosePerPeriod")] + [
        each.get("valueRatio") for each in extensions if each["url"] == names.FURTHER_MAXIMUM
    ]
    intervals = [
        each.get("valueDuration") for each in extensions if each["url"] == names.MINIMUM_INTERVAL
    ]
    return Dosage(
        sequence=source.get("sequence", 1),
        text=source.get("text"),
        dose=low if low and high else read_quantity(dose.get("doseQuantity")),
        dose_high=high if low else None,
        frequency=repeat.get("frequency"),
        frequency_max=repeat.get("frequencyMax"),
        every=every,
        every_max=_duration(repeat.get("periodMax"), repeat.get("periodUnit")) if every else None,
        count=repeat.get("count"),
        times_of_day=_members(_time, repeat.get("timeOfDay")),
        moments=_members(Moment, repeat.get("when")),
        offset=repeat.get("offset"),
        days_of_week=_members(Weekday, repeat.get("dayOfWeek")),
        duration=duration,
        duration_max=duration_max,
        over=_duration(repeat.get("duration"), repeat.get("durationUnit")),
        rate=read_quantity(dose.get("rateQuantity")),
        as_needed=need is not None or source.get("asNeededBoolean", False),
        as_needed_reason=read_concept(need),
        max_per_intake=read_quantity(source.get("maxDosePerAdministration")),
        max_per_period=tuple(
            maximum for maximum in map(_read_maximum, maxima) if maximum is not None
        ),
        minimum_interval=read_duration(intervals[0]) if intervals else None,
        route=read_concept(source.get("route")),
        site=read_concept(source.get("site")),
        instructions=tuple(
            words for words in map(read_concept, source.get("additionalInstruction", [])) if words
        ),
    )


def read_concept(source: dict[str, Any] | None) -> str | None:
    """A concept in words: its text, or the first label among its codes."""
    if source is None:
        return None
    labels = [coding.get("display") for coding in source.get("coding", [])]
    return next((words for words in [source.get("text"), *labels] if words), None)


def read_quantity(source: dict[str, Any] | None) -> Quantity | None:
    """A quantity; None where there is no number, or one that is only a bound."""
    if not source or "value" not in source or "comparator" in source:
        return None
    return Quantity(
        value=_exact(source["value"]),
        unit=source.get("unit", ""),
        code=source.get("code"),
        system=source.get("system"),
    )


def read_duration(source: dict[str, Any] | None) -> Duration | None:
    """A length of time; None where it is not in a unit of time."""
    if not source or "comparator" in source:
        return None
    return _duration(source.get("value"), source.get("code"))


def _read_bounds(repeat: dict[str, Any]) -> tuple[Duration | None, Duration | None]:
    """How long, as one length of time or as a range: both ends of it, or neither."""
    ends = repeat.get("boundsRange", {})
    low, high = read_duration(ends.get("low")), read_duration(ends.get("high"))
    if low is not None and high is not None:
        return low, high
    return read_duration(repeat.get("boundsDuration")), None


def _exact(number: float | Decimal) -> Decimal:
    return number if isinstance(number, Decimal) else Decimal(str(number))


def _duration(value: float | Decimal | None, unit: str | None) -> Duration | None:
    known = next((each for each in TimeUnit if each.value == unit), None)
    if value is None or known is None:
        return None
    return Duration(value=_exact(value), unit=known)


def _read_maximum(source: dict[str, Any] | None) -> Maximum | None:
    quantity = read_quantity((source or {}).get("numerator"))
    period = read_duration((source or {}).get("denominator"))
    if quantity is None or period is None:
        return None
    return Maximum(quantity=quantity, period=period)


def _time(text: str) -> time:
    return time.fromisoformat(text)


def _members(kind: Any, source: list[str] | None) -> Any:
    """All of them, or none: half a list of times would be another posology."""
    try:
        return tuple(kind(text) for text in source or [])
    except (ValueError, TypeError):
        return ()

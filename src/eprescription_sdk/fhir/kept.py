"""What a FHIR source says beyond the model: remembered on import, given back on export.

An element of the source is remembered together with a mark of what the model alone would
write of the same fact: ``[mark, theirs]``, where None stands for an absent element. Export
writes what the model says and then, wherever that still has the mark, puts ``theirs`` back. So
an untouched import comes out as it went in, and what a host changes in the model is neither
hidden nor contradicted by what its source once said. A mark is a digest: lines may be copied to
another patient's prescription, and must not carry the first one's identity along.
"""

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.fhir.names import OURS, RENDERED_DOSAGE
from eprescription_sdk.model.sealed import seal, unseal

# Their parts are facts of their own: one may change while the others stay. Any other element,
# such as a code or a quantity, is a single fact.
_COMPOSITE = frozenset({"timing", "repeat", "doseAndRate", "dispenseRequest"})

# Elements that are one fact: the types of a choice, and those that mean nothing alone.
_FACTS = {
    name: names
    for line in """
        asNeededBoolean asNeededCodeableConcept
        medicationCodeableConcept medicationReference
        codeCodeableConcept codeReference
        doseQuantity doseRange
        rateQuantity rateRange rateRatio
        boundsDuration boundsRange boundsPeriod
        occurrenceDateTime occurrencePeriod occurrenceTiming
        quantityQuantity quantityRange quantityRatio
        reportedBoolean reportedReference
        duration durationMax durationUnit
        period periodMax periodUnit
        frequency frequencyMax
        count countMax
        timeOfDay when offset
    """.strip().splitlines()
    if (names := tuple(line.split()))
    for name in names
}
# The code of a timing, and its dates, say again what its `repeat` says.
_FACTS |= {"code": ("code", "repeat"), "event": ("event", "repeat")}


def remember(
    ours: dict[str, Any],
    theirs: dict[str, Any],
    entries: Iterable[dict[str, Any]] = (),
    *,
    always: bool = False,
) -> str | None:
    """What has to be kept, as canonical JSON; None when the model says it all.

    Args:
        ours: what the model alone would write.
        theirs: what the source says.
        entries: further Bundle entries that the source refers to.
        always: keep a text that says nothing, rather than None.
    """
    found: dict[str, Any] = {"differs": _difference(ours, theirs)}
    if entries := list(entries):
        found["entries"] = entries
    if found == {"differs": {}} and not always:
        return None
    return seal(json.dumps(found, default=plain_number, sort_keys=True, separators=(",", ":")))


def restore(
    ours: dict[str, Any], kept: str | None, path: str, *, without: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Put back, in place, what was kept.

    Args:
        ours: what the model alone says now.
        kept: as made by ``remember``.
        path: of the kept text in the prescription, for errors.
        without: elements in which the model's word stands whatever was kept.

    Returns:
        The further Bundle entries.

    Raises:
        InvalidInput: the kept text is not of our making.
    """
    if kept is None:
        return []
    try:
        found = json.loads(unseal(kept))
        differs = {
            key: node
            for key, node in found["differs"].items()
            if key.removeprefix("_") not in without
        }
        _restore(ours, differs)
        return [dict(entry) for entry in found.get("entries", [])]
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        pass
    raise InvalidInput(
        "The prescription cannot be written as FHIR.",
        findings=[(path, "what was kept of a FHIR source cannot be read")],
    )


def plain_number(number: Any) -> int | float:
    """A decimal as JSON writes it: its digits are those of the decimal.

    Raises:
        InvalidInput: no JSON number of Python says it exactly.
    """
    if isinstance(number, Decimal) and number.is_finite():
        plain = int(number) if number.as_tuple().exponent == 0 else float(number)
        if Decimal(str(plain)) == number:
            return plain
    raise InvalidInput("A number has more digits than a JSON number can carry.")


def _difference(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in ours.keys() | theirs.keys():
        mine, other = ours.get(key), theirs.get(key)
        if mine == other:
            continue
        if key in _COMPOSITE and isinstance(mine, dict) and isinstance(other, dict):
            found[key] = {"within": _difference(mine, other)}
        elif key in _COMPOSITE and (pairs := _pairs(mine, other)):
            found[key] = {"each": [_difference(*pair) for pair in pairs]}
        else:
            found[key] = [_mark(ours, key), other]
    return found


def _mark(ours: dict[str, Any], key: str) -> str | None:
    """What stands for the fact that an element, or its primitive extension, belongs to."""
    name = key.removeprefix("_")
    value = {each: ours[each] for each in _FACTS.get(name, (name,)) if each in ours}
    if not value:
        return None
    text = json.dumps(value, default=plain_number, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _pairs(one: Any, other: Any) -> list[tuple[Any, Any]]:
    """What stands side by side in two lists of the same length; nothing otherwise."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return list(zip(one, other, strict=True))
    return []


def _restore(ours: dict[str, Any], differs: dict[str, Any]) -> None:
    marks = {key: _mark(ours, key) for key, node in differs.items() if isinstance(node, list)}
    for key, node in differs.items():
        now = ours.get(key)
        if isinstance(node, list):
            mine, other = node
            if marks[key] != mine:
                other = _foreign(now, other) if key == "extension" else now
        elif "within" in node:
            other = now or {}
            _restore(other, node["within"])
        else:
            other = now
            for item, inner in _pairs(now, node["each"]):
                _restore(item, inner)
        if other is None or other in ({}, []):
            ours.pop(key, None)
        else:
            ours[key] = other


def _foreign(now: Any, other: Any) -> list[Any]:
    """The extensions that the model writes now, and those of the source that are not ours."""
    return [
        *(now or []),
        *(
            each
            for each in other or []
            if not each["url"].startswith(OURS) and each["url"] != RENDERED_DOSAGE
        ),
    ]

"""What applying a dossier would change, path by path.

Practitioners are matched by RPPS, and named by their place in the new file; no value of an
RPPS appears. Whether a change is allowed is the business of ``lifecycle``.
"""

import json
from collections.abc import Iterator
from typing import Any

import attrs

from eprescription_sdk.pilot.checks import Finding
from eprescription_sdk.pilot.dossier import Dossier


@attrs.frozen(kw_only=True)
class Change:
    """One value that differs.

    Args:
        path: in the new dossier; of a practitioner it no longer lists, in the applied one.
        before: the applied value as text; None where there was none.
        after: the new value as text; None where there is none.
    """

    path: str
    before: str | None
    after: str | None


@attrs.frozen(kw_only=True)
class Difference:
    """What a dossier changes in the store; true when it changes anything.

    Args:
        first: whether no dossier was applied yet.
        changes: in the order of the paths.
        findings: of ``check`` on the new dossier.
    """

    first: bool
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)


def compare(applied: Dossier | None, new: Dossier, findings: tuple[Finding, ...]) -> Difference:
    """The difference between the applied dossier and a new one."""
    before = _flat(applied, new) if applied else {}
    after = _flat(new, new)
    return Difference(
        first=applied is None,
        changes=tuple(
            Change(path=path, before=before.get(path), after=after.get(path))
            for path in sorted({*before, *after}, key=_natural)
            if before.get(path) != after.get(path)
        ),
        findings=findings,
    )


def _flat(dossier: Dossier, new: Dossier) -> dict[str, str]:
    """Every value by its path; practitioners by their place in the new dossier."""
    document = json.loads(dossier.to_json())
    places = {each.rpps: f"[{index}]" for index, each in enumerate(new.practitioners)}
    flat: dict[str, str] = {}
    for index, (each, values) in enumerate(
        zip(dossier.practitioners, document.pop("practitioners"), strict=True)
    ):
        place = places.get(each.rpps, f"[{index}, removed]")
        # The number itself stays out; its presence shows who joins or leaves.
        values["rpps"] = "(listed)"
        flat.update(_walk(values, f"practitioners{place}"))
    flat.update(_walk(document, ""))
    return flat


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        yield path, ", ".join(value)
    else:
        yield path, str(value).lower() if isinstance(value, bool) else str(value)


def _natural(path: str) -> tuple[str, int, str]:
    """Sort key: ``practitioners[10]`` after ``practitioners[9]``."""
    head, bracket, rest = path.partition("[")
    digits = rest.partition("]")[0].partition(",")[0] if bracket else ""
    return head, int(digits) if digits.isdigit() else -1, rest

"""The canonical body of a trace: what the chain covers and what assessments read.

The body holds keyed pseudonyms where the trace holds an RPPS or a prescription number. What
they stand for is kept beside it, in the identity: deleting that, and the key, leaves the
chain valid and the figures recomputable.
"""

import json
from functools import cache
from typing import Any

from cattrs import Converter

from eprescription_sdk.clock import iso
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.identifiers import Finess, Identifier, PrescriptionNumber, Rpps
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.model.trace import CallTrace, PrescriptionTrace, Trace

KINDS: dict[type[Trace], str] = {CallTrace: "CALL", PrescriptionTrace: "PRESCRIPTION"}
_TYPES = {kind: type_ for type_, kind in KINDS.items()}
_HIDDEN = {"rpps": "rpps", "number": "number", "after": "number", "corrects": "number"}
"""Fields replaced by pseudonyms, and the kind of each: equal numbers meet."""


@cache
def _converter() -> Converter:
    from datetime import datetime

    converter = Converter(omit_if_default=False)
    converter.register_unstructure_hook(datetime, iso)
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    for kind in (Rpps, Finess, PrescriptionNumber):
        converter.register_unstructure_hook(kind, lambda value: value.value)
        converter.register_structure_hook(kind, _identifier)
    converter.register_unstructure_hook_func(
        lambda kind: getattr(kind, "__origin__", None) is frozenset,
        lambda value: sorted(member.value for member in value),
    )
    return converter


def _identifier(value: str, kind: type[Identifier]) -> Identifier:
    return kind(value)


def canonical(document: dict[str, Any]) -> str:
    """The one text of a document: JSON, keys sorted, no space, no escape of letters."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def to_body(trace: Trace, key: bytes) -> tuple[str, str]:
    """A trace as its canonical body, and the identity that the body hides.

    Args:
        trace: what happened.
        key: the secret of the settings.

    Returns:
        Two JSON texts: the body with pseudonyms, and pseudonym → value.
    """
    document = _converter().unstructure(trace)
    document["kind"] = KINDS[type(trace)]
    identity = {}
    for field, kind in _HIDDEN.items():
        value = document.get(field)
        if value is not None:
            hidden = pseudonym(key, kind, value)
            document[field] = hidden
            identity[hidden] = value
    return canonical(document), canonical(identity)


def from_body(body: str, identity: str | None) -> Trace:
    """A trace from its body and identity.

    Raises:
        InvalidInput: the row is damaged, or its identity was purged.
    """
    try:
        document = json.loads(body)
        known = json.loads(identity or "{}")
        for field in _HIDDEN:
            if document.get(field) is not None:
                document[field] = known[document[field]]
        kind = _TYPES[document.pop("kind")]
        trace: Trace = _converter().structure(document, kind)
    except Exception:  # noqa: BLE001  (a damaged row may fail in any way; its text is not quoted)
        raise InvalidInput("A trace in the store cannot be read back.") from None
    return trace

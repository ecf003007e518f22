"""The ``tde`` profile: a trace as FHIR AuditEvent of the public national guide.

Source: ANS, Traçabilité des événements 2.0.0, profile ``tde-auditevent``: one ``subtype``,
``period.start``, at most two agents that each say who, ``source.observer``; sent one by one
(IHE ITI-20). It is the public national form of a trace, and not the official format of the
traces postes, which is not public.
"""

import json
from typing import Any

from eprescription_sdk.model.family import DOCUMENT_TYPE_OID
from eprescription_sdk.model.identifiers import PRESCRIPTION_NUMBER_OID
from eprescription_sdk.model.trace import (
    CallOutcome,
    CallTrace,
    ChainLink,
    PrescriptionTrace,
    RegistrationState,
    Trace,
)

PROFILE = "https://interop.esante.gouv.fr/ig/fhir/tde/StructureDefinition/tde-auditevent"
_OURS = "urn:eprescription-sdk:trace:1"
"""Our own code system, for what the guide has no code for."""

_ACTIONS = {"create": "C", "consult": "R", "search": "E"}
_OUTCOMES = {
    CallOutcome.UNCERTAIN: "4",
    CallOutcome.NOT_REGISTERED: "8",
    CallOutcome.FAILED: "8",
    RegistrationState.UNCERTAIN: "4",
    RegistrationState.NOT_REGISTERED: "8",
}
"""Code system audit-event-outcome: 0 success, 4 goes on (it is still being settled), 8 ended."""


class TdeProfile:
    """Writes traces as FHIR AuditEvent (JSON)."""

    @property
    def name(self) -> str:
        """Shown in receipts."""
        return "tde (FHIR AuditEvent, ANS 2.0.0)"

    @property
    def content_type(self) -> str:
        """Of one encoded trace."""
        return "application/fhir+json"

    @property
    def resource(self) -> str:
        """Path below the collector's address."""
        return "AuditEvent"

    def encode(self, trace: Trace, link: ChainLink) -> bytes:
        """One trace with its link of the chain."""
        subtype, action, outcome, details = (
            _call(trace) if isinstance(trace, CallTrace) else _prescription(trace)
        )
        event: dict[str, Any] = {
            "resourceType": "AuditEvent",
            "id": trace.id,
            "meta": {"profile": [PROFILE]},
            "type": {"system": _OURS, "code": "trace-poste", "display": "Trace poste"},
            "subtype": [{"system": _OURS, "code": subtype}],
            "action": action,
            "period": {"start": trace.at.isoformat(timespec="milliseconds")},
            "recorded": trace.at.isoformat(timespec="milliseconds"),
            "outcome": _OUTCOMES.get(outcome, "0") if outcome else "0",
            **({"outcomeDesc": outcome.value} if outcome else {}),
            "agent": [
                {
                    "who": {
                        "identifier": {
                            "system": "https://rpps.esante.gouv.fr",
                            "value": trace.rpps.value,
                        }
                    },
                    "requestor": True,
                },
                {
                    "who": {"display": f"{trace.software} {trace.version}"},
                    "requestor": False,
                },
            ],
            "source": {
                "site": trace.instance,
                "observer": {
                    "identifier": {
                        "system": "https://finess.esante.gouv.fr",
                        "value": trace.finess.value,
                    }
                },
            },
            "entity": [
                {
                    "what": {"display": "trace"},
                    "detail": [
                        *_details(
                            situation=trace.situation,
                            module=trace.module,
                            environment=trace.environment,
                            simulation=trace.simulation or None,
                            test_identity=trace.test_identity or None,
                            clock_offset_ms=trace.clock_offset_ms,
                            **details,
                        ),
                        *_details(
                            chain_segment=link.segment,
                            chain_position=link.position,
                            chain_hash=link.hash,
                        ),
                    ],
                }
            ],
        }
        if isinstance(trace, PrescriptionTrace) and trace.number is not None:
            event["entity"].append(_document(trace))
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


_Coded = CallOutcome | RegistrationState | None


def _call(trace: CallTrace) -> tuple[str, str, _Coded, dict[str, Any]]:
    details = {
        "initiator": trace.initiator.value,
        "attempts": trace.attempts,
        "outcome": trace.outcome.value,
        "subject": trace.subject,
        "fault_code": trace.fault_code,
        "fault_origin": trace.fault_origin.value if trace.fault_origin else None,
        "duration_ms": trace.duration_ms,
        "message_id": trace.message_id,
    }
    operation = trace.operation.value
    return f"call-{operation}", _ACTIONS[operation], trace.outcome, details


def _prescription(trace: PrescriptionTrace) -> tuple[str, str, _Coded, dict[str, Any]]:
    details = {
        "subject": trace.subject,
        "revision": trace.revision,
        "issued_at": trace.issued_at.isoformat(timespec="milliseconds"),
        "digital": trace.digital,
        "registration": trace.registration.value if trace.registration else None,
        "families": ",".join(sorted(family.value for family in trace.families)),
        "reason": trace.reason.value if trace.reason else None,
        "reason_code": trace.reason_code,
        "after": trace.after.value if trace.after else None,
        "corrects": trace.corrects.value if trace.corrects else None,
        "act": trace.act,
    }
    action = "C" if trace.revision == 1 else "U"
    outcome = trace.registration if trace.digital else None
    return "prescription" if trace.digital else "prescription-paper", action, outcome, details


def _document(trace: PrescriptionTrace) -> dict[str, Any]:
    number = trace.number.value if trace.number else ""
    document: dict[str, Any] = {
        "what": {"identifier": {"system": f"urn:oid:{PRESCRIPTION_NUMBER_OID}", "value": number}}
    }
    if trace.document_type is not None:
        document["type"] = {
            "system": f"urn:oid:{DOCUMENT_TYPE_OID}",
            "code": trace.document_type.value,
        }
    return document


def _details(**values: str | int | bool | None) -> list[dict[str, str]]:
    return [
        {"type": name.replace("_", "-"), "valueString": _text(value)}
        for name, value in values.items()
        # FHIR knows no empty string.
        if value is not None and value != ""
    ]


def _text(value: str | int | bool) -> str:  # noqa: FBT001  (a plain converter)
    return str(value).lower() if isinstance(value, bool) else str(value)

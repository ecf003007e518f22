"""What the reference sandbox answers: hand-written templates, with XML escaping.

Results, faults and unreadable replies, as bytes. Every one says that it comes from the
SDK's reference sandbox and not from the Assurance Maladie. The fault form is that of the
public sibling services (TLSi, ``urn:siram``); the body and its codes are ours.
"""

import itertools
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from attrs import frozen

from eprescription_sdk.sandbox.faults import FaultCode
from eprescription_sdk.sandbox.state import Operation, Registration

CONTENT_TYPE = "application/soap+xml; charset=utf-8"
NOTICE = "Bac à sable de référence de l'eprescription-sdk, et non de l'Assurance Maladie"
NOTICE_HEADER = ("X-Reference-Sandbox", "eprescription-sdk; not the Assurance Maladie")

EXISTS = "sdkref_exists"
INVALID = "sdkref_invalid"
AUTH = "sdkref_auth"
UNAVAILABLE = "sdkref_unavailable"

_ENVELOPE = """\
<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" \
xmlns:wsa="http://www.w3.org/2005/08/addressing">\
<!-- {notice} -->\
<soap:Header><wsa:Action>{action}</wsa:Action>\
<wsa:MessageID>uuid:{message_id}</wsa:MessageID>{relates}</soap:Header>\
<soap:Body>{body}</soap:Body></soap:Envelope>"""

_FAULT = """\
<soap:Fault><soap:Code><soap:Value>soap:{side}</soap:Value>\
<soap:Subcode><soap:Value xmlns:siram="urn:siram">siram:{subcode}</soap:Value></soap:Subcode>\
</soap:Code><soap:Reason><soap:Text xml:lang="fr">{text}</soap:Text></soap:Reason>\
<soap:Detail><siram:Erreur xmlns:siram="urn:siram" severite={severity} code={code}{message_id}>\
{text}</siram:Erreur></soap:Detail></soap:Fault>"""

_RESPONSE = """\
<ref:{name}Response xmlns:ref="urn:eprescription-sdk:reference:1"><ref:CodeCR>{code}</ref:CodeCR>\
<ref:LibelleCR>{label}</ref:LibelleCR>{rest}</ref:{name}Response>"""

_NAMES = {
    Operation.CREATE: "Creer",
    Operation.CONSULT: "Consulter",
    Operation.SEARCH: "Rechercher",
}


@frozen(kw_only=True, repr=False)
class Answer:
    """An answer ready to be delivered.

    Attributes:
        status: the HTTP status.
        body: the envelope.
        summary: the result or fault code, for the record of calls.
    """

    status: int
    body: bytes
    summary: str


def created(registration: Registration, *, relates_to: str) -> Answer:
    """The prescription is registered."""
    rest = _element("Numero", registration.number) + _registered_at(registration)
    return _result(Operation.CREATE, "00", "Ordonnance enregistrée.", rest, relates_to)


def consulted(registration: Registration, *, relates_to: str) -> Answer:
    """The prescription, with the Bundle that was stored."""
    rest = (
        _element("Numero", registration.number)
        + _registered_at(registration)
        + _element("Prescripteur", registration.prescriber)
        + registration.document.decode()
    )
    return _result(Operation.CONSULT, "00", "Ordonnance trouvée.", rest, relates_to)


def absent(operation: Operation, *, relates_to: str) -> Answer:
    """Nothing was found."""
    return _result(operation, "01", "Aucune ordonnance trouvée.", "", relates_to)


def found(page: Sequence[Registration], *, cursor: str | None, relates_to: str) -> Answer:
    """One page of a search, and the cursor of the next one if there is one."""
    items = "".join(
        "<ref:Ordonnance>"
        + _element("Numero", each.number)
        + _registered_at(each)
        + _element("Type", each.document_type)
        + _element("Prescripteur", each.prescriber)
        + "</ref:Ordonnance>"
        for each in page
    )
    rest = items + (_element("CurseurSuivant", cursor) if cursor else "")
    return _result(Operation.SEARCH, "00", "Ordonnances trouvées.", rest, relates_to)


def fault(form: FaultCode, *, relates_to: str | None) -> Answer:
    """A SOAP 1.2 fault; HTTP 400 where the sender is at fault, else 500."""
    body = _FAULT.format(
        side="Sender" if form.sender else "Receiver",
        subcode=escape(form.subcode),
        text=escape(form.text),
        severity=quoteattr(form.severity),
        code=quoteattr(form.code),
        message_id=f" messageID={quoteattr(relates_to)}" if relates_to else "",
    )
    action = "http://www.w3.org/2005/08/addressing/soap/fault"
    envelope = _envelope(action, body, relates_to)
    return Answer(status=400 if form.sender else 500, body=envelope, summary=form.code)


def refused(code: str, text: str) -> FaultCode:
    """The fault of one of our reference codes, visibly ours (``sdkref_*``).

    Args:
        code: ``sdkref_exists``, ``sdkref_invalid``, ``sdkref_auth`` or ``sdkref_unavailable``.
        text: the French sentence, to which the notice is added.
    """
    return FaultCode(
        code,
        "siram_100" if code in {EXISTS, UNAVAILABLE} else "siram_40",
        sender=code != UNAVAILABLE,
        severity="fatale" if code == UNAVAILABLE else "erreur",
        text=f"{text} ({NOTICE}.)",
    )


def broken(answer: Answer) -> bytes:
    """An answer spoilt in its middle, so that no parser reads it."""
    half = len(answer.body) // 2
    return answer.body[:half] + b"<&\xff" + answer.body[half:]


def endless() -> Iterator[bytes]:
    """Well-formed XML without an end."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope">'
        f"<!-- {NOTICE} --><soap:Body>"
        '<ref:Remplissage xmlns:ref="urn:eprescription-sdk:reference:1">'
    ).encode()
    yield from itertools.repeat(b"<ref:Vide>0123456789abcdef</ref:Vide>" * 1024)


def _result(operation: Operation, code: str, label: str, rest: str, relates_to: str) -> Answer:
    name = _NAMES[operation]
    label = escape(f"{label} ({NOTICE}.)")
    body = _RESPONSE.format(name=name, code=code, label=label, rest=rest)
    action = f"urn:ReferenceOrdonnanceNumerique:1.0.0:{operation.value}Response"
    return Answer(status=200, body=_envelope(action, body, relates_to), summary=code)


def _envelope(action: str, body: str, relates_to: str | None) -> bytes:
    relates = f"<wsa:RelatesTo>{escape(relates_to)}</wsa:RelatesTo>" if relates_to else ""
    return _ENVELOPE.format(
        notice=NOTICE, action=action, message_id=uuid.uuid4(), relates=relates, body=body
    ).encode()


def _element(name: str, text: str) -> str:
    return f"<ref:{name}>{escape(text)}</ref:{name}>"


def _registered_at(registration: Registration) -> str:
    return _element("EnregistreeLe", _utc(registration.registered_at))


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

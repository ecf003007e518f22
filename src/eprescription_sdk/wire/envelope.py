"""The SOAP 1.2 envelope of the Assurance Maladie's téléservices (TLSi).

Source: public schemas of the sibling services: ``ContexteBAM`` 01_02, ``ContexteLPS`` 01_00,
WS-Addressing, one SAML assertion in ``wsse:Security``. That the ordonnance numérique uses the
same envelope is likely, not confirmed.
"""

from datetime import UTC, datetime
from functools import lru_cache

import attrs

from eprescription_sdk.xml import Fragment, embed, escape

__all__ = [
    "Fragment",
    "Software",
    "content_type",
    "envelope",
    "prepare",
    "prepare_assertion",
]

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
CTXBAM = "urn:siram:bam:ctxbam"
CTXLPS = "urn:siram:lps:ctxlps"
SIRAM = "urn:siram"

CONTENT_TYPE = 'application/soap+xml; charset=utf-8; action="{action}"'


@attrs.frozen(kw_only=True)
class Software:
    """What the software says of itself in ``ContexteLPS``.

    Args:
        authorisation: CNDA authorisation number (IDAM).
        name: of the platform.
        version: its version.
        instance: UUID of the installation.
    """

    authorisation: str
    name: str
    version: str
    instance: str


def prepare(markup: bytes) -> Fragment:
    """An assertion or body from outside, checked once, ready for any number of envelopes.

    Raises:
        InvalidInput: it is not well-formed XML.
    """
    return embed(markup)


prepare_assertion = lru_cache(maxsize=64)(prepare)
"""The same for assertions, which serve many envelopes; bodies hold patients and are not kept."""


def content_type(action: str) -> str:
    """The HTTP content type of a request."""
    return CONTENT_TYPE.format(action=escape(action))


def envelope(
    *,
    action: str,
    message_id: str,
    moment: datetime,
    software: Software,
    emitter: str,
    assertion: Fragment | None,
    body: Fragment,
) -> bytes:
    """One request, ready to send.

    Args:
        action: ``wsa:Action``.
        message_id: ``uuid:`` and a UUID; new for every attempt.
        moment: when the message is made.
        software: what sends it.
        emitter: who acts: the PS national id.
        assertion: the practitioner's signed assertion; None in the pure mutual-TLS mode.
        body: the one element of the body.
    """
    time = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    context = escape(message_id.removeprefix("uuid:"))
    who = escape(emitter)
    security = (
        f'<wsse:Security xmlns:wsse="{WSSE}">{assertion}</wsse:Security>' if assertion else ""
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{SOAP}">'
        f'<soap:Header><wsa:Action xmlns:wsa="{WSA}">{escape(action)}</wsa:Action>'
        f'<wsa:MessageID xmlns:wsa="{WSA}">{escape(message_id)}</wsa:MessageID>{security}'
        f'<ctxbam:ContexteBAM xmlns:ctxbam="{CTXBAM}" Nature="CTXBAM" Version="01_02">'
        f"<ctxbam:Id>{context}</ctxbam:Id><ctxbam:Temps>{time}</ctxbam:Temps>"
        f"<ctxbam:Emetteur>{who}</ctxbam:Emetteur><ctxbam:COUVERTURE/></ctxbam:ContexteBAM>"
        f'<ctxlps:ContexteLPS xmlns:ctxlps="{CTXLPS}" Nature="CTXLPS" Version="01_00">'
        f"<ctxlps:Id>{context}</ctxlps:Id><ctxlps:Temps>{time}</ctxlps:Temps>"
        f"<ctxlps:Emetteur>{who}</ctxlps:Emetteur>"
        f"{_lps(software)}</ctxlps:ContexteLPS>"
        f"</soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>"
    ).encode()


@lru_cache(maxsize=16)
def _lps(software: Software) -> str:
    """What every request of one installation says of it."""
    name = f"urn:lps:{software.name}:{software.version}"
    return (
        f'<ctxlps:LPS><ctxlps:IDAM R="4">{escape(software.authorisation)}</ctxlps:IDAM>'
        f"<ctxlps:Version>{escape(software.version)}</ctxlps:Version>"
        f"<ctxlps:Instance>{escape(software.instance)}</ctxlps:Instance>"
        f"<ctxlps:Nom>{escape(name)}</ctxlps:Nom></ctxlps:LPS>"
    )

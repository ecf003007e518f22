"""Hand-written requests for the reference sandbox, and a raw HTTP client to post them.

Independent of the SDK's own wire code: a mistake there must not be repeated here. Identities
are fictitious.
"""

import http.client
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import attrs
from cryptography import x509
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.signer import XMLSigner

RPPS = "99700218896"
OTHER_RPPS = "99900063480"
INS = "279035121518989"
INS_OID = "1.2.250.1.213.1.4.10"

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://www.w3.org/2005/08/addressing",
    "r": "urn:eprescription-sdk:reference:1",
    "e": "urn:siram",
    "f": "http://hl7.org/fhir",
}

_ACTION = "urn:ReferenceOrdonnanceNumerique:1.0.0:"
_ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"
  xmlns:add="http://www.w3.org/2005/08/addressing">
 <env:Header>
  <add:Action>{action}</add:Action>
  <add:MessageID>uuid:{message_id}</add:MessageID>
  <sec:Security xmlns:sec="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">{assertion}</sec:Security>
  <b:ContexteBAM xmlns:b="urn:siram:bam:ctxbam" Nature="CTXBAM" Version="01_02">
   <b:Id>1</b:Id><b:Temps>{now}</b:Temps><b:Emetteur>test</b:Emetteur><b:COUVERTURE/>
  </b:ContexteBAM>
  <l:ContexteLPS xmlns:l="urn:siram:lps:ctxlps" Nature="CTXLPS" Version="01_00">
   <l:Id>2</l:Id><l:Temps>{now}</l:Temps><l:Emetteur>test</l:Emetteur>
   <l:LPS><l:IDAM R="4">TC123456</l:IDAM><l:Version>1.0</l:Version>
    <l:Instance>0b5b1ad8-3a0c-4b2e-9d0e-5f6a7b8c9d0e</l:Instance><l:Nom>urn:lps:test:1.0</l:Nom></l:LPS>
  </l:ContexteLPS>
 </env:Header>
 <env:Body>{body}</env:Body>
</env:Envelope>"""

_ASSERTION = """<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" \
ID="_{identifier}" IssueInstant="{begins}" Version="2.0">\
<saml:Issuer Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">{issuer}\
</saml:Issuer><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="placeholder"/>\
<saml:Subject><saml:NameID NameQualifier="CPS">fictitious-idnps</saml:NameID></saml:Subject>\
<saml:Conditions NotBefore="{begins}" NotOnOrAfter="{ends}"/>\
<saml:AttributeStatement>\
<saml:Attribute Name="identifiantFacturation"><saml:AttributeValue>750712184\
</saml:AttributeValue></saml:Attribute>\
<saml:Attribute Name="codeSpecialiteAMO"><saml:AttributeValue>01</saml:AttributeValue>\
</saml:Attribute>\
<saml:Attribute Name="secteurActivite"><saml:AttributeValue>SA07</saml:AttributeValue>\
</saml:Attribute></saml:AttributeStatement></saml:Assertion>"""

_BUNDLE = """<Bundle xmlns="http://hl7.org/fhir"><meta><tag>\
<system value="urn:oid:1.2.250.1.213.1.1.4.12"/><code value="{kind}"/></tag></meta>\
<type value="collection"/>{entries}</Bundle>"""

_ENTRY = """<entry><resource><{resource}><{tie}>\
<system value="urn:oid:1.2.250.1.215.500.1.1"/><value value="{number}"/></{tie}>\
<subject><identifier><system value="urn:oid:{oid}"/><value value="{patient}"/></identifier>\
</subject><authoredOn value="{issued}"/><requester><identifier>\
<system value="https://rpps.esante.gouv.fr"/><value value="{rpps}"/></identifier></requester>\
</{resource}></resource></entry>"""


def utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@attrs.frozen(kw_only=True)
class Card:
    """A card issued by a sandbox."""

    certificate: bytes
    key: bytes

    @property
    def subject(self) -> str:
        return x509.load_pem_x509_certificate(self.certificate).subject.rfc4514_string()


def assertion(
    issuer: str = "CN=nobody",
    *,
    begins: datetime | None = None,
    ends: datetime | None = None,
    identifier: str | None = None,
) -> str:
    """An assertion with a place for its signature."""
    now = datetime.now(UTC)
    return _ASSERTION.format(
        identifier=identifier or uuid.uuid4().hex,
        issuer=issuer,
        begins=utc(begins or now - timedelta(minutes=1)),
        ends=utc(ends or now + timedelta(minutes=10)),
    )


def signed(
    text: str, card: Card, *, without_c14n_transform: bool = False, **algorithms: Any
) -> str:
    """An assertion with its enveloped signature, made by another library than the sandbox's."""
    options: dict[str, Any] = {
        "signature_algorithm": SignatureMethod.RSA_SHA256,
        "digest_algorithm": DigestAlgorithm.SHA256,
        "c14n_algorithm": CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    }
    options.update(algorithms)
    signer = XMLSigner(method=SignatureConstructionMethod.enveloped, **options)
    root = etree.fromstring(text.encode())
    done = signer.sign(
        root,
        key=card.key,
        cert=card.certificate.decode(),
        reference_uri=f"#{root.get('ID')}",
        exclude_c14n_transform_element=without_c14n_transform,
    )
    return etree.tostring(done).decode()


def entry(number: str, resource: str = "MedicationRequest", **changes: str) -> str:
    """One line of a prescription."""
    fields = {
        "tie": "requisition" if resource == "ServiceRequest" else "groupIdentifier",
        "oid": INS_OID,
        "patient": INS,
        "issued": "2026-03-02T10:15:00+01:00",
        "rpps": RPPS,
    }
    return _ENTRY.format(number=number, resource=resource, **(fields | changes))


def bundle(
    number: str, *, kind: str = "57833-6", entries: str | None = None, **changes: str
) -> str:
    """A Bundle of one line, or of those given."""
    return _BUNDLE.format(
        kind=kind, entries=entry(number, **changes) if entries is None else entries
    )


def creation(number: str, content: str | None = None, **changes: str) -> str:
    """The body that creates a prescription."""
    inner = bundle(number, **changes) if content is None else content
    return (
        '<x:CreerRequest xmlns:x="urn:eprescription-sdk:reference:1">'
        f"<x:Numero>{number}</x:Numero>{inner}</x:CreerRequest>"
    )


def consultation(number: str) -> str:
    """The body that consults a prescription."""
    return (
        '<x:ConsulterRequest xmlns:x="urn:eprescription-sdk:reference:1">'
        f"<x:Numero>{number}</x:Numero></x:ConsulterRequest>"
    )


def research(**criteria: str) -> str:
    """The body that searches; criteria are element names."""
    oid = f' oid="{INS_OID}"'
    inner = "".join(
        f"<x:{name}{oid if name == 'Patient' else ''}>{value}</x:{name}>"
        for name, value in criteria.items()
    )
    return (
        f'<x:RechercherRequest xmlns:x="urn:eprescription-sdk:reference:1">{inner}'
        "</x:RechercherRequest>"
    )


def envelope(
    operation: str, body: str, token: str | None = None, *, now: datetime | None = None
) -> str:
    """A whole request: ``creer``, ``consulter`` or ``rechercher``."""
    return _ENVELOPE.format(
        action=_ACTION + operation,
        message_id=uuid.uuid4(),
        assertion=assertion() if token is None else token,
        now=utc(now or datetime.now(UTC)),
        body=body,
    )


@attrs.frozen(kw_only=True)
class Reply:
    """An HTTP answer, read raw; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def texts(self, path: str) -> list[str]:
        root = etree.fromstring(self.body)
        found = root.xpath(path, namespaces=NS)
        assert isinstance(found, list)
        return [item if isinstance(item, str) else str(item.text) for item in found]  # type: ignore[union-attr]

    @property
    def code(self) -> str:
        """The result code, or the code of the fault."""
        (found,) = self.texts("//r:CodeCR/text() | //e:Erreur/@code")
        return found


def post(
    url: str,
    text: str | bytes,
    *,
    content_type: str = "application/soap+xml; charset=utf-8",
    timeout: float = 5.0,
    method: str = "POST",
) -> Reply:
    """One request on a connection of its own; errors of the connection come through."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        content = text if isinstance(text, bytes) else text.encode()
        connection.request(method, target, content, {"Content-Type": content_type})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(status=answer.status, headers=headers, body=answer.read())
    finally:
        connection.close()


def create(url: str, number: str, *, timeout: float = 5.0, **changes: str) -> Reply:
    """Create a prescription of one line, with an unsigned assertion."""
    return post(url, envelope("creer", creation(number, **changes)), timeout=timeout)


def consult(url: str, number: str, *, timeout: float = 5.0) -> Reply:
    """Consult a prescription, with an unsigned assertion."""
    return post(url, envelope("consulter", consultation(number)), timeout=timeout)


def search(url: str, **criteria: str) -> Reply:
    """Search prescriptions, with an unsigned assertion."""
    return post(url, envelope("rechercher", research(**criteria)))

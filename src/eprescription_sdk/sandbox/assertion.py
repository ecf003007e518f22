"""How the reference sandbox judges the SAML 2.0 assertion of a practitioner.

Structure by its own XPaths, signature by ``xmlsec`` (another library than the client's),
trust by the sandbox's throw-away authority. The form is that of the public sibling
services (TLSi, PS assertion); the judge is ours, not the Assurance Maladie's.
"""

import base64
import binascii
from datetime import datetime

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from eprescription_sdk.sandbox.authority import Authority
from eprescription_sdk.sandbox.xpaths import Refusal, filled, moment, one, values

_AUTH = "sdkref_auth"
_SUBJECT_NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
_QUALIFIERS = frozenset({"CPS", "CPF", "CPE", "PSC"})
_ATTRIBUTES = ("identifiantFacturation", "codeSpecialiteAMO", "secteurActivite")
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_ALGORITHMS = {
    "ds:SignedInfo/ds:CanonicalizationMethod": _EXCLUSIVE,
    "ds:SignedInfo/ds:SignatureMethod": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "ds:SignedInfo/ds:Reference/ds:DigestMethod": "http://www.w3.org/2001/04/xmlenc#sha256",
}


def check_assertion(root: etree._Element, *, now: datetime, authority: Authority | None) -> None:
    """One ``wsse:Security`` with one assertion, complete, valid now, signed by our card.

    Args:
        root: the envelope.
        now: the sandbox's time, UTC.
        authority: who must have issued the card; None leaves the signature unchecked.

    Raises:
        Refusal: with the code ``sdkref_auth``.
    """
    security = one(root, "soap:Header/wsse:Security", "wsse:Security", code=_AUTH)
    assertion = one(security, "saml:Assertion", "l'assertion SAML", code=_AUTH)
    # A second assertion anywhere is how a signature is wrapped around another content.
    one(root, "//saml:Assertion", "l'assertion SAML", code=_AUTH)
    _check_content(assertion, now=now)
    if authority is not None:
        _check_signature(assertion, now=now, authority=authority)


def _check_content(assertion: etree._Element, *, now: datetime) -> None:
    if assertion.get("Version") != "2.0":
        raise _refused("n'est pas en SAML 2.0")
    filled(assertion, "saml:Issuer", "Issuer", code=_AUTH)
    if one(assertion, "saml:Issuer", "Issuer", code=_AUTH).get("Format") != _SUBJECT_NAME:
        raise _refused("a un Issuer qui n'est pas au format X509SubjectName")
    filled(assertion, "saml:Subject/saml:NameID", "NameID", code=_AUTH)
    holder = one(assertion, "saml:Subject/saml:NameID", "NameID", code=_AUTH)
    if holder.get("NameQualifier") not in _QUALIFIERS:
        raise _refused("a un NameID sans NameQualifier connu")
    conditions = one(assertion, "saml:Conditions", "Conditions", code=_AUTH)
    begins = moment(conditions.get("NotBefore", ""), "NotBefore", code=_AUTH)
    ends = moment(conditions.get("NotOnOrAfter", ""), "NotOnOrAfter", code=_AUTH)
    if not begins <= now < ends:
        raise _refused("n'est pas valable maintenant")
    for name in _ATTRIBUTES:
        path = f"saml:AttributeStatement/saml:Attribute[@Name='{name}']/saml:AttributeValue"
        filled(assertion, path, name, code=_AUTH)


def _check_signature(assertion: etree._Element, *, now: datetime, authority: Authority) -> None:
    signature = one(assertion, "ds:Signature", "la signature de l'assertion", code=_AUTH)
    _check_reference(assertion, signature)
    certificate = _certificate(signature)
    if not authority.issued(certificate, at=now):
        raise _refused("est signée par une carte que ce bac à sable n'a pas émise")
    issuer = filled(assertion, "saml:Issuer", "Issuer", code=_AUTH)
    if issuer != certificate.subject.rfc4514_string():
        raise _refused("a un Issuer qui n'est pas le sujet du certificat")
    context = xmlsec.SignatureContext()
    # The key is given, never looked up in the message.
    context.key = xmlsec.Key.from_memory(
        certificate.public_bytes(Encoding.PEM), xmlsec.constants.KeyDataFormatCertPem
    )
    context.register_id(assertion, "ID")
    try:
        context.verify(signature)
    except xmlsec.Error as error:
        raise _refused("a une signature qui ne tient pas") from error


def _check_reference(assertion: etree._Element, signature: etree._Element) -> None:
    """The signature covers this very assertion, by the agreed algorithms and no others."""
    identifier = assertion.get("ID")
    root = assertion.getroottree().getroot()
    twins = root.xpath("count(//@*[local-name() = 'ID' and . = $id])", id=identifier or "")
    reference = one(signature, "ds:SignedInfo/ds:Reference", "ds:Reference", code=_AUTH)
    if not identifier or reference.get("URI") != f"#{identifier}" or twins != 1:
        raise _refused("a une signature qui porte sur un autre élément")
    for path, algorithm in _ALGORITHMS.items():
        if one(signature, path, path, code=_AUTH).get("Algorithm") != algorithm:
            raise _refused("est signée avec un algorithme qui n'est pas admis")
    transforms = values(reference, "ds:Transforms/ds:Transform/@Algorithm")
    if sorted(transforms) != sorted([_ENVELOPED, _EXCLUSIVE]):
        raise _refused("est signée avec des transformations qui ne sont pas admises")


def _certificate(signature: etree._Element) -> x509.Certificate:
    path = "ds:KeyInfo/ds:X509Data/ds:X509Certificate"
    encoded = filled(signature, path, "ds:X509Certificate", code=_AUTH)
    try:
        der = base64.b64decode("".join(encoded.split()), validate=True)
        return x509.load_der_x509_certificate(der)
    except (ValueError, binascii.Error) as error:
        raise _refused("porte un certificat illisible") from error


def _refused(why: str) -> Refusal:
    return Refusal(f"Accès refusé : l'assertion {why}.", code=_AUTH)

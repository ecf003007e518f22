"""Building and signing a PS assertion, wherever the key lives.

Source: PS assertions of the TLSi (public schemas): SAML 2.0, issuer = subject of the signing
certificate, enveloped signature, exclusive canonical form, RSA-SHA256, X.509 data in the key
info. Where key and certificate come from is told in ``key_file`` and ``pkcs11``.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, cast
from uuid import uuid4

import attrs
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.x509 import Certificate
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.signer import XMLSigner

from eprescription_sdk import xml
from eprescription_sdk.credentials.saml import SAML
from eprescription_sdk.model.exchange import Assertion

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

LIFETIME = timedelta(minutes=30)
SKEW = timedelta(minutes=1)
"""Clocks differ: an assertion is good from a little before it was made."""

_ISSUER = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"


@attrs.frozen(kw_only=True)
class Billing:
    """What the assertion says of the practitioner's activity.

    Args:
        billing_id: ``identifiantFacturation``.
        specialty: ``codeSpecialiteAMO``.
        sector: ``secteurActivite``.
    """

    billing_id: str
    specialty: str
    sector: str


@attrs.frozen(kw_only=True)
class Holder:
    """Whom an assertion names.

    Args:
        national_id: PS national id.
        billing: what to say of the activity.
        qualifier: what the id comes from: ``CPS``, ``CPF``, ``CPE`` or ``PSC``.
    """

    national_id: str = attrs.field(repr=False)
    billing: Billing
    qualifier: str = "CPS"


class SigningKey(Protocol):
    """The one thing asked of a private key, in this process or on a card."""

    def sign(self, data: bytes, padding: AsymmetricPadding, algorithm: HashAlgorithm) -> bytes:
        """An RSA-SHA256 signature with PKCS#1 v1.5 padding."""


def signed_assertion(
    holder: Holder, certificate: Certificate, key: SigningKey, now: datetime
) -> Assertion:
    """A new signed assertion, valid for half an hour."""
    ends = (now + LIFETIME).astimezone(UTC).replace(microsecond=0)
    document = etree.fromstring(_unsigned(holder, certificate, now, ends))
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    with _untold():
        signed = signer.sign(
            document,
            # signxml calls nothing of a key but its sign().
            key=cast("RSAPrivateKey", key),
            cert=[certificate],
            reference_uri=str(document.get("ID")),
            id_attribute="ID",
        )
    return Assertion(
        xml=etree.tostring(signed), not_on_or_after=ends, national_id=holder.national_id
    )


_signing = threading.local()


def _not_ours(_: logging.LogRecord) -> bool:
    return not getattr(_signing, "now", False)


# At DEBUG, signxml logs what it signs: the assertion, and with it the PS national id (law 4).
logging.getLogger("signxml.processor").addFilter(_not_ours)


@contextmanager
def _untold() -> Iterator[None]:
    _signing.now = True
    try:
        yield
    finally:
        _signing.now = False


def _unsigned(holder: Holder, certificate: Certificate, now: datetime, ends: datetime) -> bytes:
    writer = xml.Writer()
    made = _time(now)
    attributes = {
        "identifiantFacturation": holder.billing.billing_id,
        "codeSpecialiteAMO": holder.billing.specialty,
        "secteurActivite": holder.billing.sector,
    }
    with writer.element(
        "saml:Assertion",
        {"xmlns:saml": SAML, "ID": f"_{uuid4()}", "IssueInstant": made, "Version": "2.0"},
    ):
        writer.leaf("saml:Issuer", certificate.subject.rfc4514_string(), {"Format": _ISSUER})
        # Where the schema wants the signature; signxml puts it in the place of this mark.
        writer.leaf(
            "ds:Signature",
            "",
            {"xmlns:ds": "http://www.w3.org/2000/09/xmldsig#", "Id": "placeholder"},
        )
        with writer.element("saml:Subject"):
            writer.leaf("saml:NameID", holder.national_id, {"NameQualifier": holder.qualifier})
        writer.leaf(
            "saml:Conditions", "", {"NotBefore": _time(now - SKEW), "NotOnOrAfter": _time(ends)}
        )
        with (
            writer.element("saml:AuthnStatement", {"AuthnInstant": made}),
            writer.element("saml:AuthnContext"),
        ):
            writer.leaf(
                "saml:AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI"
            )
        with writer.element("saml:AttributeStatement"):
            for name, value in attributes.items():
                with writer.element("saml:Attribute", {"Name": name}):
                    writer.leaf("saml:AttributeValue", value)
    return writer.fragment().encode()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

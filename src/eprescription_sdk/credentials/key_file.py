"""Assertions signed with a key file.

Source: domain of the TLSi assertions: SAML 2.0, issuer = subject of the signing certificate,
enveloped signature, exclusive canonical form, RSA-SHA256, X.509 data in the key info.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import attrs
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
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
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.model.exchange import Assertion

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


class KeyFileAssertion:
    """Signs assertions with a private key.

    Args:
        certificate: PEM, of the signing key.
        private_key: PEM, RSA, without passphrase unless ``passphrase`` is given.
        national_id: PS national id to name.
        billing: what to say of the activity.
        passphrase: of the private key.
        qualifier: what the id comes from: ``CPS``, ``CPF``, ``CPE`` or ``PSC``.

    Raises:
        ConfigurationError: certificate or key cannot be read.
    """

    def __init__(
        self,
        *,
        certificate: bytes,
        private_key: bytes,
        national_id: str,
        billing: Billing,
        passphrase: bytes | None = None,
        qualifier: str = "CPS",
    ) -> None:
        try:
            self._certificate = load_pem_x509_certificate(certificate)
            key = load_pem_private_key(private_key, passphrase)
        except (ValueError, TypeError):
            raise ConfigurationError(
                "The certificate or the private key cannot be read.",
                path="credentials",
                way_out="Give PEM files, and the passphrase if the key has one.",
            ) from None
        if not isinstance(key, RSAPrivateKey):
            raise ConfigurationError("The private key is not an RSA key.", path="credentials")
        self._key = key
        self._national_id = national_id
        self._billing = billing
        self._qualifier = qualifier

    def assertion(self, now: datetime) -> Assertion:
        """A new signed assertion, valid for half an hour."""
        ends = (now + LIFETIME).astimezone(UTC).replace(microsecond=0)
        document = etree.fromstring(self._unsigned(now, ends))
        signed = XMLSigner(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm=SignatureMethod.RSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        ).sign(
            document,
            key=self._key,
            cert=[self._certificate],
            reference_uri=str(document.get("ID")),
            id_attribute="ID",
        )
        return Assertion(
            xml=etree.tostring(signed), not_on_or_after=ends, national_id=self._national_id
        )

    def _unsigned(self, now: datetime, ends: datetime) -> bytes:
        writer = xml.Writer()
        made = _time(now)
        attributes = {
            "identifiantFacturation": self._billing.billing_id,
            "codeSpecialiteAMO": self._billing.specialty,
            "secteurActivite": self._billing.sector,
        }
        with writer.element(
            "saml:Assertion",
            {"xmlns:saml": SAML, "ID": f"_{uuid4()}", "IssueInstant": made, "Version": "2.0"},
        ):
            writer.leaf(
                "saml:Issuer", self._certificate.subject.rfc4514_string(), {"Format": _ISSUER}
            )
            # Where the schema wants the signature; signxml puts it in the place of this mark.
            writer.leaf(
                "ds:Signature",
                "",
                {"xmlns:ds": "http://www.w3.org/2000/09/xmldsig#", "Id": "placeholder"},
            )
            with writer.element("saml:Subject"):
                writer.leaf("saml:NameID", self._national_id, {"NameQualifier": self._qualifier})
            writer.leaf(
                "saml:Conditions",
                "",
                {"NotBefore": _time(now - SKEW), "NotOnOrAfter": _time(ends)},
            )
            with (
                writer.element("saml:AuthnStatement", {"AuthnInstant": made}),
                writer.element("saml:AuthnContext"),
            ):
                writer.leaf(
                    "saml:AuthnContextClassRef",
                    "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI",
                )
            with writer.element("saml:AttributeStatement"):
                for name, value in attributes.items():
                    with writer.element("saml:Attribute", {"Name": name}):
                        writer.leaf("saml:AttributeValue", value)
        return writer.fragment().encode()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

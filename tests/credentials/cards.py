"""Fictitious signing cards, made once."""

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from eprescription_sdk.credentials.key_file import Billing, KeyFileAssertion

NOW = datetime(2026, 3, 2, 10, 0, 30, tzinfo=UTC)
NATIONAL_ID = "899700218896"
BILLING = Billing(billing_id="331234567", specialty="01", sector="SA07")


@cache
def card(common_name: str = "DOCTEUR FICTIF & <FILS>") -> tuple[bytes, bytes]:
    """Certificate and private key, PEM."""
    certificate, key = _made(common_name)
    encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), encoded


@cache
def locked_key(passphrase: bytes) -> bytes:
    """The first card's private key under a passphrase."""
    _, key = _made("DOCTEUR FICTIF & <FILS>")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))


@cache
def _made(common_name: str) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Autorité, fictive"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def signer(**changes: str) -> KeyFileAssertion:
    """Signs with the first card."""
    certificate, key = card()
    return KeyFileAssertion(
        certificate=certificate,
        private_key=key,
        national_id=changes.get("national_id", NATIONAL_ID),
        billing=BILLING,
        qualifier=changes.get("qualifier", "CPS"),
    )

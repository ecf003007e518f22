"""Assertions signed with a key file: PEM or PKCS#12. Their form is told in ``signing``."""

from datetime import datetime
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

from eprescription_sdk.credentials.signing import Billing, Holder, signed_assertion
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.model.exchange import Assertion

__all__ = ["Billing", "KeyFileAssertion"]

_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)


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
        except _UNREADABLE:
            raise ConfigurationError(
                "The certificate or the private key cannot be read.",
                path="credentials",
                way_out="Give PEM files, and the passphrase if the key has one.",
            ) from None
        if not isinstance(key, RSAPrivateKey):
            raise ConfigurationError("The private key is not an RSA key.", path="credentials")
        if key.public_key() != self._certificate.public_key():
            raise ConfigurationError(
                "The private key is not that of the certificate.", path="credentials"
            )
        self._key = key
        self._holder = Holder(national_id=national_id, billing=billing, qualifier=qualifier)

    @classmethod
    def from_pkcs12(
        cls,
        content: bytes,
        *,
        national_id: str,
        billing: Billing,
        passphrase: bytes | None = None,
        qualifier: str = "CPS",
    ) -> Self:
        """The same from one PKCS#12 file that holds certificate and key.

        Args:
            content: of the file, usually ``.p12`` or ``.pfx``.
            national_id: PS national id to name.
            billing: what to say of the activity.
            passphrase: of the file.
            qualifier: what the id comes from.

        Raises:
            ConfigurationError: the file cannot be read, or it lacks certificate or key.
        """
        try:
            key, certificate, _ = pkcs12.load_key_and_certificates(content, passphrase)
        except _UNREADABLE:
            key = certificate = None
        if key is None or certificate is None:
            raise ConfigurationError(
                "The PKCS#12 file cannot be read, or it lacks certificate or key.",
                path="credentials",
                way_out="Give the whole file, and its passphrase if it has one.",
            )
        return cls(
            certificate=certificate.public_bytes(Encoding.PEM),
            private_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            national_id=national_id,
            billing=billing,
            qualifier=qualifier,
        )

    def assertion(self, now: datetime) -> Assertion:
        """A new signed assertion, valid for half an hour."""
        return signed_assertion(self._holder, self._certificate, self._key, now)

"""The throw-away certificate authority of the reference sandbox, and the cards it issues.

Fictitious: it has nothing to do with IGC-Santé, and its keys live in memory only.
"""

import threading
from datetime import datetime, timedelta

from attrs import frozen
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from eprescription_sdk.clock import Clock

_ORGANISATION = "eprescription-sdk reference sandbox (fictitious)"
_KEY_BITS = 2048


@frozen(kw_only=True)
class _Root:
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate


class Authority:
    """Issues fictitious cards, and recognises them.

    Its RSA key is made on first use, so that a sandbox that checks nothing costs nothing.

    Args:
        clock: tells when the certificates become valid.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._root: _Root | None = None

    def issue_card(self, common_name: str) -> tuple[bytes, bytes]:
        """A signing certificate and its private key, both PEM, the key unencrypted."""
        root = self._made_root()
        key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        builder = self._builder(_name(common_name), root.certificate.subject, key.public_key())
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=True,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=False,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        card = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(root.key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return card.public_bytes(serialization.Encoding.PEM), private

    def issued(self, certificate: x509.Certificate, *, at: datetime) -> bool:
        """Whether a certificate is one of ours and is valid at a moment."""
        try:
            certificate.verify_directly_issued_by(self._made_root().certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return certificate.not_valid_before_utc <= at < certificate.not_valid_after_utc

    def _made_root(self) -> _Root:
        with self._lock:
            if self._root is None:
                key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
                name = _name("Throw-away authority")
                certificate = (
                    self._builder(name, name, key.public_key())
                    .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                    .sign(key, hashes.SHA256())
                )
                self._root = _Root(key=key, certificate=certificate)
            return self._root

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, public_key: rsa.RSAPublicKey
    ) -> x509.CertificateBuilder:
        now = self._clock.now()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            # Long enough for a simulated clock to play a whole pilot and its aftermath.
            .not_valid_after(now + timedelta(days=3650))
        )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )

"""The throw-away certificate authority of the reference sandbox, and what it issues.

Fictitious: it has nothing to do with IGC-Santé, and its keys live in memory only.
"""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address

from attrs import frozen
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

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
        return self._issue(common_name, ())

    def issue_organisation(self, common_name: str, *, expired: bool = False) -> tuple[bytes, bytes]:
        """A certificate for mutual TLS and its private key, both PEM, the key unencrypted.

        Args:
            common_name: the CN of its subject.
            expired: end it before it begins to be used.
        """
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return self._issue(common_name, (usage,), expired=expired)

    def issue_server(self, names: Sequence[str], addresses: Sequence[str]) -> tuple[bytes, bytes]:
        """A certificate for a TLS server and its private key, both PEM, the key unencrypted."""
        alternatives = [
            *(x509.DNSName(name) for name in names),
            *(x509.IPAddress(ip_address(address)) for address in addresses),
        ]
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        return self._issue("Sandbox", (usage, x509.SubjectAlternativeName(alternatives)))

    @property
    def certificate(self) -> bytes:
        """Its own certificate, PEM: what to trust."""
        return self._made_root().certificate.public_bytes(serialization.Encoding.PEM)

    def _issue(
        self, common_name: str, extensions: Sequence[x509.ExtensionType], *, expired: bool = False
    ) -> tuple[bytes, bytes]:
        root = self._made_root()
        key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        builder = self._builder(
            _name(common_name), root.certificate.subject, key.public_key(), expired=expired
        )
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
        builder = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()),
                critical=False,
            )
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(root.key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return certificate.public_bytes(serialization.Encoding.PEM), private

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
                    .add_extension(
                        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
                        critical=False,
                    )
                    .sign(key, hashes.SHA256())
                )
                self._root = _Root(key=key, certificate=certificate)
            return self._root

    def _builder(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        public_key: rsa.RSAPublicKey,
        *,
        expired: bool = False,
    ) -> x509.CertificateBuilder:
        now = self._clock.now()
        # Long enough for a simulated clock to play a whole pilot and its aftermath.
        begins, ends = (-400, -35) if expired else (-1, 3650)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=begins))
            .not_valid_after(now + timedelta(days=ends))
        )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )

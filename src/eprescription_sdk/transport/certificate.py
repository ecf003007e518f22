"""The organisation's certificate of mutual TLS: read from PEM or PKCS#12, and when it ends.

The context that shows it is made in ``tls``; what the service says of it is read in ``delivery``.
"""

import os
import secrets
import ssl
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import attrs
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import Certificate, load_pem_x509_certificates

from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.transport.tls import read_file

_Key: TypeAlias = RSAPrivateKey | EllipticCurvePrivateKey

_KEYS = (
    "Give the certificate and its private key as PEM, or both in one PKCS#12 file,"
    " with the passphrase if there is one."
)


@attrs.frozen(kw_only=True)
class ClientCertificate:
    """The organisation's certificate and private key, read and matched.

    Args:
        subject: of the certificate.
        not_before: from when it is valid, UTC.
        not_after: until when it is valid, UTC.
    """

    subject: str
    not_before: datetime
    not_after: datetime
    _chain: bytes = attrs.field(repr=False)
    _key: _Key = attrs.field(repr=False, eq=False)

    def days_left(self, now: datetime) -> int:
        """Whole days until it ends; negative once it has."""
        return (self.not_after - now).days

    def load_into(self, context: ssl.SSLContext) -> None:
        """Let a context show this certificate to whoever asks for one."""
        # OpenSSL reads files only. The key lies there encrypted, for the blink of an eye, under
        # a passphrase that never leaves this process, in a folder that is ours alone.
        passphrase = secrets.token_hex(32)
        locked = self._key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode())
        )
        with tempfile.TemporaryDirectory(prefix="eprescription-") as folder:
            file = Path(folder) / "identity.pem"
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(self._chain + locked)
            try:
                context.load_cert_chain(file, password=passphrase)
            except ssl.SSLError as error:
                raise ConfigurationError(
                    f"TLS does not take the certificate ({error.reason}).", path="tls_certificate"
                ) from None


def read_client_certificate(
    certificate: Path, *, private_key: Path | None = None, passphrase: str | None = None
) -> ClientCertificate:
    """The certificate of mutual TLS (an organisation certificate of IGC-Santé).

    Args:
        certificate: PEM, the chain after it if there is one; or PKCS#12.
        private_key: PEM; None if it is in the same file.
        passphrase: of the private key or the PKCS#12 file.

    Raises:
        ConfigurationError: a file cannot be read, or the key is not the certificate's.
    """
    content = read_file(certificate, "tls_certificate")
    secret = passphrase.encode() if passphrase is not None else None
    try:
        if b"-----BEGIN " in content:
            key, chain = _pem(content, private_key, secret)
        else:
            key, chain = _pkcs12(content, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Not chained: a library's complaint may quote what it read.
        raise ConfigurationError(
            "The certificate or the private key cannot be read.",
            path=str(certificate),
            way_out=_KEYS,
        ) from None
    own = chain[0]
    if key.public_key() != own.public_key():
        raise ConfigurationError(
            "The private key is not that of the certificate.", path=str(certificate), way_out=_KEYS
        )
    return ClientCertificate(
        subject=own.subject.rfc4514_string(),
        not_before=own.not_valid_before_utc,
        not_after=own.not_valid_after_utc,
        chain=b"".join(each.public_bytes(Encoding.PEM) for each in chain),
        key=key,
    )


def _pem(
    content: bytes, private_key: Path | None, secret: bytes | None
) -> tuple[_Key, list[Certificate]]:
    chain = load_pem_x509_certificates(content)
    keys = read_file(private_key, "tls_private_key") if private_key is not None else content
    key = load_pem_private_key(keys, secret)
    return _usable(key), chain


def _usable(key: object) -> _Key:
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise TypeError
    return key


def _pkcs12(content: bytes, secret: bytes | None) -> tuple[_Key, list[Certificate]]:
    key, own, others = pkcs12.load_key_and_certificates(content, secret)
    if own is None:
        raise ValueError
    return _usable(key), [own, *others]

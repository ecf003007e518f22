"""Signatures with the organisation's key: of receipts, manifests, checkpoints and archives.

The key is the private one of a certificate that the reader knows: RSA (PKCS #1 v1.5) or an
elliptic curve, with SHA-256, or Ed25519. ``openssl dgst -sha256 -verify`` checks the first two.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.files import read

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey


class Signer:
    """Signs with one private key.

    Args:
        key: in PEM.
        password: of the key, if it has one.

    Raises:
        ConfigurationError: the key cannot be read, or is of another kind.
    """

    def __init__(self, key: bytes, password: bytes | None = None) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            loaded = load_pem_private_key(key, password)
        except Exception:  # noqa: BLE001  (nothing of a key is quoted)
            raise ConfigurationError("The signing key cannot be read.") from None
        kinds = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)
        if not isinstance(loaded, kinds):
            raise ConfigurationError("The signing key is of a kind that is not used here.")
        self._key: RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey = loaded

    @classmethod
    def from_file(cls, path: Path, password: bytes | None = None) -> "Signer":
        """The signer of a PEM file.

        Raises:
            ConfigurationError: the file or its key cannot be read.
        """
        with _named(path):
            return cls(read(path), password)

    def __repr__(self) -> str:
        return "Signer(…)"

    def sign(self, content: bytes) -> bytes:
        """The signature of a content."""
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
        from cryptography.hazmat.primitives.hashes import SHA256

        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(content)
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return self._key.sign(content, ec.ECDSA(SHA256()))
        return self._key.sign(content, padding.PKCS1v15(), SHA256())


class PublicKey:
    """Tells whether a signature was made with the private half of a key.

    Args:
        key: in PEM: the public key, or a certificate that holds it.

    Raises:
        ConfigurationError: the key cannot be read, or is of another kind.
    """

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
        from cryptography.x509 import load_pem_x509_certificate

        try:
            loaded = (
                load_pem_x509_certificate(key).public_key()
                if b"BEGIN CERTIFICATE" in key
                else load_pem_public_key(key)
            )
        except Exception:  # noqa: BLE001  (whatever the file holds, it is no key)
            raise ConfigurationError("The public key cannot be read.") from None
        kinds = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)
        if not isinstance(loaded, kinds):
            raise ConfigurationError("The public key is of a kind that is not used here.")
        self._key: RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey = loaded

    @classmethod
    def from_file(cls, path: Path) -> "PublicKey":
        """The key of a PEM file.

        Raises:
            ConfigurationError: the file or its key cannot be read.
        """
        with _named(path):
            return cls(read(path))

    def signed(self, content: bytes, signature: bytes) -> bool:
        """Whether this is a signature of that content."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
        from cryptography.hazmat.primitives.hashes import SHA256

        try:
            if isinstance(self._key, ed25519.Ed25519PublicKey):
                self._key.verify(signature, content)
            elif isinstance(self._key, ec.EllipticCurvePublicKey):
                self._key.verify(signature, content, ec.ECDSA(SHA256()))
            else:
                self._key.verify(signature, content, padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """A block whose errors say which file they are about."""
    try:
        yield
    except OSError as error:
        what = f"The key cannot be read: {error.strerror}."
        raise ConfigurationError(what, path=str(path)) from None
    except ConfigurationError as error:
        raise ConfigurationError(error.message, path=str(path)) from None

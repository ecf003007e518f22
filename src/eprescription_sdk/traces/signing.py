"""Detached signatures with the organisation's key: of manifests, checkpoints and archives.

The key is the private one of a certificate that the reader knows: RSA (PKCS #1 v1.5) or an
elliptic curve, with SHA-256, or Ed25519. ``openssl dgst -sha256 -verify`` checks the first two.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from eprescription_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


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
        try:
            key = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"The signing key cannot be read: {error.strerror}.", path=str(path)
            ) from None
        return cls(key, password)

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

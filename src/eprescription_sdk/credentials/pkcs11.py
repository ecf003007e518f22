"""Assertions signed by a card or a security module, through PKCS#11.

The private key never leaves it. The form of the assertion is told in ``signing``.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate, load_der_x509_certificate

from eprescription_sdk.credentials.signing import Holder, signed_assertion
from eprescription_sdk.errors import ConfigurationError, CredentialUnavailable, MissingExtra
from eprescription_sdk.model.exchange import Assertion

if TYPE_CHECKING:
    from pkcs11 import Session
    from pkcs11.types import SignMixin

_READER = "Put the card into its reader, and ask again."

# A login counts for a whole process (PKCS#11 2.40, 2.6): two threads must not log in and out of
# one card through each other.
_one_at_a_time = threading.Lock()


class Pkcs11Assertion:
    """Signs assertions with a key on a card; opens it for each and leaves it again.

    Args:
        module: the PKCS#11 library of the card's middleware.
        token: label of the token.
        key: label of the private key and of its certificate.
        holder: whom to name.
        pin: the PIN, or what asks the practitioner for it; None where the reader has its own
            keypad. A PIN that was refused is not shown again: a card locks after a few.

    Raises:
        MissingExtra: the extra ``pkcs11`` is not installed.
        ConfigurationError: the library cannot be loaded.
    """

    def __init__(
        self,
        module: Path,
        *,
        token: str,
        key: str,
        holder: Holder,
        pin: str | Callable[[], str] | None,
    ) -> None:
        try:
            import pkcs11
        except ModuleNotFoundError:
            raise MissingExtra("pkcs11") from None
        try:
            self._library = pkcs11.lib(str(module))
        except (pkcs11.PKCS11Error, RuntimeError):
            raise ConfigurationError(
                "The PKCS#11 library cannot be loaded.",
                path=str(module),
                way_out="Install the card's middleware and give the path of its library.",
            ) from None
        self._token = token
        self._label = key
        self._holder = holder
        self._pin = pin
        self._refused_pin: str | None = None

    def assertion(self, now: datetime) -> Assertion:
        """A new signed assertion.

        Raises:
            CredentialUnavailable: no card, no key on it, a PIN that it refuses.
        """
        with _one_at_a_time, self._session() as session:
            key, certificate = self._found(session)
            return signed_assertion(self._holder, certificate, _CardKey(key), now)

    @contextmanager
    def _session(self) -> "Iterator[Session]":
        import pkcs11

        pin = self._pin() if callable(self._pin) else self._pin
        if pin is not None and pin == self._refused_pin:
            raise _refused("The card refused this PIN before; it was not shown again.")
        try:
            token = self._library.get_token(token_label=self._token)
            with token.open(user_pin=pkcs11.PROTECTED_AUTH if pin is None else pin) as session:
                yield session
        except (pkcs11.NoSuchToken, pkcs11.TokenNotPresent, pkcs11.DeviceRemoved):
            raise CredentialUnavailable("The card is not in its reader.", way_out=_READER) from None
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
            self._refused_pin = pin
            raise _refused("The card refused the PIN.") from None
        except pkcs11.PinLocked:
            raise CredentialUnavailable(
                "The card is locked.", way_out="Its issuer can unlock it."
            ) from None
        except pkcs11.PKCS11Error as error:
            raise CredentialUnavailable(
                f"The card failed ({type(error).__name__}).", way_out=_READER
            ) from None

    def _found(self, session: "Session") -> "tuple[SignMixin, Certificate]":
        from pkcs11 import Attribute, KeyType, NoSuchKey, ObjectClass

        try:
            key: Any = session.get_key(
                object_class=ObjectClass.PRIVATE_KEY, key_type=KeyType.RSA, label=self._label
            )
        except NoSuchKey:
            raise CredentialUnavailable("The card holds no such RSA key.") from None
        certificates = session.get_objects(
            {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.LABEL: self._label}
        )
        modulus = int.from_bytes(key[Attribute.MODULUS], "big")
        for each in list(certificates):
            certificate = load_der_x509_certificate(each[Attribute.VALUE])
            public = certificate.public_key()
            if isinstance(public, RSAPublicKey) and public.public_numbers().n == modulus:
                return key, certificate
        raise CredentialUnavailable("The card holds no certificate of this key.")


@attrs.frozen
class _CardKey:
    _key: "SignMixin"

    def sign(self, data: bytes, padding: object, algorithm: object) -> bytes:
        """RSA-SHA256: the digest too is made on the card."""
        del padding, algorithm  # the mechanism names both
        from pkcs11 import Mechanism

        signature: bytes = self._key.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS)
        return signature


def _refused(what: str) -> CredentialUnavailable:
    return CredentialUnavailable(what, way_out="Ask the practitioner for the PIN of their card.")

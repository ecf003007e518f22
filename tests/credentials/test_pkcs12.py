"""Key and certificate in one PKCS#12 file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    KeySerializationEncryption,
    NoEncryption,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

from eprescription_sdk.credentials.key_file import KeyFileAssertion
from eprescription_sdk.credentials.signing import Billing
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.sandbox import Sandbox
from tests.credentials.outside import verify_with_signxml, verify_with_xmlsec1

BILLING = Billing(billing_id="331234567", specialty="01", sector="SA07")


@pytest.fixture(scope="module")
def card() -> tuple[bytes, bytes]:
    return Sandbox().issue_card("CARTE FICTIVE")


def packed(
    card: tuple[bytes, bytes], encryption: KeySerializationEncryption, *, key: bool = True
) -> bytes:
    own = load_pem_private_key(card[1], None)
    assert isinstance(own, RSAPrivateKey)
    return pkcs12.serialize_key_and_certificates(
        b"carte", own if key else None, load_pem_x509_certificate(card[0]), None, encryption
    )


@pytest.mark.parametrize("passphrase", [None, b"secret"])
def test_it_signs(card: tuple[bytes, bytes], passphrase: bytes | None, tmp_path: Path) -> None:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    provider = KeyFileAssertion.from_pkcs12(
        packed(card, encryption), national_id="8123", billing=BILLING, passphrase=passphrase
    )
    made = provider.assertion(datetime.now(UTC))
    assert verify_with_signxml(made.xml, card[0]).findtext(".//{*}NameID") == "8123"
    assert verify_with_xmlsec1(made.xml, card[0], tmp_path)


def test_what_cannot_be_opened_is_said(card: tuple[bytes, bytes]) -> None:
    locked = packed(card, BestAvailableEncryption(b"secret"))
    for content, passphrase in (
        (locked, b"wrong"),
        (locked, None),
        (b"nothing", None),
        (packed(card, NoEncryption(), key=False), None),
    ):
        with pytest.raises(ConfigurationError, match="PKCS#12"):
            KeyFileAssertion.from_pkcs12(
                content, national_id="8123", billing=BILLING, passphrase=passphrase
            )

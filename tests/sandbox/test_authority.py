"""The throw-away authority and its cards."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from eprescription_sdk.clock import SystemClock
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.sandbox.authority import Authority


def test_a_card_is_a_certificate_and_its_key() -> None:
    certificate_pem, key_pem = Sandbox().issue_card("DOCTEUR FICTIF")
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    key = load_pem_private_key(key_pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert certificate.public_key() == key.public_key()
    assert "CN=DOCTEUR FICTIF" in certificate.subject.rfc4514_string()
    assert "fictitious" in certificate.subject.rfc4514_string()


def test_it_recognises_its_own_cards_only() -> None:
    mine, other = Authority(SystemClock()), Authority(SystemClock())
    card = x509.load_pem_x509_certificate(mine.issue_card("A")[0])
    now = datetime.now(UTC)
    assert mine.issued(card, at=now)
    assert not other.issued(card, at=now)
    assert not mine.issued(card, at=now - timedelta(days=2))
    assert not mine.issued(card, at=now + timedelta(days=4000))


def test_two_cards_have_two_keys() -> None:
    authority = Authority(SystemClock())
    assert authority.issue_card("A")[1] != authority.issue_card("A")[1]

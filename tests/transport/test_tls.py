"""The organisation's certificate, read from what an integrator is given."""

import ssl
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.model.exchange import HttpRequest
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.transport import HttpxTransport
from eprescription_sdk.transport.certificate import ClientCertificate, read_client_certificate
from eprescription_sdk.transport.tls import tls_context


@attrs.frozen
class Given:
    """The same certificate in every form, and a service that demands it."""

    folder: Path
    sandbox: Sandbox

    def read(self, name: str) -> ClientCertificate:
        """One of the forms."""
        secret = "secret" if "locked" in name else None
        key = self.folder / name.replace("cert", "key") if "cert" in name else None
        return read_client_certificate(self.folder / name, private_key=key, passphrase=secret)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    folder = tmp_path_factory.mktemp("given")
    with Sandbox(mutual_tls=True) as sandbox:
        certificate, key = sandbox.issue_organisation("SOCIETE EXEMPLE")
        own = load_pem_private_key(key, None)
        assert isinstance(own, RSAPrivateKey)
        encryption = BestAvailableEncryption(b"secret")
        packed = pkcs12.serialize_key_and_certificates(
            b"x",
            own,
            load_pem_x509_certificate(certificate),
            [load_pem_x509_certificate(sandbox.authority)],
            encryption,
        )
        for name, content in {
            "cert.pem": certificate,
            "key.pem": key,
            "both.pem": key + certificate + sandbox.authority,
            "locked-cert.pem": certificate,
            "locked-key.pem": own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption),
            "locked.p12": packed,
            "authority.pem": sandbox.authority,
            "other.pem": certificate + Sandbox().issue_organisation("AUTRE")[1],
            "expired.pem": b"".join(sandbox.issue_organisation("SOCIETE EXEMPLE", expired=True)),
            "none.pem": b"nothing",
        }.items():
            (folder / name).write_bytes(content)
        yield Given(folder, sandbox)


@pytest.mark.parametrize("name", ["cert.pem", "both.pem", "locked-cert.pem", "locked.p12"])
def test_every_form_is_read_and_accepted(given: Given, name: str) -> None:
    certificate = given.read(name)
    assert "SOCIETE EXEMPLE" in certificate.subject
    transport = HttpxTransport(tls_context(certificate, authorities=given.folder / "authority.pem"))
    try:
        reply = transport.send(
            HttpRequest(
                url=given.sandbox.url,
                headers={},
                content=b"<x/>",
                timeout=5,
                connect_timeout=5,
                max_bytes=10_000,
            )
        )
    finally:
        transport.close()
    assert reply.status == 400
    assert b"sdkref_invalid" in reply.content


def test_its_end_is_known(given: Given) -> None:
    certificate, now = given.read("both.pem"), datetime.now(UTC)
    assert certificate.not_before < now < certificate.not_after
    assert 3640 < certificate.days_left(now) <= 3650
    assert certificate.days_left(certificate.not_after - timedelta(hours=1)) == 0
    assert given.read("expired.pem").days_left(now) < 0


def test_the_key_shows_nowhere_and_leaves_nothing(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    certificate = given.read("both.pem")
    tls_context(certificate)
    assert list(tmp_path.iterdir()) == []
    assert "PRIVATE" not in repr(certificate)
    assert "RSAPrivateKey" not in repr(certificate)


def test_old_tls_is_not_spoken(given: Given) -> None:
    for authorities in (None, given.folder / "authority.pem"):
        context = tls_context(authorities=authorities)
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
    named = tls_context(authorities=given.folder / "authority.pem")
    assert len(named.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("name", "key", "passphrase", "said"),
    [
        ("gone.pem", None, None, "tls_certificate cannot be read"),
        ("none.pem", None, None, "cannot be read"),
        ("cert.pem", None, None, "cannot be read"),
        ("cert.pem", "gone.pem", None, "tls_private_key cannot be read"),
        ("other.pem", None, None, "not that of the certificate"),
        ("locked.p12", None, "wrong", "cannot be read"),
        ("locked.p12", None, None, "cannot be read"),
        ("locked-cert.pem", "locked-key.pem", None, "cannot be read"),
        ("locked-cert.pem", "locked-key.pem", "wrong", "cannot be read"),
    ],
)
def test_what_cannot_work_is_said_at_once(
    given: Given, name: str, key: str | None, passphrase: str | None, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        read_client_certificate(
            given.folder / name,
            private_key=given.folder / key if key else None,
            passphrase=passphrase,
        )
    assert caught.value.path is not None
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("name", ["gone.pem", "none.pem", "locked.p12"])
def test_authorities_that_are_none_are_said(given: Given, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        tls_context(authorities=given.folder / name)

"""Detached signatures, checked with the public key and by openssl's own command where it is."""

import shutil
import subprocess
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.traces.signing import PublicKey, Signer

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey


def pem(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())]
)
def test_openssl_agrees(key: Key, tmp_path: Path) -> None:
    names = ("content", "signature", "public.pem")
    content, signature, public = (tmp_path / name for name in names)
    content.write_bytes(b"a manifest")
    signature.write_bytes(Signer(pem(key)).sign(b"a manifest"))
    public.write_bytes(public_pem(key))
    command: list[str | Path] = ["openssl", "dgst", "-sha256", "-verify", public]
    command += ["-signature", signature, content]
    assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    content.write_bytes(b"another")
    assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode != 0


def test_an_edwards_key_signs_too() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    key.public_key().verify(Signer(pem(key)).sign(b"a manifest"), b"a manifest")


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP256R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
)
def test_a_public_key_tells_what_its_other_half_signed(key: Key) -> None:
    signature = Signer(pem(key)).sign(b"a manifest")
    public = PublicKey(public_pem(key))
    assert public.signed(b"a manifest", signature)
    assert not public.signed(b"another", signature)
    assert not public.signed(b"a manifest", b"no signature")
    assert not PublicKey(public_pem(ed25519.Ed25519PrivateKey.generate())).signed(b"", signature)


def test_a_certificate_says_its_public_key(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("exemple.test")
    signature = Signer(issued.private_key_pem.bytes()).sign(b"a manifest")
    path = tmp_path / "certificate.pem"
    path.write_bytes(issued.cert_chain_pems[0].bytes())
    assert PublicKey.from_file(path).signed(b"a manifest", signature)


def test_a_public_key_that_cannot_be_used() -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        PublicKey(b"-----BEGIN CERTIFICATE-----\nnothing")
    with pytest.raises(ConfigurationError, match="of a kind"):
        PublicKey(public_pem(dsa.generate_private_key(2048)))


def test_a_key_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Signer(b"nothing of a key")
    with pytest.raises(ConfigurationError, match="of a kind"):
        Signer(pem(dsa.generate_private_key(2048)))
    (tmp_path / "bad.pem").write_bytes(b"nothing of a key")
    for kind in (Signer, PublicKey):
        for name in ("none.pem", "bad.pem"):
            with pytest.raises(ConfigurationError, match="cannot be read") as caught:
                kind.from_file(tmp_path / name)
            assert caught.value.path == str(tmp_path / name)


def test_a_signer_does_not_show_its_key() -> None:
    assert repr(Signer(pem(ed25519.Ed25519PrivateKey.generate()))) == "Signer(…)"

"""Assertions signed with a key file, judged by others than their maker."""

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from signxml.exceptions import InvalidDigest, InvalidSignature
from signxml.verifier import SignatureConfiguration, XMLVerifier

from eprescription_sdk.credentials.key_file import KeyFileAssertion
from eprescription_sdk.credentials.saml import SAML, read_assertion
from eprescription_sdk.errors import ConfigurationError
from tests.credentials.cards import BILLING, NATIONAL_ID, NOW, card, locked_key, signer

DS = "{http://www.w3.org/2000/09/xmldsig#}"


def verify(markup: bytes) -> etree._Element:
    """What the signature covers, by another part of the library than signs."""
    certificate, _ = card()
    result = XMLVerifier().verify(
        markup,
        x509_cert=certificate.decode(),
        id_attribute="ID",
        expect_config=SignatureConfiguration(require_x509=True, location="./"),
    )
    signed = result.signed_xml if not isinstance(result, list) else result[0].signed_xml
    assert signed is not None
    return signed


def test_its_signature_holds() -> None:
    signed = verify(signer().assertion(NOW).xml)
    assert signed.tag == f"{{{SAML}}}Assertion"
    assert signed.findtext(f"{{{SAML}}}Subject/{{{SAML}}}NameID") == NATIONAL_ID


@pytest.mark.parametrize(
    ("before", "after"),
    [(NATIONAL_ID.encode(), b"800000000000"), (b"SA07", b"SA01"), (b"2026", b"2027")],
)
def test_a_changed_assertion_does_not_hold(before: bytes, after: bytes) -> None:
    markup = signer().assertion(NOW).xml
    assert before in markup
    with pytest.raises((InvalidDigest, InvalidSignature)):
        verify(markup.replace(before, after))


def test_another_program_agrees(tmp_path: Path) -> None:
    program = shutil.which("xmlsec1")
    if program is None:
        pytest.skip("Needs the program xmlsec1 (on Debian: apt install xmlsec1).")
    certificate, _ = card()
    (tmp_path / "card.pem").write_bytes(certificate)
    (tmp_path / "assertion.xml").write_bytes(signer().assertion(NOW).xml)

    def verdict() -> int:
        return subprocess.run(
            [
                program, "--verify", "--enabled-key-data", "x509",
                "--id-attr:ID", f"{SAML}:Assertion",
                "--trusted-pem", "card.pem", "--verification-gmt-time", "2026-03-02 10:00:30",
                "assertion.xml",
            ],
            cwd=tmp_path, capture_output=True, check=False,
        ).returncode  # fmt: skip

    assert verdict() == 0
    changed = (tmp_path / "assertion.xml").read_bytes().replace(b"SA07", b"SA01")
    (tmp_path / "assertion.xml").write_bytes(changed)
    assert verdict() != 0


def test_its_form_is_that_of_the_sibling_services() -> None:
    root = etree.fromstring(signer(qualifier="PSC").assertion(NOW).xml)
    names = [etree.QName(node).localname for node in root]
    assert names[:3] == ["Issuer", "Signature", "Subject"]
    issuer = root.find(f"{{{SAML}}}Issuer")
    assert issuer is not None
    assert issuer.get("Format") == "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
    assert issuer.text == "CN=DOCTEUR FICTIF & <FILS>".replace("<", "\\<").replace(">", "\\>") + (
        ",O=Autorité\\, fictive,C=FR"
    )
    name = root.find(f"{{{SAML}}}Subject/{{{SAML}}}NameID")
    assert name is not None
    assert name.get("NameQualifier") == "PSC"
    attributes = {
        node.get("Name"): node.findtext(f"{{{SAML}}}AttributeValue")
        for node in root.iter(f"{{{SAML}}}Attribute")
    }
    assert attributes == {
        "identifiantFacturation": "331234567", "codeSpecialiteAMO": "01",
        "secteurActivite": "SA07",
    }  # fmt: skip
    methods = {
        etree.QName(node).localname: node.get("Algorithm")
        for node in root.iter(f"{DS}SignatureMethod", f"{DS}DigestMethod",
                              f"{DS}CanonicalizationMethod")
    }  # fmt: skip
    assert methods == {
        "CanonicalizationMethod": "http://www.w3.org/2001/10/xml-exc-c14n#",
        "SignatureMethod": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "DigestMethod": "http://www.w3.org/2001/04/xmlenc#sha256",
    }


def test_it_is_new_and_lasts_half_an_hour() -> None:
    provider = signer()
    first, second = provider.assertion(NOW), provider.assertion(NOW)
    assert etree.fromstring(first.xml).get("ID") != etree.fromstring(second.xml).get("ID")
    assert first.not_on_or_after == NOW + timedelta(minutes=30)
    assert first.national_id == NATIONAL_ID
    # What it says of itself is what a reader finds.
    assert read_assertion(first.xml) == first


# --- files that do not fit ------------------------------------------------------------------


def elliptic() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


@pytest.mark.parametrize(
    ("certificate", "key", "passphrase"),
    [
        (b"", card()[1], None),
        (card()[1], card()[1], None),
        (card()[0], b"nonsense", None),
        (card()[0], elliptic(), None),
        (card()[0], locked_key(b"secret"), None),
        (card()[0], locked_key(b"secret"), b"wrong"),
        (card()[0], card()[1], b"needless"),
        (card()[0], card("UNE AUTRE")[1], None),
    ],
    ids=[
        "no certificate", "key as certificate", "no key", "not RSA", "no passphrase",
        "wrong passphrase", "needless passphrase", "key of another card",
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_refused_at_once(
    certificate: bytes, key: bytes, passphrase: bytes | None
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        KeyFileAssertion(
            certificate=certificate, private_key=key, national_id=NATIONAL_ID, billing=BILLING,
            passphrase=passphrase,
        )  # fmt: skip
    assert "secret" not in str(caught.value)


def test_a_passphrase_opens_the_key() -> None:
    provider = KeyFileAssertion(
        certificate=card()[0], private_key=locked_key(b"secret"), national_id=NATIONAL_ID,
        billing=BILLING, passphrase=b"secret",
    )  # fmt: skip
    verify(provider.assertion(NOW).xml)

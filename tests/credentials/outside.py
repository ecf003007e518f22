"""Verifying an assertion with code that is not ours: signxml's verifier, the program xmlsec1."""

import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import etree
from signxml.verifier import XMLVerifier

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"


def verify_with_signxml(markup: bytes, certificate: bytes) -> etree._Element:
    """What was signed, as signxml sees it; raises if the signature does not hold."""
    result = XMLVerifier().verify(
        markup, x509_cert=certificate.decode(), id_attribute="ID", expect_references=1
    )
    assert not isinstance(result, list)
    assert result.signed_xml is not None
    return result.signed_xml


def verify_with_xmlsec1(markup: bytes, certificate: bytes, folder: Path) -> bool:
    """Whether the signature holds for the program xmlsec1."""
    program = shutil.which("xmlsec1")
    if program is None:
        pytest.skip("Needs the program xmlsec1: install the package xmlsec1, or run .ci/run.")
    document, card = folder / "assertion.xml", folder / "card.pem"
    document.write_bytes(markup)
    card.write_bytes(certificate)
    done = subprocess.run(
        [program, "--verify", "--pubkey-cert-pem", card, "--id-attr:ID", f"{SAML}:Assertion",
         document],
        capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    return done.returncode == 0

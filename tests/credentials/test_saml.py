"""Whom an assertion names must not depend on who reads it."""

import pytest

from eprescription_sdk.credentials.saml import SAML, read_assertion
from eprescription_sdk.errors import CredentialUnavailable

GOOD = (
    f'<s:Assertion xmlns:s="{SAML}"><s:Subject><s:NameID>8123456</s:NameID></s:Subject>'
    '<s:Conditions NotOnOrAfter="2099-01-01T00:00:00Z"/></s:Assertion>'
)


def test_the_name_is_read_whole() -> None:
    for text in ("8123456", "8123<!-- x -->456", "8123<?x y?>456", "<![CDATA[8123456]]>"):
        read = read_assertion(GOOD.replace("8123456", text).encode())
        assert read.national_id == "8123456"


@pytest.mark.parametrize(
    ("found", "twice"),
    [
        ("<s:NameID>8123456</s:NameID>", "<s:NameID>8999999</s:NameID>"),
        ("</s:Subject>", "</s:Subject><s:Subject><s:NameID>8999999</s:NameID></s:Subject>"),
        ("</s:Assertion>", '<s:Conditions NotOnOrAfter="2199-01-01T00:00:00Z"/></s:Assertion>'),
    ],
)
def test_of_two_none_is_chosen(found: str, twice: str) -> None:
    doubled = GOOD.replace(found, twice if found.startswith("</") else found + twice)
    assert doubled != GOOD
    with pytest.raises(CredentialUnavailable) as caught:
        read_assertion(doubled.encode())
    assert "8123456" not in str(caught.value)


def test_one_inside_another_is_refused() -> None:
    """That is how a signature is wrapped around other content: its verifier may read the inner."""
    forged = GOOD.replace("8123456", "8999999").replace(
        "</s:Assertion>", f"<s:Advice>{GOOD}</s:Advice></s:Assertion>"
    )
    with pytest.raises(CredentialUnavailable):
        read_assertion(forged.encode())

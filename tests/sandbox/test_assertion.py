"""Each check of the practitioner's assertion, one wrong thing at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod

from eprescription_sdk.clock import SimulatedClock
from eprescription_sdk.sandbox import Sandbox
from tests.sandbox.envelopes import Card, assertion, consultation, envelope, post, signed


def ask(sandbox: Sandbox, token: str) -> str:
    return post(sandbox.url, envelope("consulter", consultation("SIM1"), token)).code


def refused(sandbox: Sandbox, token: str) -> str:
    """Post an assertion that must be refused; the sentence of the fault."""
    reply = post(sandbox.url, envelope("consulter", consultation("SIM1"), token))
    assert (reply.status, reply.code) == (400, "sdkref_auth")
    assert reply.texts("//s:Subcode/s:Value") == ["siram:siram_40"]
    (sentence,) = reply.texts("//s:Reason/s:Text")
    return sentence


def test_a_signed_assertion_is_accepted(strict: Sandbox, card: Card) -> None:
    assert ask(strict, signed(assertion(card.subject), card)) == "01"


@pytest.mark.parametrize(
    ("found", "replacement", "said"),
    [
        ('Version="2.0"', 'Version="1.1"', "SAML 2.0"),
        ("nameid-format:X509SubjectName", "nameid-format:unspecified", "Issuer"),
        (
            "urn:oasis:names:tc:SAML:2.0:assertion",
            "urn:oasis:names:tc:SAML:1.0:assertion",
            "absent",
        ),
        (' NameQualifier="CPS"', "", "NameQualifier"),
        ('NameQualifier="CPS"', 'NameQualifier="XYZ"', "NameQualifier"),
        ("fictitious-idnps", "", "NameID"),
        ("identifiantFacturation", "autre", "identifiantFacturation"),
        ("codeSpecialiteAMO", "autre", "codeSpecialiteAMO"),
        ("secteurActivite", "autre", "secteurActivite"),
        ("SA07", "", "secteurActivite"),
        ("NotBefore=", "Since=", "NotBefore"),
        ("NotOnOrAfter=", "Until=", "NotOnOrAfter"),
    ],
)
def test_content_is_checked(
    strict: Sandbox, card: Card, found: str, replacement: str, said: str
) -> None:
    text = assertion(card.subject)
    assert found in text
    assert said in refused(strict, signed(text.replace(found, replacement), card))


@pytest.mark.parametrize("ahead", [timedelta(minutes=-20), timedelta(minutes=20)])
def test_an_assertion_of_another_time_is_refused(
    strict: Sandbox, card: Card, ahead: timedelta
) -> None:
    begins = datetime.now(UTC) + ahead
    text = assertion(card.subject, begins=begins, ends=begins + timedelta(minutes=5))
    assert "valable" in refused(strict, signed(text, card))


def test_content_is_checked_also_where_signatures_are_not(sandbox: Sandbox) -> None:
    assert ask(sandbox, assertion()) == "01"
    assert "SAML 2.0" in refused(sandbox, assertion().replace('"2.0"', '"1.0"'))


def test_no_assertion_no_answer(strict: Sandbox) -> None:
    assert "absent" in refused(strict, "")


def test_two_assertions_are_refused(strict: Sandbox, card: Card) -> None:
    one = signed(assertion(card.subject), card)
    assert "plusieurs fois" in refused(strict, one + one)


def test_two_security_headers_are_refused(strict: Sandbox, card: Card) -> None:
    token = signed(assertion(card.subject), card)
    text = envelope("consulter", consultation("SIM1"), token)
    start, end = text.index("<sec:Security"), text.index("</sec:Security>") + 15
    reply = post(strict.url, text[:end] + text[start:end] + text[end:])
    assert reply.code == "sdkref_auth"


def test_an_unsigned_assertion_is_refused(strict: Sandbox, card: Card) -> None:
    text = assertion(card.subject)
    start, end = text.index("<ds:Signature"), text.index("<saml:Subject>")
    assert "absent" in refused(strict, text[:start] + text[end:])


def test_a_changed_assertion_is_refused(strict: Sandbox, card: Card) -> None:
    token = signed(assertion(card.subject), card)
    assert "ne tient pas" in refused(strict, token.replace("fictitious-idnps", "someone-else"))


def test_a_card_of_another_authority_is_refused(strict: Sandbox) -> None:
    certificate, key = Sandbox().issue_card("DOCTEUR FICTIF")
    stranger = Card(certificate=certificate, key=key)
    assert "n'a pas émise" in refused(strict, signed(assertion(stranger.subject), stranger))


def test_the_key_must_be_the_cards(strict: Sandbox, card: Card) -> None:
    _, other_key = strict.issue_card("AUTRE")
    mixed = Card(certificate=card.certificate, key=other_key)
    assert "ne tient pas" in refused(strict, signed(assertion(card.subject), mixed))


def test_the_issuer_must_be_the_cards_subject(strict: Sandbox, card: Card) -> None:
    assert "sujet" in refused(strict, signed(assertion("CN=AUTRE"), card))


def test_a_wrapped_signature_is_refused(strict: Sandbox, card: Card) -> None:
    """The signed assertion is moved aside, and another one carries its signature."""
    honest = signed(assertion(card.subject, identifier="honest"), card)
    start, end = honest.index("<ds:Signature"), honest.index("</ds:Signature>") + 15
    signature = honest[start:end]
    forged = assertion(card.subject, identifier="forged").replace("fictitious-idnps", "forged")
    place = forged.index("<ds:Signature")
    after = forged.index("<saml:Subject>")
    wrapped = signature.replace(
        "</ds:Signature>", f"<ds:Object>{honest}</ds:Object></ds:Signature>"
    )
    assert "plusieurs fois" in refused(strict, forged[:place] + wrapped + forged[after:])
    # The same without the hidden twin: the reference still names another element.
    assert "autre élément" in refused(strict, forged[:place] + signature + forged[after:])


def test_two_elements_with_the_same_id_are_refused(strict: Sandbox, card: Card) -> None:
    token = signed(assertion(card.subject, identifier="twin"), card)
    body = consultation("SIM1").replace("<x:Numero>", '<x:Numero ID="_twin">')
    reply = post(strict.url, envelope("consulter", body, token))
    assert reply.code == "sdkref_auth"


@pytest.mark.parametrize(
    "algorithms",
    [
        {"signature_algorithm": SignatureMethod.RSA_SHA512},
        {"digest_algorithm": DigestAlgorithm.SHA512},
        {"c14n_algorithm": CanonicalizationMethod.CANONICAL_XML_1_1},
    ],
    ids=["signature", "digest", "c14n"],
)
def test_other_algorithms_are_refused(
    strict: Sandbox, card: Card, algorithms: dict[str, Any]
) -> None:
    token = signed(assertion(card.subject), card, **algorithms)
    assert "admis" in refused(strict, token)


def test_other_transforms_are_refused(strict: Sandbox, card: Card) -> None:
    token = signed(assertion(card.subject), card, without_c14n_transform=True)
    assert "transformations" in refused(strict, token)


def test_an_unreadable_certificate_is_refused(strict: Sandbox, card: Card) -> None:
    token = signed(assertion(card.subject), card)
    start = token.index("X509Certificate>") + 16
    assert "certificat" in refused(strict, token[:start] + "AAAA" + token[start:])


def test_a_card_past_its_validity_is_refused() -> None:
    clock = SimulatedClock(datetime.now(UTC))
    with Sandbox(clock=clock) as sandbox:
        certificate, key = sandbox.issue_card("DOCTEUR FICTIF")
        own = Card(certificate=certificate, key=key)
        clock.advance(timedelta(days=4000))
        now = clock.now()
        text = assertion(own.subject, begins=now - timedelta(minutes=1), ends=now + timedelta(1))
        token = signed(text, own)
        reply = post(sandbox.url, envelope("consulter", consultation("SIM1"), token, now=now))
        assert reply.code == "sdkref_auth"

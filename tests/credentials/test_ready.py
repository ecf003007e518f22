"""Ready-made assertions: as they came, or refused at once."""

from datetime import UTC, datetime, timedelta

import pytest

from eprescription_sdk.credentials import ReadyAssertion
from eprescription_sdk.errors import CredentialUnavailable
from eprescription_sdk.wire.envelope import prepare_assertion
from tests.credentials.cards import NATIONAL_ID, NOW, signer

FORM = (
    '<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"><a:Subject>'
    "<a:NameID>{name}</a:NameID></a:Subject>{conditions}</a:Assertion>"
)
ENDS = '<a:Conditions NotOnOrAfter="{ends}"/>'


def markup(name: str = NATIONAL_ID, ends: str | None = "2026-03-02T11:00:00Z") -> bytes:
    conditions = ENDS.format(ends=ends) if ends is not None else ""
    return FORM.format(name=name, conditions=conditions).encode()


def test_it_is_given_as_it_came() -> None:
    signed = signer().assertion(NOW).xml
    given = ReadyAssertion(signed).assertion(NOW)
    assert given.xml == signed
    assert given.national_id == NATIONAL_ID
    assert given.not_on_or_after == NOW + timedelta(minutes=30)


def test_prefixes_and_zones_do_not_matter() -> None:
    given = ReadyAssertion(markup(ends="2026-03-02T12:00:00+01:00")).assertion(NOW)
    assert given.not_on_or_after == datetime(2026, 3, 2, 11, tzinfo=UTC)


def test_once_expired_it_is_refused() -> None:
    ready = ReadyAssertion(markup())
    ready.assertion(datetime(2026, 3, 2, 10, 59, 59, tzinfo=UTC))
    with pytest.raises(CredentialUnavailable, match="expired"):
        ready.assertion(datetime(2026, 3, 2, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        b"<Assertion/>",
        b'<Assertion xmlns="urn:oasis:names:tc:SAML:1.0:assertion"/>',
        markup()[:-5],
        markup(name=""),
        markup(ends=None),
        markup(ends="tomorrow"),
        markup(ends="2026-03-02T11:00:00"),
        b"<!DOCTYPE x>" + markup(),
        # Well-formed, but it could not stand in an envelope in UTF-8.
        b'<?xml version="1.0" encoding="ISO-8859-1"?>'
        + markup(name="é").decode().encode("latin-1"),
        markup().decode().encode("utf-16"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(content: bytes) -> None:
    with pytest.raises(CredentialUnavailable):
        ReadyAssertion(content)


def test_a_declaration_is_left_out_of_the_envelope() -> None:
    declared = b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n' + markup()
    given = ReadyAssertion(declared).assertion(NOW)
    assert prepare_assertion(given.xml) == markup().decode()

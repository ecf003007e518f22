"""Each check of the SOAP headers and of the body, one wrong thing at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from eprescription_sdk.sandbox import Sandbox
from tests.sandbox.envelopes import (
    OTHER_RPPS,
    bundle,
    consultation,
    create,
    creation,
    entry,
    envelope,
    post,
    research,
    search,
    utc,
)

NUMBER = "SIM0001"
TAG = '<system value="urn:oid:1.2.250.1.213.1.1.4.12"/><code value="PRESC-BIO"/>'


def good() -> str:
    return envelope("creer", creation(NUMBER))


def refused(sandbox: Sandbox, text: str | bytes, content_type: str | None = None) -> str:
    """Post what must be refused as invalid; the sentence of the fault."""
    kind = content_type or "application/soap+xml; charset=utf-8"
    reply = post(sandbox.url, text, content_type=kind)
    assert (reply.status, reply.code) == (400, "sdkref_invalid")
    assert sandbox.registrations == []
    (sentence,) = reply.texts("//s:Reason/s:Text")
    return sentence


def test_a_correct_request_is_accepted(sandbox: Sandbox) -> None:
    assert post(sandbox.url, good()).code == "00"


@pytest.mark.parametrize(
    ("found", "replacement", "said"),
    [
        ("http://www.w3.org/2003/05/soap-envelope", "urn:other", "SOAP 1.2"),
        ("http://www.w3.org/2005/08/addressing", "http://www.w3.org/2004/08/addressing", "Action"),
        (":creer<", ":effacer<", "Action"),
        ("<add:MessageID>uuid:", "<add:MessageID>urn:uuid:", "MessageID"),
        ("<add:MessageID>", "<add:MessageID>uuid:1</add:MessageID><add:MessageID>", "MessageID"),
        ("<add:Action>", "<add:Action>x</add:Action><add:Action>", "Action"),
        ("urn:siram:bam:ctxbam", "urn:siram:ctxbam", "ContexteBAM"),
        ("01_02", "01_01", "ContexteBAM"),
        ("<b:Id>1</b:Id>", "", "ContexteBAM/Id"),
        ("<b:COUVERTURE/>", "", "COUVERTURE"),
        ("<b:Temps>", "<b:Temps>le ", "Temps"),
        ("Z</b:Temps>", "</b:Temps>", "fuseau"),
        ("urn:siram:lps:ctxlps", "urn:siram:ctxlps", "ContexteLPS"),
        ("CTXLPS", "CTXBAM", "CTXLPS"),
        ("01_00", "01_01", "01_00"),
        ("<l:Id>2</l:Id>", "<l:Id/>", "ContexteLPS/Id"),
        ("<l:Temps>", "<l:Temps>x", "ContexteLPS/Temps"),
        ('R="4"', 'R="2"', "IDAM"),
        ("TC123456", "", "IDAM"),
        ("<l:Version>1.0</l:Version>", "", "Version"),
        ("0b5b1ad8-3a0c", "0b5b1ad8-3a", "Instance"),
        ("urn:lps:test", "urn:test", "Nom"),
        ("urn:eprescription-sdk:reference:1", "urn:eprescription-sdk:reference:2", "corps"),
        ("http://hl7.org/fhir", "http://hl7.org/fhir/", "inconnu"),
        (f"<x:Numero>{NUMBER}", "<x:Numero>sim-1", "Numero"),
        (f"<x:Numero>{NUMBER}", f"<x:Numero>{'A' * 65}", "Numero"),
        (f"<x:Numero>{NUMBER}", "<x:Numero>SIM0002", "groupIdentifier"),
        ("1.2.250.1.215.500.1.1", "1.2.250.1.215.500.1.2", "groupIdentifier"),
        ("<x:Numero>", "<x:Autre/><x:Numero>", "inconnu"),
        ("57833-6", "57833-7", "type de document"),
        ("<meta><tag>", f"<meta><tag>{TAG}</tag><tag>", "type de document"),
        ("MedicationRequest>", "MedicationStatement>", "aucune prescription"),
        ("</env:Body>", "", "bien formé"),
        ("99700218896", "997", "RPPS"),
        ("urn:oid:1.2.250.1.213.1.4.10", "https://example.invalid", "OID"),
        ("<authoredOn", "<issued", "authoredOn"),
        ("2026-03-02T10:15:00+01:00", "2026-13-02", "authoredOn"),
        ("2026-03-02T10:15:00+01:00", "2026-03-02T10:15:00", "authoredOn"),
    ],
)  # fmt: skip
def test_one_wrong_thing_is_refused(
    sandbox: Sandbox, found: str, replacement: str, said: str
) -> None:
    text = good()
    assert found in text
    assert said in refused(sandbox, text.replace(found, replacement))


@pytest.mark.parametrize("name", ["requester", "subject", "groupIdentifier"])
def test_a_line_without_its_identities_is_refused(sandbox: Sandbox, name: str) -> None:
    text = good()
    start, end = text.index(f"<{name}>"), text.index(f"</{name}>") + len(name) + 3
    refused(sandbox, text[:start] + text[end:])


def test_each_line_must_carry_the_number(sandbox: Sandbox) -> None:
    lines = entry(NUMBER) + entry("SIM0009")
    content = bundle(NUMBER, entries=lines)
    assert "groupIdentifier" in refused(sandbox, envelope("creer", creation(NUMBER, content)))


def test_lines_of_two_prescribers_are_refused(sandbox: Sandbox) -> None:
    lines = entry(NUMBER) + entry(NUMBER, rpps=OTHER_RPPS)
    content = bundle(NUMBER, entries=lines)
    assert "diffère" in refused(sandbox, envelope("creer", creation(NUMBER, content)))


@pytest.mark.parametrize("resource", ["MedicationRequest", "DeviceRequest", "ServiceRequest"])
def test_every_kind_of_line_is_read(sandbox: Sandbox, resource: str) -> None:
    content = bundle(NUMBER, entries=entry(NUMBER, resource))
    assert post(sandbox.url, envelope("creer", creation(NUMBER, content))).code == "00"


def test_a_service_request_is_tied_by_its_requisition(sandbox: Sandbox) -> None:
    lines = entry(NUMBER, "ServiceRequest", tie="groupIdentifier")
    content = bundle(NUMBER, entries=lines)
    assert "requisition" in refused(sandbox, envelope("creer", creation(NUMBER, content)))


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml", "", "soap+xml"])
def test_another_content_type_is_refused(sandbox: Sandbox, content_type: str) -> None:
    assert "type de contenu" in refused(sandbox, good(), content_type or "text/plain")


def test_the_http_action_must_be_the_envelopes(sandbox: Sandbox) -> None:
    action = "urn:ReferenceOrdonnanceNumerique:1.0.0:"
    kind = f'application/soap+xml; charset=utf-8; action="{action}consulter"'
    assert "action HTTP" in refused(sandbox, good(), kind)
    right = kind.replace("consulter", "creer")
    assert post(sandbox.url, good(), content_type=right).code == "00"


def test_the_body_must_be_the_actions(sandbox: Sandbox) -> None:
    assert "corps" in refused(sandbox, envelope("creer", consultation(NUMBER)))
    two = creation(NUMBER) + creation(NUMBER)
    assert "corps" in refused(sandbox, envelope("creer", two))


@pytest.mark.parametrize("minutes", [-11, 11])
def test_a_message_too_far_from_the_clock_is_refused(sandbox: Sandbox, minutes: int) -> None:
    then = datetime.now(UTC) + timedelta(minutes=minutes)
    assert "Temps" in refused(sandbox, envelope("creer", creation(NUMBER), now=then))
    near = datetime.now(UTC) + timedelta(minutes=minutes - (1 if minutes > 0 else -2))
    assert post(sandbox.url, envelope("creer", creation(NUMBER), now=near)).code == "00"


def test_the_tolerance_can_be_set() -> None:
    with Sandbox(verify_assertions=False, time_tolerance=5.0) as sandbox:
        then = datetime.now(UTC) - timedelta(seconds=20)
        assert "Temps" in refused(sandbox, envelope("creer", creation(NUMBER), now=then))


@pytest.mark.parametrize(
    ("found", "replacement"),
    [
        ("<b:Temps>", "<b:Temps><!-- hidden -->"),
        ("<add:Action>", "<add:Action>\n  "),
    ],
)
def test_comments_and_blanks_change_nothing(sandbox: Sandbox, found: str, replacement: str) -> None:
    assert post(sandbox.url, good().replace(found, replacement)).code == "00"


@pytest.mark.parametrize(
    "criteria",
    [
        {"EmisesDepuis": "hier"},
        {"EmisesDepuis": "2026-02-30"},
        {"EmisesJusqua": "2026-02-01T00:00:00Z"},
        {"Prescripteur": "12"},
        {"Patient": ""},
        {"Curseur": "20"},
        {"Curseur": "ref-x"},
        {"Curseur": "ref-99999999999999999999"},
        {"Autre": "x"},
        {"Prescripteur": "99700218896", "Patient": "279035121518989"},
    ],
)
def test_a_wrong_criterion_is_refused(sandbox: Sandbox, criteria: dict[str, str]) -> None:
    refused(sandbox, envelope("rechercher", research(**criteria)))


def test_a_patient_without_an_oid_is_refused(sandbox: Sandbox) -> None:
    text = envelope("rechercher", research(Patient="279035121518989"))
    refused(sandbox, text.replace(' oid="1.2.250.1.213.1.4.10"', ""))


@pytest.mark.parametrize(
    ("issued", "day"),
    [
        ("2026-03-02", "2026-03-02"),
        ("2026-03-02T23:30:00Z", "2026-03-03"),  # already the next day in Paris
        ("2026-03-02T23:30:00+01:00", "2026-03-02"),
    ],
)
def test_the_issue_day_is_that_of_paris(sandbox: Sandbox, issued: str, day: str) -> None:
    create(sandbox.url, NUMBER, issued=issued)
    (kept,) = sandbox.registrations
    assert kept.issued_on.isoformat() == day
    assert search(sandbox.url, EmisesDepuis=day, EmisesJusqua=day).code == "00"


def test_a_refusal_quotes_no_value(sandbox: Sandbox) -> None:
    reply = post(sandbox.url, envelope("creer", creation("canari")))
    assert reply.code == "sdkref_invalid"
    assert b"canari" not in reply.body


def test_time_zones_other_than_utc_are_understood(sandbox: Sandbox) -> None:
    now = datetime.now(UTC)
    paris = (now + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.123456789+02:00")
    assert post(sandbox.url, good().replace(utc(now), paris)).code == "00"

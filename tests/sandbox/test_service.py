"""The three operations, over the real socket."""

import re

import pytest
from lxml import etree

from eprescription_sdk.sandbox import Operation, Sandbox
from tests.sandbox.envelopes import (
    INS,
    NS,
    OTHER_RPPS,
    RPPS,
    bundle,
    consult,
    create,
    creation,
    entry,
    envelope,
    post,
    search,
)


def canonical(xml: str | bytes) -> bytes:
    return etree.tostring(etree.fromstring(xml), method="c14n", exclusive=True)


def test_create_registers(sandbox: Sandbox) -> None:
    reply = create(sandbox.url, "SIM1")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/soap+xml; charset=utf-8"
    assert reply.texts("//r:CreerResponse/r:CodeCR") == ["00"]
    assert reply.texts("//r:CreerResponse/r:Numero") == ["SIM1"]
    (when,) = reply.texts("//r:CreerResponse/r:EnregistreeLe")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", when)
    (kept,) = sandbox.registrations
    assert (kept.number, kept.prescriber, kept.patient) == ("SIM1", RPPS, INS)
    assert (kept.document_type, kept.patient_oid) == ("57833-6", "1.2.250.1.213.1.4.10")
    assert sandbox.count("SIM1") == 1
    assert sandbox.count("SIM2") == 0


def test_answers_are_tied_to_their_request(sandbox: Sandbox) -> None:
    text = envelope("creer", creation("SIM1"))
    reply = post(sandbox.url, text)
    (sent,) = re.findall(r"MessageID>(uuid:[^<]+)<", text)
    assert reply.texts("//a:RelatesTo") == [sent]
    (action,) = reply.texts("//a:Action")
    assert action == "urn:ReferenceOrdonnanceNumerique:1.0.0:creerResponse"
    assert sandbox.registrations[0].message_id == sent


def test_a_second_creation_is_refused_and_the_first_kept(sandbox: Sandbox) -> None:
    create(sandbox.url, "SIM1")
    reply = create(sandbox.url, "SIM1", rpps=OTHER_RPPS)
    assert (reply.status, reply.code) == (400, "sdkref_exists")
    assert reply.texts("//s:Code/s:Value") == ["soap:Sender"]
    assert reply.texts("//s:Subcode/s:Value") == ["siram:siram_100"]
    assert sandbox.count("SIM1") == 1
    assert sandbox.registrations[0].prescriber == RPPS


def test_the_other_character_registers_a_double() -> None:
    with Sandbox(unique_by_number=False, verify_assertions=False) as sandbox:
        create(sandbox.url, "SIM1")
        assert create(sandbox.url, "SIM1", rpps=OTHER_RPPS).code == "00"
        assert sandbox.count("SIM1") == 2
        # Consult shows the first.
        assert consult(sandbox.url, "SIM1").texts("//r:Prescripteur") == [RPPS]


def test_consult_gives_back_what_was_stored(sandbox: Sandbox) -> None:
    sent = bundle("SIM1", entries=entry("SIM1") + entry("SIM1", "DeviceRequest"))
    sent = sent.replace("<type ", "<!-- é & co --><language value='a &amp; b &lt; &quot;é'/><type ")
    sent = sent.replace("é & co", "é co")
    post(sandbox.url, envelope("creer", creation("SIM1", sent)))
    reply = consult(sandbox.url, "SIM1")
    assert reply.texts("//r:ConsulterResponse/r:CodeCR") == ["00"]
    assert reply.texts("//r:ConsulterResponse/r:Numero") == ["SIM1"]
    assert reply.texts("//r:ConsulterResponse/r:Prescripteur") == [RPPS]
    (found,) = etree.fromstring(reply.body).findall(".//f:Bundle", NS)
    found.tail = None
    assert etree.tostring(found, method="c14n", exclusive=True) == canonical(sent)


def test_consult_of_nothing(sandbox: Sandbox) -> None:
    reply = consult(sandbox.url, "SIM1")
    assert reply.status == 200
    assert reply.texts("//r:ConsulterResponse/*/text()")[0] == "01"
    assert reply.texts("//r:ConsulterResponse/r:Numero") == []


def test_search_by_each_criterion(sandbox: Sandbox) -> None:
    create(sandbox.url, "SIM1", issued="2026-03-01")
    create(sandbox.url, "SIM2", issued="2026-03-02", rpps=OTHER_RPPS)
    create(sandbox.url, "SIM3", issued="2026-03-03", patient="180012345678901", kind="PRESC-BIO")

    def numbers(**criteria: str) -> list[str]:
        return search(sandbox.url, **criteria).texts("//r:Ordonnance/r:Numero")

    assert numbers() == ["SIM1", "SIM2", "SIM3"]
    assert numbers(Patient=INS) == ["SIM1", "SIM2"]
    assert numbers(Prescripteur=OTHER_RPPS) == ["SIM2"]
    assert numbers(EmisesDepuis="2026-03-02") == ["SIM2", "SIM3"]
    assert numbers(EmisesJusqua="2026-03-02") == ["SIM1", "SIM2"]
    assert numbers(Patient=INS, Prescripteur=RPPS) == ["SIM1"]
    nothing = search(sandbox.url, EmisesDepuis="2026-03-04")
    assert nothing.texts("//r:RechercherResponse/r:CodeCR") == ["01"]
    everything = search(sandbox.url)
    assert everything.texts("//r:Ordonnance/r:Type") == ["57833-6", "57833-6", "PRESC-BIO"]
    assert everything.texts("//r:Ordonnance/r:Prescripteur") == [RPPS, OTHER_RPPS, RPPS]
    assert len(everything.texts("//r:Ordonnance/r:EnregistreeLe")) == 3


def test_the_oid_of_a_patient_counts(sandbox: Sandbox) -> None:
    create(sandbox.url, "SIM1", oid="1.2.250.1.213.1.4.11")
    assert search(sandbox.url, Patient=INS).code == "01"


def test_search_goes_page_by_page_and_pages_never_shift() -> None:
    with Sandbox(verify_assertions=False, page_size=2) as sandbox:
        for n in range(4):
            create(sandbox.url, f"SIM{n}", rpps=RPPS if n != 1 else OTHER_RPPS)
        first = search(sandbox.url, Prescripteur=RPPS)
        assert first.texts("//r:Ordonnance/r:Numero") == ["SIM0", "SIM2"]
        (cursor,) = first.texts("//r:CurseurSuivant")
        create(sandbox.url, "SIM4")
        second = search(sandbox.url, Prescripteur=RPPS, Curseur=cursor)
        assert second.texts("//r:Ordonnance/r:Numero") == ["SIM3", "SIM4"]
        assert second.texts("//r:CurseurSuivant") == []


def test_a_page_holds_twenty(sandbox: Sandbox) -> None:
    for n in range(21):
        create(sandbox.url, f"SIM{n}")
    page = search(sandbox.url)
    assert len(page.texts("//r:Ordonnance")) == 20
    assert len(page.texts("//r:CurseurSuivant")) == 1


def test_every_request_is_noted(sandbox: Sandbox) -> None:
    create(sandbox.url, "SIM1")
    create(sandbox.url, "SIM1")
    consult(sandbox.url, "SIM2")
    search(sandbox.url)
    post(sandbox.url, "nonsense")
    seen = [(call.operation, call.number, call.answered) for call in sandbox.calls]
    assert seen == [
        (Operation.CREATE, "SIM1", "00"),
        (Operation.CREATE, "SIM1", "sdkref_exists"),
        (Operation.CONSULT, "SIM2", "01"),
        (Operation.SEARCH, None, "00"),
        (None, None, "sdkref_invalid"),
    ]
    ids = [call.message_id for call in sandbox.calls[:4]]
    assert len(set(ids)) == 4
    assert all(call.at.tzinfo is not None for call in sandbox.calls)


@pytest.mark.parametrize("operation", ["creer", "consulter", "rechercher"])
def test_every_answer_says_whose_it_is(sandbox: Sandbox, operation: str) -> None:
    body = {
        "creer": creation("SIM1"),
        "consulter": creation("SIM1"),  # refused: a fault says so as well
        "rechercher": '<x:RechercherRequest xmlns:x="urn:eprescription-sdk:reference:1"/>',
    }[operation]
    reply = post(sandbox.url, envelope(operation, body))
    (said,) = reply.texts("//r:LibelleCR | //s:Reason/s:Text")
    assert "non de l'Assurance Maladie" in said
    assert "not the Assurance Maladie" in reply.headers["x-reference-sandbox"]

"""The reference body: what it writes the sandbox reads, and the other way round."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from lxml import etree

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.exchange import HttpRequest, Operation, SearchQuery, Summary
from eprescription_sdk.model.identifiers import Ins, InsOid, PrescriptionNumber
from eprescription_sdk.model.prescription import Prescription
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import (
    SAMPLE_RPPS,
    sample_prescription,
    sandbox_practitioner,
)
from eprescription_sdk.transport import HttpxTransport
from eprescription_sdk.wire import envelope
from eprescription_sdk.wire.reference_body import NAMESPACE, ReferenceCodec
from eprescription_sdk.wire.reply import read
from eprescription_sdk.xml import Written
from tests.model.strategies import prescriptions
from tests.wire.test_envelope import SOFTWARE

CODEC = ReferenceCodec()


class Line:
    """Sends bodies to a sandbox that checks everything, and gives the bodies of its answers."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._url = sandbox.url
        self._who = sandbox_practitioner(sandbox)
        self._transport = HttpxTransport()

    def __call__(self, operation: Operation, body: bytes) -> bytes:
        now = datetime.now(UTC)
        assertion = self._who.assertion(now)
        action = CODEC.action(operation)
        reply = self._transport.send(
            HttpRequest(
                url=self._url,
                headers={"Content-Type": envelope.content_type(action)},
                content=envelope.envelope(
                    action=action,
                    message_id="uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7",
                    moment=now,
                    software=SOFTWARE,
                    emitter=assertion.national_id,
                    assertion=envelope.prepare_assertion(assertion.xml),
                    body=envelope.prepare(body),
                ),
                timeout=5,
                connect_timeout=5,
                max_bytes=1024 * 1024,
            )
        )
        answer = read(reply.content)
        assert answer.fault is None, answer.fault.text
        assert answer.body is not None
        return answer.body

    def close(self) -> None:
        self._transport.close()


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    with Sandbox(page_size=2) as sandbox:
        line = Line(sandbox)
        yield line
        line.close()


def test_what_is_created_can_be_consulted_and_found(line: Line) -> None:
    numbers = [PrescriptionNumber(f"FACTICE{index}") for index in range(3)]
    prescription = sample_prescription()
    for number in numbers:
        body = CODEC.encode_create(prescription, number)
        created = CODEC.decode_create(line(Operation.CREATE, body))
        assert created.number == number
        assert created.registered_at is not None
        assert abs((created.registered_at - datetime.now(UTC)).total_seconds()) < 60

    consulted = line(Operation.CONSULT, CODEC.encode_consult(numbers[0]))
    stored = CODEC.decode_consult(consulted)
    assert stored is not None
    assert (stored.number, stored.prescriber) == (numbers[0], SAMPLE_RPPS)
    # The content that comes back is what was sent, whatever its serialisation.
    assert stored.fingerprint == CODEC.fingerprint(CODEC.encode_create(prescription, numbers[0]))
    assert stored.fingerprint != CODEC.fingerprint(CODEC.encode_create(prescription, numbers[1]))
    assert etree.QName(etree.fromstring(stored.content)).localname == "Bundle"

    found: list[Summary] = []
    cursor: str | None = None
    day = date.today()  # noqa: DTZ011
    query = SearchQuery(
        patient=prescription.patient.ins,
        prescriber=SAMPLE_RPPS,
        issued_from=day.replace(year=day.year - 1),
        issued_to=day.replace(year=day.year + 1),
    )
    while True:
        page = CODEC.decode_search(line(Operation.SEARCH, CODEC.encode_search(query, cursor)))
        found += page.summaries
        cursor = page.cursor
        if cursor is None:
            break
    assert [summary.number for summary in found] == numbers
    assert {summary.document_type for summary in found} == {"57833-6"}
    assert {summary.prescriber for summary in found} == {SAMPLE_RPPS}


def test_what_is_not_there_is_none(line: Line) -> None:
    body = CODEC.encode_consult(PrescriptionNumber("FACTICE99"))
    assert CODEC.decode_consult(line(Operation.CONSULT, body)) is None
    nobody = Ins("2" + "0" * 14, InsOid.TEST)
    page = CODEC.decode_search(
        line(Operation.SEARCH, CODEC.encode_search(SearchQuery(patient=nobody), None))
    )
    assert (page.summaries, page.cursor) == ((), None)


hostile = (
    st.lists(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
        | st.sampled_from(["<", "&", '"', "'", "]]>", "</text>", "<!--", "&#0;", "\n", "\t"]),
        min_size=1,
        max_size=20,
    )
    .map("".join)
    .filter(lambda text: text.strip() == text)
)


@effort(max_examples=60, deadline=None)
@given(label=hostile, text=hostile, family=hostile, given_name=hostile)
def test_hostile_text_in_a_prescription_arrives_as_text(
    label: str, text: str, family: str, given_name: str
) -> None:
    sample = sample_prescription(text=text)
    prescription = attrs.evolve(
        sample,
        lines=(attrs.evolve(sample.lines[0], label=label),),
        patient=attrs.evolve(sample.patient, family_name=family, given_name=given_name),
    )
    number = PrescriptionNumber("FACTICE1")
    body = CODEC.encode_create(prescription, number)
    root = etree.fromstring(body)
    held = {value for node in root.iter() for value in node.attrib.values()}
    assert {label, text, family, given_name} <= held
    assert root.findtext(f"{{{NAMESPACE}}}Numero") == "FACTICE1"
    # No more elements than the harmless one has.
    harmless = etree.fromstring(CODEC.encode_create(sample, number))
    assert [node.tag for node in root.iter()] == [node.tag for node in harmless.iter()]


@given(value=hostile, cursor=hostile)
def test_hostile_text_in_a_search_arrives_as_text(value: str, cursor: str) -> None:
    query = SearchQuery(patient=Ins(value, InsOid.TEST))
    root = etree.fromstring(CODEC.encode_search(query, cursor))
    assert root.findtext(f"{{{NAMESPACE}}}Patient") == value
    assert root.findtext(f"{{{NAMESPACE}}}Curseur") == cursor


def response(name: str, content: str) -> bytes:
    return f'<p:{name}Response xmlns:p="{NAMESPACE}">{content}</p:{name}Response>'.encode()


CREATED = "<p:CodeCR>00</p:CodeCR><p:Numero>FACTICE1</p:Numero>"
TIME = "<p:EnregistreeLe>{}</p:EnregistreeLe>"


def test_a_time_that_is_not_said_is_none() -> None:
    answer = CODEC.decode_create(response("Creer", CREATED))
    assert (answer.number, answer.registered_at) == (PrescriptionNumber("FACTICE1"), None)


def test_times_are_told_in_utc() -> None:
    answer = CODEC.decode_create(
        response("Creer", CREATED + TIME.format("2026-03-02T01:00:00+02:00"))
    )
    assert answer.registered_at == datetime(2026, 3, 1, 23, tzinfo=UTC)
    assert answer.registered_at is not None
    assert answer.registered_at.tzinfo is UTC


@pytest.mark.parametrize(
    "body",
    [
        b"",
        response("Consulter", CREATED),
        response("Creer", CREATED).replace(NAMESPACE.encode(), b"urn:other"),
        response("Creer", ""),
        response("Creer", CREATED.replace("00", "99")),
        response("Creer", CREATED + TIME.format("yesterday")),
        response("Creer", CREATED + TIME.format("2026-03-02T01:00:00")),
        # In UTC these are no days of the calendar; whoever stores them would fail later.
        response("Creer", CREATED + TIME.format("0001-01-01T00:00:00+14:00")),
        response("Creer", CREATED + TIME.format("9999-12-31T23:59:59-12:00")),
    ],
)
def test_an_answer_that_cannot_be_read_is_one_clear_error(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        CODEC.decode_create(body)


@pytest.mark.parametrize("code", ["", "02", "99"])
def test_an_unknown_result_code_is_no_answer(code: str) -> None:
    content = f"<p:CodeCR>{code}</p:CodeCR>"
    with pytest.raises(InvalidInput):
        CODEC.decode_consult(response("Consulter", content))
    with pytest.raises(InvalidInput):
        CODEC.decode_search(response("Rechercher", content))


def test_a_body_without_content_has_no_fingerprint() -> None:
    with pytest.raises(InvalidInput):
        CODEC.fingerprint(CODEC.encode_consult(PrescriptionNumber("FACTICE1")))


def test_it_says_that_it_is_ours() -> None:
    assert CODEC.simulated
    assert NAMESPACE.startswith("urn:eprescription-sdk:reference")
    assert {CODEC.action(operation) for operation in Operation} == {
        f"urn:ReferenceOrdonnanceNumerique:1.0.0:{verb}"
        for verb in ("creer", "consulter", "rechercher")
    }


@given(prescription=prescriptions())
def test_the_content_has_one_fingerprint_whatever_its_serialisation(
    prescription: Prescription,
) -> None:
    number = PrescriptionNumber("FACTICE1")
    body = CODEC.encode_create(prescription, number)
    print_ = CODEC.fingerprint(body)
    root = etree.fromstring(body)
    for other in (
        # The same bytes from outside, the canonical form, another encoding, one with prefixes.
        bytes(body),
        bytes(etree.tostring(root, method="c14n")),
        body.decode().encode("utf-16"),
        _prefixed(body),
    ):
        assert CODEC.fingerprint(other) == print_
    changed = bytes(body).replace(b'<status value="active"/>', b'<status value="draft"/>', 1)
    assert CODEC.fingerprint(changed) != print_


def _prefixed(body: bytes) -> bytes:
    """With every element of FHIR behind a prefix."""
    text = body.decode().replace('xmlns="http://hl7.org/fhir"', 'xmlns:f="http://hl7.org/fhir"')
    return re.sub(r"<(/?)(?=[A-Za-z]+[ />])", r"<\1f:", text).encode()


def test_text_for_people_may_be_written_in_more_than_one_way() -> None:
    inside = (
        "<Bundle xmlns='http://hl7.org/fhir'><entry><resource><Basic><text>"
        "<status value='generated'/><div xmlns='http://www.w3.org/1999/xhtml' {}>x</div>"
        "</text></Basic></resource></entry></Bundle>"
    )
    body = f"<ref:CreerRequest xmlns:ref='{NAMESPACE}'>{inside}</ref:CreerRequest>"
    written = Written(body.format("class='a'").encode())
    assert CODEC.fingerprint(written) == CODEC.fingerprint(body.format('class="a"').encode())
    assert CODEC.fingerprint(written) != CODEC.fingerprint(body.format('class="b"').encode())


def test_content_that_is_not_ours_has_a_fingerprint_too() -> None:
    body = f"<a xmlns='{NAMESPACE}'><Bundle xmlns='http://hl7.org/fhir'><no{{}}/></Bundle></a>"
    first, again = (CODEC.fingerprint(body.format(each).encode()) for each in ("", " "))
    assert first == again != CODEC.fingerprint(body.format("pe").encode())

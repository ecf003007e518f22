"""The fault table: what one answer, or its absence, says about one request (design §3)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import eprescription_sdk as ep
from eprescription_sdk.client.classify import Verdict, _tokens_only, classify
from eprescription_sdk.errors import Delivery
from eprescription_sdk.model.exchange import (
    CreateAnswer,
    HttpReply,
    Operation,
    SearchPage,
    StoredPrescription,
)
from eprescription_sdk.model.faults import Fault, Processed
from eprescription_sdk.model.outcomes import AttemptResult
from eprescription_sdk.model.trace import FaultOrigin
from eprescription_sdk.settings import REFERENCE_FAULTS
from eprescription_sdk.wire.reference_body import ReferenceCodec

NOW = datetime(2025, 3, 17, 9, 30, tzinfo=UTC)
NUMBER = ep.PrescriptionNumber("FAKE1")
DOC = Path(__file__).parents[2] / "docs" / "fault-table.md"

SOAP = "http://www.w3.org/2003/05/soap-envelope"
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
REF = "urn:eprescription-sdk:reference:1"


def envelope(body: str, *, prefix: str = "soap", space: str = SOAP) -> bytes:
    return (
        f'<{prefix}:Envelope xmlns:{prefix}="{space}"><{prefix}:Header/>'
        f"<{prefix}:Body>{body}</{prefix}:Body></{prefix}:Envelope>"
    ).encode()


def created(number: str = "FAKE1") -> bytes:
    return envelope(
        f'<r:CreerResponse xmlns:r="{REF}"><r:CodeCR>00</r:CodeCR><r:Numero>{number}</r:Numero>'
        "<r:EnregistreeLe>2025-03-17T09:30:00Z</r:EnregistreeLe></r:CreerResponse>",
        prefix="e",
    )


def consulted(code: str = "00", number: str = "FAKE1") -> bytes:
    return envelope(
        f'<r:ConsulterResponse xmlns:r="{REF}"><r:CodeCR>{code}</r:CodeCR>'
        f"<r:Numero>{number}</r:Numero><r:Prescripteur>99700218896</r:Prescripteur>"
        "</r:ConsulterResponse>"
    )


def listed() -> bytes:
    return envelope(
        f'<r:RechercherResponse xmlns:r="{REF}"><r:CodeCR>01</r:CodeCR></r:RechercherResponse>'
    )


def fault(code: str, *, side: str = "Sender", subcode: str = "siram_100") -> bytes:
    return envelope(
        f"<soap:Fault><soap:Code><soap:Value>soap:{side}</soap:Value><soap:Subcode>"
        f'<soap:Value xmlns:s="urn:siram">s:{subcode}</soap:Value></soap:Subcode></soap:Code>'
        '<soap:Reason><soap:Text xml:lang="fr">Texte</soap:Text></soap:Reason>'
        f'<soap:Detail><x:Erreur xmlns:x="urn:siram" severite="fatale" code="{code}"/>'
        "</soap:Detail></soap:Fault>"
    )


def judge(
    operation: Operation,
    content: bytes,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Verdict:
    return classify(
        operation,
        HttpReply(status=status, headers=headers or {}, content=content),
        codec=ReferenceCodec(),
        profile=ep.ServiceProfile(),
        now=NOW,
        number=NUMBER if operation is not Operation.SEARCH else None,
    )


CREATE, CONSULT, SEARCH = Operation.CREATE, Operation.CONSULT, Operation.SEARCH
R = AttemptResult
UNREADABLE: dict[str, bytes] = {
    "empty": b"",
    "html": b"<!DOCTYPE html><html><body>Bad gateway</body></html>",
    "plain text": b"upstream connect error",
    "json": b'{"error": "unavailable"}',
    "truncated": created()[:-20],
    "no SOAP": b"<answer/>",
    "empty SOAP body": envelope(""),
    "entities": b'<!DOCTYPE a [<!ENTITY b "c">]>' + created(),
    "another operation's answer": envelope(f'<r:Autre xmlns:r="{REF}"/>'),
    "unknown result code": envelope(
        f'<r:CreerResponse xmlns:r="{REF}"><r:CodeCR>42</r:CodeCR></r:CreerResponse>'
    ),
    "naive time": created().replace(b"09:30:00Z", b"09:30:00"),
    "not UTF-8": b"<\xff\xfe>",
}

TABLE: list[tuple[str, bytes, int, dict[Operation, tuple[AttemptResult, bool]]]] = [
    (
        "answered", created(), 200, {CREATE: (R.REGISTERED, False)},
    ),
    ("answered on HTTP 500", created(), 500, {CREATE: (R.REGISTERED, False)}),
    ("about another number", created("FAKE2"), 200, {CREATE: (R.IN_DOUBT, False)}),
    ("found", consulted(), 200, {CONSULT: (R.FOUND, False)}),
    ("found another number", consulted(number="FAKE2"), 200, {CONSULT: (R.FAILED, True)}),
    ("absent", consulted("01"), 200, {CONSULT: (R.ABSENT, False)}),
    ("listed", listed(), 200, {SEARCH: (R.LISTED, False)}),
    *(
        (
            f"fault {code} on {status}", fault(code), status,
            {
                CREATE: (
                    {"refused": R.REFUSED, "not_processed": R.NOT_PROCESSED}.get(
                        rule.kind.value, R.IN_DOUBT
                    ),
                    rule.kind is ep.FaultClass.NOT_PROCESSED,
                ),
                CONSULT: (
                    {"refused": R.REFUSED, "not_processed": R.NOT_PROCESSED}.get(
                        rule.kind.value, R.FAILED
                    ),
                    rule.kind is ep.FaultClass.NOT_PROCESSED,
                ),
            },
        )
        for code, rule in REFERENCE_FAULTS.items()
        for status in (200, 400, 500)
    ),
    (
        "fault with an unknown code", fault("desir_550"), 500,
        {CREATE: (R.IN_DOUBT, False), CONSULT: (R.FAILED, False), SEARCH: (R.FAILED, False)},
    ),
    (
        "a known code as subcode", fault("autre", subcode="sdkref_invalid"), 400,
        {CREATE: (R.REFUSED, False)},
    ),
    (
        "a SOAP 1.1 fault",
        envelope(
            "<f:Fault><faultcode>f:Client</faultcode><faultstring>Texte</faultstring>"
            '<detail><x:Erreur xmlns:x="urn:siram" code="sdkref_invalid"/></detail></f:Fault>',
            prefix="f", space=SOAP_11,
        ),
        500, {CREATE: (R.REFUSED, False)},
    ),
    (
        "a fault with foreign prefixes",
        fault("sdkref_invalid").replace(b"soap:", b"zz:").replace(b"xmlns:soap", b"xmlns:zz"),
        400, {CREATE: (R.REFUSED, False)},
    ),
    (
        "a bare fault", envelope("<soap:Fault/>"), 500,
        {CREATE: (R.IN_DOUBT, False), CONSULT: (R.FAILED, False)},
    ),
    *(
        (
            f"{name} on {status}", content, status,
            {CREATE: (R.IN_DOUBT, False), CONSULT: (R.FAILED, True), SEARCH: (R.FAILED, True)},
        )
        for name, content in UNREADABLE.items()
        for status in (200, 502, 503, 504, 404, 301)
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "status", "operation", "expected"),
    [
        pytest.param(content, status, operation, expected, id=f"{operation.value}-{name}")
        for name, content, status, by_operation in TABLE
        for operation, expected in by_operation.items()
    ],
)
def test_the_table(
    content: bytes, status: int, operation: Operation, expected: tuple[AttemptResult, bool]
) -> None:
    verdict = judge(operation, content, status=status)
    assert (verdict.result, verdict.again) == expected


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("delivery", Delivery)
def test_without_an_answer_the_delivery_decides(operation: Operation, delivery: Delivery) -> None:
    verdict = classify(
        operation,
        ep.TransportFailure("ConnectError", delivery=delivery),
        codec=ReferenceCodec(),
        profile=ep.ServiceProfile(),
        now=NOW,
        number=NUMBER,
    )
    if delivery is Delivery.UNKNOWN:
        doubt = operation is CREATE
        assert verdict.result is (R.IN_DOUBT if doubt else R.FAILED)
        assert verdict.again is not doubt
        assert verdict.origin is FaultOrigin.NETWORK
    else:
        assert verdict.result is R.NOT_SENT
        # A certificate that was refused is refused again; and it is ours to mend.
        assert verdict.again is (delivery is Delivery.NOT_SENT)
        ours = delivery is Delivery.REJECTED
        assert verdict.origin is (FaultOrigin.SOFTWARE if ours else FaultOrigin.NETWORK)


def test_a_create_is_sent_again_only_where_nothing_can_be_registered() -> None:
    for _, content, status, by_operation in TABLE:
        if CREATE in by_operation:
            verdict = judge(CREATE, content, status=status)
            assert not verdict.again or verdict.result in (R.NOT_SENT, R.NOT_PROCESSED)


@pytest.mark.parametrize(
    ("code", "origin"),
    [("sdkref_auth", FaultOrigin.USER), ("sdkref_invalid", FaultOrigin.SOFTWARE)],
)
def test_whose_fault_it_is(code: str, origin: FaultOrigin) -> None:
    assert judge(CREATE, fault(code)).origin is origin
    assert judge(CREATE, fault("autre", side="Receiver")).origin is FaultOrigin.SERVICE


def test_retry_after_in_seconds_and_as_a_date() -> None:
    moment = NOW + timedelta(seconds=90)
    for text, seconds in (
        ("120", 120.0),
        (" 7 ", 7.0),
        (format_datetime(moment, usegmt=True), 90.0),
        ("Mon, 17 Mar 2025 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("1e9", None),
        ("٣", None),
        ("Mon, 17 Mar 99999999999999999999 09:00:00 GMT", None),
    ):
        verdict = judge(CREATE, b"", status=503, headers={"retry-after": text})
        assert verdict.retry_after == seconds
    assert judge(CREATE, fault("sdkref_unavailable"), headers={"retry-after": "3"}).retry_after == 3


@given(st.text(max_size=60))
@example("Mon, 32 Mar 2025 09:00:00 +99999999")
@example("9" * 400)
def test_no_retry_after_raises(text: str) -> None:
    verdict = judge(CREATE, b"", status=503, headers={"retry-after": text})
    assert verdict.retry_after is None or verdict.retry_after >= 0


@pytest.mark.parametrize(
    "code", ["DUPONT Jeanne", "a" * 65, "code\u00e9", "x&#10;y", "", "1 85 05 78 006 084 91"]
)
def test_a_code_that_is_none_goes_nowhere(code: str) -> None:
    verdict = judge(CREATE, fault(code))
    assert verdict.result is R.IN_DOUBT
    assert verdict.detail is None
    assert verdict.fault is not None
    assert (verdict.fault.code, verdict.fault.subcode) == (None, "siram_100")


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good reply with pieces cut out, doubled or overwritten."""
    content = bytearray(
        draw(st.sampled_from([created(), consulted(), listed(), fault("sdkref_invalid")]))
    )
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 40)))
        content[start:end] = draw(
            st.one_of(
                st.binary(max_size=12),
                st.just(bytes(content[start:end]) * 2),
                st.sampled_from([b"", b"<", b"&#0;", b'" x="', b"</r:Numero>", b"&b;"]),
            )
        )
    return bytes(content)


@given(content=mutated(), status=st.sampled_from([200, 400, 500, 503]))
def test_no_reply_raises_and_what_cannot_be_read_is_in_doubt(content: bytes, status: int) -> None:
    for operation in Operation:
        verdict = judge(operation, content, status=status)
        assert isinstance(verdict, Verdict)
        if operation is CREATE and verdict.fault is None:
            whole = verdict.result is R.REGISTERED and b"FAKE1" in content
            assert whole or verdict.result is R.IN_DOUBT


class _Codec(ReferenceCodec):
    def decode_create(self, body: bytes) -> CreateAnswer:
        raise RecursionError("a bug of the codec")


def test_a_codec_that_breaks_leaves_the_create_in_doubt() -> None:
    verdict = classify(
        CREATE,
        HttpReply(status=200, headers={}, content=created()),
        codec=_Codec(),
        profile=ep.ServiceProfile(),
        now=NOW,
        number=NUMBER,
    )
    assert verdict.result is R.IN_DOUBT


# --- the whole verdict --------------------------------------------------------------------------


def seen(operation: Operation, what: HttpReply | ep.TransportFailure) -> Verdict:
    return classify(
        operation,
        what,
        codec=ReferenceCodec(),
        profile=ep.ServiceProfile(),
        now=NOW,
        number=NUMBER,
    )


@pytest.mark.parametrize("operation", [CREATE, CONSULT])
def test_all_that_is_said_without_an_answer(operation: Operation) -> None:
    def without(delivery: Delivery) -> Verdict:
        return seen(operation, ep.TransportFailure("ReadTimeout", delivery=delivery))

    create = operation is CREATE
    common: dict[str, Any] = {
        "detail": "ReadTimeout",
        "origin": FaultOrigin.NETWORK,
        "down": True,
    }
    assert without(Delivery.NOT_SENT) == Verdict(result=R.NOT_SENT, again=True, **common)
    assert without(Delivery.REJECTED) == Verdict(
        result=R.NOT_SENT, detail="ReadTimeout", origin=FaultOrigin.SOFTWARE
    )
    assert without(Delivery.UNKNOWN) == Verdict(
        result=R.IN_DOUBT if create else R.FAILED, again=not create, **common
    )


@pytest.mark.parametrize("operation", [CREATE, CONSULT])
@pytest.mark.parametrize(("status", "down"), [(404, False), (499, False), (500, True), (503, True)])
def test_all_that_is_said_of_what_cannot_be_read(
    operation: Operation, status: int, down: bool
) -> None:
    create = operation is CREATE
    reply = HttpReply(status=status, headers={"retry-after": "9"}, content=envelope(""))
    assert seen(operation, reply) == Verdict(
        result=R.IN_DOUBT if create else R.FAILED,
        again=not create,
        detail=f"HTTP {status}: The SOAP body is empty.",
        origin=FaultOrigin.SERVICE,
        retry_after=9.0,
        down=down,
    )


def test_a_codec_that_cannot_read_is_told_by_the_kind_of_its_error() -> None:
    reply = HttpReply(status=200, headers={}, content=envelope("<a/>"))
    assert seen(SEARCH, reply) == Verdict(
        result=R.FAILED, again=True, detail="HTTP 200: InvalidInput", origin=FaultOrigin.SERVICE
    )


@pytest.mark.parametrize(
    ("code", "result", "processed", "origin"),
    [
        ("sdkref_invalid", R.REFUSED, Processed.PROCESSED, FaultOrigin.SOFTWARE),
        ("sdkref_auth", R.REFUSED, Processed.PROCESSED, FaultOrigin.USER),
        ("sdkref_unavailable", R.NOT_PROCESSED, Processed.NOT_PROCESSED, FaultOrigin.SOFTWARE),
        ("sdkref_exists", R.IN_DOUBT, Processed.UNKNOWN, FaultOrigin.SOFTWARE),
        ("desir_550", R.IN_DOUBT, Processed.UNKNOWN, FaultOrigin.SOFTWARE),
    ],
)
def test_all_that_is_said_of_a_fault(
    code: str, result: AttemptResult, processed: Processed, origin: FaultOrigin
) -> None:
    rule = REFERENCE_FAULTS.get(code)
    assert judge(CREATE, fault(code), status=500) == Verdict(
        result=result,
        again=result is R.NOT_PROCESSED,
        detail=code,
        origin=origin,
        fault=Fault(
            sender=True,
            subcode="siram_100",
            code=code,
            severity="fatale",
            text="Texte",
            processed=processed,
            origin=origin,
            known=rule is not None,
        ),
        rule=rule,
    )


def test_a_rule_is_not_found_by_a_code_that_is_none() -> None:
    rules = {"XXXX": REFERENCE_FAULTS["sdkref_invalid"]}
    verdict = classify(
        CREATE,
        HttpReply(status=500, headers={}, content=envelope("<soap:Fault/>")),
        codec=ReferenceCodec(),
        profile=ep.ServiceProfile(faults=rules),
        now=NOW,
    )
    assert verdict.rule is None


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("uuid:1-2.3_4", "uuid:1-2.3_4"),
        ("a" * 80, "a" * 80),
        ("a" * 81, None),
        ("à", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_message_id_of_a_fault(said: str, kept: str | None) -> None:
    assert _tokens_only(Fault(message_id=said)).message_id == kept


def test_a_subcode_that_is_none() -> None:
    verdict = judge(CREATE, fault("insi_102", subcode="DUPONT Jeanne"))
    assert verdict.fault is not None
    assert verdict.fault.subcode is None


def test_a_severity_that_is_none() -> None:
    verdict = judge(CREATE, fault("insi_102").replace(b"fatale", b"DUPONT Jeanne"))
    assert verdict.fault is not None
    assert verdict.fault.severity is None


def test_what_was_read_is_kept() -> None:
    at = datetime(2025, 3, 17, 9, 30, tzinfo=UTC)
    registered = CreateAnswer(number=NUMBER, registered_at=at)
    assert judge(CREATE, created()) == Verdict(result=R.REGISTERED, answer=registered)
    there = StoredPrescription(number=NUMBER, prescriber=ep.Rpps("99700218896"), registered_at=None)
    assert judge(CONSULT, consulted()) == Verdict(result=R.FOUND, answer=there)
    assert judge(CONSULT, consulted("01")) == Verdict(result=R.ABSENT)
    assert judge(SEARCH, listed()) == Verdict(result=R.LISTED, answer=SearchPage(summaries=()))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("Mon, 17 Mar 2025 09:31:00 -0000", 60.0), ("Mon, 17 Mar 2025 10:31:00 +0100", 60.0)],
)
def test_a_date_without_and_with_another_zone(text: str, seconds: float) -> None:
    verdict = judge(CREATE, b"", status=503, headers={"retry-after": text})
    assert verdict.retry_after == seconds


# --- the documentation --------------------------------------------------------------------------


def _rows(heading: str) -> list[list[str]]:
    """The rows of the first table under a heading of ``docs/fault-table.md``."""
    _, _, rest = DOC.read_text(encoding="utf-8").partition(f"## {heading}\n")
    lines = [line for line in re.split(r"\n## ", rest)[0].splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines[2:]]


EXAMPLES: dict[str, tuple[bytes, int] | Delivery] = {
    "no connection, no byte written": Delivery.NOT_SENT,
    "a TLS alert about our certificate": Delivery.REJECTED,
    "bytes left, no whole answer": Delivery.UNKNOWN,
    "the answer": (b"", 200),
    "an answer about another number": (b"", 200),
    "fault, class `refused`": (fault("sdkref_invalid"), 400),
    "fault, class `not_processed`": (fault("sdkref_unavailable"), 500),
    "fault, class `in_doubt`": (fault("sdkref_exists"), 400),
    "fault with an unknown code": (fault("desir_550"), 500),
    "anything that cannot be read": (b"<html/>", 503),
}


def test_the_documented_table_is_the_code() -> None:
    documented = {row[0].replace("`", ""): row[1:] for row in _rows("One attempt")}
    assert set(documented) == {name.replace("`", "") for name in EXAMPLES}
    for name, seen in EXAMPLES.items():
        for column, operation in enumerate((CREATE, CONSULT, SEARCH)):
            said = documented[name.replace("`", "")][column].replace("`", "")
            if isinstance(seen, Delivery):
                verdict = classify(
                    operation,
                    ep.TransportFailure("x", delivery=seen),
                    codec=ReferenceCodec(),
                    profile=ep.ServiceProfile(),
                    now=NOW,
                )
            else:
                content, status = seen
                if name == "the answer":
                    content = {CREATE: created(), CONSULT: consulted(), SEARCH: listed()}[operation]
                elif name == "an answer about another number":
                    if operation is SEARCH:
                        assert said == "—"
                        continue
                    content = created("FAKE2") if operation is CREATE else consulted(number="FAKE2")
                verdict = judge(operation, content, status=status)
            again = ", again" if verdict.again else ""
            assert said.removesuffix(" / absent") == verdict.result.value + again, (name, operation)


def test_the_documented_codes_are_those_of_the_profile() -> None:
    documented = {row[0]: row[1:] for row in _rows("The reference codes")}
    assert set(documented) == set(REFERENCE_FAULTS)
    for code, rule in REFERENCE_FAULTS.items():
        kind, text = documented[code]
        assert (kind, text) == (rule.kind.value, rule.text_fr)

"""What is read from a failure, where a real socket cannot tell it apart."""

import ssl

import pytest

from eprescription_sdk.errors import Delivery
from eprescription_sdk.transport.delivery import Wire, delivery


def alert(name: str) -> Exception:
    """As the HTTP library wraps it."""
    inner = ssl.SSLError(1, f"[SSL: {name}] alert (_ssl.c:1)")
    inner.reason = name
    try:
        try:
            raise inner
        except ssl.SSLError as error:
            raise ConnectionError from error
    except ConnectionError as outer:
        return outer


def wire(*steps: str) -> Wire:
    watched = Wire()
    for step in steps:
        watched(step, {})
    return watched


WRITTEN = "http11.send_request_headers.started"
ANSWERED = "http11.receive_response_headers.complete"


@pytest.mark.parametrize(
    "name",
    [
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV1_ALERT_ACCESS_DENIED",
    ],
)
def test_an_alert_about_our_certificate_rejects(name: str) -> None:
    assert delivery(alert(name), wire()) is Delivery.REJECTED
    assert delivery(alert(name), wire(WRITTEN)) is Delivery.REJECTED
    # After the beginning of an answer the request was read.
    assert delivery(alert(name), wire(WRITTEN, ANSWERED)) is Delivery.UNKNOWN


def test_other_alerts_say_nothing_about_a_request_that_was_written() -> None:
    assert delivery(alert("TLSV1_ALERT_INTERNAL_ERROR"), wire(WRITTEN)) is Delivery.UNKNOWN
    assert delivery(alert("TLSV1_ALERT_INTERNAL_ERROR"), wire()) is Delivery.NOT_SENT
    assert delivery(alert("SSLV3_ALERT_HANDSHAKE_FAILURE"), wire(WRITTEN)) is Delivery.UNKNOWN
    assert delivery(alert("SSLV3_ALERT_HANDSHAKE_FAILURE"), wire()) is Delivery.REJECTED


def test_our_own_complaint_about_their_certificate_is_no_alert() -> None:
    assert delivery(alert("CERTIFICATE_VERIFY_FAILED"), wire()) is Delivery.NOT_SENT


def test_a_loop_of_causes_ends() -> None:
    first, second = KeyError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert delivery(first, wire(WRITTEN)) is Delivery.UNKNOWN

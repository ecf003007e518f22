"""What a failed request says about its delivery: not sent, rejected, or unknown.

The answer decides whether a create may be tried again, so it is taken from what the
connection did, not from the name of an exception alone.
"""

import ssl
from collections.abc import Iterator, Mapping
from typing import Any

from eprescription_sdk.errors import Delivery

_CERTIFICATE_ALERTS = {
    "CERTIFICATE_REQUIRED": "ClientCertificateMissing",
    "CERTIFICATE_EXPIRED": "ClientCertificateExpired",
    "UNKNOWN_CA": "ClientCertificateUntrusted",
    "BAD_CERTIFICATE": "ClientCertificateRefused",
    "CERTIFICATE_REVOKED": "ClientCertificateRefused",
    "CERTIFICATE_UNKNOWN": "ClientCertificateRefused",
    "UNSUPPORTED_CERTIFICATE": "ClientCertificateRefused",
    "ACCESS_DENIED": "ClientCertificateRefused",
}
_MISSING = {"HANDSHAKE_FAILURE": "ClientCertificateMissing"}
"""How a TLS 1.2 server says that it wants a certificate (RFC 5246, 7.4.6), among other things
that trying again does not mend. Read so only in the handshake."""

EXPLAINED: Mapping[str, tuple[str, str]] = {
    "ClientCertificateMissing": (
        "The service wants a certificate of ours and was shown none.",
        "Name the organisation's certificate: tls_certificate.",
    ),
    "ClientCertificateExpired": (
        "The service says that our certificate has expired.",
        "Renew the organisation's certificate.",
    ),
    "ClientCertificateUntrusted": (
        "The service does not know the authority that issued our certificate.",
        "Use the certificate issued for this service, and its whole chain.",
    ),
    "ClientCertificateRefused": (
        "The service refuses our certificate.",
        "Ask its support why: it may be revoked, or not meant for this use.",
    ),
    "ServiceCertificateExpired": (
        "The certificate of the service has expired.",
        "Check this machine's clock, then ask the service's support.",
    ),
    "ServiceCertificateUntrusted": (
        "The certificate of the service is vouched for by no authority that is trusted here.",
        "Check the address, and name the service's authorities: tls_authorities.",
    ),
    "ReplyTooLarge": (
        "The reply of the service is larger than is read.",
        "Narrow the search.",
    ),
}
"""What some failures mean, and what to do about them."""

_EXPIRED = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""


class Wire:
    """Watches one request: whether it was written, and whether an answer came back.

    httpx calls the object with each step of the connection (its ``trace`` extension).
    """

    def __init__(self) -> None:
        self.written = False
        self.answered = False

    def __call__(self, step: str, _info: Any) -> None:
        """One step of the connection, blocking form."""
        if step.endswith("send_request_headers.started"):
            self.written = True
        elif step.endswith("receive_response_headers.complete"):
            self.answered = True

    async def watch(self, step: str, info: Any) -> None:
        """One step of the connection, asynchronous form."""
        self(step, info)


def delivery(error: BaseException, wire: Wire) -> Delivery:
    """What is known of a request that brought no whole answer."""
    if _refusal(error, wire) is not None:
        return Delivery.REJECTED
    return Delivery.UNKNOWN if wire.written else Delivery.NOT_SENT


def reason(error: BaseException, wire: Wire) -> str:
    """The failure in a word: a key of ``EXPLAINED``, or the name of the error.

    The text of the error may hold addresses, so it is left out.
    """
    refusal = _refusal(error, wire)
    if refusal is not None:
        return refusal
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            expired = cause.verify_code == _EXPIRED
            return "ServiceCertificateExpired" if expired else "ServiceCertificateUntrusted"
    return type(error).__name__


def _refusal(error: BaseException, wire: Wire) -> str | None:
    """The TLS alert that the peer sent about our certificate, in our word.

    Under TLS 1.3 it surfaces only when the answer is read, after the request was written;
    the peer has then refused the connection without reading the request.
    """
    if wire.answered:
        return None
    alerts = _CERTIFICATE_ALERTS if wire.written else _CERTIFICATE_ALERTS | _MISSING
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError) and "ALERT" in (said := str(cause.reason or "")):
            return next((word for alert, word in alerts.items() if alert in said), None)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__

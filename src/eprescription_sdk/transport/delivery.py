"""What a failed request says about its delivery: not sent, rejected, or unknown.

The answer decides whether a create may be tried again, so it is taken from what the
connection did, not from the name of an exception alone.
"""

import ssl
from typing import Any

from eprescription_sdk.errors import Delivery

_CERTIFICATE_ALERTS = (
    "CERTIFICATE_REQUIRED",
    "BAD_CERTIFICATE",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_REVOKED",
    "CERTIFICATE_UNKNOWN",
    "UNSUPPORTED_CERTIFICATE",
    "UNKNOWN_CA",
    "ACCESS_DENIED",
)


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
    if not wire.answered and _about_our_certificate(error):
        return Delivery.REJECTED
    return Delivery.UNKNOWN if wire.written else Delivery.NOT_SENT


def _about_our_certificate(error: BaseException | None) -> bool:
    """Whether the peer sent a TLS alert about our certificate.

    Under TLS 1.3 it surfaces only when the answer is read, after the request was written;
    the peer has then refused the connection without reading the request.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, ssl.SSLError) and "ALERT" in (reason := str(error.reason or "")):
            return any(alert in reason for alert in _CERTIFICATE_ALERTS)
        error = error.__cause__ or error.__context__
    return False

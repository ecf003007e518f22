"""Service and collector: whether they answer, with which certificate, and at what time.

Nothing is asked of them but the head of their answer: no operation of the téléservice is called.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from eprescription_sdk.cli.doctor.finding import Finding, error, failed, ok, warning
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.settings import Settings
from eprescription_sdk.transport import delivery
from eprescription_sdk.transport.tls import context_of

SKEW = timedelta(seconds=30)
"""An assertion signed by a clock that is further off may not be valid yet for the service."""
SOON = timedelta(days=7)
PATIENCE = 3.0


def network(settings: Settings) -> Iterator[Finding]:
    """What the service and the collector answer."""
    yield from _reach("service", settings.service_url, settings)
    if settings.collector_url is None:
        yield warning(
            "collector", "No collector: traces are recorded and not shipped.", "Set collector_url."
        )
    else:
        yield from _reach("collector", settings.collector_url, settings)


def _reach(topic: str, url: str, settings: Settings) -> Iterator[Finding]:
    address = urlsplit(url)
    secure = address.scheme == "https"
    host, port = address.hostname or "", address.port or (443 if secure else 80)
    ends: datetime | None = None
    try:
        with socket.create_connection((host, port), timeout=PATIENCE) as plain:
            if not secure:
                head = _head(plain, host, address.path)
            else:
                with context_of(settings).wrap_socket(plain, server_hostname=host) as connection:
                    # Under TLS 1.3 the service judges our certificate after the handshake is
                    # over for us: it shows when the answer is read.
                    head = _head(connection, host, address.path)
                    ends = _end_of(connection)
    except ConfigurationError as raised:
        yield failed(topic, raised)
        return
    except OSError as raised:
        meaning, way_out = delivery.EXPLAINED.get(
            delivery.reason(raised, delivery.Wire()),
            (
                f"The {topic} cannot be reached at {host}:{port} ({type(raised).__name__}).",
                f"Check {topic}_url and the network.",
            ),
        )
        yield error(topic, meaning, way_out)
        return
    yield ok(topic, f"{topic} reached")
    now = datetime.now(UTC)
    if ends is not None and ends - now < SOON:
        yield warning(
            topic,
            f"The certificate of the {topic} ends on {ends:%Y-%m-%d}.",
            "Ask its support when the new one comes, and whether its authority stays.",
        )
    told = _date(head)
    if told is None:
        yield ok("clock", f"the {topic} does not say what time it is: no clock was compared")
    else:
        yield skew(topic, told - now)


def _head(connection: socket.socket, host: str, path: str) -> bytes:
    """The head of the answer to a HEAD request; empty if none comes in time."""
    request = f"HEAD {path or '/'} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    connection.settimeout(PATIENCE)
    found = b""
    with suppress(TimeoutError):
        connection.sendall(request.encode("ascii", "replace"))
        while b"\r\n\r\n" not in found and len(found) < 64 * 1024:
            if not (chunk := connection.recv(4096)):
                break
            found += chunk
    return found


def _end_of(connection: ssl.SSLSocket) -> datetime | None:
    shown = connection.getpeercert()
    ends = shown.get("notAfter") if shown else None
    if not isinstance(ends, str):
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)


def _date(head: bytes) -> datetime | None:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"date":
            with suppress(ValueError):
                moment = parsedate_to_datetime(value.decode("ascii", "replace").strip())
                return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def skew(topic: str, off: timedelta) -> Finding:
    """How far this machine's clock is from another's.

    Args:
        topic: whose clock the other one is.
        off: theirs less ours.
    """
    seconds = round(off.total_seconds())
    if abs(off) <= SKEW:
        return ok("clock", f"clock within {SKEW.seconds} seconds of that of the {topic}")
    return error(
        "clock",
        f"This machine's clock is {abs(seconds)} seconds"
        f" {'behind' if seconds > 0 else 'ahead of'} that of the {topic}.",
        "Have the machine's time kept by NTP: signatures and leases go by it.",
    )

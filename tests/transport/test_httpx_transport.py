"""Every transport against real sockets: blocking and asynchronous, on httpx and on httpx2."""

import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from eprescription_sdk.errors import Delivery, TransportFailure
from eprescription_sdk.model.exchange import HttpRequest
from eprescription_sdk.transport import HttpxTransport
from tests.transport import servers
from tests.transport.servers import Behaviour, serving
from tests.transport.transports import PLAIN, Send, request


def delivery(send: Send, *requests: HttpRequest, context: ssl.SSLContext = PLAIN) -> Delivery:
    with pytest.raises(TransportFailure) as caught:
        send(*requests, context=context)
    # Neither an address nor a text from outside is in it.
    assert caught.value.message.isidentifier()
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.delivery


def test_a_reply_comes_back_whole(send: Send) -> None:
    seen = []

    def behave(connection: socket.socket) -> None:
        seen.append(servers.read_request(connection))
        connection.sendall(servers.ANSWER)

    with serving(behave) as server:
        reply = send(request(server.url))
    assert (reply.status, reply.content, reply.headers["x-two"]) == (200, b"ok", "Words")
    (sent,) = seen
    assert sent.startswith(b"POST /service HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\ncontent")
    # A compressed reply could unfold to any size.
    assert b"accept-encoding: identity" in sent.lower()


def test_a_header_that_the_request_names_takes_the_place_of_ours(send: Send) -> None:
    seen = []

    def behave(connection: socket.socket) -> None:
        seen.append(servers.read_request(connection))
        connection.sendall(servers.ANSWER)

    with serving(behave) as server:
        send(request(server.url, headers={"Accept": "application/json", "User-Agent": "host"}))
    head = seen[0].lower().partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    told = dict(line.split(b": ", 1) for line in head)
    assert len(told) == len(head)
    assert (told[b"accept"], told[b"user-agent"]) == (b"application/json", b"host")


@pytest.mark.parametrize("status", [302, 400, 500, 503])
def test_a_status_is_no_failure(send: Send, status: int) -> None:
    def behave(connection: socket.socket) -> None:
        servers.read_request(connection)
        head = (
            f"HTTP/1.1 {status} Reason\r\nLocation: http://elsewhere/\r\nContent-Length: 5\r\n\r\n"
        )
        connection.sendall(head.encode() + b"fault")

    with serving(behave) as server:
        reply = send(request(server.url))
    assert (reply.status, reply.content) == (status, b"fault")


def test_a_connection_serves_again(send: Send) -> None:
    accepted = []

    def behave(connection: socket.socket) -> None:
        accepted.append(connection)
        for _ in range(2):
            servers.answer(connection)

    with serving(behave) as server:
        send(request(server.url), request(server.url))
    assert len(accepted) == 1


# --- what is known of the delivery ----------------------------------------------------------


def test_a_refused_connection_was_not_sent(send: Send) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert delivery(send, request(f"http://127.0.0.1:{port}/")) is Delivery.NOT_SENT


@pytest.mark.parametrize("url", ["http://name.invalid/", "http://", "nonsense", "http://h:99999/"])
def test_an_address_that_leads_nowhere_was_not_sent(send: Send, url: str) -> None:
    assert delivery(send, request(url)) is Delivery.NOT_SENT


def test_a_server_that_accepts_nobody_was_not_sent(send: Send) -> None:
    # A full backlog: connections are neither accepted nor refused.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        others = [socket.socket() for _ in range(4)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(address)
        started = time.monotonic()
        found = delivery(send, request(f"http://127.0.0.1:{address[1]}/", connect_timeout=0.3))
        assert time.monotonic() - started < 2
        for other in others:
            other.close()
    assert found is Delivery.NOT_SENT


def test_a_failed_handshake_was_not_sent(send: Send, authority: trustme.CA) -> None:
    """It talks no TLS, or its certificate is nobody's."""
    with serving(servers.answer) as server:
        url = server.url.replace("http:", "https:")
        assert delivery(send, request(url), context=trusting(authority)) is Delivery.NOT_SENT
    with serving(servers.answer, secured(trustme.CA(), authority)) as server:
        found = delivery(send, request(server.url), context=trusting(authority))
    assert found is Delivery.NOT_SENT


@pytest.mark.parametrize(
    "behave",
    [
        servers.close_unread,
        servers.close_after_reading,
        servers.reset_after_reading,
        servers.cut_short,
        servers.reset_in_the_middle,
        servers.too_large,
        servers.endless,
        servers.endless_headers,
        servers.not_http,
    ],
)
def test_once_bytes_left_the_delivery_is_unknown(send: Send, behave: Behaviour) -> None:
    with serving(behave) as server:
        assert delivery(send, request(server.url)) is Delivery.UNKNOWN


@pytest.mark.parametrize(
    "behave",
    [
        servers.say_nothing,
        servers.drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", at_once=0),
        servers.drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", at_once=25),
        servers.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", at_once=40),
        servers.interim_for_ever,
    ],
    ids=["silence", "status line", "header", "body", "interim"],
)
def test_no_server_holds_a_request_beyond_its_time(send: Send, behave: Behaviour) -> None:
    """A byte every 50 ms never trips a time-out that counts from byte to byte."""
    with serving(behave) as server:
        started = time.monotonic()
        assert delivery(send, request(server.url, timeout=0.4)) is Delivery.UNKNOWN
        assert 0.3 < time.monotonic() - started < 1.2


def test_a_time_out_leaves_no_mark_on_the_next_request(send: Send) -> None:
    calls = iter((servers.say_nothing, servers.answer))

    def behave(connection: socket.socket) -> None:
        next(calls)(connection)

    with serving(behave) as server:
        transport = HttpxTransport()
        with pytest.raises(TransportFailure):
            transport.send(request(server.url, timeout=0.3))
        assert transport.send(request(server.url)).status == 200
        transport.close()


# --- mutual TLS -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def secured(server_authority: trustme.CA, client_authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_authority.issue_cert("localhost").configure_cert(context)
    client_authority.configure_trust(context)
    return context


def trusting(authority: trustme.CA, certificate: trustme.LeafCert | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if certificate is not None:
        certificate.configure_cert(context)
    return context


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(params=VERSIONS, ids=["1.2", "1.3"])
def mutual(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator[str]:
    """The address of a server that wants a certificate of the authority, on one version."""
    context = secured(authority, authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = request.param
    with serving(servers.answer, context) as server:
        yield server.url


def test_the_right_certificate_is_accepted(send: Send, mutual: str, authority: trustme.CA) -> None:
    context = trusting(authority, authority.issue_cert("client@example.org"))
    assert send(request(mutual), context=context).content == b"ok"


def expired(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert(
        "client@example.org",
        not_before=datetime(2020, 1, 1, tzinfo=UTC),
        not_after=datetime(2021, 1, 1, tzinfo=UTC),
    )


def nobodys(_: trustme.CA) -> trustme.LeafCert:
    return trustme.CA().issue_cert("client@example.org")


def none(_: trustme.CA) -> None:
    return None


@pytest.mark.parametrize("certificate", [none, nobodys, expired])
def test_a_refused_certificate_is_rejected(
    send: Send,
    mutual: str,
    authority: trustme.CA,
    certificate: Callable[[trustme.CA], trustme.LeafCert | None],
) -> None:
    """Under TLS 1.3 the alert comes only when the request was written: it was not read."""
    context = trusting(authority, certificate(authority))
    assert delivery(send, request(mutual), context=context) is Delivery.REJECTED


# --- forks ----------------------------------------------------------------------------------


def test_parent_and_child_do_not_share_connections(tmp_path: Path) -> None:
    accepted = []

    def behave(connection: socket.socket) -> None:
        accepted.append(connection)
        for _ in range(2):
            servers.answer(connection)

    with serving(behave) as server:
        transport = HttpxTransport()
        transport.send(request(server.url))
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = 0 if transport.send(request(server.url)).status == 200 else 1
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        # The parent's own connection is as it was.
        assert transport.send(request(server.url)).status == 200
        transport.close()
    assert len(accepted) == 2

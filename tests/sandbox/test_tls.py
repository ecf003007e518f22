"""The sandbox in mutual mode, seen by a client that is not ours: OpenSSL on a socket."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from eprescription_sdk.sandbox import Sandbox


@pytest.fixture(scope="module")
def demanding() -> Iterator[Sandbox]:
    with Sandbox(mutual_tls=True) as sandbox:
        yield sandbox


def connected(
    sandbox: Sandbox, version: ssl.TLSVersion, folder: Path, pair: tuple[bytes, bytes] | None
) -> bytes:
    """The first line that comes back over TLS."""
    context = ssl.create_default_context(cadata=sandbox.authority.decode())
    context.minimum_version = context.maximum_version = version
    if pair is not None:
        (folder / "own.pem").write_bytes(pair[0] + pair[1])
        context.load_cert_chain(folder / "own.pem")
    address = urlsplit(sandbox.url)
    assert address.scheme == "https"
    with (
        socket.create_connection((str(address.hostname), address.port or 0), 5) as plain,
        context.wrap_socket(plain, server_hostname=address.hostname) as secured,
    ):
        secured.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return secured.recv(1000).partition(b"\r\n")[0]


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS)
def test_its_own_certificate_opens(
    demanding: Sandbox, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    pair = demanding.issue_organisation("SOCIETE EXEMPLE")
    assert connected(demanding, version, tmp_path, pair) == b"HTTP/1.1 404 Not Found"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("which", "alert"),
    [
        ("none", "HANDSHAKE_FAILURE|CERTIFICATE_REQUIRED"),
        ("expired", "CERTIFICATE_EXPIRED"),
        ("nobodys", "UNKNOWN_CA"),
    ],
)
def test_no_other_does_and_the_alert_says_why(
    demanding: Sandbox, version: ssl.TLSVersion, tmp_path: Path, which: str, alert: str
) -> None:
    pair = None
    if which != "none":
        issuer = Sandbox() if which == "nobodys" else demanding
        pair = issuer.issue_organisation("SOCIETE EXEMPLE", expired=which == "expired")
    with pytest.raises(ssl.SSLError, match=alert):
        connected(demanding, version, tmp_path, pair)


def test_it_can_be_refused_and_come_back(demanding: Sandbox, tmp_path: Path) -> None:
    pair = demanding.issue_organisation("SOCIETE EXEMPLE")
    with demanding.refusing_connections(), pytest.raises(ConnectionRefusedError):
        connected(demanding, VERSIONS[1], tmp_path, pair)
    assert connected(demanding, VERSIONS[1], tmp_path, pair).startswith(b"HTTP/1.1 404")

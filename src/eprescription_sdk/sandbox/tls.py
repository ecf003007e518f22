"""The TLS side of the reference sandbox in mutual mode: who is let in, and what is said if not."""

import asyncio
import os
import ssl
from asyncio.sslproto import SSLProtocol
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from eprescription_sdk.sandbox.authority import Authority


def demanding(authority: Authority, host: str) -> ssl.SSLContext:
    """Serves as ``localhost`` and ``host``, to whom this authority gave a certificate."""
    names, addresses = ["localhost"], []
    try:
        addresses.append(str(ip_address(host)))
    except ValueError:
        names.append(host)
    certificate, private_key = authority.issue_server(names, addresses)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.certificate.decode("ascii"))
    with TemporaryDirectory(prefix="eprescription-sandbox-") as folder:
        # OpenSSL reads files only; the key is fictitious, and gone with the folder.
        file = Path(folder) / "server.pem"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(certificate + private_key)
        context.load_cert_chain(file)
    return context


_HEARD_SECONDS = 0.2
"""A connection that is closed with data unread is reset, and a reset can overtake the alert."""


class Alerting(SSLProtocol):
    """asyncio's server side of TLS, which also says why it refuses.

    asyncio closes the connection without the alert that OpenSSL has ready; a real server sends
    it, and the client tells by it what is wrong with its certificate.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol, context: ssl.SSLContext
    ) -> None:
        # The arguments of its other callers, loop.create_server() among them.
        super().__init__(loop, protocol, context, None, True)  # type: ignore[arg-type]  # noqa: FBT003
        self._refused = False

    def buffer_updated(self, nbytes: int) -> None:
        """More has come; after a refusal nobody reads it."""
        if not self._refused:
            super().buffer_updated(nbytes)

    def _on_handshake_complete(self, handshake_exc: BaseException | None) -> None:
        if handshake_exc is None:
            super()._on_handshake_complete(None)
            return
        self._refused = True
        self._process_outgoing()  # type: ignore[attr-defined]
        self._loop.call_later(_HEARD_SECONDS, super()._on_handshake_complete, handshake_exc)

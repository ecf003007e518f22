"""Raw servers on loopback that treat one connection after another as a test wants it."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs

Behaviour = Callable[[socket.socket], None]

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Two: Words\r\n\r\nok"


@attrs.define
class Server:
    """A listening server, and what it saw."""

    url: str
    requests: list[bytes] = attrs.field(factory=list)


def read_request(connection: socket.socket) -> bytes:
    """A whole request with its body; less if the client leaves."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def reset(connection: socket.socket) -> None:
    """Close with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextmanager
def serving(behave: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server whose connections are each treated by ``behave``, in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = Server(f"{'https' if context else 'http'}://localhost:{port}/service")
    threads: list[threading.Thread] = []
    over = threading.Event()

    def treat(connection: socket.socket) -> None:
        connection.settimeout(20)
        with connection, contextlib.suppress(OSError):
            if context is None:
                behave(connection)
                return
            with context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            ) as secured:
                try:
                    secured.do_handshake()
                except ssl.SSLError:
                    # Closing with unread data resets the connection, which can swallow the
                    # alert: let the client read it first.
                    time.sleep(0.2)
                    return
                behave(secured)

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if over.is_set():
                connection.close()
                return
            thread = threading.Thread(target=treat, args=(connection,))
            threads.append(thread)
            thread.start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield server
    finally:
        over.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
        listener.close()
        acceptor.join()
        for thread in threads:
            thread.join(10)


# --- behaviours -----------------------------------------------------------------------------


def answer(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(ANSWER)


def close_unread(connection: socket.socket) -> None:
    connection.close()


def close_after_reading(connection: socket.socket) -> None:
    read_request(connection)
    connection.close()


def reset_after_reading(connection: socket.socket) -> None:
    read_request(connection)
    reset(connection)


def say_nothing(connection: socket.socket) -> None:
    read_request(connection)
    connection.recv(1)


def drip(data: bytes, *, at_once: int, times: int = 200) -> Behaviour:
    """Send the beginning at once, and then a byte at a time."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(data[:at_once])
        for index in range(times):
            connection.sendall(data[at_once + index : at_once + index + 1] or b"x")
            time.sleep(0.05)

    return behave


def cut_short(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def reset_in_the_middle(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    time.sleep(0.05)
    reset(connection)


def too_large(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000)


def endless(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")


def not_http(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"220 mail.example ESMTP\r\n")


def endless_headers(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-More: " + b"x" * 1024 + b"\r\n")


def interim_for_ever(connection: socket.socket) -> None:
    read_request(connection)
    while True:
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")
        time.sleep(0.02)

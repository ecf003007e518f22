"""``Sandbox``: the public face of the reference sandbox.

Starting and stopping, scripting faults, and looking at what happened. The HTTP server
itself (``listener``, ``app``) is imported when a sandbox starts, since it needs the extra
``sandbox``.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from eprescription_sdk.clock import Clock, SystemClock
from eprescription_sdk.errors import MissingExtra
from eprescription_sdk.sandbox.authority import Authority
from eprescription_sdk.sandbox.collector import Collector
from eprescription_sdk.sandbox.counter import Counter, Scan
from eprescription_sdk.sandbox.faults import Fault, Scripts
from eprescription_sdk.sandbox.state import Call, Operation, Registration, State

if TYPE_CHECKING:
    from typing import Self

    from eprescription_sdk.sandbox.listener import Listener

_EXTRA = frozenset({"starlette", "uvicorn", "xmlsec", "h11", "zxingcpp", "PIL"})


class Sandbox:
    """A reference stand-in of the téléservice and of a trace collector, over real HTTP.

    The SDK's own, **not the Assurance Maladie's**: body, codes and rules are ours. It keeps
    everything in memory, also between ``stop`` and the next ``start``.

    Args:
        unique_by_number: refuse a second prescription with the same number
            (``sdkref_exists``); False registers it a second time.
        clock: the sandbox's time; the machine's by default.
        scale: what every scripted duration is multiplied by.
        host: the address to listen on; loopback by default.
        port: the port, or 0 for a free one, kept for the sandbox's whole life.
        verify_assertions: check the signature of assertions and the card that made it.
        page_size: how many prescriptions one page of a search holds.
        time_tolerance: by how many seconds a message's time may differ from the clock.
        mutual_tls: serve https, to whoever shows a certificate that ``issue_organisation`` gave.
    """

    def __init__(
        self,
        *,
        unique_by_number: bool = True,
        clock: Clock | None = None,
        scale: float = 1.0,
        host: str = "127.0.0.1",
        port: int = 0,
        verify_assertions: bool = True,
        page_size: int = 20,
        time_tolerance: float = 600.0,
        mutual_tls: bool = False,
    ) -> None:
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._scale = scale
        self._host = host
        self._port = port
        self._verify = verify_assertions
        self._page_size = page_size
        self._time_tolerance = time_tolerance
        self._mutual_tls = mutual_tls
        self._state = State(unique_by_number=unique_by_number)
        self._scripts = Scripts()
        self._authority = Authority(self._clock)
        self._listener: Listener | None = None
        self._lock = threading.Lock()
        self.collector = Collector()
        """The trace collector: ``received`` and ``traces``."""

    def start(self) -> "Self":
        """Listen. Does nothing if it already does.

        Raises:
            MissingExtra: the extra ``sandbox`` is not installed.
            OSError: the address cannot be listened on.
        """
        try:
            from eprescription_sdk.sandbox.app import Application
            from eprescription_sdk.sandbox.listener import Listener
            from eprescription_sdk.sandbox.service import Service
            from eprescription_sdk.sandbox.tls import demanding
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] in _EXTRA:
                raise MissingExtra("sandbox") from error
            raise
        service = Service(
            state=self._state,
            clock=self._clock,
            authority=self._authority if self._verify else None,
            page_size=self._page_size,
            time_tolerance=self._time_tolerance,
        )

        def application() -> Application:
            return Application(
                service=service,
                collector=self.collector,
                state=self._state,
                scripts=self._scripts,
                clock=self._clock,
                scale=self._scale,
            )

        with self._lock:
            if self._listener is None:
                self._listener = Listener(
                    application,
                    host=self._host,
                    port=self._port,
                    tls=demanding(self._authority, self._host) if self._mutual_tls else None,
                )
                self._port = self._listener.port
        return self

    def stop(self) -> None:
        """Cut every connection and stop listening; what was registered can still be read."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()

    def __enter__(self) -> "Self":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The endpoint of the téléservice."""
        return f"{self._base}/teleservice"

    @property
    def collector_url(self) -> str:
        """The FHIR base of the collector; traces go to ``AuditEvent`` below it."""
        return f"{self._base}/collector"

    @property
    def registrations(self) -> list[Registration]:
        """What is registered, in the order of the commits."""
        return list(self._state.registrations())

    @property
    def calls(self) -> list[Call]:
        """What reached the téléservice, in the order of arrival."""
        return list(self._state.calls())

    @property
    def pending_faults(self) -> int:
        """How many scripted faults have not been played yet."""
        return self._scripts.pending()

    def count(self, number: str) -> int:
        """How many registrations a number has."""
        return sum(kept.number == number for kept in self._state.registrations())

    def script(self, operation: Operation | None, fault: Fault, *, times: int = 1) -> None:
        """Queue a fault for the next requests of an operation, first in first out.

        Args:
            operation: which requests it strikes; None for any that it can be played on.
            fault: what happens.
            times: on how many requests.

        Raises:
            ValueError: the fault cannot be played on that operation, or ``times`` < 1.
        """
        self._scripts.add(operation, fault, times=times)

    def scan(self, picture: bytes | Path) -> Scan:
        """What a pharmacy would see of a document: its SPECIMEN code is read from a picture.

        Args:
            picture: a file, or its content; whatever it holds, the answer says what was found.

        Raises:
            MissingExtra: the extra ``sandbox`` is not installed.
            OSError: the file cannot be read.
        """
        content = picture.read_bytes() if isinstance(picture, Path) else picture
        try:
            return Counter(self._state.find).picture(content)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] in _EXTRA:
                raise MissingExtra("sandbox") from error
            raise

    @property
    def pharmacy_url(self) -> str:
        """A page for people: what a pharmacy would see of a document."""
        return f"{self._base}/pharmacie"

    def issue_card(self, common_name: str) -> tuple[bytes, bytes]:
        """A fictitious signing card of the sandbox's throw-away authority.

        Args:
            common_name: the CN of its subject.

        Returns:
            The certificate and the unencrypted private key, both PEM.
        """
        return self._authority.issue_card(common_name)

    def issue_organisation(self, common_name: str, *, expired: bool = False) -> tuple[bytes, bytes]:
        """A fictitious organisation certificate of the sandbox's throw-away authority.

        Args:
            common_name: the CN of its subject.
            expired: one that is no longer valid.

        Returns:
            The certificate and the unencrypted private key, both PEM.
        """
        return self._authority.issue_organisation(common_name, expired=expired)

    @property
    def authority(self) -> bytes:
        """The certificate of the sandbox's throw-away authority, PEM: what a client trusts."""
        return self._authority.certificate

    @contextmanager
    def refusing_connections(self) -> Iterator[None]:
        """Reset all connections and really refuse new ones; then listen again, state kept.

        Raises:
            RuntimeError: the sandbox is not started.
        """
        listener = self._listener
        if listener is None:
            raise RuntimeError(_NOT_STARTED)
        listener.refuse()
        try:
            yield
        finally:
            if self._listener is listener:  # not stopped meanwhile
                listener.resume()

    @property
    def _base(self) -> str:
        if not self._port:
            raise RuntimeError(_NOT_STARTED)
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._mutual_tls else 'http'}://{host}:{self._port}"


_NOT_STARTED = "The sandbox is not started: call start(), or use it in a with statement."

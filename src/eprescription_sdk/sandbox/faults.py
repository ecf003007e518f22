"""The faults a test may script on the reference sandbox, and the queue that holds them.

What a fault is, not how it is played (``app``). All durations are seconds, multiplied by
the sandbox's ``scale``. "Commit" means that the operation is carried out: a prescription
or a trace is stored. Ours, not the Assurance Maladie's.
"""

import threading
from typing import TypeAlias

from attrs import field, frozen

from eprescription_sdk.sandbox.state import Operation


@frozen
class CommitThenDrop:
    """Commit, then reset the TCP connection without one byte of an answer."""


@frozen
class CommitLate:
    """Hold the request; commit after a while whatever the client does, then answer.

    Args:
        after: seconds until the commit.
    """

    after: float


@frozen
class AnswerAfter:
    """Commit at once, answer late.

    Args:
        seconds: the time until the answer, in seconds.
    """

    seconds: float


@frozen
class DropBeforeCommit:
    """Reset the TCP connection; nothing is committed."""


@frozen
class Unavailable:
    """Answer an HTTP status without a SOAP body; nothing is committed.

    Args:
        retry_after: seconds of the ``Retry-After`` header, or None for no header. The
            header holds whole seconds, so the scaled value is rounded up.
        status: the HTTP status.
        as_date: say the moment instead of the seconds.
    """

    retry_after: float | None = None
    status: int = 503
    as_date: bool = False


@frozen
class FaultCode:
    """Answer a SOAP 1.2 fault with a code of the test's choice.

    Args:
        code: the code in the fault's ``Detail``.
        subcode: the local name of ``Subcode/Value``.
        sender: whether ``Code/Value`` is Sender (HTTP 400) or Receiver (HTTP 500).
        severity: the severity in ``Detail``; unknown ones are sent as they are.
        text: the French sentence for the end user.
        commit: whether the operation is carried out all the same.
    """

    code: str
    subcode: str = "siram_100"
    sender: bool = field(default=False, kw_only=True)
    severity: str = field(default="erreur", kw_only=True)
    text: str = field(default="Erreur simulée à la demande d'un test.", kw_only=True)
    commit: bool = field(default=False, kw_only=True)


@frozen
class Malformed:
    """Commit, then answer HTTP 200 with a body that is not XML to its end."""


@frozen
class Truncated:
    """Commit, announce the whole body, send the first half, close the connection."""


@frozen
class Endless:
    """Commit, then stream XML without end until the client leaves.

    Args:
        limit: bytes after which the sandbox gives up and resets the connection.
    """

    limit: int = 64 * 1024 * 1024


@frozen
class ResetMidBody:
    """Commit, send the first half of the body, reset the connection."""


@frozen
class StaleConsult:
    """Let consult say that a prescription is absent for a while after its registration.

    It stays in force until a consult meets a registration that is old enough; only that
    one uses it up.

    Args:
        seconds: how long after a registration consult does not see it, in seconds.
    """

    seconds: float


@frozen
class ExpiredCredential:
    """Refuse the assertion as expired (``sdkref_auth``); nothing is committed."""


@frozen
class Refuse:
    """Let the collector refuse a trace with a plain HTTP status.

    Args:
        status: the HTTP status, 400 to 499.
    """

    status: int = 422


Fault: TypeAlias = (
    CommitThenDrop
    | CommitLate
    | AnswerAfter
    | DropBeforeCommit
    | Unavailable
    | FaultCode
    | Malformed
    | Truncated
    | Endless
    | ResetMidBody
    | StaleConsult
    | ExpiredCredential
    | Refuse
)

_SERVICE = frozenset({Operation.CREATE, Operation.CONSULT, Operation.SEARCH})
_BOTH = _SERVICE | {Operation.TRACE}
_ON_BOTH = (CommitThenDrop, AnswerAfter, DropBeforeCommit, Unavailable)


def playable_on(fault: Fault) -> frozenset[Operation]:
    """The operations a fault makes sense on."""
    if isinstance(fault, Refuse):
        return frozenset({Operation.TRACE})
    if isinstance(fault, StaleConsult):
        return frozenset({Operation.CONSULT})
    return _BOTH if isinstance(fault, _ON_BOTH) else _SERVICE


class _Entry:
    def __init__(
        self, operations: frozenset[Operation], *, anything: bool, fault: Fault, times: int
    ) -> None:
        self.operations = operations
        self.anything = anything
        self.fault = fault
        self.left = times


class Scripts:
    """The scripted faults, first in first out for each operation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []

    def add(self, operation: Operation | None, fault: Fault, *, times: int) -> None:
        """Queue a fault for the next requests of an operation (None: of any).

        Raises:
            ValueError: the fault cannot be played on that operation, or ``times`` < 1.
        """
        playable = playable_on(fault)
        if operation is not None and operation not in playable:
            msg = f"{type(fault).__name__} cannot be played on {operation.name}."
            raise ValueError(msg)
        if times < 1:
            msg = "A fault is played at least once."
            raise ValueError(msg)
        operations = playable if operation is None else frozenset({operation})
        with self._lock:
            entry = _Entry(operations, anything=operation is None, fault=fault, times=times)
            self._entries.append(entry)

    def take(self, operation: Operation | None) -> Fault | None:
        """The fault to play on a request, used up by this, save for ``StaleConsult``.

        A request whose operation cannot be read (None) meets only scripts for any.
        """
        with self._lock:
            for entry in self._entries:
                if operation in entry.operations or (operation is None and entry.anything):
                    if not isinstance(entry.fault, StaleConsult):
                        self._use_up(entry)
                    return entry.fault
        return None

    def spend(self, fault: StaleConsult) -> None:
        """Use up a ``StaleConsult`` that ``take`` returned."""
        with self._lock:
            for entry in self._entries:
                if entry.fault is fault:
                    self._use_up(entry)
                    return

    def pending(self) -> int:
        """How many faults are still to be played."""
        with self._lock:
            return sum(entry.left for entry in self._entries)

    def _use_up(self, entry: _Entry) -> None:
        entry.left -= 1
        if not entry.left:
            self._entries.remove(entry)

"""What the engine asks of the world. It never acts itself: a driver carries each effect out.

An effect is yielded; what the docstring calls its result is sent back into the generator.
"""

from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any, TypeVar

import attrs

from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.model.exchange import HttpRequest, Operation
from eprescription_sdk.storage import Tx

R = TypeVar("R")


@attrs.frozen
class Journal:
    """Run work on the store and wait until it is durable; its result is the work's."""

    work: Callable[[Tx], Any]


@attrs.frozen
class Settle:
    """Run work on the store some time soon; nobody waits, the result is None."""

    work: Callable[[Tx], Any]


@attrs.frozen
class Send:
    """Send one request; the result is an ``HttpReply`` or a ``TransportFailure``.

    ``attempt`` counts the requests of the call, ``resent`` those of this operation before it.
    """

    request: HttpRequest
    operation: Operation
    attempt: int
    resent: int = 0


@attrs.frozen
class Sleep:
    """Wait; the result is None."""

    seconds: float


@attrs.frozen
class Authenticate:
    """Get an assertion; the result is an ``Assertion`` or a ``CredentialUnavailable``."""

    practitioner: Practitioner
    now: datetime


Effect = Journal | Settle | Send | Sleep | Authenticate
Engine = Generator[Effect, Any, R]

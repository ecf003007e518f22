"""What the host's ports do wrong, said in one error of ours.

Minter, codec and 2D code are foreign code. What they raise may quote a patient: it is named by
its kind alone, and nothing is chained to it (law 4).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from eprescription_sdk import telemetry
from eprescription_sdk.errors import ConfigurationError, EPrescriptionError, InvalidInput
from eprescription_sdk.wire.envelope import Fragment, prepare


@contextmanager
def foreign(port: str) -> Iterator[None]:
    """A block that calls one port.

    Args:
        port: as the client names it.

    Raises:
        ConfigurationError: the port raised something of its own, or gave what is no answer.
            An error of this library passes as it is.
    """
    try:
        yield
    except EPrescriptionError:
        raise
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the port's)
        kind = type(error).__name__
        telemetry.event("port.failed", level=logging.WARNING, kind=kind)
        raise ConfigurationError(
            f"This port failed ({kind}).", path=port, way_out="Mend it, or ask who wrote it."
        ) from None


def prepared(body: bytes) -> Fragment:
    """A body that a codec wrote, ready for any number of envelopes.

    Raises:
        ConfigurationError: it is not well-formed XML.
    """
    try:
        return prepare(body)
    except InvalidInput as error:
        raise ConfigurationError(
            f"The codec wrote a body that cannot be sent. {error.message}",
            path="codec",
            way_out="A body is one well-formed element, in UTF-8.",
        ) from None

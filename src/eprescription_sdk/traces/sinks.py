"""Where encoded traces go: a collector over HTTP, or files in a directory (``files``).

A sink is a small protocol; whoever has another way out writes one. What to send, and when, is the
shipper's business.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import attrs

from eprescription_sdk.errors import Delivery, TransportFailure
from eprescription_sdk.model.exchange import HttpRequest
from eprescription_sdk.model.trace import ChainLink
from eprescription_sdk.ports import TraceProfile, Transport

TIMEOUT = 10.0
"""Seconds that a collector has to answer."""

_LATER = (401, 403, 404, 405, 407, 408, 425, 429)
"""Statuses that may be another one next time, though they blame the request: who asks, where and
how often is mended outside of the traces."""


@attrs.frozen(kw_only=True)
class Encoded:
    """One trace, ready to leave.

    Args:
        link: its place in the chain.
        content: as the profile wrote it.
    """

    link: ChainLink
    content: bytes = attrs.field(repr=False)


class Sink(Protocol):
    """Takes encoded traces away."""

    @property
    def batch(self) -> int:
        """How many traces it takes at once."""

    def send(self, traces: Sequence[Encoded]) -> str | None:
        """Take them all, or none.

        Returns:
            None once all have arrived for good; else why they must not be tried again.

        Raises:
            TransportFailure: try again later; they may have arrived, their ids deduplicate.
        """

    def close(self) -> None:
        """Give back what it holds."""


@runtime_checkable
class BatchProfile(Protocol):
    """What a profile has besides, if one request may carry several of its traces."""

    @property
    def batch(self) -> int:
        """How many traces one request may carry."""

    def join(self, contents: Sequence[bytes]) -> bytes:
        """Several encoded traces as one request carries them."""


class HttpSink:
    """Posts to a collector: one trace a request, or batches where the profile says so.

    Args:
        transport: carries the requests; closed with the sink.
        collector_url: base address; the profile's resource follows it.
        profile: the format.
    """

    def __init__(self, transport: Transport, collector_url: str, profile: TraceProfile) -> None:
        self._transport = transport
        self._url = f"{collector_url.rstrip('/')}/{profile.resource}"
        self._profile = profile

    @property
    def batch(self) -> int:
        """How many traces one request carries."""
        return self._profile.batch if isinstance(self._profile, BatchProfile) else 1

    def send(self, traces: Sequence[Encoded]) -> str | None:
        """Post them as one request; the status if it must not be tried again.

        Raises:
            TransportFailure: no answer, or one that may be another next time.
        """
        contents = [each.content for each in traces]
        batched = isinstance(self._profile, BatchProfile) and self._profile.batch > 1
        reply = self._transport.send(
            HttpRequest(
                url=self._url,
                headers={"Content-Type": self._profile.content_type},
                content=self._profile.join(contents)
                if isinstance(self._profile, BatchProfile) and batched
                else contents[0],
                timeout=TIMEOUT,
                connect_timeout=TIMEOUT,
                max_bytes=1024 * 1024,
            )
        )
        if reply.status < 300:
            return None
        if 400 <= reply.status < 500 and reply.status not in _LATER:
            return f"HTTP {reply.status}"
        # The traces may have been stored all the same.
        raise TransportFailure("The collector is not ready.", delivery=Delivery.UNKNOWN)

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()

"""Fifty calls in flight: whole ``create()`` on ``AsyncClient``, against a bare ``AsyncClient``.

The bare side is ``httpx.AsyncClient`` as it comes, with default limits, that posts the very bytes
that a create sends. Ours does all of a create: a synced store, a pilot that runs, two traces for
each call, on httpx and on httpx2. Fifty tasks make one call after the other until all are made,
and ours are not done before everything is written.

The three take turns, one short burst each in every round. A figure is the ratio between their best
bursts: a burst during which others used the processor says little of either.
Run: ``python -m benchmarks.concurrency [rounds] [calls]``.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

import eprescription_sdk as ep
from benchmarks.create import nobody_waits, registered
from benchmarks.loopback import serving
from benchmarks.stage import practitioner, request_of, rows, settings, start_pilot
from benchmarks.table import Row, show
from eprescription_sdk.testing import sample_prescription
from eprescription_sdk.transport import AsyncHttpx2Transport, AsyncHttpxTransport

ROUNDS, CALLS, IN_FLIGHT = 30, 150, 50


async def burst(call: Callable[[], Awaitable[object]], calls: int) -> None:
    """Make so many calls, fifty at a time."""
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            await call()

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


class Ours:
    """A whole client on one of the two libraries."""

    def __init__(self, url: str, store: Path, transport: ep.ports.AsyncTransport) -> None:
        self._client = ep.AsyncClient(settings(url, store), transport=transport)
        self._client.store.write(start_pilot)
        self._acting = self._client.acting_as(practitioner())
        self._prescription = sample_prescription()

    async def create(self) -> None:
        """One call."""
        registered(await self._acting.create(self._prescription))

    async def burst(self, calls: int) -> None:
        """Calls, and all that they leave behind."""
        await burst(self.create, calls)
        await asyncio.to_thread(self._client.store.write, nobody_waits)

    async def close(self) -> tuple[int, int]:
        """End; how many were registered, and how many traces there are."""
        found = self._client.store.read(rows)
        await self._client.close()
        return found


async def measure(
    url: str, folder: Path, *, rounds: int, calls: int
) -> tuple[dict[str, list[float]], dict[str, tuple[int, int]]]:
    """Calls a second of each side, one figure a round; and what our stores hold."""
    request = request_of(sample_prescription(), url, folder / "none.db")
    content, headers = request.content, dict(request.headers)
    kinds: dict[str, type[AsyncHttpxTransport]] = {
        "ours on httpx": AsyncHttpxTransport,
        "ours on httpx2": AsyncHttpx2Transport,
    }
    ours = {name: Ours(url, folder / f"{name}.db", kind()) for name, kind in kinds.items()}
    async with httpx.AsyncClient() as raw:

        async def post() -> None:
            assert (await raw.post(url, content=content, headers=headers)).content

        sides: dict[str, Callable[[int], Awaitable[None]]] = {
            "bare httpx": partial(burst, post),
            **{name: side.burst for name, side in ours.items()},
        }
        found: dict[str, list[float]] = {name: [] for name in sides}
        # The first round opens connections and loads what is loaded late.
        for _ in range(rounds + 1):
            for name, side in sides.items():
                begun = time.perf_counter()
                await side(calls)
                found[name].append(calls / (time.perf_counter() - begun))
    kept = {name: await side.close() for name, side in ours.items()}
    return {name: speeds[1:] for name, speeds in found.items()}, kept


def main(rounds: int = ROUNDS, calls: int = CALLS) -> None:
    """Print the figures."""
    with serving() as url, TemporaryDirectory() as folder:
        speeds, _ = asyncio.run(measure(url, Path(folder), rounds=rounds, calls=calls))
    for name, figures in speeds.items():
        print(f"  {name:<15} {max(figures):6.0f} calls a second")
    for library, budget in (("httpx", 1.0), ("httpx2", 1.5)):
        measured = max(speeds[f"ours on {library}"]) / max(speeds["bare httpx"])
        what = f"50 in flight: whole `create()` on {library}, against bare httpx: throughput"
        show([Row(what=what, measured=measured, budget=budget, least=True)])


if __name__ == "__main__":
    main(*(int(count) for count in sys.argv[1:]))

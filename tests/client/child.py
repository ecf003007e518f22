"""Processes of their own for the tests: each creates or reconciles as told, and may be killed.

One task a line on standard input; each is done in a forked child, so that a kill costs no new
start. The task says where the child kills itself with SIGKILL; the library knows nothing of it.
"""

import asyncio
import importlib
import json
import os
import signal
import socket
import ssl
import sys
import time
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import attrs

import eprescription_sdk as ep
from eprescription_sdk.client.driver import AsyncDriver, Driver
from eprescription_sdk.client.effects import Effect, Journal, Send, Settle
from eprescription_sdk.clock import SimulatedClock
from eprescription_sdk.model.exchange import Assertion
from eprescription_sdk.ports import AssertionProvider
from eprescription_sdk.storage import Store, Tx
from eprescription_sdk.transport import AsyncHttpxTransport, HttpxTransport


@attrs.frozen(kw_only=True)
class Kill:
    """Where a process ends.

    Args:
        effect: which effect of the call, counted from 0.
        when: ``before`` it is carried out, ``within``, or ``after``. Within a transaction: all
            is written and nothing committed. Within a request: so much of the answer has come.
        received: bytes of the answer.
    """

    effect: int
    when: str
    received: int = 0


class _Killer:
    """Counts the effects of a call, and ends the process where it was told to."""

    def __init__(self, point: Kill | None, store: Store) -> None:
        self._point = point
        self._store = store
        self._seen = -1

    def begins(self, effect: Effect) -> Effect:
        self._seen += 1
        self._at("before")
        point = self._point
        if point is None or (point.effect, point.when) != (self._seen, "within"):
            return effect
        match effect:
            case Journal(work) | Settle(work):

                def torn(tx: Tx) -> None:
                    work(tx)
                    _die()

                return attrs.evolve(effect, work=torn)
            case Send():
                _receive_no_more_than(point.received)
                return effect
            case _:
                _die()
        return effect

    def ended(self, effect: Effect) -> None:
        if isinstance(effect, Settle):
            # Nobody waits for it; what comes after it comes once it is durable.
            self._store.write(lambda _: None)
        self._at("after")

    def _at(self, when: str) -> None:
        if self._point is not None and (self._point.effect, self._point.when) == (self._seen, when):
            _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _receive_no_more_than(most: int) -> None:
    """End the process once exactly so many bytes have come from the network."""
    real, left = socket.socket.recv, most

    def recv(self: socket.socket, size: int, *flags: int) -> bytes:
        nonlocal left
        if self.family is not socket.AF_INET:
            return real(self, size, *flags)
        if not left:
            _die()
        received = real(self, min(size, left), *flags)
        left -= len(received)
        if not left:
            _die()
        return received

    socket.socket.recv = recv  # type: ignore[method-assign,assignment]


class _KillingDriver(Driver):
    """The real driver, with kills around and within each effect."""

    def __init__(self, inner: Driver, killer: _Killer) -> None:
        self.__dict__ = inner.__dict__
        self._killer = killer

    def _carry_out(self, effect: Effect) -> Any:
        result = super()._carry_out(self._killer.begins(effect))
        self._killer.ended(effect)
        return result


class _AsyncKillingDriver(AsyncDriver):
    """The same, on the event loop."""

    def __init__(self, inner: AsyncDriver, killer: _Killer) -> None:
        self.__dict__ = inner.__dict__
        self._killer = killer

    async def _carry_out(self, effect: Effect) -> Any:
        result = await super()._carry_out(self._killer.begins(effect))
        self._killer.ended(effect)
        return result


def perform(task: dict[str, Any]) -> dict[str, Any]:
    """One create or reconciliation, as told; it does not return from a kill."""
    values = dict(task["settings"])
    profile = ep.ServiceProfile(**values.pop("profile"))
    settings = attrs.evolve(ep.Settings.from_mapping(values), profile=profile)
    clock = _machine(datetime.fromisoformat(task["now"]), timedelta(seconds=task["skew"]))
    if task["side"] == "async":
        return asyncio.run(_perform_async(task, settings, clock))
    transport = HttpxTransport(_trust())
    with ep.Client(settings, transport=transport, clock=clock) as client:
        client._driver = _KillingDriver(client._driver, _killer(task, client))  # noqa: SLF001
        who = _practitioner(task)
        if task["do"] == "reconcile":
            return attrs.asdict(client.reconcile(credentials=[who], seconds=task["seconds"]))
        prescription = ep.prescription_from_json(task["prescription"])
        return _told(client.acting_as(who).create(prescription, wait=task["wait"]))


async def _perform_async(
    task: dict[str, Any], settings: ep.Settings, clock: SimulatedClock
) -> dict[str, Any]:
    transport = AsyncHttpxTransport(_trust())
    async with ep.AsyncClient(settings, transport=transport, clock=clock) as client:
        killer = _killer(task, client)
        client._driver = _AsyncKillingDriver(client._driver, killer)  # noqa: SLF001
        who = _practitioner(task)
        if task["do"] == "reconcile":
            return attrs.asdict(await client.reconcile(credentials=[who], seconds=task["seconds"]))
        prescription = ep.prescription_from_json(task["prescription"])
        return _told(await client.acting_as(who).create(prescription, wait=task["wait"]))


def _killer(task: dict[str, Any], client: ep.Client | ep.AsyncClient) -> _Killer:
    return _Killer(Kill(**task["kill"]) if task["kill"] else None, client.store)


def _told(outcome: ep.Outcome) -> dict[str, Any]:
    number = outcome.number
    return {"outcome": type(outcome).__name__, "number": number.value if number else None}


def _machine(now: datetime, skew: timedelta) -> SimulatedClock:
    """The clock of this machine, which may be wrong, also where the library asks the system."""
    real = time.time
    if skew:
        time.time = lambda: real() + skew.total_seconds()
    return SimulatedClock(now + skew)


@attrs.frozen
class _Workstation:
    """Where the card is: its clock is right, whatever that of this machine says."""

    signer: AssertionProvider
    skew: timedelta

    def assertion(self, now: datetime) -> Assertion:
        return self.signer.assertion(now - self.skew)


def _practitioner(task: dict[str, Any]) -> ep.Practitioner:
    from tests.client.harness import practitioner

    skew = timedelta(seconds=task["skew"])
    return practitioner(assertions=_Workstation(_signer(*task["card"]), skew))


# Made before the fork, so that no child spends its time on it.

_LOADED_LATE = (
    "anyio._backends._asyncio",
    "concurrent.futures.thread",
    "eprescription_sdk.storage.postgres",
    "encodings.idna",
    "structlog.dev",
)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


@cache
def _signer(certificate: str, private_key: str) -> Any:
    from eprescription_sdk.credentials.key_file import Billing, KeyFileAssertion
    from eprescription_sdk.testing import SAMPLE_RPPS

    return KeyFileAssertion(
        certificate=certificate.encode(),
        private_key=private_key.encode(),
        national_id=f"8{SAMPLE_RPPS.value}",
        billing=Billing(billing_id="331234567", specialty="01", sector="SA07"),
    )


def main() -> None:
    for name in _LOADED_LATE:
        importlib.import_module(name)
    for line in sys.stdin:
        task = json.loads(line)
        _practitioner(task)
        _trust()
        pid = os.fork()
        if not pid:
            try:
                print(json.dumps(perform(task)), flush=True)  # noqa: T201
            finally:
                os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            print(json.dumps({"killed": os.WTERMSIG(status)}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

"""A process of its own for the tests: creates as told, and may be told where to be killed.

One task a line on standard input; each is done in a forked child, so that a kill costs no new
start. The task says where the child kills itself with SIGKILL; the library knows nothing of it.
"""

import json
import os
import signal
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import eprescription_sdk as ep
from eprescription_sdk.model.exchange import HttpReply, HttpRequest
from eprescription_sdk.storage import SqliteStore, Tx
from eprescription_sdk.storage.base import SessionLock
from eprescription_sdk.transport import HttpxTransport

T = TypeVar("T")

POINTS = (
    "before the journal",
    "in the journal",
    "after the journal",
    "before sending",
    "after sending",
    "before settling",
    "in the settlement",
    "after settling",
    "never",
)
"""Every effect boundary of a create, and the middle of its two transactions."""


class Killing:
    """Counts down to the point where this process ends."""

    def __init__(self, point: str) -> None:
        self.point = point

    def at(self, point: str) -> None:
        if point == self.point:
            os.kill(os.getpid(), signal.SIGKILL)


class KillingStore:
    """The real store, with kills around and inside the first and the second transaction."""

    def __init__(self, path: Path, kill: Killing) -> None:
        self._inner = SqliteStore(path)
        self._kill = kill
        self._seen = 0

    @property
    def path(self) -> Path:
        return self._inner.path

    def submit(self, work: Any) -> Future[Any]:
        # The engine's own looks for open entries come first and are not counted.
        if "look" in getattr(work, "__name__", ""):
            return self._inner.submit(work)
        self._seen += 1
        before, within, after = {
            1: ("before the journal", "in the journal", "after the journal"),
            2: ("before settling", "in the settlement", "after settling"),
        }.get(self._seen, ("", "", ""))
        self._kill.at(before)

        def killed(tx: Tx) -> Any:
            result = work(tx)
            self._kill.at(within)
            return result

        future = self._inner.submit(killed)
        if after == self._kill.point:
            future.result()
            self._kill.at(after)
        return future

    def write(self, work: Any) -> Any:
        return self.submit(work).result()

    def read(self, work: Any) -> Any:
        return self._inner.read(work)

    def session_lock(self) -> SessionLock:
        return self._inner.session_lock()

    def close(self) -> None:
        self._inner.close()


class KillingTransport:
    """The real transport, with kills around a create."""

    def __init__(self, kill: Killing) -> None:
        self._inner = HttpxTransport()
        self._kill = kill

    def send(self, request: HttpRequest) -> HttpReply:
        self._kill.at("before sending")
        reply = self._inner.send(request)
        self._kill.at("after sending")
        return reply

    def close(self) -> None:
        self._inner.close()


def perform(task: dict[str, Any]) -> dict[str, Any]:
    """One create, as told; it does not return from a kill."""
    from tests.client.harness import practitioner

    values = dict(task["settings"])
    profile = ep.ServiceProfile(**values.pop("profile"))
    from attrs import evolve

    settings = evolve(ep.Settings.from_mapping(values), profile=profile)
    kill = Killing(task["kill"])
    card = tuple(text.encode() for text in task["card"])
    who = practitioner(assertions=_signer(card))
    prescription = ep.prescription_from_json(task["prescription"])
    assert isinstance(settings.store, Path)
    store = KillingStore(settings.store, kill)
    with ep.Client(settings, store=store, transport=KillingTransport(kill)) as client:
        outcome = client.acting_as(who).create(prescription, wait=task["wait"])
        store.close()
    number = outcome.number
    return {"outcome": type(outcome).__name__, "number": number.value if number else None}


def _signer(card: tuple[bytes, ...]) -> Any:
    from eprescription_sdk.credentials.key_file import Billing, KeyFileAssertion
    from eprescription_sdk.testing import SAMPLE_RPPS

    certificate, private_key = card
    return KeyFileAssertion(
        certificate=certificate,
        private_key=private_key,
        national_id=f"8{SAMPLE_RPPS.value}",
        billing=Billing(billing_id="331234567", specialty="01", sector="SA07"),
    )


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            try:
                print(json.dumps(perform(json.loads(line))), flush=True)  # noqa: T201
            finally:
                os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            print(json.dumps({"killed": os.WTERMSIG(status)}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

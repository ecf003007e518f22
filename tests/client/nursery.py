"""Other processes, and other machines, that work on the store of a world.

A nursery is one warm process that forks a child for each task; ``child`` says what one does.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

import eprescription_sdk as ep
from eprescription_sdk.settings import Dsn
from tests.client.child import Kill
from tests.client.harness import World, card

ROOT = Path(__file__).parents[2]
_PATHS = [str(ROOT / "src"), str(ROOT)]
START = f"import sys; sys.path[:0] = {_PATHS!r}; from tests.client.child import main; main()"


class Nursery:
    """Forks a child for each task, one at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, task: dict[str, Any]) -> None:
        """Set a child to work."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()

    def told(self) -> dict[str, Any]:
        """What it said, or how it died."""
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def do(self, task: dict[str, Any]) -> dict[str, Any]:
        self.begin(task)
        return self.told()

    def close(self) -> None:
        self._process.communicate(timeout=10)


@contextmanager
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    try:
        yield made
    finally:
        made.close()


def creates(
    stage: World,
    prescription: ep.Prescription,
    *,
    kill: Kill | None = None,
    wait: float | None = None,
    side: str = "sync",
    skew: float = 0,
) -> dict[str, Any]:
    """The task to create a prescription.

    Args:
        stage: the world it happens in.
        prescription: what to create.
        kill: where the process dies.
        wait: as for ``create``; the call goes on for as long.
        side: ``sync`` or ``async``.
        skew: by how many seconds the machine's clock is ahead.
    """
    task = _task(stage, "create", side=side, skew=skew)
    if wait is not None:
        profile = task["settings"]["profile"]
        profile["deadline"] = max(wait, profile["deadline"])
    return {
        **task,
        "prescription": ep.prescription_to_json(prescription),
        "wait": wait,
        "kill": attrs.asdict(kill) if kill else None,
    }


def reconciles(
    stage: World, *, seconds: float | None = None, side: str = "sync", skew: float = 0
) -> dict[str, Any]:
    """The task to reconcile with the practitioner's credentials; ``seconds`` for each entry."""
    return {**_task(stage, "reconcile", side=side, skew=skew), "seconds": seconds}


def _task(stage: World, do: str, *, side: str, skew: float) -> dict[str, Any]:
    settings = stage.settings
    profile = attrs.asdict(
        settings.profile, recurse=False, filter=lambda field, _: field.name != "faults"
    )
    certificate, private_key = card()
    return {
        "do": do,
        "side": side,
        "skew": skew,
        "now": stage.clock.now().isoformat(),
        "kill": None,
        "settings": {
            "environment": settings.environment.value,
            "service_url": settings.service_url,
            "software_name": settings.software_name,
            "software_version": settings.software_version,
            "authorisation": settings.authorisation,
            "instance": settings.instance,
            "module": settings.module,
            "finess": settings.finess,
            "store": settings.store.value
            if isinstance(settings.store, Dsn)
            else str(settings.store),
            "key": settings.key.hex(),
            "profile": profile,
        },
        "card": [certificate.decode(), private_key.decode()],
    }

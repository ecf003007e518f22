"""What the back-ends of the examples need to run for real: settings, a pilot, a process, HTTP."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import eprescription_sdk as ep
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import sample_prescription
from examples.workstation import signed
from tests.processes import ROOT

EXAMPLES = ROOT / "examples"
RPPS = ep.Rpps("99700218896")
SITUATION = "SIT-EX-1"
"""A practitioner of ``examples/pilot.toml``, and their practice situation."""
_FIRST_DAY = datetime(2025, 3, 17, 7, tzinfo=UTC)
"""The first installation of that dossier; the back-ends themselves go by the real time."""
_PATIENCE = 30.0


def environment(sandbox: Sandbox, store: str | Path) -> dict[str, str]:
    """The settings of a back-end, as variables: production, as far as the SDK can tell."""
    return {
        "EPRESCRIPTION_ENVIRONMENT": "production",
        "EPRESCRIPTION_UNCERTAIN_POLICY": "hold",
        "EPRESCRIPTION_SERVICE_URL": sandbox.url,
        "EPRESCRIPTION_COLLECTOR_URL": sandbox.collector_url,
        "EPRESCRIPTION_SOFTWARE_NAME": "exemple",
        "EPRESCRIPTION_SOFTWARE_VERSION": "1.0",
        "EPRESCRIPTION_AUTHORISATION": "SIMULATION-0000",
        "EPRESCRIPTION_INSTANCE": str(uuid4()),
        "EPRESCRIPTION_MODULE": "exemple-on-1",
        "EPRESCRIPTION_FINESS": "330781287",
        "EPRESCRIPTION_STORE": str(store),
        "EPRESCRIPTION_KEY": secrets.token_hex(32),
    }


def client_of(told: Mapping[str, str]) -> ep.Client:
    """A client of the same settings, in this process."""
    return ep.Client(
        ep.Settings.from_env(told),
        minter=ep.reference.FakeMinter(),
        codec=ep.ReferenceCodec(),
        code2d=ep.reference.SpecimenCode(),
    )


def running_pilot(told: Mapping[str, str]) -> None:
    """Apply the example dossier to the store of these settings, and start the pilot."""
    with client_of(told) as client:
        pilot = ep.pilot.Pilot(
            client.store,
            key=ep.Settings.from_env(told).key,
            clock=ep.clock.SimulatedClock(_FIRST_DAY),
            module=told["EPRESCRIPTION_MODULE"],
        )
        dossier = ep.pilot.Dossier.from_toml(EXAMPLES / "pilot.toml")
        pilot.apply(dossier, by="essai", reference="ESSAI-1")
        pilot.start(by="essai", reference="ESSAI-2")


def content(**changes: Any) -> dict[str, Any]:
    """A prescription of the pilot's, as JSON; its identity counts, though nobody can have it."""
    return ep.prescription_to_json(
        sample_prescription(rpps=RPPS, situation=SITUATION, ins_oid=ep.InsOid.NIR, **changes)
    )


def assertion(sandbox: Sandbox) -> bytes:
    """What the practitioner's workstation signed."""
    return signed(*sandbox.issue_card("CARTE FICTIVE"))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running(
    *arguments: str | Path, told: Mapping[str, str], cwd: Path, log: Path, until: str
) -> Iterator[None]:
    """A Python process that is up once ``until`` stands in its log; ended as a host would."""
    path = os.pathsep.join((str(ROOT / "src"), str(cwd)))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **told},
            stdout=output,
            stderr=output,
        )
    try:
        eventually(lambda: process.poll() is not None or until in log.read_text(encoding="utf-8"))
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ran(*arguments: str | Path, told: Mapping[str, str], cwd: Path = ROOT) -> str:
    """What a Python program prints, that ends well."""
    path = os.pathsep.join((str(ROOT / "src"), str(cwd)))
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, **told},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def command(*arguments: str | Path, told: Mapping[str, str]) -> str:
    """What ``eprescription`` prints."""
    return ran("-c", "from eprescription_sdk.cli import main; main()", *arguments, told=told)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    ends = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < ends, "it never came true"
        time.sleep(0.05)


def call(method: str, url: str, body: Any = None) -> tuple[int, Any]:
    """One request: its status, and what was answered."""
    raw = isinstance(body, bytes)
    request = Request(  # noqa: S310  (loopback)
        url,
        data=body if raw else None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/xml" if raw else "application/json"},
        method=method,
    )
    try:
        with urlopen(request, timeout=_PATIENCE) as reply:  # noqa: S310
            status, answer = reply.status, reply.read()
    except HTTPError as error:
        with error:
            status, answer = error.code, error.read()
    try:
        return status, json.loads(answer) if answer else None
    except ValueError:
        return status, answer.decode()


def assessed(told: Mapping[str, str]) -> ep.pilot.Assessment:
    """The assessment, from the store of these settings."""
    with client_of(told) as client:
        return ep.pilot.assess(client.store, key=ep.Settings.from_env(told).key)

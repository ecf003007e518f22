"""gunicorn, prefork: a client made before the fork works in the workers, each on its own."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.storage import Store
from eprescription_sdk.traces import gate
from eprescription_sdk.traces.retention import verify_store
from tests.processes import ROOT
from tests.traces.samples import enrolment, open_pilot, platform_settings, rows

WORKERS = 2
CREATES = 24


@pytest.fixture
def server(place: str, store: Store, sandbox: Sandbox, tmp_path: Path) -> Iterator[str]:
    """The address of a gunicorn whose application was loaded before the fork."""
    open_pilot(store)
    store.write(lambda tx: gate.enrol(tx, enrolment(go_live=date(2020, 1, 1))))
    settings = platform_settings(sandbox, place, sandbox.collector_url)
    card = [text.decode() for text in sandbox.issue_card("CARTE FICTIVE")]
    told = tmp_path / "told.json"
    told.write_text(json.dumps({"settings": settings, "card": card}), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = tmp_path / "gunicorn.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn", "--preload", "--workers", str(WORKERS),
                "--bind", address, "--no-control-socket", "tests.traces.prefork:app",
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
                "PREFORK": str(told),
            },
            stdout=output,
            stderr=output,
        )  # fmt: skip
    try:
        ends = time.monotonic() + 30
        while log.read_text(encoding="utf-8").count("Booting worker") < WORKERS:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < ends, log.read_text(encoding="utf-8")
            time.sleep(0.05)
        yield f"http://{address}/"
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def create(server: str) -> dict[str, Any]:
    with urlopen(server, timeout=30) as reply:  # noqa: S310  (loopback)
        answer: dict[str, Any] = json.load(reply)
    return answer


def test_a_client_made_before_the_fork_works_in_both_workers(
    server: str, store: Store, sandbox: Sandbox
) -> None:
    answers: list[dict[str, Any]] = []
    with ThreadPoolExecutor(4) as pool:
        # One worker may take many requests in a row.
        while len(answers) < CREATES or len({each["pid"] for each in answers}) < WORKERS:
            assert len(answers) < 50 * CREATES, "one worker takes everything"
            answers += pool.map(create, [server] * CREATES)
    assert {each["outcome"] for each in answers} == {"Registered"}
    assert len({each["number"] for each in answers}) == len(answers)
    # A call and a prescription each, in one segment a worker; the workers ship them.
    expected = 2 * len(answers)
    ends = time.monotonic() + 30
    while len(sandbox.collector.traces) < expected:
        assert time.monotonic() < ends, len(sandbox.collector.traces)
        time.sleep(0.05)
    assert rows(store) == [(expected,)]
    assert len(rows(store, "DISTINCT segment")) == WORKERS
    assert store.read(verify_store) == ()
    assert {one for (one,) in rows(store, "id")} == set(sandbox.collector.traces)

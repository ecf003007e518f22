"""The Celery example: a real worker that forks, its broker in a folder, its beat within."""

import json
import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import eprescription_sdk as ep
from eprescription_sdk.sandbox import CommitThenDrop, ExpiredCredential, Operation, Sandbox
from tests.examples.backends import (
    EXAMPLES,
    RPPS,
    SITUATION,
    assertion,
    assessed,
    content,
    environment,
    eventually,
    ran,
    running,
    running_pilot,
)

FOLDER = EXAMPLES / "celery_worker"
NOT_THERE = "99900063480"
"""A practitioner whose session is not open."""


class Host:
    """The back-end beside the worker: it writes its tables and sends messages."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.queue = folder / "queue"
        self.told = environment(sandbox, folder / "store.db") | {
            "HOST_DATABASE": str(folder / "host.db"),
            "QUEUE": str(self.queue),
        }
        # The same message twice, as a broker delivers after a crash.
        self.send(("issue", "doc-1"), ("issue", "doc-1"), first=True)
        signed = assertion(sandbox)
        self.write("INSERT INTO sessions VALUES (?, ?, ?)", RPPS.value, SITUATION, signed)

    def write(self, sql: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.told["HOST_DATABASE"])) as host, host:
            host.execute(sql, values)

    def document(self, name: str) -> Any:
        with closing(sqlite3.connect(self.told["HOST_DATABASE"])) as host:
            return host.execute(
                "SELECT state, number, text_fr FROM documents WHERE id = ?", (name,)
            ).fetchone()

    def draft(self, name: str, rpps: str = RPPS.value) -> None:
        written = json.dumps(content()).replace(RPPS.value, rpps)
        self.write(
            "INSERT INTO documents (id, rpps, content) VALUES (?, ?, ?)", name, rpps, written
        )

    def send(self, *calls: tuple[str, ...], first: bool = False) -> list[Any]:
        """Messages, sent by one process as a web host would; what their tasks came to.

        Nobody listens yet to the first ones, before which the tables are made.
        """
        script = (
            "import json, sys; import host; from worker import app\n"
            "calls, first = json.loads(sys.argv[1])\n"
            "if first: host.make_tables()\n"
            "sent = [app.send_task(f'worker.{task}', arguments) for task, *arguments in calls]\n"
            "got = [each.get(timeout=20, interval=0.05) for each in sent] if not first else []\n"
            "print(json.dumps(got))"
        )
        told = json.dumps([calls, first])
        answers: list[Any] = json.loads(ran("-c", script, told, told=self.told, cwd=FOLDER))
        return answers

    def messages(self) -> list[str]:
        """What the broker holds: the bodies, and all that stands around them."""
        files = (self.queue / "messages").iterdir()
        held = [json.loads(file.read_text(encoding="utf-8")) for file in files]
        return [b64decode(each.pop("body")).decode() + json.dumps(each) for each in held]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running_one:
        yield running_one


def test_a_worker_issues_settles_and_ships(sandbox: Sandbox, tmp_path: Path) -> None:
    host = Host(sandbox, tmp_path)
    running_pilot(host.told)
    for name in ("doc-1", "doc-2"):
        host.draft(name)
    host.draft("doc-3", NOT_THERE)
    messages = host.messages()
    assert len(messages) == 2
    log = tmp_path / "worker.log"
    with running(
        "celery", "-A", "worker", "worker", "--beat", "--concurrency", "2",
        "--schedule", tmp_path / "schedule", "--loglevel", "INFO",
        told=host.told, cwd=FOLDER, log=log, until="ready.",
    ):  # fmt: skip
        eventually(lambda: log.read_text(encoding="utf-8").count("'Registered'") == 2)
        state, number, text = host.document("doc-1")
        assert (state, sandbox.count(number)) == ("registered", 1)
        assert "numéro" in text
        assert len(sandbox.registrations) == 1

        sandbox.script(Operation.CREATE, CommitThenDrop())
        sandbox.script(Operation.CONSULT, ExpiredCredential())
        issued = host.send(("issue", "doc-2"), ("issue", "doc-3"))
        assert issued == ["Uncertain", "NoSession"]
        assert host.document("doc-2")[0] == "uncertain"
        assert host.document("doc-3")[0] == "draft"
        reconciled, shipped = host.send(("reconcile",), ("ship",))
        assert reconciled == {"registered": 1, "waiting": 0}
        assert shipped > 0
        assert len(sandbox.collector.traces) >= shipped
        # The host learns it from the feed, which the beat has read every two seconds.
        eventually(lambda: host.document("doc-2")[0] == "registered")
        assert len(sandbox.registrations) == 2

    results = [file.read_text(encoding="utf-8") for file in (host.queue / "results").iterdir()]
    seen = "\n".join([*messages, *results, log.read_text(encoding="utf-8")])
    assert "doc-1" in seen
    assert "Uncertain" in seen
    patient = content()["patient"]
    for secret in (number, patient["family_name"], patient["ins"]["value"], RPPS.value):
        assert secret not in seen
    figure = assessed(host.told).strict[ep.pilot.Criterion.C2].figure
    assert figure is not None
    assert figure.denominator == 2

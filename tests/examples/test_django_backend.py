"""The Django example on a real PostgreSQL, served by gunicorn and asked over HTTP."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.sandbox import (
    CommitThenDrop,
    ExpiredCredential,
    FaultCode,
    Operation,
    Sandbox,
)
from tests.examples.backends import (
    EXAMPLES,
    RPPS,
    SITUATION,
    assertion,
    assessed,
    call,
    command,
    content,
    environment,
    free_port,
    ran,
    running,
    running_pilot,
)
from tests.postgres import ROLE, Postgres

FOLDER = EXAMPLES / "django_backend"
FAILING = """
    CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the disk of the host is full'; END $$;
    CREATE TRIGGER fails BEFORE UPDATE ON prescribing_document FOR EACH ROW
    WHEN (NEW.state = 'registered') EXECUTE FUNCTION fails()
"""
"""The host cannot keep the answer: what follows Registered in its transaction is undone."""


@attrs.frozen
class Host:
    """The back-end as it runs, with what it runs on."""

    base: str
    told: dict[str, str]
    database: str
    sandbox: Sandbox
    postgres: Postgres

    def draft(self, **changes: Any) -> str:
        status, answer = call("POST", f"{self.base}/documents", content(**changes))
        assert status == 201
        return f"{self.base}/documents/{answer['id']}"

    def states(self) -> list[str]:
        rows = self.postgres.execute(
            "SELECT state FROM prescribing_document ORDER BY issued_at", self.database
        )
        return [state for (state,) in rows]

    def manage(self, *arguments: str) -> str:
        return ran("manage.py", *arguments, told=self.told, cwd=FOLDER)


@pytest.fixture
def host(postgres: Postgres, tmp_path: Path) -> Iterator[Host]:
    database, store = postgres.database(of="template1"), postgres.database(of="template1")
    with Sandbox() as sandbox:
        told = environment(sandbox, postgres.owner(store))
        # As docs/shared-store.md says: one role makes the tables, another works with them.
        command("store", "migrate", told=told)
        postgres.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE}", store
        )
        told |= {
            "EPRESCRIPTION_STORE": postgres.platform(store),
            "DJANGO_SECRET_KEY": os.urandom(20).hex(),
            "PGDATABASE": database,
            "PGHOST": postgres.socket,
            "PGUSER": "postgres",
        }
        ran("manage.py", "migrate", "--no-input", told=told, cwd=FOLDER)
        running_pilot(told)
        port, log = free_port(), tmp_path / "server.log"
        with running(
            "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}", "--no-control-socket",
            "backend.wsgi",
            told=told, cwd=FOLDER, log=log, until="Booting worker",
        ):  # fmt: skip
            one = Host(f"http://127.0.0.1:{port}", told, database, sandbox, postgres)
            yield one
            assert "ESSAI" not in log.read_text(encoding="utf-8")


def test_prescriptions_over_http_and_an_answer_that_the_host_lost(host: Host) -> None:
    first = host.draft()
    assert call("POST", f"{first}/issue")[0] == 401
    session = f"{host.base}/practitioners/{RPPS.value}/session?situation={SITUATION}"
    assert call("PUT", session, b"<no-assertion/>")[0] == 401
    assert call("PUT", session, assertion(host.sandbox))[0] == 204
    _registered(host, first)
    _registered_and_rolled_back(host)
    _uncertain(host)
    assert host.states() == ["registered", "sending", "uncertain"]
    assert "Registered" in host.manage("settle")
    assert host.states() == ["registered", "registered", "registered"]
    assert len(host.sandbox.registrations) == 3
    assert call("GET", first) == (200, {"state": "registered"})
    _refused(host)
    _bad_input(host)
    _assessed(host)


def _registered(host: Host, document: str) -> None:
    status, answer = call("POST", f"{document}/issue")
    assert status == 200
    assert host.sandbox.count(answer["number"]) == 1
    assert "<svg" in answer["print"]
    assert answer["simulation"] is True
    # A second click gets the same answer.
    assert call("POST", f"{document}/issue") == (200, answer)
    assert len(host.sandbox.registrations) == 1


def _registered_and_rolled_back(host: Host) -> None:
    """The host's transaction around the answer fails: the service and the ledger have it."""
    lost = host.draft()
    host.postgres.execute(FAILING, host.database)
    assert call("POST", f"{lost}/issue")[0] == 500
    assert len(host.sandbox.registrations) == 2
    host.postgres.execute("DROP TRIGGER fails ON prescribing_document", host.database)


def _uncertain(host: Host) -> None:
    unsure = host.draft()
    host.sandbox.script(Operation.CREATE, CommitThenDrop())
    host.sandbox.script(Operation.CONSULT, ExpiredCredential())
    status, answer = call("POST", f"{unsure}/issue")
    assert (status, answer["next"], "number" in answer) == (202, "hold", False)


def _refused(host: Host) -> None:
    """Then the patient gets paper, which counts with the failed one as one document."""
    refused = host.draft()
    host.sandbox.script(Operation.CREATE, FaultCode("sdkref_auth", sender=True))
    status, answer = call("POST", f"{refused}/issue")
    assert (status, answer["next"], answer["why"]) == (200, "print_plain", "refused")
    assert call("POST", f"{refused}/paper?reason=service_failure")[0] == 204
    assert host.states()[-1] == "paper"


def _bad_input(host: Host) -> None:
    """It is answered, and nothing is kept of it."""
    bodies: tuple[Any, ...] = (b"?", {"lines": []})
    for body in bodies:
        assert call("POST", f"{host.base}/documents", body)[0] == 422
    assert len(host.states()) == 4


def _assessed(host: Host) -> None:
    today = f"{datetime.now(ZoneInfo('Europe/Paris')):%Y-%m-%d}"
    assert host.manage("declare_volumes", "--day", today) == f"{today} : 4 documents\n"
    assert ", 0 still waiting" in " ".join(
        command("traces", "ship", "--once", told=host.told).split()
    )
    assert len(host.sandbox.collector.traces) > 4
    printed = host.manage("assess_pilot")
    assert printed.startswith("SIMULATION\nC1 : ")
    assessment = assessed(host.told)
    lenient = assessment.lenient[ep.pilot.Criterion.C2]
    assert lenient.figure is not None
    assert (lenient.figure.numerator, lenient.figure.denominator) == (3, 4)
    assert f"  lecture favorable : {lenient.verdict.label_fr}. {lenient.reason_fr}\n" in printed
    assert (assessment.coverage.declared, assessment.coverage.missing) == (4, 0)


def test_issuing_refuses_to_be_rolled_back(postgres: Postgres, tmp_path: Path) -> None:
    """Inside a transaction of the host it raises, before anything is sent."""
    database = postgres.database(of="template1")
    with Sandbox() as sandbox:
        told = environment(sandbox, tmp_path / "store.db") | {
            "EPRESCRIPTION_ENVIRONMENT": "sandbox",
            "DJANGO_SECRET_KEY": "x",
            "DJANGO_SETTINGS_MODULE": "backend.settings",
            "PGDATABASE": database,
            "PGHOST": postgres.socket,
            "PGUSER": "postgres",
        }
        script = tmp_path / "inside.py"
        script.write_text(_INSIDE, encoding="utf-8")
        signed = tmp_path / "assertion.xml"
        signed.write_bytes(assertion(sandbox))
        printed = ran(script, signed, told=told, cwd=FOLDER)
        assert "durable" in printed
        assert sandbox.calls == []


_INSIDE = f"""\
import sys
from pathlib import Path
import django
django.setup()
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from prescribing.issuing import issue
from prescribing.models import Document, Session
call_command("migrate", verbosity=0)
Session(rpps={RPPS.value!r}, situation="s", assertion=Path(sys.argv[1]).read_bytes()).save()
document = Document.objects.create(rpps={RPPS.value!r}, issued_at=timezone.now(), content={{}})
try:
    with transaction.atomic():
        issue(document)
except RuntimeError as error:
    print(error)
"""

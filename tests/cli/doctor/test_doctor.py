"""What the doctor says of a platform that is well, and of each thing that may be wrong with it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk import ledger
from eprescription_sdk.cli.context import opened
from eprescription_sdk.cli.doctor import command
from eprescription_sdk.clock import iso
from eprescription_sdk.ledger import DocumentGiven, State
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.storage import Tx
from eprescription_sdk.testing import sandbox_settings
from eprescription_sdk.traces.gate import Phase, set_phase
from eprescription_sdk.traces.record import lose
from tests.ledger.entries import entry
from tests.postgres import Postgres
from tests.traces.samples import MODULE, open_pilot, record

Found = dict[str, list[dict[str, str]]]
Diagnose = Callable[..., Found]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> ep.Settings:
    return sandbox_settings(sandbox, tmp_path / "store.db")


@pytest.fixture
def diagnose(
    settings: ep.Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Diagnose:
    """What the doctor finds, by topic; every finding that is not well has a way out."""

    def run(changed: ep.Settings = settings, **options: Any) -> Found:
        monkeypatch.setattr(command, "settings_of", lambda _: changed)
        code = command.doctor(json=True, **options)
        report = json.loads(capsys.readouterr().out)
        found: Found = {}
        for each in report["findings"]:
            assert each["level"] == "ok" or each["way_out"], each
            found.setdefault(each["topic"], []).append(each)
        wrong = any(each["level"] == "error" for each in report["findings"])
        assert (code, report["healthy"]) == (int(wrong), not wrong)
        return found

    return run


def levels(found: Found) -> set[str]:
    return {each["level"] for some in found.values() for each in some}


def test_a_platform_that_is_well(diagnose: Diagnose, settings: ep.Settings) -> None:
    with opened(settings) as store:
        store.write(lambda tx: set_phase(tx, Phase.RUNNING, module="exemple-ordonnance"))
    found = diagnose()
    assert levels(found) == {"ok"}
    assert set(found) >= {
        "settings", "port minter", "port codec", "port code2d", "port trace_profile", "service",
        "collector", "clock", "store", "durability", "health", "ledger", "pilot",
    }  # fmt: skip
    said = " ".join(each["what"] for some in found.values() for each in some)
    assert "engine SQLite 3." in said
    assert "SIMULATION" in said


def test_nobody_answers(diagnose: Diagnose, settings: ep.Settings) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        found = diagnose(attrs.evolve(settings, service_url=url, collector_url=None))
    assert [each["level"] for each in found["service"]] == ["error"]
    assert [each["level"] for each in found["collector"]] == ["warning"]


@contextmanager
def answering(date: datetime) -> Iterator[str]:
    """A server that knows the time, and nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(4096).startswith(b"HEAD / HTTP/1.1\r\n")
                head = f"HTTP/1.1 405 Method Not Allowed\r\nDate: {format_datetime(date)}\r\n\r\n"
                connection.sendall(head.encode())

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join()


@pytest.mark.parametrize(
    ("minutes", "level", "word"), [(10, "error", "behind"), (-10, "error", "ahead"), (0, "ok", "")]
)
def test_a_clock_that_is_off(
    diagnose: Diagnose, settings: ep.Settings, minutes: int, level: str, word: str
) -> None:
    with answering(datetime.now(UTC) + timedelta(minutes=minutes)) as url:
        found = diagnose(attrs.evolve(settings, service_url=url, collector_url=None))
    (clock,) = found["clock"]
    assert clock["level"] == level
    assert word in clock["what"]


def in_production(settings: ep.Settings) -> ep.Settings:
    return attrs.evolve(
        settings,
        environment=ep.Environment.PRODUCTION,
        uncertain_policy=ep.UncertainPolicy.HOLD,
    )


def test_ports_are_looked_at(diagnose: Diagnose, settings: ep.Settings) -> None:
    found = diagnose(
        in_production(settings),
        minter="eprescription_sdk.reference:FakeMinter",
        codec="no.such.module:Codec",
        trace_profile="no-such-profile.toml",
    )
    (minter,), (codec,), (code2d,), (profile,) = (
        found[f"port {name}"] for name in ("minter", "codec", "code2d", "trace_profile")
    )
    assert (minter["level"], "SIMULATION" in minter["what"]) == ("warning", True)
    assert (codec["level"], "cannot be loaded" in codec["what"]) == ("error", True)
    assert (code2d["level"], "was not named" in code2d["what"]) == ("warning", True)
    assert profile["level"] == "error"
    assert {each["level"] for each in found["settings"]} == {"ok", "warning"}
    # In production, nobody may prescribe without a dossier.
    assert found["pilot"][0]["level"] == "error"


def test_what_is_open_or_lost_is_counted(diagnose: Diagnose, settings: ep.Settings) -> None:
    now = datetime.now(UTC)

    def open_some(tx: Tx) -> None:
        for number in ("SIM1", "SIM2", "SIM3"):
            ledger.journal(tx, entry(number, lease_until=now - timedelta(minutes=1)))
        ledger.settle(tx, ep.PrescriptionNumber("SIM1"), State.UNCERTAIN, now=now)
        for state, document in ((State.UNCERTAIN, DocumentGiven.PLAIN), (State.REGISTERED, None)):
            ledger.settle(tx, ep.PrescriptionNumber("SIM2"), state, now=now, document=document)
        lose(tx, "OSError")

    with opened(settings) as store:
        store.write(open_some)
    found = diagnose()
    assert "Uncertain prescriptions: 1," in found["in doubt"][0]["what"]
    assert found["waiting for credentials"][0]["what"].endswith(": 2.")
    assert "dispensed twice: 1." in found["duplicate risk"][0]["what"]
    assert "1 traces were lost (OSError)" in found["losses"][0]["what"]
    assert levels(found) == {"ok", "warning"}
    # Support asks for numbers by name; the doctor tells none.
    assert "SIM1" not in json.dumps(found)


def test_a_store_older_than_the_closing_receipt_is_told_how_to_learn_it(
    diagnose: Diagnose, settings: ep.Settings
) -> None:
    (finding,) = diagnose(attrs.evolve(settings, closing_receipt="pinned"))["closing"]
    assert (finding["level"], "receipt pinned" in finding["what"]) == ("warning", True)
    assert "close-traces --kept" in finding["way_out"]


@pytest.mark.parametrize(("phase", "said"), [
    (Phase.ASSESSED, "1 traces wait to be shipped"), (Phase.CLOSED, "1 traces were never sent"),
])  # fmt: skip
def test_what_did_not_leave_waits_until_the_pilot_is_over(
    diagnose: Diagnose, settings: ep.Settings, phase: Phase, said: str
) -> None:
    with opened(settings) as store:
        open_pilot(store)
        record(store)
        store.write(lambda tx: set_phase(tx, phase, module=MODULE))
    assert diagnose()["outbox"][0]["what"] == said


def test_what_the_collector_refused_is_in_quarantine_with_its_reason(
    diagnose: Diagnose, settings: ep.Settings
) -> None:
    row = (
        "INSERT INTO traces (id, kind, at, body, segment, position, hash, state, reason)"
        " VALUES (?, 'call', ?, '{}', 's', ?, 'h', ?, ?)"
    )
    now = iso(datetime.now(UTC))
    with opened(settings) as store:
        store.write(lambda tx: tx.execute(row, ("a", now, 1, "quarantined", "HTTP 422")))
        store.write(lambda tx: tx.execute(row, ("b", now, 2, "pending", None)))
    found = diagnose()
    assert "1 traces are in quarantine: HTTP 422 (1)" in found["quarantine"][0]["what"]
    assert "1 traces wait" in found["outbox"][0]["what"]


def test_a_damaged_store(diagnose: Diagnose, settings: ep.Settings) -> None:
    Path(str(settings.store)).write_bytes(b"this is no database, and never was one" * 100)
    (store,) = diagnose()["store"]
    assert store["level"] == "error"
    assert "EP-STORE-CORRUPT" in store["what"]


def test_a_server_that_may_forget(
    diagnose: Diagnose, settings: ep.Settings, postgres: Postgres
) -> None:
    with postgres.lent() as address:
        found = diagnose(attrs.evolve(settings, store=address))
    said = " ".join(each["what"] for each in found["store"])
    assert "engine PostgreSQL" in said
    # Its clock is this machine's.
    assert {each["level"] for each in found["clock"]} == {"ok"}
    assert len(found["durability"]) == 1


def test_it_reads_well_where_it_is_narrow(
    settings: ep.Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "settings_of", lambda _: attrs.evolve(settings, finess="1"))
    assert command.doctor() == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "✘" in out
    assert "→ Correct finess in the settings." in out


def test_errors_of_the_settings_are_not_the_doctors(tmp_path: Path) -> None:
    with pytest.raises(ep.ConfigurationError, match="cannot be read"):
        partial(command.doctor, settings=tmp_path / "nothing.toml")()

"""``eprescription traces``: formats tried, traces shipped with one or dropped, and the counters."""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from eprescription_sdk.cli.app import app
from eprescription_sdk.cli.traces import profile_of
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.storage import SqliteStore, Store
from eprescription_sdk.traces.gate import Phase
from eprescription_sdk.traces.record import lose
from tests.cli.test_commands import run
from tests.settings_file import settings_file
from tests.traces.samples import MODULE, open_pilot, record, rows, set_phase
from tests.traces.test_signing import pem

EXAMPLES = Path(__file__).parents[2] / "examples" / "trace_profiles"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = SqliteStore(tmp_path / "store.db")
    open_pilot(made)
    yield made
    made.close()


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Path]:
    with Sandbox(scale=0.05) as sandbox:
        yield settings_file(
            tmp_path,
            service_url=sandbox.url,
            collector_url=sandbox.collector_url,
            module=MODULE,
            key="6b" * 32,
        )


Here = Callable[..., str]


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    """Run a command in this process: what it prints."""

    def here(*arguments: str | Path) -> str:
        capsys.readouterr()
        app([str(each) for each in arguments], result_action="return_none", exit_on_error=False)
        return capsys.readouterr().out

    return here


def test_check_shows_what_a_format_emits(tmp_path: Path) -> None:
    done = run("traces", "check", EXAMPLES / "declared.toml")
    assert done.returncode == 0, done.stderr
    assert "exemple déclaré (inventé, non officiel)" in done.stdout
    assert '"operation":"CREER"' in done.stdout
    assert "52 of 52 fictitious traces conform." in done.stdout


def test_check_names_what_does_not_conform(tmp_path: Path, here: Here) -> None:
    text = (EXAMPLES / "declared.toml").read_text(encoding="utf-8")
    for name in ("declared.toml", "declared.schema.json"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    text = text.replace('search = "RECHERCHER"', 'search = "FIND"').replace("uncertain = 9\n", "")
    (tmp_path / "declared.toml").write_text(text, encoding="utf-8")
    done = run("traces", "check", tmp_path / "declared.toml")
    assert done.returncode == 1
    assert "✘ call, search: The schema does not allow this trace: rule 'enum'" in done.stdout
    assert "✘ call, uncertain: A value of 'appel.resultat' has no code" in done.stdout
    report = json.loads(here("traces", "check", tmp_path / "declared.toml", "--json"))
    assert report["conforms"] is False
    assert report["anchored"] is True
    assert len([one for one in report["traces"] if one["reason"]]) == 2


def test_check_says_when_heads_would_not_leave(tmp_path: Path, here: Here) -> None:
    text = (EXAMPLES / "declared.toml").read_text(encoding="utf-8")
    path = tmp_path / "bare.toml"
    path.write_text(text.replace('schema = "declared.schema.json"', "").replace(
        'from = "hash"', 'constant = "none"'
    ))  # fmt: skip
    assert "Not every one carries its hash" in here("traces", "check", path)


def test_check_of_a_file_that_makes_no_sense(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('name = "x"')
    done = run("traces", "check", tmp_path / "p.toml")
    assert done.returncode == 1
    assert done.stderr.startswith("[EP-CONFIG] The profile makes no sense.")


def test_a_profile_may_be_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    assert profile_of("xml_port:XmlProfile").content_type == "application/xml"
    assert "AuditEvent" in profile_of("tde").name
    for name in ("xml_port:Missing", "no_such_module:Class"):
        with pytest.raises(ConfigurationError, match="cannot be loaded"):
            profile_of(name)


def test_ship_drops_files_in_a_declared_format(
    settings: Path, store: Store, tmp_path: Path, here: Here
) -> None:
    ids = record(store, 3)
    key = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(pem(key))
    done = here(
        "traces", "ship", "--settings", settings, "--profile", EXAMPLES / "declared.toml",
        "--to", tmp_path / "out", "--sign-key", tmp_path / "key.pem", "--once", "--json",
    )  # fmt: skip
    assert json.loads(done) == {"sent": 3, "quarantined": 0, "waiting": 0}
    (data,) = (tmp_path / "out").glob("*.jsonl.gz")
    lines = gzip.decompress(data.read_bytes()).decode().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids
    (manifest,) = (tmp_path / "out").glob("*.manifest.json")
    signature = Path(f"{manifest}.sig").read_bytes()
    key.public_key().verify(signature, manifest.read_bytes())


@contextmanager
def shipping(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """``traces ship`` in a process of its own, gone when the block ends."""
    command = [sys.executable, "-c", "from eprescription_sdk.cli import main; main()"]
    command += ["traces", "ship", "--every", "0.1", *map(str, arguments)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str], text: str) -> None:
    """Read what it prints until a line says so."""
    assert process.stdout is not None
    while text not in (said := process.stdout.readline()):
        assert said, "it ended before it said so"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ship_goes_on_until_it_is_asked_to_end(
    settings: Path, store: Store, number: signal.Signals
) -> None:
    record(store, 3)
    with shipping("--settings", settings) as process:
        line(process, "3 traces sent, 0 still waiting.")
        record(store, 2)
        line(process, "5 traces sent, 0 still waiting.")
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
        assert out.endswith("5 traces sent, 0 still waiting.\n")
    assert rows(store, "DISTINCT state") == [("shipped",)]


def test_ship_says_that_nothing_can_be_delivered_and_gives_back_what_it_held(
    settings: Path, store: Store
) -> None:
    record(store, 3)
    text = settings.read_text().splitlines()
    away = ['collector_url = "http://127.0.0.1:9"' if "collector" in one else one for one in text]
    settings.write_text("\n".join(away))
    with shipping("--settings", settings) as process:
        line(process, "0 traces sent, 3 still waiting: they cannot be delivered at present.")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 0
    assert rows(store, "state, lease_owner") == [("pending", None)] * 3
    done = run("traces", "ship", "--once", "--seconds", "0.2", "--settings", settings)
    assert done.returncode == 1
    assert "3 still waiting" in done.stdout


def test_ship_ends_once_the_traces_are_closed(settings: Path, store: Store) -> None:
    record(store, 1)
    with shipping("--settings", settings) as process:
        line(process, "1 traces sent, 0 still waiting.")
        set_phase(store, Phase.CLOSED)
        process.communicate(timeout=20)
        assert process.returncode == 0


def refuse(store: Store, reason: str, where: str) -> None:
    store.write(
        lambda tx: tx.execute(
            f"UPDATE traces SET state = 'quarantined', reason = ? WHERE {where}",  # noqa: S608
            (reason,),
        )
    )


def test_quarantine_is_looked_at_and_replayed_in_part(
    settings: Path, store: Store, here: Here
) -> None:
    ids = record(store, 4)
    where = ("--settings", settings)
    assert "Nothing" in here("traces", "quarantine", *where)
    refuse(store, "HTTP 400", "seq < 3")
    refuse(store, "The schema does not allow this trace: rule 'enum' of 'data.x'.", "seq = 3")
    shown = here("traces", "quarantine", *where).splitlines()
    assert shown[0] == "2 × HTTP 400"
    assert [one.split()[0] for one in shown[2:]] == ids[:3]
    report = json.loads(here("traces", "quarantine", "--reason", "HTTP 400", "--json", *where))
    assert report["reasons"]["HTTP 400"] == 2
    assert [one["id"] for one in report["traces"]] == ids[:2]
    assert report["traces"][0]["body"]["kind"] == "CALL"
    assert "99700218896" not in json.dumps(report)
    again = "1 traces are in line again.\n"
    assert here("traces", "replay", ids[1], ids[3], *where) == again
    assert here("traces", "replay", "--reason", "HTTP 400", *where) == again
    assert rows(store, "id", "WHERE state = 'quarantined'") == [(ids[2],)]
    assert here("traces", "replay", *where) == again


def test_status_says_what_was_refused_and_lost_and_why(
    settings: Path, store: Store, here: Here
) -> None:
    record(store, 2)
    refuse(store, "HTTP 400", "seq = 1")
    store.write(lambda tx: lose(tx, "StoreUnavailable"))
    report = json.loads(here("traces", "status", "--settings", settings, "--json"))
    assert report["oldest_waiting"].startswith("2026-03-02T10:00")
    assert report["refused"] == {"HTTP 400": 1}
    assert report["lost"] == {"StoreUnavailable": 1}
    shown = here("traces", "status", "--settings", settings)
    assert "waiting      since 2026-03-02T10:00" in shown
    assert "refused      1 (HTTP 400)" in shown
    assert "lost         1 (StoreUnavailable)" in shown


def test_purge_leaves_a_signed_checkpoint(
    settings: Path, store: Store, tmp_path: Path, here: Here
) -> None:
    record(store, 2)
    store.write(lambda tx: tx.execute("UPDATE traces SET state = 'shipped', at = '2020-01-01'"))
    key = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(pem(key))
    here(
        "traces", "purge", tmp_path / "checkpoint.json", "--days", "1", "--settings", settings,
        "--sign-key", tmp_path / "key.pem",
    )  # fmt: skip
    content = (tmp_path / "checkpoint.json").read_bytes()
    key.public_key().verify((tmp_path / "checkpoint.json.sig").read_bytes(), content)
    assert json.loads(content)["blanked"] == 2


def test_a_checkpoint_that_cannot_be_written_is_one_readable_error(
    settings: Path, store: Store, tmp_path: Path, here: Here
) -> None:
    record(store, 1)
    store.write(lambda tx: tx.execute("UPDATE traces SET state = 'shipped', at = '2020-01-01'"))
    with pytest.raises(ConfigurationError, match="cannot be written"):
        here(
            "traces", "purge", tmp_path / "none" / "c.json", "--days", "1", "--settings", settings
        )  # fmt: skip
    # Nothing is gone that no checkpoint vouches for.
    assert rows(store, "count(identity)") == [(1,)]

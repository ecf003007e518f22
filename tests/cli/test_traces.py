"""``eprescription traces``: formats tried, traces shipped with one or dropped, and the counters."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from eprescription_sdk.cli.traces import profile_of
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.storage import SqliteStore, Store
from eprescription_sdk.traces.outbox import quarantine
from eprescription_sdk.traces.record import lose
from tests.cli.test_commands import run
from tests.traces.samples import MODULE, open_pilot, record
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
        file = tmp_path / "settings.toml"
        values = {
            "environment": "production",
            "uncertain_policy": "hold",
            "service_url": sandbox.url,
            "collector_url": sandbox.collector_url,
            "software_name": "exemple",
            "software_version": "1.0",
            "authorisation": "SIMULATION-0000",
            "instance": "0b5b1ad8-3a0c-4b2e-9d0e-5f6a7b8c9d0e",
            "module": MODULE,
            "finess": "330781287",
            "store": str(tmp_path / "store.db"),
            "key": "6b" * 32,
        }
        file.write_text("\n".join(f'{name} = "{value}"' for name, value in values.items()))
        yield file


def printed(*arguments: str | Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    return document


def test_check_shows_what_a_format_emits(tmp_path: Path) -> None:
    done = run("traces", "check", EXAMPLES / "declared.toml")
    assert done.returncode == 0, done.stderr
    assert "exemple déclaré (inventé, non officiel)" in done.stdout
    assert '"operation":"CREER"' in done.stdout
    assert "51 of 51 fictitious traces conform." in done.stdout


def test_check_names_what_does_not_conform(tmp_path: Path) -> None:
    text = (EXAMPLES / "declared.toml").read_text(encoding="utf-8")
    for name in ("declared.toml", "declared.schema.json"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    text = text.replace('search = "RECHERCHER"', 'search = "FIND"').replace("uncertain = 9\n", "")
    (tmp_path / "declared.toml").write_text(text, encoding="utf-8")
    done = run("traces", "check", tmp_path / "declared.toml")
    assert done.returncode == 1
    assert "✘ call, search: The schema does not allow this trace: rule 'enum'" in done.stdout
    assert "✘ call, uncertain: A value of 'appel.resultat' has no code" in done.stdout
    report = printed("traces", "check", tmp_path / "declared.toml")
    assert report["conforms"] is False
    assert len([one for one in report["traces"] if one["reason"]]) == 2


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
    settings: Path, store: Store, tmp_path: Path
) -> None:
    ids = record(store, 3)
    key = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(pem(key))
    done = printed(
        "traces", "ship", "--settings", settings, "--profile", EXAMPLES / "declared.toml",
        "--to", tmp_path / "out", "--sign-key", tmp_path / "key.pem",
    )  # fmt: skip
    assert done == {"sent": 3, "waiting": 0}
    (data,) = (tmp_path / "out").glob("*.jsonl.gz")
    lines = gzip.decompress(data.read_bytes()).decode().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids
    (manifest,) = (tmp_path / "out").glob("*.manifest.json")
    signature = Path(f"{manifest}.sig").read_bytes()
    key.public_key().verify(signature, manifest.read_bytes())


def test_status_says_what_was_refused_and_lost_and_why(settings: Path, store: Store) -> None:
    record(store, 2)
    store.write(lambda tx: tx.execute("UPDATE traces SET state = 'claimed', lease_owner = 'me'"))
    store.write(lambda tx: quarantine(tx, 1, "HTTP 400", "me"))
    store.write(lambda tx: lose(tx, "StoreUnavailable"))
    report = printed("traces", "status", "--settings", settings)
    assert report["refused"] == {"HTTP 400": 1}
    assert report["lost"] == {"StoreUnavailable": 1}
    shown = run("traces", "status", "--settings", settings).stdout
    assert "refused      1 (HTTP 400)" in shown
    assert "lost         1 (StoreUnavailable)" in shown


def test_purge_leaves_a_signed_checkpoint(settings: Path, store: Store, tmp_path: Path) -> None:
    record(store, 2)
    store.write(lambda tx: tx.execute("UPDATE traces SET state = 'shipped', at = '2020-01-01'"))
    key = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(pem(key))
    done = run(
        "traces", "purge", tmp_path / "checkpoint.json", "--days", "1", "--settings", settings,
        "--sign-key", tmp_path / "key.pem",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    content = (tmp_path / "checkpoint.json").read_bytes()
    key.public_key().verify((tmp_path / "checkpoint.json.sig").read_bytes(), content)
    assert json.loads(content)["blanked"] == 2

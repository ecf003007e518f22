"""What the doctor says of certificates, against a service that demands one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from eprescription_sdk.cli.doctor import command as room
from eprescription_sdk.cli.doctor import configuration
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import sandbox_settings


@attrs.frozen
class Files:
    sandbox: Sandbox
    folder: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    folder = tmp_path_factory.mktemp("tls")
    with Sandbox(mutual_tls=True) as sandbox:
        (folder / "authority.pem").write_bytes(sandbox.authority)
        for name, (certificate, key) in {
            "right": sandbox.issue_organisation("SOCIETE EXEMPLE"),
            "expired": sandbox.issue_organisation("SOCIETE EXEMPLE", expired=True),
            "nobodys": Sandbox().issue_organisation("SOCIETE EXEMPLE"),
        }.items():
            (folder / f"{name}.pem").write_bytes(certificate + key)
        yield Files(sandbox, folder)


Diagnose = Callable[[str | None], dict[str, Any]]


@pytest.fixture
def diagnose(
    files: Files,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Diagnose:
    """What the doctor finds with a certificate, by its sentence."""

    def run(certificate: str | None) -> dict[str, Any]:
        settings = attrs.evolve(
            sandbox_settings(files.sandbox, tmp_path / "store.db"),
            tls_authorities=files.folder / "authority.pem",
            tls_certificate=files.folder / f"{certificate}.pem" if certificate else None,
        )
        monkeypatch.setattr(room, "settings_of", lambda _: settings)
        room.doctor(json=True)
        report = json.loads(capsys.readouterr().out)
        return {line["what"]: line for line in report["findings"]}

    return run


@pytest.mark.parametrize(
    ("certificate", "expected"),
    [
        (
            "right",
            {"ok": ["organisation certificate good until", "service reached"]},
        ),
        (
            "expired",
            {
                "error": [
                    "The organisation certificate expired on",
                    "The service says that our certificate has expired.",
                ]
            },
        ),
        ("nobodys", {"error": ["does not know the authority"]}),
        (None, {"warning": ["No organisation certificate"], "error": ["was shown none"]}),
        ("gone", {"error": ["cannot be read"]}),
    ],
)
def test_the_certificate_is_watched(
    diagnose: Diagnose, certificate: str | None, expected: dict[str, list[str]]
) -> None:
    found = diagnose(certificate)
    for level, sentences in expected.items():
        for said in sentences:
            matching = [line for what, line in found.items() if said in what]
            assert [line["level"] for line in matching][:1] == [level], found
            assert level == "ok" or matching[0]["way_out"]


def test_one_that_ends_soon_is_a_warning(
    diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "SOON", 100_000)
    (line,) = (
        line for what, line in diagnose("right").items() if "organisation certificate ends" in what
    )
    assert line["level"] == "warning"

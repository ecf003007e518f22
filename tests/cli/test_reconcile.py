"""``eprescription ledger reconcile``, as whoever settles for several practitioners types it."""

import io
import json
import os
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

import eprescription_sdk as ep
from eprescription_sdk.cli.credentials import practitioners
from eprescription_sdk.testing import SAMPLE_RPPS, SAMPLE_SITUATION
from tests.cli.test_commands import Company, company, run
from tests.cli.test_ledger import uncertain
from tests.credentials.cards import NOW, locked_key, signer
from tests.credentials.cards import card as signing_card
from tests.credentials.test_pkcs11 import PIN, Card, card
from tests.credentials.test_pkcs12 import packed

__all__ = ["card", "company"]

READY = signer(national_id=f"8{SAMPLE_RPPS.value}").assertion(NOW).xml

BILLING = 'billing_id = "331234567"\nspecialty = "01"\nsector = "SA07"\n'
STAND_INS = (
    "--codec", "eprescription_sdk.wire.reference_body:ReferenceCodec",
    "--minter", "eprescription_sdk.reference:FakeMinter",
    "--code2d", "eprescription_sdk.reference:SpecimenCode",
)  # fmt: skip


def who(source: str, *, rpps: str = SAMPLE_RPPS.value) -> str:
    return (
        f'[[practitioner]]\nrpps = "{rpps}"\nnational_id = "8{rpps}"\n'
        f'situation = "{SAMPLE_SITUATION}"\n{source}'
    )


def written(folder: Path, text: str) -> Path:
    file = folder / "credentials.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def credentials(company: Company, tmp_path: Path) -> Path:
    certificate, private_key = company.sandbox.issue_card("CARTE FICTIVE")
    (tmp_path / "card.pem").write_bytes(certificate)
    (tmp_path / "card.key").write_bytes(private_key)
    source = f'certificate = "card.pem"\nprivate_key = "card.key"\n{BILLING}'
    return written(tmp_path, who(source))


def test_without_credentials_it_lists_what_waits(company: Company) -> None:
    outcome = uncertain(company)
    done = run("ledger", "reconcile", "--settings", company.file)
    assert done.returncode == 1
    assert outcome.number.value in done.stdout
    assert f"for {SAMPLE_RPPS.value}" in done.stdout
    assert "1 waits." in done.stdout
    assert "\x1b" not in done.stdout


def test_with_credentials_it_settles_and_says_so(company: Company, credentials: Path) -> None:
    number = uncertain(company).number.value
    held = len(company.sandbox.registrations)
    command = ("ledger", "reconcile", "--credentials", credentials, "--settings", company.file)
    done = run(*command, *STAND_INS, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["simulation"] is True
    assert (report["registered"], report["waiting_for_credentials"]) == (1, 0)
    (entry,) = report["entries"]
    assert (entry["number"], entry["result"]) == (number, "registered")
    assert len(company.sandbox.registrations) == held
    again = run(*command, *STAND_INS)
    assert (again.returncode, again.stdout) == (0, "SIMULATION\nNothing is open.\n")


def test_what_others_left_open_waits_for_them(company: Company, tmp_path: Path) -> None:
    outcome = uncertain(company)
    certificate, private_key = company.sandbox.issue_card("AUTRE CARTE FICTIVE")
    (tmp_path / "other.pem").write_bytes(certificate + private_key)
    source = f'certificate = "other.pem"\nprivate_key = "other.pem"\n{BILLING}'
    file = written(tmp_path, who(source, rpps="99900063480"))
    done = run("ledger", "reconcile", "--credentials", file, "--settings", company.file, *STAND_INS)
    assert done.returncode == 1
    waits = f"waits          {outcome.number.value} for {SAMPLE_RPPS.value}"
    assert waits in done.stdout.splitlines()


def test_outside_the_sandbox_the_ports_are_named(company: Company, credentials: Path) -> None:
    command = ("ledger", "reconcile", "--credentials", credentials, "--settings", company.file)
    done = run(*command)
    assert done.returncode == 1
    assert "Outside the sandbox every port must be given. (at minter, codec, code2d)" in done.stderr
    done = run(*command, "--codec", "no_such_module:Codec")
    assert done.returncode == 1
    assert "cannot be loaded: ModuleNotFoundError. (at codec = no_such_module:Codec)" in done.stderr


def test_a_port_may_be_named_in_the_environment(
    company: Company, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for option, name in zip(STAND_INS[::2], STAND_INS[1::2], strict=True):
        monkeypatch.setenv(f"EPRESCRIPTION_{option[2:].upper()}", name)
    done = run("ledger", "reconcile", "--credentials", credentials, "--settings", company.file)
    assert (done.returncode, done.stdout) == (0, "SIMULATION\nNothing is open.\n"), done.stderr


def test_no_time_for_an_entry_is_refused(company: Company, credentials: Path) -> None:
    for seconds in ("0", "nan", "inf"):
        done = run(
            "ledger", "reconcile", "--credentials", credentials, "--settings", company.file,
            "--seconds", seconds, *STAND_INS,
        )  # fmt: skip
        assert done.returncode == 1
        assert "(at seconds)" in done.stderr


def test_the_documented_credentials_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "ledger-states.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    certificate, _ = signing_card()
    (tmp_path / "session.xml").write_bytes(READY)
    (tmp_path / "card.pem").write_bytes(certificate)
    (tmp_path / "card.key").write_bytes(locked_key(b"mot"))
    monkeypatch.setenv("CARD_SECRET", "mot")
    found = practitioners(written(tmp_path, text))
    assert found[0].assertion(NOW).xml == READY
    assert found[1].assertion(NOW).national_id == found[1].national_id


WRONG = {
    "no practitioner": ("", "credentials.toml"),
    "something else": (who('assertion = "a.xml"') + "\n[other]\n", "credentials.toml"),
    "no source": (who(""), "practitioner[0]"),
    "two sources": (who('assertion = "a"\npkcs12 = "b"'), "practitioner[0]"),
    "billing": (who('pkcs12 = "card.p12"'), "practitioner[0].billing_id"),
    "unknown": (who('assertion = "a.xml"\ncolour = "blue"'), "practitioner[0].colour"),
    "no text": (who('assertion = "a.xml"\nqualifier = 5'), "practitioner[0].qualifier"),
    "empty": (who('assertion = ""'), "practitioner[0].assertion"),
    "rpps": (who('assertion = "a.xml"', rpps="10001234567"), "practitioner[0].rpps"),
    "twice": (who('assertion = "a.xml"\n') + who('assertion = "a.xml"'), "practitioner[1].rpps"),
    "no such file": (who('assertion = "b.xml"'), "practitioner[0], {folder}/b.xml"),
    "no assertion": (who('assertion = "nothing.xml"'), "practitioner[0]"),
    "no key": (
        who(f'certificate = "nothing.xml"\nprivate_key = "nothing.xml"\n{BILLING}'),
        "practitioner[0], credentials",
    ),
    "no variable": (
        who(f'pkcs12 = "nothing.xml"\nsecret = "env:EP_NO_SUCH"\n{BILLING}'),
        "practitioner[0], secret",
    ),
    "a secret in the file": (
        who(f'pkcs12 = "nothing.xml"\nsecret = "1234"\n{BILLING}'),
        "practitioner[0], secret",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_credentials_file_is_named_by_its_path(name: str, tmp_path: Path) -> None:
    text, path = WRONG[name]
    (tmp_path / "a.xml").write_bytes(READY)
    (tmp_path / "nothing.xml").write_text("nothing")
    with pytest.raises((ep.ConfigurationError, ep.CredentialUnavailable)) as caught:
        practitioners(written(tmp_path, text))
    assert caught.value.path is not None
    assert caught.value.path.endswith(path.format(folder=tmp_path))
    for secret in (SAMPLE_RPPS.value, "1234", "10001234567"):
        assert secret not in str(caught.value).replace(str(tmp_path), "")


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "credentials.toml"
    with pytest.raises(ep.ConfigurationError, match="cannot be read"):
        practitioners(file)
    file.write_bytes(b"\xff")
    with pytest.raises(ep.ConfigurationError, match="Malformed TOML"):
        practitioners(file)


def test_a_passphrase_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, _ = signing_card()
    (tmp_path / "card.pem").write_bytes(certificate + locked_key(b"mot"))
    source = (
        'certificate = "card.pem"\nprivate_key = "card.pem"\n'
        f'secret = "env:EP_CARD_SECRET"\n{BILLING}'
    )
    file = written(tmp_path, who(source))
    monkeypatch.setenv("EP_CARD_SECRET", "mot")
    (found,) = practitioners(file)
    assert found.rpps == SAMPLE_RPPS
    assert found.national_id == f"8{SAMPLE_RPPS.value}"
    monkeypatch.setitem(os.environ, "EP_CARD_SECRET", "autre")
    with pytest.raises(ep.ConfigurationError, match="passphrase"):
        practitioners(file)


def test_a_pkcs12_file_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "card.p12").write_bytes(packed(signing_card(), BestAvailableEncryption(b"mot")))
    monkeypatch.setenv("EP_CARD_SECRET", "mot")
    source = f'pkcs12 = "card.p12"\nsecret = "env:EP_CARD_SECRET"\nqualifier = "CPF"\n{BILLING}'
    (found,) = practitioners(written(tmp_path, who(source)))
    assert b'NameQualifier="CPF"' in found.assertion(NOW).xml


def test_a_ready_made_assertion_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(READY)
    (found,) = practitioners(written(tmp_path, who('assertion = "a.xml"')))
    assert found.assertion(NOW).xml == READY


def test_a_card_signs_once_its_pin_is_known(
    card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = f'pkcs11 = "{card.module}"\ntoken = "carte"\nlabel = "signature"\n{BILLING}'
    monkeypatch.setattr("sys.stdin", io.StringIO())
    (asking,) = practitioners(written(tmp_path, who(source)))
    with pytest.raises(ep.CredentialUnavailable, match="no terminal to ask on"):
        asking.assertion(NOW)
    monkeypatch.setenv("EP_CARD_PIN", PIN)
    (told,) = practitioners(written(tmp_path, who(f'{source}secret = "env:EP_CARD_PIN"\n')))
    assert told.assertion(NOW).national_id == f"8{SAMPLE_RPPS.value}"

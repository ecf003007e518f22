"""A service that demands the organisation's certificate: what the two clients say of it."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import sample_prescription, sandbox_practitioner, sandbox_settings
from tests.client.harness import SIDES


@attrs.frozen
class Files:
    """What an integrator is given, in a folder; and a practitioner with a card."""

    sandbox: Sandbox
    folder: Path
    who: ep.Practitioner

    def settings(self, store: Path, certificate: str | None) -> ep.Settings:
        made = sandbox_settings(self.sandbox, store)
        return attrs.evolve(
            made,
            tls_authorities=self.folder / "authority.pem",
            tls_certificate=self.folder / f"{certificate}.pem" if certificate else None,
            # A machine that runs the tests is slow; nothing here is about time.
            profile=attrs.evolve(made.profile, connect_timeout=2, attempt_timeout=2, deadline=5),
        )


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
        yield Files(sandbox, folder, sandbox_practitioner(sandbox))


SAID = {
    None: ("ClientCertificateMissing", "was shown none"),
    "expired": ("ClientCertificateExpired", "has expired"),
    "nobodys": ("ClientCertificateUntrusted", "does not know the authority"),
}


def test_the_right_certificate_is_accepted(files: Files, side: str, tmp_path: Path) -> None:
    client = SIDES[side](files.settings(tmp_path / "store.db", "right"), files.who)
    try:
        outcome = client.create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        assert client.consult(outcome.number).number == outcome.number
    finally:
        client.close()


@pytest.mark.parametrize("certificate", SAID)
def test_each_wrong_one_is_an_answer_of_its_own(
    files: Files, side: str, tmp_path: Path, certificate: str | None
) -> None:
    word, sentence = SAID[certificate]
    registered = len(files.sandbox.registrations)
    client = SIDES[side](files.settings(tmp_path / "store.db", certificate), files.who)
    try:
        outcome = client.create(sample_prescription())
        assert isinstance(outcome, ep.NotRegistered)
        assert outcome.cause is ep.Cause.NOT_SENT
        # Trying again would not mend it.
        assert [attempt.detail for attempt in outcome.attempts] == [word]
        with pytest.raises(ep.ServiceUnreachable, match=sentence) as caught:
            client.consult(ep.PrescriptionNumber("SIM1"))
        assert word in str(caught.value)
        assert caught.value.way_out
    finally:
        client.close()
    assert len(files.sandbox.registrations) == registered


def test_a_service_nobody_here_trusts(files: Files, side: str, tmp_path: Path) -> None:
    (tmp_path / "other.pem").write_bytes(Sandbox().authority)
    settings = attrs.evolve(
        files.settings(tmp_path / "store.db", "right"), tls_authorities=tmp_path / "other.pem"
    )
    client = SIDES[side](settings, files.who)
    try:
        with pytest.raises(ep.ServiceUnreachable, match="vouched for by no authority"):
            client.consult(ep.PrescriptionNumber("SIM1"))
        assert isinstance(client.create(sample_prescription()), ep.NotRegistered)
    finally:
        client.close()

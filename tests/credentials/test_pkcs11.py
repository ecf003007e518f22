"""A card stood in for by SoftHSM2: a real PKCS#11 module, keys that do not leave it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

import eprescription_sdk as ep
from eprescription_sdk.credentials.pkcs11 import Pkcs11Assertion
from eprescription_sdk.credentials.signing import Billing, Holder
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import (
    SAMPLE_RPPS,
    SAMPLE_SITUATION,
    sample_prescription,
    sandbox_settings,
)
from tests.credentials.outside import verify_with_signxml, verify_with_xmlsec1

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
PIN = "1234"
HOLDER = Holder(
    national_id=f"8{SAMPLE_RPPS.value}",
    billing=Billing(billing_id="331234567", specialty="01", sector="SA07"),
)


@attrs.frozen
class Card:
    module: Path
    certificate: bytes
    sandbox: Sandbox

    def provider(
        self, pin: str | None = PIN, *, token: str = "carte", key: str = "signature"
    ) -> Pkcs11Assertion:
        return Pkcs11Assertion(self.module, token=token, key=key, holder=HOLDER, pin=pin)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Card]:
    module = next((Path(path) for path in MODULES if Path(path).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("Needs SoftHSM2: install the package softhsm2, or run .ci/run.")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
    )
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    with Sandbox() as sandbox:
        certificate, private_key = sandbox.issue_card("CARTE FICTIVE")
        (folder / "card.key").write_bytes(private_key)
        for arguments in (
            ("--init-token", "--free", "--label", "carte", "--so-pin", "0000", "--pin", PIN),
            ("--import", folder / "card.key", "--token", "carte", "--label", "signature",
             "--id", "01", "--pin", PIN),
        ):  # fmt: skip
            subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)
        _put_certificate(module, certificate)
        yield Card(module, certificate, sandbox)
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def _put_certificate(module: Path, certificate: bytes) -> None:
    import pkcs11
    from pkcs11 import Attribute, CertificateType, ObjectClass

    read = load_pem_x509_certificate(certificate)
    token = pkcs11.lib(str(module)).get_token(token_label="carte")
    with token.open(rw=True, user_pin=PIN) as session:
        session.create_object(
            {
                Attribute.CLASS: ObjectClass.CERTIFICATE,
                Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
                Attribute.TOKEN: True,
                Attribute.LABEL: "signature",
                Attribute.SUBJECT: read.subject.public_bytes(),
                Attribute.VALUE: read.public_bytes(Encoding.DER),
            }
        )


def test_a_card_signs_what_others_verify(card: Card, tmp_path: Path) -> None:
    made = card.provider().assertion(datetime.now(UTC))
    assert made.national_id == HOLDER.national_id
    signed = verify_with_signxml(made.xml, card.certificate)
    assert signed.findtext(".//{*}NameID") == HOLDER.national_id
    assert verify_with_xmlsec1(made.xml, card.certificate, tmp_path)
    tampered = made.xml.replace(HOLDER.national_id.encode(), b"someone-else")
    assert tampered != made.xml
    assert not verify_with_xmlsec1(tampered, card.certificate, tmp_path)


def test_a_prescription_is_created_with_a_card(card: Card, tmp_path: Path) -> None:
    practitioner = ep.Practitioner(
        rpps=SAMPLE_RPPS,
        national_id=HOLDER.national_id,
        situation=SAMPLE_SITUATION,
        assertions=card.provider(),
    )
    with ep.Client(sandbox_settings(card.sandbox, tmp_path / "store.db")) as client:
        outcome = client.acting_as(practitioner).create(sample_prescription())
    assert isinstance(outcome, ep.Registered)


def test_threads_share_a_card(card: Card) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: card.provider().assertion(datetime.now(UTC)), range(8)))
    for assertion in made:
        verify_with_signxml(assertion.xml, card.certificate)


@pytest.mark.parametrize(
    ("token", "key", "said"),
    [("absente", "signature", "not in its reader"), ("carte", "absente", "no such RSA key")],
)
def test_what_is_not_there_is_said(card: Card, token: str, key: str, said: str) -> None:
    with pytest.raises(ep.CredentialUnavailable, match=said):
        card.provider(token=token, key=key).assertion(datetime.now(UTC))


def test_a_refused_pin_is_not_shown_again(card: Card) -> None:
    asked: list[str] = []

    def pin() -> str:
        asked.append("9999")
        return asked[-1]

    provider = Pkcs11Assertion(card.module, token="carte", key="signature", holder=HOLDER, pin=pin)
    with pytest.raises(ep.CredentialUnavailable, match="refused the PIN"):
        provider.assertion(datetime.now(UTC))
    with pytest.raises(ep.CredentialUnavailable, match="not shown again") as caught:
        provider.assertion(datetime.now(UTC))
    assert "9999" not in str(caught.value)
    assert len(asked) == 2
    # The card still works for whoever knows its PIN.
    card.provider().assertion(datetime.now(UTC))


def test_a_card_that_is_out_is_an_answer(card: Card, tmp_path: Path) -> None:
    practitioner = ep.Practitioner(
        rpps=SAMPLE_RPPS,
        national_id=HOLDER.national_id,
        situation=SAMPLE_SITUATION,
        assertions=card.provider(token="absente"),
    )
    with ep.Client(sandbox_settings(card.sandbox, tmp_path / "store.db")) as client:
        outcome = client.acting_as(practitioner).create(sample_prescription())
    assert isinstance(outcome, ep.NotRegistered)
    assert outcome.cause is ep.Cause.NOT_SENT


def test_a_module_that_is_none_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ep.ConfigurationError, match="cannot be loaded"):
        Pkcs11Assertion(
            tmp_path / "none.so", token="carte", key="signature", holder=HOLDER, pin=PIN
        )

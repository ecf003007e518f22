"""Fictitious people, prescriptions and settings that work against the sandbox."""

import secrets
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.model.identifiers import Finess, Ins, InsOid, Rpps
from eprescription_sdk.model.lines import MedicationLine
from eprescription_sdk.model.people import Patient, PracticeSituation, Prescriber, Profession, Sex
from eprescription_sdk.model.prescription import ExecutionReading, Prescription
from eprescription_sdk.settings import Environment, ServiceProfile, Settings, UncertainPolicy

if TYPE_CHECKING:
    from eprescription_sdk.sandbox import Sandbox

SAMPLE_RPPS = Rpps("99700218896")
"""A fictitious practitioner; the key holds."""

SAMPLE_FINESS = Finess("330781287")
"""An establishment; the key holds."""

SAMPLE_SITUATION = "teleconsultation"
"""Id of the practice situation of the samples."""


def sample_prescription(
    *,
    rpps: Rpps = SAMPLE_RPPS,
    situation: str = SAMPLE_SITUATION,
    reference: str | None = None,
    ins_oid: InsOid = InsOid.TEST,
    text: str = "1 comprimé si douleur, au plus 3 par jour",
) -> Prescription:
    """A small valid prescription of one medicine, for nobody.

    Args:
        rpps: of the prescriber.
        situation: id of their practice situation.
        reference: the host's own key.
        ins_oid: authority of the patient's identity; that of tests by default.
        text: the posology.
    """
    return Prescription(
        prescriber=Prescriber(
            rpps=rpps,
            family_name="EXEMPLE",
            given_name="Camille",
            profession=Profession.DOCTOR,
            situation=PracticeSituation(id=situation, finess=SAMPLE_FINESS),
        ),
        patient=Patient(
            ins=Ins("278109999999938", ins_oid),
            family_name="ESSAI",
            given_name="Dominique",
            birth_date=date(1978, 10, 2),
            sex=Sex.FEMALE,
        ),
        lines=(MedicationLine(label="Paracétamol 1 g, comprimé", text=text),),
        execution_reading=ExecutionReading.AGREED,
        issued_at=datetime.now(UTC).replace(microsecond=0),
        reference=reference,
    )


def sandbox_settings(
    sandbox: "Sandbox",
    store: str | Path,
    *,
    environment: Environment = Environment.SANDBOX,
    profile: ServiceProfile | None = None,
    uncertain_policy: UncertainPolicy = UncertainPolicy.HOLD,
) -> Settings:
    """Settings that lead to a running sandbox.

    Args:
        sandbox: started.
        store: path of the store's file.
        environment: what the calls count as.
        profile: by default one whose durations are a twentieth of the usual.
        uncertain_policy: what happens to an uncertain document.
    """
    return Settings(
        environment=environment,
        service_url=sandbox.url,
        software_name="exemple",
        software_version="1.0",
        authorisation="SIMULATION-0000",
        instance=str(uuid4()),
        module="exemple-ordonnance",
        finess=SAMPLE_FINESS.value,
        store=Path(store),
        key=secrets.token_bytes(32),
        uncertain_policy=uncertain_policy,
        collector_url=sandbox.collector_url,
        profile=profile or ServiceProfile().scaled(0.05),
    )


def sandbox_practitioner(
    sandbox: "Sandbox", rpps: Rpps = SAMPLE_RPPS, situation: str = SAMPLE_SITUATION
) -> Practitioner:
    """The credentials of a practitioner whose card the sandbox issued.

    Args:
        sandbox: whose authority issues the card.
        rpps: of the practitioner.
        situation: id of the practice situation.
    """
    from eprescription_sdk.credentials.key_file import Billing, KeyFileAssertion

    certificate, private_key = sandbox.issue_card(f"CARTE FICTIVE {rpps.value[-4:]}")
    national_id = f"8{rpps.value}"
    return Practitioner(
        rpps=rpps,
        national_id=national_id,
        situation=situation,
        assertions=KeyFileAssertion(
            certificate=certificate,
            private_key=private_key,
            national_id=national_id,
            billing=Billing(billing_id="331234567", specialty="01", sector="SA07"),
        ),
    )

"""The stage: sandbox, company, practitioners with their cards, patients who do not exist."""

import json
import secrets
from datetime import datetime, time, timedelta
from pathlib import Path
from uuid import uuid4

import attrs
from stdnum.fr import nir

from eprescription_sdk.cli.material import material
from eprescription_sdk.client import Client
from eprescription_sdk.clock import PARIS, SimulatedClock
from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.credentials.key_file import Billing, KeyFileAssertion
from eprescription_sdk.model.identifiers import Finess, Ins, InsOid, Rpps
from eprescription_sdk.model.json_form import prescription_from_json
from eprescription_sdk.model.people import PracticeSituation
from eprescription_sdk.model.prescription import Prescription
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.pilot.lifecycle import Pilot
from eprescription_sdk.reference import FakeMinter, SpecimenCode
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.settings import Environment, ServiceProfile, Settings, UncertainPolicy
from eprescription_sdk.wire.reference_body import ReferenceCodec

SCALE = 0.05
"""Durations of service and profile, so that a lost answer costs a moment and not ten seconds."""

BY = "démonstration"
OUTSIDER = Rpps("99900034564")
"""A practitioner of the company who is not in the pilot; fictitious, the key holds."""


@attrs.frozen(kw_only=True)
class Stage:
    """All that the demo plays with.

    Args:
        sandbox: the stand-in téléservice and collector.
        clock: the simulated time.
        settings: of the company.
        client: of the company's back-end.
        dossier: of the pilot.
        pilot: in the client's store.
        practitioners: of the pilot, in the dossier's order.
        outsider: of the company, not of the pilot.
        cases: the example prescriptions.
    """

    sandbox: Sandbox
    clock: SimulatedClock
    settings: Settings
    client: Client
    dossier: Dossier
    pilot: Pilot
    practitioners: tuple[Practitioner, ...]
    outsider: Practitioner
    cases: tuple[Prescription, ...]

    def prescription(self, case: int, practitioner: Practitioner) -> Prescription:
        """An example prescription, written now by this practitioner for a new patient."""
        example = self.cases[case]
        prescriber = attrs.evolve(
            example.prescriber,
            rpps=practitioner.rpps,
            situation=PracticeSituation(
                id=practitioner.situation, finess=Finess(self.settings.finess)
            ),
        )
        return attrs.evolve(
            example,
            prescriber=prescriber,
            patient=attrs.evolve(example.patient, ins=_nobody()),
            issued_at=self.clock.now(),
            reference=str(uuid4()),
        )


def _nobody() -> Ins:
    """An identity whose key holds and that nobody can have: month 99, born in no commune.

    Test identities would not count in the assessment, and the demo is about counting.
    """
    first = f"299{secrets.randbelow(100):02d}99{secrets.randbelow(10**6):06d}"
    return Ins(first + nir.calc_check_digits(first), InsOid.NIR)


def set_stage(sandbox: Sandbox, clock: SimulatedClock, dossier: Dossier, store: Path) -> Stage:
    """Set everything up against a running sandbox."""
    settings = Settings(
        environment=Environment.PRODUCTION,
        service_url=sandbox.url,
        software_name="plateforme-exemple",
        software_version="4.2.0",
        authorisation=dossier.authorisation.number,
        instance=str(uuid4()),
        module=dossier.pilot.module,
        finess=dossier.company.finess.value,
        store=store,
        key=secrets.token_bytes(32),
        uncertain_policy=UncertainPolicy.HOLD,
        collector_url=sandbox.collector_url,
        profile=ServiceProfile(name="reference (ours, not official), SIMULATION").scaled(SCALE),
    )
    # Outside the sandbox environment the stand-ins are passed by name: hence SIMULATION.
    client = Client(
        settings,
        minter=FakeMinter(),
        codec=ReferenceCodec(),
        code2d=SpecimenCode(),
        clock=clock,
    )
    practitioners = tuple(
        _practitioner(sandbox, each.rpps, each.situation) for each in dossier.practitioners
    )
    return Stage(
        sandbox=sandbox,
        clock=clock,
        settings=settings,
        client=client,
        dossier=dossier,
        pilot=Pilot(client.store, key=settings.key, clock=clock, module=settings.module),
        practitioners=practitioners,
        outsider=_practitioner(sandbox, OUTSIDER, practitioners[0].situation),
        cases=tuple(
            prescription_from_json(json.loads(path.read_text(encoding="utf-8")))
            for path in sorted(material("prescriptions").glob("*.json"))
        ),
    )


def _practitioner(sandbox: Sandbox, rpps: Rpps, situation: str) -> Practitioner:
    certificate, private_key = sandbox.issue_card(f"CARTE FICTIVE {uuid4().hex[:6]}")
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


def opening_clock(dossier: Dossier) -> SimulatedClock:
    """A clock that stands at eight in the morning, three days before the first installation."""
    first = min(each.go_live for each in dossier.practitioners)
    return SimulatedClock(datetime.combine(first - timedelta(days=3), time(8), PARIS))

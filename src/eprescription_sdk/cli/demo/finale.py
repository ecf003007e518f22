"""The end of the pilot: assessment, report, closing, and what is still true afterwards."""

from pathlib import Path

import attrs

from eprescription_sdk.cli.context import write_json
from eprescription_sdk.cli.demo.play import Score
from eprescription_sdk.cli.demo.stage import BY, Stage
from eprescription_sdk.model.outcomes import Registered
from eprescription_sdk.pilot.assessing import assess
from eprescription_sdk.pilot.assessment import Assessment
from eprescription_sdk.pilot.export import write_export
from eprescription_sdk.pilot.report import write_report
from eprescription_sdk.pilot.verify import Verification, verify_export
from eprescription_sdk.traces import outbox
from eprescription_sdk.traces.closing import Receipt
from eprescription_sdk.traces.outbox import Shipping

AFTERWARDS = 5
"""Prescriptions written once the traces are closed."""


@attrs.frozen(kw_only=True)
class Finale:
    """What the demo ends with.

    Args:
        assessment: of the two weeks.
        receipt: of the closing.
        verification: of the export.
        shipped: traces that the store counts as sent.
        received: traces that the collector counts.
        afterwards: prescriptions registered once the traces were closed.
        received_afterwards: what the collector got from them.
        doubled: lost answers whose prescription the service does not hold exactly once.
    """

    assessment: Assessment
    receipt: Receipt
    verification: Verification
    shipped: int
    received: int
    afterwards: int
    received_afterwards: int
    doubled: int

    @property
    def holds(self) -> bool:
        """Whether everything is as it should be."""
        return (
            self.verification.holds
            and self.receipt.holds()
            and self.shipped == self.received
            and self.afterwards == AFTERWARDS
            and self.received_afterwards == 0
            and self.doubled == 0
        )


def finish(stage: Stage, score: Score, output: Path) -> Finale:
    """Assess, report, close, go on prescribing, verify."""
    store, key = stage.client.store, stage.settings.key
    stage.pilot.record_assessed(by=BY, reference="SIMULATION-BILAN")
    receipt = stage.pilot.close_traces(
        by=BY,
        reference="SIMULATION-DEPLOIEMENT",
        settle=lambda: stage.client.reconcile(credentials=stage.practitioners),
        shipper=stage.client.shipper,
    )
    collector = stage.sandbox.collector
    received, requests = len(collector.traces), collector.received
    afterwards = sum(
        isinstance(
            stage.client.acting_as(practitioner).create(stage.prescription(index, practitioner)),
            Registered,
        )
        for index, practitioner in enumerate(stage.practitioners[:AFTERWARDS])
    )
    stage.client.shipper.drain(timeout=2)
    faults = stage.settings.profile.faults
    assessment = assess(store, key=key, clock=stage.clock, known_faults=faults)
    write_report(assessment, output / "report.html", name=stage.dossier.pilot.name)
    write_json(output / "assessment.json", assessment.to_dict())
    write_json(output / "receipt.json", receipt.to_json())
    write_export(store, output / "export", key=key, at=assessment.cut_off)
    return Finale(
        assessment=assessment,
        receipt=receipt,
        verification=verify_export(
            output / "export", assessment=assessment.to_dict(), anchors=receipt.heads
        ),
        shipped=store.read(outbox.counts)[Shipping.SHIPPED],
        received=received,
        afterwards=afterwards,
        received_afterwards=collector.received - requests,
        doubled=sum(stage.sandbox.count(number.value) != 1 for number in score.lost),
    )

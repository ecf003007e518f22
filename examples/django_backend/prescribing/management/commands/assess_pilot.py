"""``manage.py assess_pilot``: how the pilot stands, from the SDK's own traces."""

from typing import Any

from django.core.management.base import BaseCommand

import eprescription_sdk as ep
from prescribing.issuing import client


class Command(BaseCommand):
    """Prints the five criteria, under both readings of every open question."""

    help = "Calcule le bilan de la présérie."

    def handle(self, **_: Any) -> None:
        """Assess, and print."""
        settings = ep.Settings.from_env()
        assessment = ep.pilot.assess(client().store, key=settings.key)
        if assessment.simulation:
            self.stdout.write("SIMULATION")
        for criterion in ep.pilot.Criterion:
            self.stdout.write(f"{criterion.value} : {criterion.label_fr}")
            for name, results in (
                ("lecture stricte", assessment.strict),
                ("lecture favorable", assessment.lenient),
            ):
                result = results[criterion]
                self.stdout.write(f"  {name} : {result.verdict.label_fr}. {result.reason_fr}")

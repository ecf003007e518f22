"""``manage.py declare_volumes``: how many documents were written, traced or not; once a day."""

from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Count
from django.utils import timezone

import eprescription_sdk as ep
from prescribing.issuing import client
from prescribing.models import Document


class Command(BaseCommand):
    """Counts the host's own table, so that what was never traced shows beside C1."""

    help = "Déclare les volumes d'une journée."

    def add_arguments(self, parser: CommandParser) -> None:
        """The day; yesterday by default."""
        yesterday = timezone.localdate() - timedelta(days=1)
        parser.add_argument("--day", type=date.fromisoformat, default=yesterday)

    def handle(self, *, day: date, **_: Any) -> None:
        """Count, and declare."""
        written = Document.objects.filter(issued_at__date=day).exclude(state=Document.State.DRAFT)
        for rpps, documents in written.values_list("rpps").annotate(Count("id")):
            client().declare_volume(prescriber=ep.Rpps(rpps), day=day, documents=documents)
            self.stdout.write(f"{day} : {documents} documents")

"""``manage.py settle``: learn what became of documents after their call; every minute or so."""

from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

import eprescription_sdk as ep
from prescribing import issuing
from prescribing.models import Document, FeedCursor, Session


class Command(BaseCommand):
    """Asks the service with the credentials at hand, then reads the feed of answers."""

    help = "Met à jour les documents dont le sort s'est précisé."

    def handle(self, **_: Any) -> None:
        """Three ways to learn it, one after the other."""
        self.ask_for_what_is_uncertain()
        self.read_the_feed()
        self.issue_again_what_was_rolled_back()

    def ask_for_what_is_uncertain(self) -> None:
        """By consulting only; whose practitioner is not there waits for their next session."""
        present = []
        for session in Session.objects.all():
            with suppress(ep.CredentialUnavailable):
                present.append(session.practitioner)
        found = issuing.client().reconcile(credentials=present)
        self.stdout.write(f"reconcile : {found}")

    @transaction.atomic
    def read_the_feed(self) -> None:
        """The cursor moves in the transaction that keeps what was read: nothing is missed."""
        cursor, _ = FeedCursor.objects.select_for_update().get_or_create(pk="documents")
        for settled in issuing.client().settlements(after=cursor.position):
            Document.objects.filter(number=settled.number.value).exclude(
                state=Document.State.PAPER
            ).update(state=settled.state.value)
            cursor.position = settled.cursor
        cursor.save()

    def issue_again_what_was_rolled_back(self) -> None:
        """A document in SENDING lost its answer on the host's side; the ledger has it."""
        for document in Document.objects.filter(state=Document.State.SENDING):
            with suppress(ep.CredentialUnavailable):
                outcome = issuing.issue(document)
                self.stdout.write(f"{document.pk} : {type(outcome).__name__}")

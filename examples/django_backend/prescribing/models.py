"""What the host keeps: its documents, who is authenticated, and how far it has read the feed."""

import uuid
from datetime import UTC, datetime
from typing import assert_never

from django.db import models

import eprescription_sdk as ep


class Session(models.Model):
    """A practitioner who is authenticated: what their workstation signed.

    It lives as long as the assertion does, and is as secret as a password.
    """

    rpps = models.CharField(primary_key=True, max_length=11)
    situation = models.CharField(max_length=64)
    assertion = models.BinaryField()

    @property
    def practitioner(self) -> ep.Practitioner:
        """The credentials for the SDK."""
        assertions = ep.ReadyAssertion(bytes(self.assertion))
        return ep.Practitioner(
            rpps=ep.Rpps(self.rpps),
            national_id=assertions.assertion(datetime.now(UTC)).national_id,
            situation=self.situation,
            assertions=assertions,
        )


class Document(models.Model):
    """One prescription document, from its draft on."""

    class State(models.TextChoices):
        """Where it stands; all but the first and the last are those of the SDK's ledger."""

        DRAFT = "draft"
        SENDING = ep.State.SENDING.value
        UNCERTAIN = ep.State.UNCERTAIN.value
        REGISTERED = ep.State.REGISTERED.value
        NOT_REGISTERED = ep.State.NOT_REGISTERED.value
        PAPER = "paper"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    rpps = models.CharField(max_length=11)
    issued_at = models.DateTimeField()
    content = models.JSONField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.DRAFT)
    # What the SDK minted. It is printed only in the state REGISTERED.
    number = models.CharField(max_length=64, default="", db_index=True)

    @property
    def prescription(self) -> ep.Prescription:
        """The content, with the host's own id as reference: it is registered once."""
        return ep.prescription_from_json({**self.content, "reference": str(self.id)})

    def note(self, outcome: ep.Outcome) -> None:
        """Keep what a call came to."""
        match outcome:
            case ep.Registered():
                self.state = self.State.REGISTERED
            case ep.NotRegistered():
                self.state = self.State.NOT_REGISTERED
            case ep.Uncertain():
                self.state = self.State.UNCERTAIN
            case never:
                assert_never(never)
        self.number = outcome.number.value if outcome.number else ""
        self.save(update_fields=["state", "number"])


class FeedCursor(models.Model):
    """How far a consumer has read ``settlements()``: in the host's own tables."""

    consumer = models.CharField(primary_key=True, max_length=32)
    position = models.BigIntegerField(default=0)

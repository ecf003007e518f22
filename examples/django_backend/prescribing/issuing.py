"""Issuing a document: the one place where the transaction matters.

A registered prescription cannot be rolled back. So ``create()`` runs outside every transaction of
the host, between two short ones: the first says that it begins, the second keeps the answer.
If the second fails, the document stays in SENDING: issued again, under the same reference, it
gets the answer that the ledger has, and nothing is sent twice.
"""

from typing import TYPE_CHECKING

from django.apps import apps
from django.db import transaction

import eprescription_sdk as ep
from prescribing.models import Document, Session

if TYPE_CHECKING:
    from eprescription_sdk import Acting

PATIENCE = 8.0
"""Seconds that the prescriber may be kept waiting; what was sent is followed behind."""


def client() -> ep.Client:
    """The client of this process."""
    return apps.get_app_config("prescribing").client


def acting(rpps: str) -> "Acting":
    """A client bound to a practitioner who is authenticated.

    Raises:
        CredentialUnavailable: they are not, or no longer.
    """
    session = Session.objects.filter(pk=rpps).first()
    if session is None:
        raise ep.CredentialUnavailable("The practitioner has no open session.")
    return client().acting_as(session.practitioner)


def issue(document: Document) -> ep.Outcome:
    """Register a document, once, whatever becomes of this process.

    Raises:
        RuntimeError: it is called inside a transaction, which could still be rolled back.
    """
    doctor = acting(document.rpps)
    with transaction.atomic(durable=True):
        Document.objects.filter(pk=document.pk).exclude(state=Document.State.REGISTERED).update(
            state=Document.State.SENDING
        )
    outcome = doctor.create(document.prescription, wait=PATIENCE)
    with transaction.atomic(durable=True):
        document.note(outcome)
    return outcome

"""A Celery worker that issues prescriptions, settles them, and ships traces.

A message carries the host's own id and nothing else: neither the broker nor the results hold a
patient, a prescription or its number. Run: ``celery -A worker worker --beat`` in this folder.
"""

import os
from pathlib import Path

import host
from celery import Celery
from celery.signals import worker_process_shutdown

import eprescription_sdk as ep

PATIENCE = 8.0
"""Seconds that the prescriber may be kept waiting; what was sent is followed behind."""

QUEUE = Path(os.environ.get("QUEUE", "queue"))
for folder in ("messages", "control", "results"):
    (QUEUE / folder).mkdir(parents=True, exist_ok=True)

app = Celery("worker", broker="filesystem://", backend=f"file://{QUEUE.resolve() / 'results'}")
app.conf.update(
    # The filesystem stands for the broker that you have.
    broker_transport_options={
        "data_folder_in": str(QUEUE / "messages"),
        "data_folder_out": str(QUEUE / "messages"),
        "control_folder": str(QUEUE / "control"),
        "polling_interval": 0.1,
    },
    broker_connection_retry_on_startup=True,
    # A message is taken off the queue once its work is done. One that is delivered twice after a
    # crash does no harm: the reference is the same.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    beat_schedule={
        "follow": {"task": "worker.follow", "schedule": 2.0},
        "ship": {"task": "worker.ship", "schedule": 15.0},
        "reconcile": {"task": "worker.reconcile", "schedule": 60.0},
    },
)

# One client, made before the worker forks: making it opens nothing, each child opens its own.
# The three stand-ins are passed by name, and every output says SIMULATION. Yours go here.
client = ep.Client(
    ep.Settings.from_env(),
    minter=ep.reference.FakeMinter(),
    codec=ep.ReferenceCodec(),
    code2d=ep.reference.SpecimenCode(),
)


@worker_process_shutdown.connect
def close_client(**_: object) -> None:
    """Write what waits, before a child ends."""
    client.close()


@app.task(autoretry_for=(ep.StoreError,), retry_backoff=True, max_retries=5)
def issue(document_id: str) -> str:
    """Register a document; the outcome is kept in the host's tables, with its sentence.

    Only a ledger that could not be written is tried again by Celery, for then nothing was sent.
    What is uncertain is settled by ``reconcile``; what is refused, by the prescriber.
    """
    prescription = host.prescription(document_id)
    present = host.practitioners(prescription.prescriber.rpps.value)
    if not present:
        # Nobody can prescribe in their name: the document stays a draft until they are back.
        return "NoSession"
    outcome = client.acting_as(present[0]).create(prescription, wait=PATIENCE)
    host.note(document_id, outcome)
    return type(outcome).__name__


@app.task
def reconcile() -> dict[str, int]:
    """Ask for what is uncertain, with the credentials of who is there; it never creates."""
    found = client.reconcile(credentials=host.practitioners())
    return {"registered": found.registered, "waiting": found.waiting_for_credentials}


@app.task
def follow() -> int:
    """Bring answers that came after their call into the host's tables."""
    return host.follow(client.settlements)


@app.task
def ship() -> int:
    """Ship the traces that wait, for at most some seconds."""
    return client.shipper.drain(timeout=10)

"""The engine of one call, its two drivers, and what the host holds in its hands.

``create``, ``reading`` and ``reconcile`` are generators without I/O; ``driver`` carries their
effects out; ``blocking`` and ``asynchronous`` are the public clients.
"""

from eprescription_sdk.client.asynchronous import AsyncActing, AsyncClient
from eprescription_sdk.client.blocking import Acting, Client
from eprescription_sdk.client.document import DocumentBlock
from eprescription_sdk.client.reconcile import Reconciled, Reconciliation

__all__ = [
    "Acting",
    "AsyncActing",
    "AsyncClient",
    "Client",
    "DocumentBlock",
    "Reconciled",
    "Reconciliation",
]

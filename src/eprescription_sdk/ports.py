"""What an integrator replaces: protocols, nothing else.

What the Assurance Maladie does not publish is behind one of these. The stand-ins of
``reference/`` and ``wire/`` implement them and say ``simulated = True``; every output of a
client that uses one says SIMULATION (law 8).
"""

from datetime import datetime
from typing import Protocol

from eprescription_sdk.model.exchange import (
    AccessToken,
    Assertion,
    CreateAnswer,
    HttpReply,
    HttpRequest,
    Operation,
    SearchPage,
    SearchQuery,
    StoredPrescription,
)
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.prescription import Prescription
from eprescription_sdk.model.trace import ChainLink, Trace


class NumberMinter(Protocol):
    """Computes the unique prescription number (SEL-SFG-023, EF_EP02.02: not public)."""

    @property
    def simulated(self) -> bool:
        """Whether its numbers are a stand-in's."""

    def mint(self, prescription: Prescription) -> PrescriptionNumber:
        """A number that was never given before, for this prescription."""


class BodyCodec(Protocol):
    """Writes and reads the body of the three operations (message schemas: not public).

    Bodies are bytes of one XML element, what stands inside ``soap:Body``. Decoding raises
    ``errors.InvalidInput`` for a body that it cannot read.
    A whole one, for another service, is in ``examples/custom_codec``.
    """

    @property
    def simulated(self) -> bool:
        """Whether its bodies are a stand-in's."""

    def action(self, operation: Operation) -> str:
        """The ``wsa:Action`` of an operation."""

    def encode_create(self, prescription: Prescription, number: PrescriptionNumber) -> bytes:
        """The body of a create; the same bytes are sent on every attempt."""

    def encode_consult(self, number: PrescriptionNumber) -> bytes:
        """The body of a consult."""

    def encode_search(self, query: SearchQuery, cursor: str | None) -> bytes:
        """The body of a search; ``cursor`` asks for the page that it leads to."""

    def decode_create(self, body: bytes) -> CreateAnswer:
        """The answer to a create."""

    def decode_consult(self, body: bytes) -> StoredPrescription | None:
        """The answer to a consult; None when the service has no such prescription."""

    def decode_search(self, body: bytes) -> SearchPage:
        """The answer to a search."""

    def fingerprint(self, body: bytes) -> str:
        """Stands for the content of an encoded create, whatever its serialisation."""


class Code2D(Protocol):
    """What the printed 2D code holds (payload: not public)."""

    @property
    def simulated(self) -> bool:
        """Whether its code is a stand-in's."""

    @property
    def symbology(self) -> str:
        """Name of the symbology, such as ``datamatrix``."""

    def payload(self, number: PrescriptionNumber) -> str:
        """What the code holds for this number."""


class TraceProfile(Protocol):
    """The format that traces are shipped in (official one: not public)."""

    @property
    def name(self) -> str:
        """Shown in receipts and by ``doctor``."""

    @property
    def content_type(self) -> str:
        """Of one encoded trace."""

    @property
    def resource(self) -> str:
        """Path below the collector's address that a trace is posted to."""

    def encode(self, trace: Trace, link: ChainLink) -> bytes:
        """One trace, carrying its link of the chain so that heads are anchored outside.

        Raises:
            InvalidInput: the format cannot express this trace.
        """


class AssertionProvider(Protocol):
    """Gives the SAML assertion of one practitioner (card, agent, key file, PKCS#11)."""

    def assertion(self, now: datetime) -> Assertion:
        """An assertion valid at ``now``.

        Raises:
            CredentialUnavailable: the card or session is not at hand.
        """


class TokenSource(Protocol):
    """Gives the Pro Santé Connect access token of one practitioner."""

    def token(self, now: datetime) -> AccessToken:
        """A token valid at ``now``.

        Raises:
            CredentialUnavailable: the session is over.
        """


class Transport(Protocol):
    """Carries requests, blocking."""

    def send(self, request: HttpRequest) -> HttpReply:
        """The whole reply, whatever its status.

        Raises:
            TransportFailure: no answer, with what is known of the delivery.
        """

    def close(self) -> None:
        """Give connections back."""


class AsyncTransport(Protocol):
    """Carries requests on an event loop."""

    async def send(self, request: HttpRequest) -> HttpReply:
        """The whole reply, whatever its status.

        Raises:
            TransportFailure: no answer, with what is known of the delivery.
        """

    async def close(self) -> None:
        """Give connections back."""

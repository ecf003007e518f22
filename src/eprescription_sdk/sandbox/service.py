"""The three operations of the reference sandbox: receive a request, carry it out.

Pure of HTTP: bytes in, an answer out. How an answer is delivered, late, cut or not at all,
is the business of ``app``. Ours, not the Assurance Maladie's.
"""

from collections.abc import Callable
from datetime import datetime

from attrs import frozen
from lxml import etree

from eprescription_sdk.clock import Clock
from eprescription_sdk.sandbox import answers
from eprescription_sdk.sandbox.answers import Answer
from eprescription_sdk.sandbox.assertion import check_assertion
from eprescription_sdk.sandbox.authority import Authority
from eprescription_sdk.sandbox.reading import (
    Consult,
    Create,
    Search,
    check_content_type,
    check_headers,
    glance,
    read_body,
)
from eprescription_sdk.sandbox.state import Operation, Registration, State
from eprescription_sdk.sandbox.xpaths import Refusal, parse


@frozen(kw_only=True, repr=False)
class Received:
    """A request as it was received: what could be read, and what to do, or why not.

    Attributes:
        operation: what it asks for, or None where that could not be read.
        message_id: its message id, or None.
        number: the number it names, or None.
        at: when it was received, UTC.
        wish: what it asks for once it passed every check, or the refusal.
    """

    operation: Operation | None
    message_id: str | None
    number: str | None
    at: datetime
    wish: Create | Consult | Search | Refusal


class Service:
    """The reference stand-in of the téléservice.

    Args:
        state: where registrations are kept.
        clock: the sandbox's time.
        authority: who must have issued the cards; None leaves signatures unchecked.
        page_size: how many prescriptions one search answer holds.
        time_tolerance: by how many seconds ``ContexteBAM/Temps`` may differ from the clock.
    """

    def __init__(
        self,
        *,
        state: State,
        clock: Clock,
        authority: Authority | None,
        page_size: int,
        time_tolerance: float,
    ) -> None:
        self._state = state
        self._clock = clock
        self._authority = authority
        self._page_size = page_size
        self._time_tolerance = time_tolerance

    def receive(self, body: bytes, content_type: str | None) -> Received:
        """Read and check a request; a refusal is part of the result."""
        now = self._clock.now()
        operation: Operation | None = None
        message_id: str | None = None
        number: str | None = None
        wish: Create | Consult | Search | Refusal
        try:
            root = parse(body)
            operation, message_id, number = glance(root)
            wish = self._checked(root, operation, content_type, now)
        except Refusal as refusal:
            wish = refusal
        return Received(
            operation=operation, message_id=message_id, number=number, at=now, wish=wish
        )

    def _checked(
        self,
        root: etree._Element,
        operation: Operation | None,
        content_type: str | None,
        now: datetime,
    ) -> Create | Consult | Search:
        check_content_type(content_type, root)
        check_headers(root, now=now, tolerance=self._time_tolerance)
        check_assertion(root, now=now, authority=self._authority)
        if operation is None:  # check_headers refuses an unknown action
            raise Refusal("Message refusé : wsa:Action inconnue.")
        return read_body(root, operation)

    def perform(
        self, received: Received, *, stale: Callable[[Registration], bool] | None = None
    ) -> Answer:
        """Carry out a request, and say so.

        Args:
            received: the request.
            stale: tells which registrations a consult does not see yet.
        """
        wish, message_id = received.wish, received.message_id
        if isinstance(wish, Refusal):
            return answers.fault(answers.refused(wish.code, wish.text), relates_to=message_id)
        relates_to = message_id or ""
        if isinstance(wish, Create):
            return self._create(wish, relates_to)
        if isinstance(wish, Search):
            return self._search(wish, relates_to)
        kept = self._state.find(wish.number)
        if kept is None or (stale is not None and stale(kept)):
            return answers.absent(Operation.CONSULT, relates_to=relates_to)
        return answers.consulted(kept, relates_to=relates_to)

    def _create(self, wish: Create, message_id: str) -> Answer:
        registration = Registration(
            number=wish.number,
            prescriber=wish.prescriber,
            patient=wish.patient,
            patient_oid=wish.patient_oid,
            document_type=wish.document_type,
            issued_on=wish.issued_on,
            registered_at=self._clock.now(),
            message_id=message_id,
            document=wish.document,
            committed=self._clock.monotonic(),
        )
        if self._state.register(registration):
            return answers.created(registration, relates_to=message_id)
        text = "Une ordonnance porte déjà ce numéro."
        return answers.fault(answers.refused(answers.EXISTS, text), relates_to=message_id)

    def _search(self, wish: Search, message_id: str) -> Answer:
        start = 0
        if wish.cursor is not None:
            # The cursor is a place in the list, which only grows: pages never shift.
            digits = wish.cursor.removeprefix("ref-")
            if digits == wish.cursor or not digits.isdecimal() or len(digits) > 9:
                text = "Message refusé : Curseur inconnu."
                form = answers.refused(answers.INVALID, text)
                return answers.fault(form, relates_to=message_id)
            start = int(digits)
        everything = self._state.registrations()
        places = [i for i in range(start, len(everything)) if _matches(everything[i], wish)]
        if not places:
            return answers.absent(Operation.SEARCH, relates_to=message_id)
        page = places[: self._page_size]
        cursor = f"ref-{places[self._page_size]}" if len(places) > self._page_size else None
        return answers.found([everything[i] for i in page], cursor=cursor, relates_to=message_id)


def _matches(kept: Registration, wish: Search) -> bool:
    return (
        (
            wish.patient is None
            or (kept.patient, kept.patient_oid) == (wish.patient, wish.patient_oid)
        )
        and (wish.prescriber is None or kept.prescriber == wish.prescriber)
        and (wish.issued_from is None or kept.issued_on >= wish.issued_from)
        and (wish.issued_until is None or kept.issued_on <= wish.issued_until)
    )

"""What the ports exchange with the engine: requests, replies, answers, credentials."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum

import attrs
from attrs.validators import instance_of, optional

from eprescription_sdk.model.identifiers import Ins, PrescriptionNumber, Rpps

# What a codec read is checked where it is made, so that a slip of its author's goes no further.
_moment = optional(instance_of(datetime))


class Operation(Enum):
    """The three operations of the service (SEL_MP_040, SEL_MP_032, SEL_MP_031)."""

    CREATE = "create"
    CONSULT = "consult"
    SEARCH = "search"


@attrs.frozen(kw_only=True)
class HttpRequest:
    """One request for a ``Transport``.

    Args:
        url: absolute.
        headers: as sent.
        content: the body.
        timeout: for the whole attempt, in seconds.
        connect_timeout: to open a connection, in seconds.
        max_bytes: a larger reply is cut off and reported as unknown delivery.
    """

    url: str
    headers: Mapping[str, str]
    content: bytes = attrs.field(repr=False)
    timeout: float
    connect_timeout: float
    max_bytes: int


@attrs.frozen(kw_only=True)
class HttpReply:
    """What came back.

    Args:
        status: HTTP status.
        headers: names in lower case.
        content: the whole body.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Assertion:
    """A SAML assertion of a practitioner, ready to embed.

    Args:
        xml: the signed element, UTF-8.
        not_on_or_after: when it stops being valid, UTC.
        national_id: the PS national id that it names.
    """

    xml: bytes = attrs.field(repr=False)
    not_on_or_after: datetime
    national_id: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class AccessToken:
    """A bearer token of Pro Santé Connect.

    Args:
        value: the token.
        expires_at: UTC.
    """

    value: str = attrs.field(repr=False)
    expires_at: datetime


@attrs.frozen(kw_only=True)
class CreateAnswer:
    """What the service answered to a create.

    Args:
        number: the number it registered.
        registered_at: when, as it says; None when it does not say.
    """

    number: PrescriptionNumber
    registered_at: datetime | None = attrs.field(validator=_moment)


@attrs.frozen(kw_only=True)
class StoredPrescription:
    """A prescription as the service holds it.

    Args:
        number: its number.
        prescriber: who wrote it.
        registered_at: when it was registered, as the service says.
        fingerprint: of its content, comparable with ``BodyCodec.fingerprint``; None when the
            service echoes no content.
        content: the body as received, for the host to read; health data.
    """

    number: PrescriptionNumber
    prescriber: Rpps
    registered_at: datetime | None = attrs.field(validator=_moment)
    fingerprint: str | None = attrs.field(
        default=None, repr=False, validator=optional(instance_of(str))
    )
    content: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class SearchQuery:
    """What to look for; at least one criterion.

    Args:
        patient: whose prescriptions.
        prescriber: written by whom.
        issued_from: first day, Europe/Paris.
        issued_to: last day, included.
    """

    patient: Ins | None = None
    prescriber: Rpps | None = None
    issued_from: date | None = None
    issued_to: date | None = None


@attrs.frozen(kw_only=True)
class Summary:
    """One line of a search result.

    Args:
        number: the prescription's number.
        registered_at: when it was registered.
        document_type: the code as received.
        prescriber: who wrote it.
    """

    number: PrescriptionNumber
    registered_at: datetime | None
    document_type: str
    prescriber: Rpps | None


@attrs.frozen(kw_only=True)
class SearchPage:
    """One page of a search result; ``cursor`` leads to the next, None ends."""

    summaries: tuple[Summary, ...] = attrs.field(validator=instance_of(tuple))
    cursor: str | None = None

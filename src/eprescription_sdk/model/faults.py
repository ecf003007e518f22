"""A fault of the téléservice, as read from the wire, before anyone judges it."""

import attrs


@attrs.frozen(kw_only=True)
class Fault:
    """What a SOAP fault said.

    Args:
        sender: whether the service blames the request; None when it says neither.
        subcode: local name of the subcode, such as ``siram_40``.
        code: the service's own code, such as ``insi_102``.
        severity: as received; unknown values survive.
        text: meant for the end user; it may quote what was sent, so ``repr`` hides it.
        message_id: the service's id of the message, for its support.
    """

    sender: bool | None = None
    subcode: str | None = None
    code: str | None = None
    severity: str | None = None
    text: str = attrs.field(default="", repr=False)
    message_id: str | None = None

"""A ready-made assertion: signed on the practitioner's workstation, or by an agent."""

from datetime import datetime

from eprescription_sdk.credentials.saml import read_assertion
from eprescription_sdk.errors import CredentialUnavailable
from eprescription_sdk.model.exchange import Assertion


class ReadyAssertion:
    """Gives one assertion for as long as it holds.

    Args:
        markup: the signed element, UTF-8.

    Raises:
        CredentialUnavailable: it cannot be read.
    """

    def __init__(self, markup: bytes) -> None:
        self._assertion = read_assertion(markup)

    def assertion(self, now: datetime) -> Assertion:
        """The assertion.

        Raises:
            CredentialUnavailable: it has expired.
        """
        if self._assertion.not_on_or_after <= now:
            raise CredentialUnavailable(
                "The assertion has expired.",
                way_out="Have the practitioner's workstation sign a new one.",
            )
        return self._assertion

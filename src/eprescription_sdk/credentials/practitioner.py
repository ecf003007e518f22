"""Who acts: RPPS, PS national id, and a source of assertions with its cache."""

import threading
from datetime import datetime, timedelta

import attrs

from eprescription_sdk.errors import CredentialUnavailable
from eprescription_sdk.model.exchange import Assertion
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.ports import AssertionProvider

MARGIN = timedelta(seconds=30)
"""An assertion this close to its end is not used any more: the request may still be queued."""


@attrs.define(kw_only=True, eq=False)
class Practitioner:
    """The credentials of one practitioner; safe to share between threads.

    Args:
        rpps: national number, as in the prescriptions they write.
        national_id: PS national id (IDNPS), from the card or Pro Santé Connect; it is neither
            built nor parsed.
        situation: id of the practice situation that they act in.
        assertions: where their assertions come from.
    """

    rpps: Rpps = attrs.field(on_setattr=attrs.setters.frozen)
    national_id: str = attrs.field(repr=False, on_setattr=attrs.setters.frozen)
    situation: str = attrs.field(on_setattr=attrs.setters.frozen)
    assertions: AssertionProvider = attrs.field(repr=False, on_setattr=attrs.setters.frozen)
    _cached: Assertion | None = attrs.field(default=None, init=False, repr=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def cached(self, now: datetime) -> Assertion | None:
        """The assertion at hand, if it is still good."""
        cached = self._cached
        return cached if cached is not None and now < cached.not_on_or_after - MARGIN else None

    def assertion(self, now: datetime) -> Assertion:
        """A good assertion; asks the provider when none is at hand, which may take its time.

        Raises:
            CredentialUnavailable: there is none to be had, or it names somebody else.
        """
        with self._lock:
            cached = self.cached(now)
            if cached is not None:
                return cached
            fresh = self._ask(now)
            if fresh.national_id != self.national_id:
                raise CredentialUnavailable(
                    "The assertion names another practitioner.",
                    way_out="Ask for the card or session of the practitioner who prescribes.",
                )
            if fresh.not_on_or_after <= now:
                raise CredentialUnavailable(
                    "The assertion has expired.",
                    way_out="Ask the practitioner to authenticate again.",
                )
            self._cached = fresh
            return fresh

    def _ask(self, now: datetime) -> Assertion:
        try:
            return self.assertions.assertion(now)
        except CredentialUnavailable:
            raise
        except Exception as error:  # noqa: BLE001
            # A provider is foreign code: a card reader fails in its own ways.
            raise CredentialUnavailable(
                f"The provider of assertions failed: {type(error).__name__}.",
                way_out="Check the card, its reader or the session.",
            ) from None

    def forget(self) -> None:
        """Drop the assertion at hand: the service refused it."""
        with self._lock:
            self._cached = None

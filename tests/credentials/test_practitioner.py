"""Who acts: the cache of assertions, its margin, and threads that share it."""

import threading
import time
from datetime import datetime, timedelta

import attrs
import pytest

from eprescription_sdk.credentials import Practitioner
from eprescription_sdk.credentials.practitioner import MARGIN
from eprescription_sdk.errors import CredentialUnavailable
from eprescription_sdk.model.exchange import Assertion
from eprescription_sdk.model.identifiers import Rpps
from tests.credentials.cards import NATIONAL_ID, NOW


class Provider:
    """Counts how often it is asked."""

    def __init__(self, *, seconds: float = 600, national_id: str = NATIONAL_ID) -> None:
        self.asked = 0
        self.seconds = seconds
        self.national_id = national_id
        self.takes = 0.0
        self.fails: Exception | None = None

    def assertion(self, now: datetime) -> Assertion:
        self.asked += 1
        time.sleep(self.takes)
        if self.fails is not None:
            raise self.fails
        return Assertion(
            xml=b"<secret/>",
            not_on_or_after=now + timedelta(seconds=self.seconds),
            national_id=self.national_id,
        )


def practitioner(provider: Provider) -> Practitioner:
    return Practitioner(
        rpps=Rpps("99700218896"),
        national_id=NATIONAL_ID,
        situation="teleconsultation",
        assertions=provider,
    )


def test_an_assertion_is_kept_until_shortly_before_its_end() -> None:
    provider = Provider()
    doctor = practitioner(provider)
    assert doctor.cached(NOW) is None
    first = doctor.assertion(NOW)
    last_moment = first.not_on_or_after - MARGIN - timedelta(seconds=1)
    assert doctor.assertion(last_moment) is first
    assert doctor.cached(last_moment) is first
    assert doctor.cached(last_moment + timedelta(seconds=1)) is None
    assert doctor.assertion(last_moment + timedelta(seconds=1)) is not first
    assert provider.asked == 2


def test_a_forgotten_assertion_is_asked_for_again() -> None:
    provider = Provider()
    doctor = practitioner(provider)
    doctor.assertion(NOW)
    doctor.forget()
    assert doctor.cached(NOW) is None
    doctor.assertion(NOW)
    assert provider.asked == 2


def test_threads_that_need_one_at_once_ask_once() -> None:
    provider = Provider()
    provider.takes = 0.1
    doctor = practitioner(provider)
    got: list[Assertion] = []
    threads = [threading.Thread(target=lambda: got.append(doctor.assertion(NOW))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert provider.asked == 1
    assert len({id(each) for each in got}) == 1


def test_an_assertion_of_somebody_else_is_refused_and_not_kept() -> None:
    doctor = practitioner(Provider(national_id="899900063480"))
    with pytest.raises(CredentialUnavailable) as caught:
        doctor.assertion(NOW)
    assert "899900063480" not in str(caught.value)
    assert doctor.cached(NOW) is None


@pytest.mark.parametrize("seconds", [0, -1])
def test_an_assertion_that_is_over_is_refused(seconds: float) -> None:
    with pytest.raises(CredentialUnavailable, match="expired"):
        practitioner(Provider(seconds=seconds)).assertion(NOW)


def test_a_short_one_serves_once() -> None:
    provider = Provider(seconds=5)
    doctor = practitioner(provider)
    doctor.assertion(NOW)
    assert doctor.cached(NOW) is None


def test_a_provider_that_has_none_says_so_itself() -> None:
    provider = Provider()
    provider.fails = CredentialUnavailable("The card is not in the reader.")
    with pytest.raises(CredentialUnavailable, match="not in the reader"):
        practitioner(provider).assertion(NOW)


def test_a_provider_that_fails_in_its_own_way_has_none() -> None:
    """A reader's library knows nothing of our errors; a card that is out is daily life."""
    provider = Provider()
    provider.fails = OSError("PIN 1234 of 99700218896")
    doctor = practitioner(provider)
    with pytest.raises(CredentialUnavailable, match="OSError") as caught:
        doctor.assertion(NOW)
    assert "1234" not in str(caught.value)
    provider.fails = None
    doctor.assertion(NOW)
    assert doctor.cached(NOW) is not None


def test_it_shows_no_secret_and_does_not_change() -> None:
    doctor = practitioner(Provider())
    doctor.assertion(NOW)
    assert "997" not in repr(doctor)
    assert "secret" not in repr(doctor)
    with pytest.raises(attrs.exceptions.FrozenAttributeError):
        doctor.national_id = "other"

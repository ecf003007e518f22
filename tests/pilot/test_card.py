from datetime import date
from pathlib import Path

import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.family import Family
from eprescription_sdk.model.trace import NonDigitalReason
from eprescription_sdk.pilot import Card, card
from tests.pilot.pilots import KEY, REFUSED, PilotStore, at, rpps


def week(pilot: PilotStore, day: int = 11, who: int = 1) -> Card:
    pilot.flush()
    return card(pilot.store, rpps(who), key=KEY, day=date(2026, 3, day), now=at(60))


@pytest.fixture
def pilot(tmp_path: Path) -> PilotStore:
    return PilotStore(tmp_path, 2)


def test_the_week_has_its_seven_days_and_one_person(pilot: PilotStore) -> None:
    # Monday 9 to Sunday 15 March 2026; 23:30 UTC on Sunday the 8th is Monday in Paris.
    pilot.digital(at(8, 22, 30))
    pilot.digital(at(8, 23, 30))
    pilot.digital(at(15, 22, 30))
    pilot.digital(at(15, 23, 30))
    pilot.digital(at(11), REFUSED)
    pilot.digital(at(11), ps=2)
    found = week(pilot)
    assert found.monday == date(2026, 3, 9)
    assert (found.registered, found.unregistered, found.paper) == (2, 1, {})


def test_paper_by_cause_and_the_tip_for_the_commonest_that_can_be_mended(
    pilot: PilotStore,
) -> None:
    for reason, times in (
        (NonDigitalReason.OUT_OF_PERIMETER, 3),
        (NonDigitalReason.NO_NETWORK, 2),
        (NonDigitalReason.PRESCRIBER_CHOICE, 1),
    ):
        for _ in range(times):
            pilot.paper(at(11), [Family.MEDICATION], reason=reason)
    found = week(pilot)
    assert found.paper == {
        NonDigitalReason.OUT_OF_PERIMETER: 3,
        NonDigitalReason.NO_NETWORK: 2,
        NonDigitalReason.PRESCRIBER_CHOICE: 1,
    }
    assert "connexion" in found.tip_fr


def test_paper_after_a_failure_is_shown_as_paper(pilot: PilotStore) -> None:
    failed = pilot.digital(at(11), REFUSED)
    pilot.paper(at(11), after=failed, reason=NonDigitalReason.SERVICE_FAILURE)
    found = week(pilot)
    assert found.paper == {NonDigitalReason.SERVICE_FAILURE: 1}
    assert "Après un échec" in found.tip_fr


def test_nothing_to_change_and_nothing_at_all(pilot: PilotStore) -> None:
    pilot.digital(at(11))
    pilot.paper(at(11), [Family.IMAGING], reason=NonDigitalReason.OUT_OF_PERIMETER)
    assert week(pilot).tip_fr.startswith("Rien à changer")
    assert week(pilot, day=18).tip_fr.startswith("Aucune prescription")


def test_who_is_not_in_the_pilot_has_no_card(pilot: PilotStore) -> None:
    with pytest.raises(InvalidInput) as caught:
        week(pilot, who=7)
    assert rpps(7).value not in str(caught.value)

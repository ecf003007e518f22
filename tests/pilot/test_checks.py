from collections.abc import Callable
from datetime import date
from typing import Any

import attrs
import pytest

from eprescription_sdk.pilot import Dossier, Finding, Level, check
from eprescription_sdk.pilot.checks import first_go_live
from eprescription_sdk.pilot.dossier import Act, Area, Meeting, Questionnaire
from tests.pilot.samples import EXAMPLE, RPPS

BEFORE = date(2025, 2, 3)
DURING = date(2025, 4, 1)
GO_LIVE = date(2025, 3, 17)


@pytest.fixture
def dossier() -> Dossier:
    return Dossier.from_toml(EXAMPLE)


def found(dossier: Dossier, today: date = DURING, **more: Any) -> dict[str, Level]:
    return {finding.path: finding.level for finding in check(dossier, today, **more)}


def with_practitioner(dossier: Dossier, index: int, **changes: Any) -> Dossier:
    each = list(dossier.practitioners)
    each[index] = attrs.evolve(each[index], **changes)
    return attrs.evolve(dossier, practitioners=tuple(each))


def only(dossier: Dossier, count: int) -> Dossier:
    return attrs.evolve(dossier, practitioners=dossier.practitioners[:count])


def many(dossier: Dossier, count: int) -> Dossier:
    return attrs.evolve(dossier, practitioners=(dossier.practitioners * 3)[:count])


def test_the_example_only_lacks_the_questionnaire(dossier: Dossier) -> None:
    assert found(dossier, started=GO_LIVE) == {"questionnaire.sent_on": Level.REMINDER}


def test_nothing_is_left_when_the_questionnaire_is_sent(dossier: Dossier) -> None:
    form = Questionnaire(reference="Q-1", sent_on=DURING)
    assert check(attrs.evolve(dossier, questionnaire=form), DURING) == ()


@pytest.mark.parametrize(
    ("change", "path", "level", "page"),
    [
        (lambda d: attrs.evolve(d, pilot=attrs.evolve(d.pilot, first_pilot=False)),
         "pilot.first_pilot", Level.ERROR, 3),
        (lambda d: attrs.evolve(
            d, authorisation=attrs.evolve(d.authorisation, granted_on=date(2025, 3, 18))),
         "authorisation.granted_on", Level.ERROR, 4),
        (lambda d: attrs.evolve(
            d, authorisation=attrs.evolve(d.authorisation, kind="Logiciel de cabinet")),
         "authorisation.kind", Level.ERROR, 4),
        (lambda d: only(d, 4), "practitioners", Level.ERROR, 5),
        (lambda d: many(d, 11), "practitioners", Level.ERROR, 5),
        (lambda d: with_practitioner(d, 1, salaried=False),
         "practitioners[1].salaried", Level.ERROR, 4),
        (lambda d: with_practitioner(d, 2, card_valid_until=date(2025, 3, 1)),
         "practitioners[2].card_valid_until", Level.ERROR, 4),
        (lambda d: with_practitioner(d, 2, card_valid_until=date(2025, 3, 31)),
         "practitioners[2].card_valid_until", Level.ERROR, 4),
        (lambda d: with_practitioner(d, 2, card_valid_until=date(2025, 4, 30)),
         "practitioners[2].card_valid_until", Level.REMINDER, 4),
        (lambda d: with_practitioner(d, 3, trained_on=None),
         "practitioners[3].trained_on", Level.ERROR, 5),
        (lambda d: with_practitioner(d, 3, trained_on=date(2025, 3, 25)),
         "practitioners[3].trained_on", Level.ERROR, 5),
        (lambda d: with_practitioner(d, 3, equipment_checked_on=date(2025, 3, 25)),
         "practitioners[3].equipment_checked_on", Level.ERROR, 5),
        (lambda d: with_practitioner(d, 4, agreed_on=date(2025, 2, 26)),
         "practitioners[4].agreed_on", Level.ERROR, 5),
        (lambda d: with_practitioner(d, 4, software_version="4.3.0"),
         "practitioners", Level.WARNING, 3),
        (lambda d: with_practitioner(d, 4, withdrawn_on=date(2025, 3, 28)),
         "practitioners[4].withdrawn_reason", Level.ERROR, 6),
        (lambda d: with_practitioner(d, 4, withdrawn_reason="départ"),
         "practitioners[4].withdrawn_on", Level.ERROR, 6),
        (lambda d: attrs.evolve(d, area=Area(cpam=("75",))), "area.cpam[0]", Level.WARNING, 4),
        (lambda d: attrs.evolve(d, area=Area(cpam=())), "area.cpam", Level.WARNING, 4),
        (lambda d: attrs.evolve(d, area=Area(cpam=("33", "44", "69", "94"))),
         "area.cpam", Level.WARNING, 4),
        (lambda d: attrs.evolve(d, kit=None), "kit", Level.ERROR, 4),
        (lambda d: attrs.evolve(d, support=None), "support", Level.ERROR, 4),
        (lambda d: attrs.evolve(d, installation=None), "installation", Level.ERROR, 4),
        (lambda d: attrs.evolve(d, training=attrs.evolve(d.training, shared_on=None)),
         "training.shared_on", Level.ERROR, 4),
        (lambda d: attrs.evolve(d, kit=attrs.evolve(d.kit, shared_on=date(2025, 2, 1))),
         "kit.shared_on", Level.ERROR, 4),
        (lambda d: attrs.evolve(d, kit=attrs.evolve(d.kit, shared_on=date(2025, 3, 18))),
         "kit.shared_on", Level.ERROR, 4),
        (lambda d: attrs.evolve(d, declaration=None), "declaration", Level.ERROR, 5),
        (lambda d: attrs.evolve(d, launch_meeting=None), "launch_meeting", Level.ERROR, 5),
        (lambda d: attrs.evolve(
            d, launch_meeting=attrs.evolve(d.launch_meeting, on=date(2025, 3, 20))),
         "launch_meeting.on", Level.ERROR, 5),
        (lambda d: attrs.evolve(
            d, launch_meeting=attrs.evolve(d.launch_meeting, participants=("Cnam",))),
         "launch_meeting.participants", Level.WARNING, 5),
        (lambda d: attrs.evolve(d, planning=None), "planning", Level.ERROR, 5),
        (lambda d: attrs.evolve(d, anomalies=None), "anomalies", Level.ERROR, 5),
        (lambda d: attrs.evolve(d, questionnaire=None), "questionnaire", Level.REMINDER, 6),
        (lambda d: attrs.evolve(
            d, minimum_revised=Act(on=date(2025, 5, 1), reference="CNAM-1")),
         "minimum_revised.on", Level.ERROR, 5),
        (lambda d: attrs.evolve(d, extension=Act(on=date(2025, 5, 1), reference="CNAM-1")),
         "extension.on", Level.ERROR, 6),
    ],
)  # fmt: skip
def test_each_condition(
    dossier: Dossier, change: Callable[[Dossier], Dossier], path: str, level: Level, page: int
) -> None:
    findings = [
        finding
        for finding in check(change(dossier), DURING)
        if finding.path != "questionnaire.sent_on"
    ]
    assert [(each.path, each.level) for each in findings] == [(path, level)]
    assert findings[0].page == f"présérie 2025-03, p. {page}"


@pytest.mark.parametrize(("count", "revised", "fine"), [
    (2, True, False), (3, True, True), (3, False, False), (4, False, False), (5, False, True),
    (10, False, True), (11, False, False),
])  # fmt: skip
def test_numbers(dossier: Dossier, count: int, revised: bool, fine: bool) -> None:
    decision = Act(on=BEFORE, reference="CNAM-2025-031") if revised else None
    changed = attrs.evolve(many(dossier, count), minimum_revised=decision)
    assert ("practitioners" not in found(changed)) is fine


def test_the_revision_is_named_as_the_way_out(dossier: Dossier) -> None:
    text = next(f.text for f in check(only(dossier, 3), DURING) if f.path == "practitioners")
    assert "minimum_revised" in text


def test_an_extension_lifts_the_ceiling(dossier: Dossier) -> None:
    changed = attrs.evolve(many(dossier, 12), extension=Act(on=DURING, reference="CNAM-77"))
    assert "practitioners" not in found(changed)


def test_who_left_before_the_installation_was_never_equipped(dossier: Dossier) -> None:
    changed = with_practitioner(
        only(dossier, 5),
        0,
        withdrawn_on=date(2025, 3, 10),
        withdrawn_reason="départ",
        salaried=False,
    )
    assert found(changed)["practitioners"] is Level.ERROR
    assert "practitioners[0].salaried" not in found(changed)


def test_who_left_later_was_equipped_and_is_missed(dossier: Dossier) -> None:
    changed = with_practitioner(
        only(dossier, 5), 0, withdrawn_on=date(2025, 3, 30), withdrawn_reason="départ"
    )
    assert found(changed)["practitioners"] is Level.WARNING
    assert "practitioners" not in found(changed, date(2025, 3, 29))


def test_the_card_of_who_left_may_expire(dossier: Dossier) -> None:
    changed = with_practitioner(
        dossier, 0, withdrawn_on=date(2025, 3, 30), withdrawn_reason="départ",
        card_valid_until=date(2025, 3, 29),
    )  # fmt: skip
    assert "practitioners[0].card_valid_until" not in found(changed)


def test_what_is_not_done_yet_is_only_a_reminder_while_there_is_time(dossier: Dossier) -> None:
    changed = attrs.evolve(
        dossier,
        kit=None,
        planning=None,
        anomalies=None,
        launch_meeting=Meeting(
            on=date(2025, 3, 4), participants=("Cnam", "GIE SESAM-Vitale"), reference="CR"
        ),
    )
    levels = set(found(changed, BEFORE).values())
    assert levels == {Level.REMINDER}
    assert {"kit", "planning", "anomalies", "launch_meeting.on"} <= set(found(changed, BEFORE))
    assert found(changed, GO_LIVE)["kit"] is Level.ERROR


def test_support_need_not_be_shared_but_then_in_order(dossier: Dossier) -> None:
    assert dossier.support is not None
    support = dossier.support

    def shared(day: date | None) -> set[str]:
        changed = attrs.evolve(dossier, support=attrs.evolve(support, shared_on=day))
        return {path for path in found(changed) if path.startswith("support")}

    assert shared(None) == set()
    assert shared(date(2025, 2, 1)) == {"support.shared_on"}


def test_who_joins_a_running_pilot_is_declared_in_turn(dossier: Dossier) -> None:
    late = with_practitioner(dossier, 5, agreed_on=date(2025, 2, 26))
    assert found(late)["practitioners[5].agreed_on"] is Level.ERROR
    assert "practitioners[5].agreed_on" not in found(late, started=GO_LIVE)


def test_no_installation_before_the_start(dossier: Dossier) -> None:
    assert found(dossier, started=date(2025, 3, 18))["practitioners[0].go_live"] is Level.ERROR
    assert "practitioners[2].go_live" not in found(dossier, started=date(2025, 3, 18))


def test_errors_come_first(dossier: Dossier) -> None:
    levels = [each.level for each in check(only(dossier, 2), DURING)]
    assert levels == [Level.ERROR, Level.REMINDER]


def test_findings_quote_nobody(dossier: Dossier) -> None:
    empty = attrs.evolve(
        only(dossier, 2), kit=None, support=None, planning=None, launch_meeting=None
    )
    findings: tuple[Finding, ...] = check(empty, DURING)
    said = " ".join(f"{each.text} {each.text_fr}" for each in findings)
    assert not [rpps for rpps in RPPS if rpps in said]
    assert all(each.text and each.text_fr for each in findings)


def test_first_go_live_passes_over_who_never_started(dossier: Dossier) -> None:
    assert first_go_live(dossier) == GO_LIVE
    for index in (0, 1):
        dossier = with_practitioner(
            dossier, index, withdrawn_on=date(2025, 3, 1), withdrawn_reason="départ"
        )
    assert first_go_live(dossier) == date(2025, 3, 18)
    assert first_go_live(attrs.evolve(dossier, practitioners=())) is None

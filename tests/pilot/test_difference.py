from datetime import date

import attrs

from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.pilot import Change, Dossier
from eprescription_sdk.pilot.difference import compare
from eprescription_sdk.pilot.dossier import Area
from tests.pilot.samples import EXAMPLE, RPPS

DOSSIER = Dossier.from_toml(EXAMPLE)


def test_the_first_dossier_is_all_new() -> None:
    difference = compare(None, DOSSIER, ())
    assert difference.first
    assert {change.before for change in difference.changes} == {None}
    assert Change(path="area.cpam", before=None, after="33") in difference.changes


def test_the_same_dossier_is_no_difference() -> None:
    assert not compare(DOSSIER, DOSSIER, ())


def test_each_changed_value_has_its_path() -> None:
    third = attrs.evolve(DOSSIER.practitioners[2], salaried=False, go_live=date(2025, 3, 24))
    practitioners = (*DOSSIER.practitioners[:2], third, *DOSSIER.practitioners[3:])
    new = attrs.evolve(DOSSIER, practitioners=practitioners, area=Area(cpam=("33", "44")), kit=None)
    assert compare(DOSSIER, new, ()).changes == (
        Change(path="area.cpam", before="33", after="33, 44"),
        Change(path="kit.established_on", before="2025-02-12", after=None),
        Change(path="kit.reference", before="EX-KIT-3", after=None),
        Change(path="kit.shared_on", before="2025-02-14", after=None),
        Change(path="practitioners[2].go_live", before="2025-03-18", after="2025-03-24"),
        Change(path="practitioners[2].salaried", before="true", after="false"),
    )


def test_order_is_no_difference() -> None:
    turned = attrs.evolve(DOSSIER, practitioners=tuple(reversed(DOSSIER.practitioners)))
    assert not compare(DOSSIER, turned, ())


def test_who_joins_and_who_is_gone_are_seen_without_their_number() -> None:
    newcomer = attrs.evolve(DOSSIER.practitioners[0], rpps=Rpps("99700000013"))
    new = attrs.evolve(DOSSIER, practitioners=(*DOSSIER.practitioners[1:], newcomer))
    difference = compare(DOSSIER, new, ())
    assert Change(path="practitioners[5].rpps", before=None, after="(listed)") in difference.changes
    gone = Change(path="practitioners[0, removed].rpps", before="(listed)", after=None)
    assert gone in difference.changes
    assert not [number for number in (*RPPS, "99700000013") if number in repr(difference)]


def test_ten_comes_after_nine() -> None:
    twelve = tuple(
        attrs.evolve(DOSSIER.practitioners[0], rpps=Rpps(f"{number:011d}")) for number in range(12)
    )
    paths = [
        change.path
        for change in compare(None, attrs.evolve(DOSSIER, practitioners=twelve), ()).changes
        if change.path.endswith("].rpps")
    ]
    assert paths == [f"practitioners[{index}].rpps" for index in range(12)]

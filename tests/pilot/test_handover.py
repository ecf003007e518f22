import csv
from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import pytest

from eprescription_sdk.clock import SimulatedClock
from eprescription_sdk.errors import PilotError
from eprescription_sdk.pilot import Dossier, Pilot, write_handover
from eprescription_sdk.pilot.handover import (
    COVER,
    DOSSIER,
    FINDINGS,
    IDENTIFICATION,
    PLANNING,
    STEPS,
)
from eprescription_sdk.storage import SqliteStore, Store
from tests.pilot.samples import EXAMPLE, RPPS

TODAY = date(2025, 3, 14)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return SqliteStore(tmp_path / "pilot.db")


def applied(store: Store, dossier: Dossier) -> Pilot:
    clock = SimulatedClock(datetime(2025, 3, 14, 9, tzinfo=UTC))
    pilot = Pilot(store, key=b"k" * 32, clock=clock)
    pilot.apply(dossier, by="essai")
    return pilot


def rows(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=";"))[1:]


def test_the_lists_say_who_and_when(store: Store, tmp_path: Path) -> None:
    example = Dossier.from_toml(EXAMPLE)
    left = attrs.evolve(
        example.practitioners[5], withdrawn_on=date(2025, 3, 12), withdrawn_reason="départ"
    )
    late = attrs.evolve(example.practitioners[0], go_live=date(2025, 3, 21))
    people = (late, *example.practitioners[1:5], left)
    applied(store, attrs.evolve(example, practitioners=people))
    folder = tmp_path / "out"
    files = write_handover(store, folder, today=TODAY)
    assert {path.name for path in files} == {
        COVER, DOSSIER, FINDINGS, IDENTIFICATION, PLANNING, STEPS,
    }  # fmt: skip
    assert [(row[0], row[2]) for row in rows(folder / IDENTIFICATION)] == [
        ("330781287", rpps) for rpps in RPPS[:5]
    ]
    assert rows(folder / PLANNING) == [
        [RPPS[1], "17/03/2025"],
        [RPPS[2], "18/03/2025"],
        [RPPS[3], "18/03/2025"],
        [RPPS[4], "20/03/2025"],
        [RPPS[0], "21/03/2025"],
    ]


def test_the_dossier_in_the_folder_can_be_applied_again(store: Store, tmp_path: Path) -> None:
    pilot = applied(store, Dossier.from_toml(EXAMPLE))
    write_handover(store, tmp_path, today=TODAY)
    assert not pilot.difference(Dossier.from_toml(tmp_path / DOSSIER))


def test_findings_and_steps_are_in_french(store: Store, tmp_path: Path) -> None:
    pilot = applied(store, Dossier.from_toml(EXAMPLE))
    pilot.start(by="essai", reference="CR-1")
    write_handover(store, tmp_path, today=TODAY)
    assert rows(tmp_path / STEPS) == [["2025-03-14", "démarrage", "CR-1", "essai", ""]]
    levels = {row[0] for row in rows(tmp_path / FINDINGS)}
    assert levels == {"rappel"}
    assert "n'ont pas de forme officielle" in (tmp_path / COVER).read_text(encoding="utf-8")


def test_only_their_owner_reads_them_and_earlier_ones_are_replaced(
    store: Store, tmp_path: Path
) -> None:
    applied(store, Dossier.from_toml(EXAMPLE))
    (tmp_path / PLANNING).write_text("older", encoding="utf-8")
    for path in write_handover(store, tmp_path, today=TODAY):
        assert path.stat().st_mode & 0o077 == 0
        assert path.read_text(encoding="utf-8") != "older"


def test_without_a_dossier_there_is_nothing_to_hand_over(store: Store, tmp_path: Path) -> None:
    with pytest.raises(PilotError, match="No dossier"):
        write_handover(store, tmp_path / "out", today=TODAY)
    assert not (tmp_path / "out").exists()

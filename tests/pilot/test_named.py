from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.pilot import named_edition, render_html, write_report
from eprescription_sdk.pilot.export import ROWS, write_export
from eprescription_sdk.pilot.registers import events
from tests.pilot.pilots import KEY, PilotStore, at, rpps
from tests.pilot.samples import NOTE, assessment

AT = datetime(2026, 3, 20, tzinfo=UTC)
ASKED = attrs.evolve(NOTE, day=date(2026, 3, 20), at=AT)


@pytest.fixture
def pilot(tmp_path: Path) -> PilotStore:
    return PilotStore(tmp_path, 2)


def test_it_is_logged_and_names(pilot: PilotStore) -> None:
    edition = named_edition(pilot.store, ASKED)
    (line,) = pilot.store.read(lambda tx: events(tx, "named_edition"))
    assert line.note == ASKED
    assert rpps(1).value not in repr(edition)
    html = render_html(assessment(), edition=edition)
    assert rpps(1).value in html
    assert rpps(2).value in html
    assert "Édition nominative" in html
    assert ASKED.reference in html
    assert "ne contient ni numéro RPPS" not in html


def test_without_a_ground_nothing_is_given_nor_logged(pilot: PilotStore) -> None:
    with pytest.raises(InvalidInput) as caught:
        named_edition(pilot.store, attrs.evolve(ASKED, reference=" ", by=""))
    assert [where for where, _ in caught.value.findings] == ["by", "reference"]
    assert {event.kind for event in pilot.store.read(events)} == {"dossier"}


def test_without_an_edition_nobody_is_named(pilot: PilotStore) -> None:
    html = render_html(assessment(reason=f"parti {rpps(1).value}"))
    assert rpps(1).value not in html
    assert "Édition nominative" not in html


def test_only_its_owner_reads_it(pilot: PilotStore, tmp_path: Path) -> None:
    edition = named_edition(pilot.store, ASKED)
    path = write_report(assessment(), tmp_path / "n.html", edition=edition)
    assert path.stat().st_mode & 0o077 == 0


def test_the_export_and_the_figures_know_nothing_of_it(pilot: PilotStore, tmp_path: Path) -> None:
    named_edition(pilot.store, ASKED)
    write_export(pilot.store, tmp_path / "out", key=KEY, at=at(30))
    assert "named_edition" not in (tmp_path / "out" / ROWS).read_text(encoding="utf-8")

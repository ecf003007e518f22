from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import pytest

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.exchange import Operation
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.model.trace import FaultOrigin
from eprescription_sdk.pilot import (
    Anomaly,
    Criterion,
    Note,
    Question,
    Reading,
    Unit,
    Verdict,
    assess,
    close_anomaly,
    record_anomaly,
    record_attestation,
    record_correction,
    record_questionnaire,
    record_ruling,
)
from eprescription_sdk.pilot.registers import anomalies, append, events
from eprescription_sdk.storage import SqliteStore, Store
from eprescription_sdk.traces.gate import Enrolment, enrol

KEY = b"k" * 32
DOCTOR = Rpps("99700218896")
NOW = datetime(2025, 4, 2, 9, 30, tzinfo=UTC)
NOTE = Note(day=date(2025, 4, 1), by="cellule présérie", reference="REF-1", at=NOW)
ANOMALY = Anomaly(
    id="AN-1",
    operation=Operation.SEARCH,
    blocking=True,
    origin=FaultOrigin.SOFTWARE,
    title="La recherche échoue sans date",
    opened_on=date(2025, 3, 20),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = SqliteStore(tmp_path / "pilot.db")
    here = Enrolment(rpps=DOCTOR, label=1, situation="SIT", go_live=date(2025, 3, 17))
    store.write(lambda tx: enrol(tx, here))
    return store


def test_each_line_keeps_day_reference_and_who(store: Store) -> None:
    record_correction(store, NOTE, version="4.2.1")
    (event,) = store.read(events)
    assert event.kind == "correction"
    assert event.note == NOTE
    assert event.data == {"version": "4.2.1"}


def test_lines_are_only_added_and_read_by_kind(store: Store) -> None:
    record_correction(store, NOTE, version="4.2.1")
    record_ruling(store, NOTE, question=Question.Q1, reading=Reading.LENIENT)
    record_correction(store, NOTE, version="4.2.2")
    found = store.read(lambda tx: events(tx, "correction"))
    assert [event.data["version"] for event in found] == ["4.2.1", "4.2.2"]
    assert [event.seq for event in store.read(events)] == [1, 2, 3]


def test_a_ruling_answers_its_question(store: Store) -> None:
    record_ruling(store, NOTE, question=Question.Q3, reading=Unit.ACT)
    with pytest.raises(InvalidInput) as caught:
        record_ruling(store, NOTE, question=Question.Q4, reading=Unit.ACT)
    assert [path for path, _ in caught.value.findings] == ["reading"]
    assert [event.data["reading"] for event in store.read(events)] == ["act"]


@pytest.mark.parametrize(("change", "path"), [
    ({"by": " "}, "by"), ({"reference": ""}, "reference"), ({"day": date(2025, 4, 3)}, "day"),
])  # fmt: skip
def test_a_note_is_complete_and_not_of_tomorrow(
    store: Store, change: dict[str, object], path: str
) -> None:
    note = attrs.evolve(NOTE, **change)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput) as caught:
        record_correction(store, note, version="4.2.1")
    assert [where for where, _ in caught.value.findings] == [path]
    assert store.read(events) == ()


def test_today_is_a_day_of_paris(store: Store) -> None:
    late = datetime(2025, 4, 2, 22, 30, tzinfo=UTC)
    record_correction(store, attrs.evolve(NOTE, day=date(2025, 4, 3), at=late), version="4.2.1")
    assert len(store.read(events)) == 1


def test_a_ruling_fixes_a_question_of_the_assessment(store: Store) -> None:
    record_ruling(store, NOTE, question=Question.Q4, reading=Reading.LENIENT)
    ruling = assess(store, key=KEY, at=NOW).rulings[Question.Q4]
    assert (ruling.reading, ruling.day, ruling.reference) == (
        Reading.LENIENT,
        NOTE.day,
        NOTE.reference,
    )


def test_an_open_anomaly_breaks_c3_until_it_is_closed(store: Store) -> None:
    record_anomaly(store, NOTE, ANOMALY)
    assert store.read(anomalies) == (ANOMALY,)
    result = assess(store, key=KEY, at=NOW).strict[Criterion.C3]
    assert result.verdict is Verdict.NOT_MET
    assert result.anomalies == ("AN-1",)

    close_anomaly(store, NOTE, anomaly="AN-1")
    assert store.read(anomalies) == (attrs.evolve(ANOMALY, closed_on=NOTE.day),)
    assert assess(store, key=KEY, at=NOW).strict[Criterion.C3].anomalies == ()
    assert len(store.read(events)) == 2


def test_only_an_open_anomaly_is_closed(store: Store) -> None:
    with pytest.raises(InvalidInput, match="No open anomaly"):
        close_anomaly(store, NOTE, anomaly="AN-1")
    record_anomaly(store, NOTE, ANOMALY)
    close_anomaly(store, NOTE, anomaly="AN-1")
    with pytest.raises(InvalidInput, match="No open anomaly"):
        close_anomaly(store, NOTE, anomaly="AN-1")


@pytest.mark.parametrize(("change", "path"), [
    ({"id": ""}, "id"),
    ({"title": " "}, "title"),
    ({"opened_on": date(2025, 4, 2)}, "opened_on"),
    ({"closed_on": date(2025, 3, 19)}, "closed_on"),
    ({"closed_on": date(2025, 4, 2)}, "closed_on"),
])  # fmt: skip
def test_an_anomaly_is_named_and_its_days_are_in_order(
    store: Store, change: dict[str, object], path: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        record_anomaly(store, NOTE, attrs.evolve(ANOMALY, **change))  # type: ignore[arg-type]
    assert [where for where, _ in caught.value.findings] == [path]


def test_an_attestation_attests_c4(store: Store) -> None:
    record_attestation(store, NOTE, criterion="C4", document="Note technique v2")
    result = assess(store, key=KEY, at=NOW).strict[Criterion.C4]
    assert result.verdict is Verdict.ATTESTED
    assert result.document == "Note technique v2"


def test_only_c4_and_c5_are_attested(store: Store) -> None:
    with pytest.raises(InvalidInput) as caught:
        record_attestation(store, NOTE, criterion="C1", document="")
    assert {where for where, _ in caught.value.findings} == {"criterion", "document"}


def test_a_questionnaire_is_kept_under_a_pseudonym(store: Store) -> None:
    record_questionnaire(store, NOTE, key=KEY, rpps=DOCTOR, satisfaction=2)
    record_questionnaire(
        store, NOTE, key=KEY, rpps=DOCTOR, satisfaction=4, blocking_remarks=("trop lent",)
    )
    newest = store.read(events)[-1]
    assert newest.data["rpps"] == pseudonym(KEY, "rpps", DOCTOR.value)
    assert DOCTOR.value not in str(store.read(lambda tx: tx.execute("SELECT * FROM pilot_events")))
    said = {"rpps": DOCTOR.value, "situation": "SIT", "go_live": "2025-03-17"}
    store.write(lambda tx: append(tx, "dossier", NOTE, {"practitioners": [said]}))
    result = assess(store, key=KEY, at=NOW).strict[Criterion.C5]
    assert result.verdict is Verdict.NOT_MET
    assert result.practitioners[0].satisfaction == 4


def test_a_questionnaire_is_of_a_practitioner_of_the_pilot(store: Store) -> None:
    with pytest.raises(InvalidInput) as caught:
        record_questionnaire(
            store, NOTE, key=KEY, rpps=Rpps("99900063480"), satisfaction=6, blocking_remarks=("",)
        )
    paths = {where for where, _ in caught.value.findings}
    assert paths == {"rpps", "satisfaction", "blocking_remarks[0]"}
    assert "99900063480" not in str(caught.value)

"""Formats declared in a file: what they emit, what they refuse, and what no file may say."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.family import Family
from eprescription_sdk.model.trace import CallOutcome, ChainLink
from eprescription_sdk.storage import Store
from eprescription_sdk.traces import outbox
from eprescription_sdk.traces.declared import DeclaredProfile
from eprescription_sdk.traces.files import DirectorySink
from eprescription_sdk.traces.shipper import Shipment, Shipper
from tests.traces.samples import call, digital, paper, record

LINK = ChainLink(segment="segment", position=7, hash="ab" * 32)
HEAD = """
name = "essai"
form = "{form}"
resource = "traces"
content_type = "text/plain"
"""


def profile(folder: Path, fields: str, *, form: str = "json", head: str = "") -> DeclaredProfile:
    path = folder / "profile.toml"
    path.write_text(HEAD.format(form=form) + head + fields, encoding="utf-8")
    return DeclaredProfile.from_toml(path)


def field(name: str, rest: str) -> str:
    return f'[[field]]\nname = "{name}"\n{rest}\n'


def one(folder: Path, rest: str, trace: Any) -> Any:
    """The value of a field of one's own."""
    return json.loads(profile(folder, field("x", rest)).encode(trace, LINK)).get("x", "left out")


def test_it_says_what_the_file_says(tmp_path: Path) -> None:
    made = profile(tmp_path, field("x", 'from = "id"'))
    assert (made.name, made.resource, made.content_type) == ("essai", "traces", "text/plain")


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ('from = "at"', "2026-03-02T10:00:00.000+00:00"),
        ('from = "at"\ndate = "%d/%m/%Y %H:%M"\nzone = "Europe/Paris"', "02/03/2026 11:00"),
        ('from = "outcome"', "failed"),
        ('from = "outcome"\ncodes = { failed = 9 }', 9),
        ('from = "rpps"', "99700218896"),
        ('from = "duration_ms"', 1234),
        ('from = "simulation"', False),
        ('from = "simulation"\ncodes = { true = "O", false = "N" }', "N"),
        ('from = "kind"', "CALL"),
        ('from = "position"', 7),
        ('from = "hash"', "ab" * 32),
        ("constant = 3", 3),
        ('from = "number"', None),
        ('from = "number"\noptional = true', "left out"),
        ('from = "id"\nkinds = ["PRESCRIPTION"]', "left out"),
    ],
)
def test_what_a_field_holds(tmp_path: Path, rest: str, expected: object) -> None:
    assert one(tmp_path, rest, call()) == expected


def test_a_set_is_an_array_or_joined(tmp_path: Path) -> None:
    assert one(tmp_path, 'from = "families"', digital()) == ["device", "medication"]
    rest = 'from = "families"\njoin = "+"\ncodes = { device = "D", medication = "M" }'
    assert one(tmp_path, rest, digital()) == "D+M"


def test_dots_lead_into_objects_in_order(tmp_path: Path) -> None:
    fields = (
        field("a.b.c", "constant = 1") + field("z", "constant = 2") + field("a.d", "constant = 3")
    )
    assert profile(tmp_path, fields).encode(call(), LINK) == b'{"a":{"b":{"c":1},"d":3},"z":2}'


def test_csv_has_every_column_whatever_the_kind(tmp_path: Path) -> None:
    fields = (
        field("Id", 'from = "id"')
        + field("Numéro", 'from = "number"\nkinds = ["PRESCRIPTION"]')
        + field("Texte", 'constant = "a;\\"b"')
        + field("Familles", 'from = "families"')
    )
    made = profile(tmp_path, fields, form="csv")
    trace = digital(id="1")
    header = "Id;Numéro;Texte;Familles\r\n"
    row = '1;NUMBER1;"a;""b";device,medication\r\n'
    assert made.encode(trace, LINK).decode() == header + row
    bare = made.encode(call(id="2"), LINK)
    assert bare.decode() == header + '2;;"a;""b";\r\n'
    assert made.join([made.encode(trace, LINK), bare]).decode() == header + row + '2;;"a;""b";\r\n'
    assert made.append([bare], first=False).decode() == '2;;"a;""b";\r\n'


def test_a_batch_of_json_is_an_array_or_lines(tmp_path: Path) -> None:
    fields = field("x", "constant = 1")
    assert profile(tmp_path, fields).join([b"1", b"2"]) == b"[1,2]"
    assert (
        profile(tmp_path, fields, head="lines = true\nbatch = 9\n").join([b"1", b"2"]) == b"1\n2\n"
    )
    assert profile(tmp_path, fields, head="batch = 9\n").batch == 9


def test_a_value_without_a_code_keeps_the_trace_from_leaving(tmp_path: Path) -> None:
    made = profile(tmp_path, field("famille", 'from = "families"\ncodes = { imaging = "I" }'))
    made.encode(paper(), LINK)
    with pytest.raises(InvalidInput, match="'famille'") as caught:
        made.encode(paper(families=frozenset({Family.TRANSPORT})), LINK)
    assert "transport" not in str(caught.value)


def with_schema(folder: Path, schema: object) -> DeclaredProfile:
    (folder / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    fields = field("a.rpps", 'from = "rpps"') + field("o", 'from = "outcome"')
    return profile(folder, fields, head='schema = "schema.json"\n')


def test_what_the_schema_does_not_allow_does_not_leave_and_is_not_told(tmp_path: Path) -> None:
    inner = {"type": "object", "properties": {"rpps": {"type": "string", "pattern": "^9990"}}}
    made = with_schema(tmp_path, {"properties": {"a": inner}})
    with pytest.raises(InvalidInput) as caught:
        made.encode(call(), LINK)
    assert "rule 'pattern' of 'data.a.rpps'" in caught.value.message
    assert "99700218896" not in str(caught.value) + repr(caught.value)
    assert caught.value.__suppress_context__


def test_it_stays_in_quarantine_with_the_reason_until_the_profile_is_mended(
    running: Store, tmp_path: Path
) -> None:
    (folder := tmp_path / "profile").mkdir()
    record(running, 2)
    sink = DirectorySink(tmp_path / "out", with_schema(folder, {"required": ["b"]}))
    strict = Shipper(
        running, with_schema(folder, {"required": ["b"]}), sink=sink, clock=SystemClock()
    )
    assert strict.ship_once() == Shipment(quarantined=2)
    reason = "The schema does not allow this trace: rule 'required' of 'data'."
    assert running.read(outbox.refusals) == {reason: 2}
    running.write(outbox.replay)
    mended = Shipper(running, with_schema(folder, {}), sink=sink, clock=SystemClock())
    assert mended.ship_once() == Shipment(sent=2)


def test_what_the_schema_allows_leaves(tmp_path: Path) -> None:
    made = with_schema(tmp_path, {"properties": {"o": {"enum": ["failed"]}}})
    made.encode(call(), LINK)
    with pytest.raises(InvalidInput):
        made.encode(call(outcome=CallOutcome.FOUND), LINK)


def test_times_are_those_of_summer_too(tmp_path: Path) -> None:
    rest = 'from = "at"\ndate = "%H:%M %z"\nzone = "Europe/Paris"'
    assert one(tmp_path, rest, call(at=datetime(2026, 7, 1, 10, tzinfo=UTC))) == "12:00 +0200"

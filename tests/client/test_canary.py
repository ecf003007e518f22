"""The canary of law 4: marked values are planted everywhere, and every sink is searched."""

import logging
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import eprescription_sdk as ep
from eprescription_sdk.cli.app import app
from eprescription_sdk.clock import iso, paris_day
from eprescription_sdk.credentials.key_file import Billing, KeyFileAssertion
from eprescription_sdk.ledger import State
from eprescription_sdk.pilot import Criterion, assess
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.pilot.registers import Note, record_questionnaire
from eprescription_sdk.sandbox import CommitThenDrop, ExpiredCredential, FaultCode, Operation
from eprescription_sdk.testing import SAMPLE_FINESS, SAMPLE_SITUATION
from eprescription_sdk.traces.gate import Enrolment, Phase, enrol, set_phase
from tests.client.harness import World, card, world
from tests.pilot.samples import EXAMPLE

RPPS = ep.Rpps("99900063480")
PATIENT = {
    "family name": "ZZNOMPATIENT",
    "given name": "ZZPRENOMPATIENT",
    "INS": "299099999999933",
    "birth date": "1913-07-29",
}
CONTENT = {"label": "ZZMEDICAMENT", "posology": "ZZPOSOLOGIE"}
PRESCRIBER = {"family name": "ZZNOMPRESCRIPTEUR", "given name": "ZZPRENOMPRESCRIPTEUR"}
HOST = {"reference": "ZZREFERENCE", "act": "ZZACTE"}
NATIONAL_ID = "ZZIDNAT5501"

NEVER = {
    f"{whose}'s {kind}": value
    for whose, values in (
        ("patient", PATIENT),
        ("content", CONTENT),
        ("prescriber", PRESCRIBER),
        ("host", HOST),
    )
    for kind, value in values.items()
}
"""What belongs to the téléservice alone, or to nobody; keyed where it must be found again."""


def planted(reference: str, **changes: Any) -> ep.Prescription:
    """A prescription in which every text is marked."""
    return ep.Prescription(
        prescriber=ep.Prescriber(
            rpps=RPPS,
            family_name=PRESCRIBER["family name"],
            given_name=PRESCRIBER["given name"],
            profession=ep.Profession.DOCTOR,
            situation=ep.PracticeSituation(id=SAMPLE_SITUATION, finess=SAMPLE_FINESS),
        ),
        patient=ep.Patient(
            ins=ep.Ins(PATIENT["INS"], ep.InsOid.TEST),
            family_name=PATIENT["family name"],
            given_name=PATIENT["given name"],
            birth_date=date.fromisoformat(PATIENT["birth date"]),
            sex=ep.Sex.FEMALE,
        ),
        lines=(ep.MedicationLine(label=CONTENT["label"], text=CONTENT["posology"]),),
        execution_reading=ep.ExecutionReading.AGREED,
        reference=f"{HOST['reference']}{reference}",
        act=HOST["act"],
        **changes,
    )


def _planted_card() -> ep.Practitioner:
    certificate, private_key = card()
    return ep.Practitioner(
        rpps=RPPS,
        national_id=NATIONAL_ID,
        situation=SAMPLE_SITUATION,
        assertions=KeyFileAssertion(
            certificate=certificate,
            private_key=private_key,
            national_id=NATIONAL_ID,
            billing=Billing(billing_id="331234567", specialty="01", sector="SA07"),
        ),
    )


COMMANDS = (
    "doctor",
    "doctor --json",
    "traces status --json",
    "traces quarantine",
    "assess",
    "assess --json",
    "assess --html {out}/report.html --export {out}",
    "pilot status",
    "pilot journal",
    "pilot questions",
)
"""What a person reads who asks for nobody by name."""
NAMING = (
    "ledger reconcile",
    "ledger reconcile --json",
    "ledger risks",
)
"""What tells which prescriptions wait, and for whom."""


class _Sinks:
    """Everything that may be read by somebody who is not the téléservice."""

    def __init__(self, spans: InMemorySpanExporter, meters: InMemoryMetricReader) -> None:
        self.spans = spans
        self.meters = meters
        self.shown: dict[str, str] = {}

    def show(self, name: str, *values: object) -> None:
        """Note how values show themselves."""
        self.shown[name] = "\n".join(f"{value!r}\n{value!s}" for value in values)

    def error(self, name: str, error: BaseException) -> None:
        """Note how an exception shows itself, and whatever led to it, hidden or not."""
        told, following = [], [error]
        while following:
            each = following.pop()
            told += [repr(each), str(each), repr(each.args), repr(vars(each))]
            told += traceback.format_exception(each, chain=True)
            following += [one for one in (each.__cause__, each.__context__) if one is not None]
        self.shown[name] = "\n".join(told)

    def collect(self, caplog: pytest.LogCaptureFixture) -> None:
        """Note what the host's own logs, spans and metrics hold."""
        self.shown["log"] = "\n".join(
            f"{record.name} {record.getMessage()} {vars(record)!r}" for record in caplog.records
        )
        self.shown["spans"] = "\n".join(span.to_json() for span in self.spans.get_finished_spans())
        measured = self.meters.get_metrics_data()
        self.shown["metrics"] = measured.to_json() if measured is not None else ""

    def leaks(self, *further: str, named: frozenset[str] = frozenset()) -> list[str]:
        """Where a marked value turns up; ``further`` ones only where nobody is ``named``."""
        found = [
            f"the {kind} is in: {sink}"
            for sink, text in self.shown.items()
            for kind, value in NEVER.items()
            if value in text
        ]
        return found + [
            f"an RPPS or a number is in: {sink}"
            for sink in set(self.shown) - named
            for value in further
            if value in self.shown[sink]
        ]


@pytest.fixture(scope="module")
def telemetry_sdk() -> Iterator[tuple[InMemorySpanExporter, InMemoryMetricReader]]:
    """The real OpenTelemetry SDK, installed as a host would; for this process only once."""
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracing, metering = TracerProvider(), MeterProvider(metric_readers=[reader])
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(metering)
    yield spans, reader
    tracing.shutdown()
    metering.shutdown()


def _live_through(stage: World, sinks: _Sinks) -> list[ep.Outcome]:
    """One of each: registered, refused, uncertain, invalid; consult, search, errors."""
    create = stage.side.create
    registered = create(planted("1"))
    assert isinstance(registered, ep.Registered)

    quoting = FaultCode("sdkref_invalid", sender=True, text=" ".join(NEVER.values()))
    stage.sandbox.script(Operation.CREATE, quoting)
    refused = create(planted("2"))
    assert isinstance(refused, ep.NotRegistered)

    naming = FaultCode(PATIENT["family name"] + " " + PATIENT["INS"], severity=CONTENT["label"])
    stage.sandbox.script(Operation.CREATE, naming)
    odd = create(planted("3"), wait=0.6)
    assert isinstance(odd, ep.Uncertain)
    stage.idle()

    stage.sandbox.script(Operation.CREATE, CommitThenDrop())
    stage.sandbox.script(Operation.CONSULT, ExpiredCredential())
    uncertain = create(planted("4"))
    assert isinstance(uncertain, ep.Uncertain)

    invalid = create(planted("5", issued_at=_NAIVE))
    assert isinstance(invalid, ep.NotRegistered)

    stored = stage.side.consult(registered.number)
    found = stage.side.search(ep.SearchQuery(patient=ep.Ins(PATIENT["INS"], ep.InsOid.TEST)))
    sinks.show("stored", stored)
    sinks.show("found", *found)
    calls: dict[str, Callable[[], object]] = {
        "conflict": lambda: create(attrs.evolve(planted("1"), act="ZZACTE autre", lines=())),
        "other content": lambda: create(
            attrs.evolve(planted("1"), execution_reading=ep.ExecutionReading.OPPOSED)
        ),
        "not found": lambda: stage.side.consult(ep.PrescriptionNumber("ZZABSENT")),
    }
    for name, call in calls.items():
        try:
            sinks.show(name, call())
        except ep.EPrescriptionError as error:
            sinks.error(name, error)
    stage.sandbox.script(Operation.CONSULT, attrs.evolve(quoting))
    with pytest.raises(ep.ServiceFault) as caught:
        stage.side.consult(registered.number)
    sinks.error("fault", caught.value)
    return [registered, refused, odd, uncertain, invalid]


_NAIVE = datetime(2025, 3, 17)  # noqa: DTZ001  (that is what is wrong with it)


def test_marked_values_stay_in_their_lane(
    side: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    telemetry_sdk: tuple[InMemorySpanExporter, InMemoryMetricReader],
) -> None:
    spans, reader = telemetry_sdk
    spans.clear()
    caplog.set_level(logging.DEBUG)
    sinks = _Sinks(spans, reader)
    with world(tmp_path, side, who=_planted_card()) as stage:
        stage.store.write(lambda tx: set_phase(tx, Phase.RUNNING, module="m"))
        enrolled = Enrolment(
            rpps=RPPS, label=1, situation=SAMPLE_SITUATION, go_live=date(2020, 1, 1)
        )
        stage.store.write(lambda tx: enrol(tx, enrolled))
        outcomes = _live_through(stage, sinks)
        numbers = [outcome.number.value for outcome in outcomes if outcome.number]
        assert len(numbers) == 4
        stage.later()
        stage.side.reconcile(stage.who)
        registered = outcomes[0]
        assert isinstance(registered, ep.Registered)

        client = stage.side.client
        sinks.show("outcomes", *outcomes)
        sinks.show("entries", *(stage.entry(ep.PrescriptionNumber(n)) for n in numbers))
        sinks.show("feed", *stage.feed(), *stage.risks())
        sinks.show("client", client, stage.settings, stage.who, planted("9"), stage.store)
        sinks.show("document", client.document_block(registered))
        sinks.shown["traces table"] = _table(stage, "traces", "body")
        sinks.shown["ledger table"] = _table(stage, "ledger", "*")
        # A scripted call repeats the fault code that this test put the name into.
        calls = [call for call in stage.sandbox.calls if call.fault is None]
        sinks.show("sandbox", stage.sandbox, calls, stage.sandbox.registrations)
        _ask_the_commands(stage, tmp_path, sinks, capsys)
        assert stage.entry(registered.number).state is State.REGISTERED
        client.shipper.drain(5)
        collected = list(stage.sandbox.collector.traces.values())
        assert collected
        sinks.shown["collector"] = repr(collected)
    sinks.shown["store"] = "".join(
        file.read_bytes().decode("latin-1") for file in tmp_path.iterdir() if file.is_file()
    )
    assert "CREATE TABLE" in sinks.shown["store"]
    sinks.collect(caplog)
    assert "attempt.done" in sinks.shown["log"]
    # The HTTP library's own, at its most talkative.
    assert "httpcore" in {record.name.split(".")[0] for record in caplog.records}
    for name in ("create", "consult", "search", "reconcile", "attempt"):
        assert f'"eprescription.{name}"' in sinks.shown["spans"]
    assert "eprescription.call.duration" in sinks.shown["metrics"]

    # A trace carries the RPPS and the number; the body that the chain covers has pseudonyms.
    lanes = frozenset({"store", "collector", "ledger table", *NAMING})
    assert sinks.leaks(RPPS.value, NATIONAL_ID, *numbers, named=lanes) == []
    assert NATIONAL_ID not in sinks.shown["store"]
    assert stage.settings.key.hex() not in sinks.shown["store"]


def _ask_the_commands(
    stage: World, folder: Path, sinks: _Sinks, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a person reads who asks for nobody by name; only what waits is told by name."""
    file = folder / "settings.toml"
    plain = attrs.asdict(stage.settings, filter=lambda field, value: field.name != "profile")
    plain |= {"environment": "sandbox", "uncertain_policy": "hold", "key": plain["key"].hex()}
    file.write_text("".join(f'{k} = "{v}"\n' for k, v in plain.items() if v is not None))
    _remark(stage)
    out = folder / "out"
    out.mkdir()
    for command in (*COMMANDS, *NAMING):
        words = [word.format(out=out) for word in command.split()]
        app([*words, "--settings", str(file)], result_action="return_none", exit_on_error=False)
        sinks.shown[command] = "".join(capsys.readouterr())
        assert sinks.shown[command], command
    for written in out.iterdir():
        sinks.shown[written.name] = written.read_text(encoding="utf-8")
    assert {"manifest.json", "rows.jsonl"} <= set(sinks.shown)
    for name in ("assess --json", "report.html"):
        assert "vu avec PS 1" in sinks.shown[name]
    file.unlink()


def _remark(stage: World) -> None:
    """Somebody types what they should not: an RPPS in a remark, which the report shows."""
    now = datetime.now(UTC)
    note = Note(day=paris_day(now), by="essai", reference="REF-1", at=now)
    dossier = Dossier.from_toml(EXAMPLE)
    here = [one for one in dossier.practitioners if one.rpps == RPPS]
    row = (
        note.day.isoformat(),
        iso(now),
        attrs.evolve(dossier, practitioners=tuple(here)).to_json(),
    )
    stage.store.write(
        lambda tx: tx.execute(
            "INSERT INTO pilot_events (kind, day, recorded_at, by_whom, reference, data)"
            " VALUES ('dossier', ?, ?, 'essai', 'REF-1', ?)",
            row,
        )
    )
    remark, key = (f"vu avec {RPPS.value}",), stage.settings.key
    record_questionnaire(
        stage.store, note, key=key, rpps=RPPS, satisfaction=2, blocking_remarks=remark
    )
    survey = assess(stage.store, key=key).strict[Criterion.C5].survey
    assert survey is not None
    assert survey.blocking_remarks
    assert "vu avec" not in repr(survey)


def _table(stage: World, table: str, columns: str) -> str:
    rows = stage.store.write(lambda tx: tx.execute(f"SELECT {columns} FROM {table}"))  # noqa: S608
    assert rows
    return repr(rows)


def test_every_planted_value_is_searched_for() -> None:
    planted_ones = [*PATIENT.values(), *CONTENT.values(), *PRESCRIBER.values(), *HOST.values()]
    assert sorted(NEVER.values()) == sorted(planted_ones)


def _by_log(name: str) -> None:
    logging.getLogger("eprescription_sdk").info("%s", name)


def _by_http_log(name: str) -> None:
    logging.getLogger("httpcore.http11").debug("send_request_body %s", name)


def _by_span(name: str) -> None:
    with trace.get_tracer("x").start_as_current_span("x", attributes={"x": name}):
        pass


def _by_metric(name: str) -> None:
    metrics.get_meter("x").create_counter("x").add(1, {"x": name})


@pytest.mark.parametrize("leak", [_by_log, _by_http_log, _by_span, _by_metric])
def test_a_leak_would_be_found(
    leak: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
    telemetry_sdk: tuple[InMemorySpanExporter, InMemoryMetricReader],
) -> None:
    caplog.set_level(logging.DEBUG)
    for value in (PATIENT["family name"], RPPS.value):
        leak(value)
        sinks = _Sinks(*telemetry_sdk)
        sinks.collect(caplog)
        assert sinks.leaks(RPPS.value)
        telemetry_sdk[0].clear()
        caplog.clear()


def test_a_leak_behind_an_error_would_be_found(
    telemetry_sdk: tuple[InMemorySpanExporter, InMemoryMetricReader],
) -> None:
    sinks = _Sinks(*telemetry_sdk)
    try:
        try:
            raise ValueError(PATIENT["family name"])
        except ValueError:
            raise ep.ServiceUnreachable("The service did not answer.") from None
    except ep.ServiceError as error:
        sinks.error("error", error)
    assert sinks.leaks() == ["the patient's family name is in: error"]


def test_the_canary_can_sing(tmp_path: Path) -> None:
    """The marks do reach the one place they are meant for: the sandbox holds them."""
    with world(tmp_path, who=_planted_card()) as stage:
        stage.side.create(planted("1"))
        (kept,) = stage.sandbox.registrations
        held = kept.document.decode()
    for value in (*PATIENT.values(), *CONTENT.values()):
        assert value in held
    assert kept.prescriber == RPPS.value

"""A canary that finds nothing must be one that would have found it."""

import base64
import gzip
import json
import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

import eprescription_sdk as ep
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import (
    BAD_DAYS,
    Canary,
    Leak,
    assert_no_patient_data,
    run_canary,
    sandbox_practitioner,
    sandbox_settings,
)

CANARY = Canary(ins="299991234567890", birth_date=date(1913, 7, 29))
NAME = CANARY.family_name


def test_two_canaries_share_nothing() -> None:
    assert not set(Canary().values.values()) & set(Canary().values.values())
    for value in CANARY.values.values():
        assert value not in repr(CANARY)


def test_its_prescription_is_valid_and_marked() -> None:
    prescription = CANARY.prescription(reference="r-1", situation="s-1")
    assert prescription.prescriber.situation.id == "s-1"
    assert prescription.problems() == ()
    written = json.dumps(ep.prescription_to_json(prescription))
    assert all(value in written for value in CANARY.values.values())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (NAME, "family name"),
        (NAME.title(), "family name"),
        ("299991234567890", "INS"),
        ("2 99 99 12 345 678 90", "INS"),
        ("né le 1913-07-29", "birth date"),
        ("né le 29/07/1913", "birth date"),
        ("né le 29.07.1913", "birth date"),
        ("birthdate=19130729", "birth date"),
        (f"<p>{CANARY.posology}</p>", "posology"),
        (NAME.encode("utf-16"), "family name"),
    ],
    # Marks are new at each start; workers must agree on what there is to run.
    ids=str.split("name title ins spaced iso slashes dots digits posology utf-16"),
)
def test_it_is_found_in_every_shape(text: str | bytes, what: str) -> None:
    assert CANARY.search({"log": text}) == (Leak(sink="log", what=what, form="plain"),)


@pytest.mark.parametrize("before", range(4))
def test_it_is_found_in_base64_and_in_hexadecimal(before: int) -> None:
    said = b"x" * before + NAME.encode() + b" and more"
    coded = {"base64": base64.b64encode(said).decode(), "hexadecimal": said.hex().upper()}
    for form, text in coded.items():
        assert CANARY.search({"queue": text}) == (
            Leak(sink="queue", what="family name", form=form),
        )


class _Answer:
    def __repr__(self) -> str:
        return f"<answer for {NAME}>"


def _record(*arguments: object, **more: Any) -> logging.LogRecord:
    record = logging.LogRecord("app", logging.INFO, "file", 1, "seen %s", arguments, None)
    vars(record).update(more)
    return record


def _span() -> object:
    span = TracerProvider().get_tracer("t").start_span("s", attributes={"patient": NAME})
    span.end()
    return span


def _error() -> BaseException:
    try:
        try:
            raise KeyError(NAME)
        except KeyError as cause:
            raise ValueError("something else") from cause
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    "make",
    [
        lambda: [_record(NAME)],
        lambda: [_record("x", extra=NAME)],
        lambda: [_record("x", exc_info=(ValueError, _error(), None))],
        lambda: (_span(),),
        _error,
        lambda: {"deep": [{"er": (NAME.encode(),)}]},
        lambda: lambda: [NAME],
        _Answer,
    ],
    ids=[
        "message", "extra", "logged error", "span", "cause", "nested", "function", "object",
    ],
)  # fmt: skip
def test_it_is_found_in_whatever_a_platform_hands_over(make: Callable[[], object]) -> None:
    (leak,) = CANARY.search({"sink": make()})
    assert leak.what == "family name"


def test_files_and_folders_are_read_whole_and_those_that_are_not_there_are_told(
    tmp_path: Path,
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "app.log.1.gz").write_bytes(gzip.compress(NAME.encode()))
    (tmp_path / "app.log").write_text("nothing", encoding="utf-8")
    (leak,) = CANARY.search({"folder": tmp_path, "file": tmp_path / "app.log"})
    assert leak.sink == "folder"
    with pytest.raises(FileNotFoundError):
        CANARY.search({"file": tmp_path / "none.log"})


def test_the_assertion_names_sink_and_kind_and_repeats_no_value() -> None:
    assert_no_patient_data(CANARY, {"log": "nothing of the kind"})
    with pytest.raises(AssertionError, match=r"the family name is in log \(plain\)") as caught:
        assert_no_patient_data(CANARY, {"log": f"hello {NAME}", "other": "fine"})
    assert NAME not in str(caught.value)
    with pytest.raises(AssertionError, match="nothing was searched in: log"):
        assert_no_patient_data(CANARY, {"log": [], "other": "fine"})
    with pytest.raises(AssertionError, match="no sink"):
        assert_no_patient_data(CANARY, {})


def test_a_platform_runs_it_on_its_own_sinks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    careless: list[str] = []
    with Sandbox(scale=0.02) as sandbox:
        settings = sandbox_settings(
            sandbox,
            tmp_path / "store.db",
            profile=ep.ServiceProfile(max_reply_bytes=64 * 1024, retry_burst=1000).scaled(0.02),
        )
        with ep.Client(settings) as client:
            doctor = client.acting_as(sandbox_practitioner(sandbox))

            def create(prescription: ep.Prescription) -> ep.Outcome:
                careless.append(f"creating {prescription.patient!r}")
                outcome = doctor.create(prescription)
                match outcome:
                    case ep.NotRegistered():
                        careless.append(f"no luck for {prescription.lines[0].label}")
                        raise LookupError(prescription.patient.family_name)
                    case _:
                        return outcome

            canary, told = run_canary(sandbox, create)
        days = {name.rpartition(": ")[2] for name in told}
        assert days > {"good", "the service quotes the patient", *BAD_DAYS}
        assert sandbox.pending_faults <= 1  # a consult may never have come
    assert_no_patient_data(canary, {"log": caplog.records, "store": tmp_path})
    assert_no_patient_data(
        canary, {name: each for name, each in told.items() if name.startswith("answer")}
    )
    leaks = canary.search({"careless": careless, **told})
    assert Leak(sink="careless", what="medicine", form="plain") in leaks
    refused = "error on the day: refused"
    assert Leak(sink=refused, what="family name", form="plain") in leaks


def test_a_path_that_sends_nothing_proves_nothing() -> None:
    with Sandbox() as sandbox, pytest.raises(AssertionError, match="did not reach"):
        run_canary(sandbox, lambda _: None)

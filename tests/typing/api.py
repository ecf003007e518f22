"""The public face as an integrator types against it: checked by mypy and pyright, never run."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, assert_never, assert_type

import eprescription_sdk as ep

# --- Ports: a class of the same shape is enough -------------------------------------------------


class Minter:
    simulated = False

    def mint(self, prescription: ep.Prescription) -> ep.PrescriptionNumber:
        assert_type(prescription.families, frozenset[ep.Family])
        return ep.PrescriptionNumber("0")


class Codec:
    simulated = False

    def action(self, operation: ep.Operation) -> str:
        return f"urn:x:{operation.value}"

    def encode_create(self, prescription: ep.Prescription, number: ep.PrescriptionNumber) -> bytes:
        return b""

    def encode_consult(self, number: ep.PrescriptionNumber) -> bytes:
        return b""

    def encode_search(self, query: ep.SearchQuery, cursor: str | None) -> bytes:
        return b""

    def decode_create(self, body: bytes) -> ep.CreateAnswer:
        return ep.CreateAnswer(number=ep.PrescriptionNumber("0"), registered_at=None)

    def decode_consult(self, body: bytes) -> ep.StoredPrescription | None:
        return None

    def decode_search(self, body: bytes) -> ep.SearchPage:
        return ep.SearchPage(summaries=())

    def fingerprint(self, body: bytes) -> str:
        return ""


class Code2D:
    simulated = False
    symbology = "datamatrix"

    def payload(self, number: ep.PrescriptionNumber) -> str:
        return number.value


class Card:
    def assertion(self, now: datetime) -> ep.Assertion:
        return ep.Assertion(xml=b"", not_on_or_after=now, national_id="")


class Carrier:
    def send(self, request: ep.HttpRequest) -> ep.HttpReply:
        return ep.HttpReply(status=200, headers={}, content=request.content)

    def close(self) -> None: ...


class AsyncCarrier:
    async def send(self, request: ep.HttpRequest) -> ep.HttpReply:
        return ep.HttpReply(status=200, headers={}, content=request.content)

    async def close(self) -> None: ...


# --- The blocking client ------------------------------------------------------------------------


def blocking(settings: ep.Settings, prescription: ep.Prescription) -> str:
    with ep.Client(
        settings, minter=Minter(), codec=Codec(), code2d=Code2D(), transport=Carrier()
    ) as client:
        credentials = ep.Practitioner(
            rpps=ep.Rpps("0"), national_id="", situation="", assertions=Card()
        )
        doctor = client.acting_as(credentials)
        assert_type(doctor, ep.Acting)
        outcome = doctor.create(prescription, wait=8)
        assert_type(outcome, ep.Registered | ep.NotRegistered | ep.Uncertain)
        match outcome:
            case ep.Registered() as done:
                assert_type(done.number, ep.PrescriptionNumber)
                assert_type(client.document_block(done), ep.DocumentBlock)
            case ep.NotRegistered(cause=cause, advice=advice):
                assert_type(cause, ep.Cause)
                return advice.text_fr
            case ep.Uncertain(number=number, advice=advice):
                assert_type(number, ep.PrescriptionNumber)
                return advice.text_fr
            case never:
                assert_never(never)
        assert_type(doctor.consult(ep.PrescriptionNumber("0")), ep.StoredPrescription)
        for summary in doctor.search(ep.SearchQuery(issued_from=date(2025, 3, 17))):
            assert_type(summary, ep.Summary)
        recorded = doctor.record_non_digital(
            families={ep.Family.IMAGING}, reason=ep.NonDigitalReason.OUT_OF_PERIMETER
        )
        assert_type(recorded, bool)
        client.declare_volume(prescriber=ep.Rpps("0"), day=date(2025, 3, 17), documents=41)
        for settled in client.settlements(after=0):
            assert_type(settled.state, ep.State)
            assert_type(settled.cursor, int)
        assert_type(client.reconcile(credentials=[credentials]).open, int)
        for risk in client.duplicate_risks():
            client.close_duplicate_risk(risk.number, by="", reason="")
    return ""


# --- The asynchronous one -----------------------------------------------------------------------


async def asynchronous(settings: ep.Settings, credentials: ep.Practitioner) -> None:
    async with ep.AsyncClient(settings, transport=AsyncCarrier()) as client:
        doctor = client.acting_as(credentials)
        assert_type(doctor, ep.AsyncActing)
        async for summary in doctor.search(ep.SearchQuery(prescriber=ep.Rpps("0"))):
            assert_type(summary, ep.Summary)
        assert_type(await doctor.consult(ep.PrescriptionNumber("0")), ep.StoredPrescription)
        assert_type(await client.reconcile(), ep.Reconciliation)


# --- What a prescription is made of -------------------------------------------------------------


def prescribing(prescriber: ep.Prescriber, patient: ep.Patient) -> Sequence[ep.Problem]:
    prescription = ep.Prescription(
        prescriber=prescriber,
        patient=patient,
        lines=[
            ep.MedicationLine(label="", text="", substitution=None, renewals=1),
            ep.BiologyLine(label="", text="", urgent=True),
        ],
        execution_reading=ep.ExecutionReading.AGREED,
    )
    assert_type(prescription.split(), tuple[ep.Prescription, ...])
    bundle = ep.fhir.prescription_to_fhir(prescription)
    again = ep.fhir.prescription_from_fhir(
        bundle,
        prescriber=prescriber,
        patient=patient,
        execution_reading=ep.ExecutionReading.OPPOSED,
    )
    assert_type(again, ep.Prescription)
    return again.problems()


# --- The pilot ----------------------------------------------------------------------------------


def pilot(client: ep.Client) -> None:
    assessment = ep.pilot.assess(client.store)
    assert_type(assessment, ep.pilot.Assessment)
    strict = assessment.results(ep.pilot.Reading.STRICT)
    assert_type(strict[ep.pilot.Criterion.C1].verdict, ep.pilot.Verdict)
    assert_type(assessment.to_dict(), dict[str, Any])
    assert_type(ep.Settings.from_toml(Path("settings.toml")), ep.Settings)


# --- Errors -------------------------------------------------------------------------------------


def failing(doctor: ep.Acting) -> str:
    try:
        doctor.consult(ep.PrescriptionNumber("0"))
    except ep.ServiceError as error:
        assert_type(error.message_ids, tuple[str, ...])
        assert_type(error.code, str)
        return error.text_fr or str(error)
    return ""

"""A prescribing back-end on FastAPI: one ``AsyncClient``, three outcomes.

Who may call it (the host's own log-in) is left out. What stays here is what the SDK needs: the
client's life, the practitioner's session, ``create()`` and what to do with its answer.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated, Any, assert_never

import attrs
from fastapi import Body, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from telemetry import exporting_to_the_console

import eprescription_sdk as ep

PATIENCE = 8.0
"""Seconds that the prescriber may be kept waiting; what was sent is followed behind."""

RECONCILE_EVERY = 60.0
"""Seconds between two looks at what is still uncertain."""

sessions: dict[ep.Rpps, ep.Practitioner] = {}
"""Who is authenticated now. One object each: it keeps the assertion until it expires."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One client for the process, closed with it: what waits is written, nothing is cut off."""
    # The three stand-ins are passed by name, and every output says SIMULATION. Yours go here.
    client = ep.AsyncClient(
        ep.Settings.from_env(),
        minter=ep.reference.FakeMinter(),
        codec=ep.ReferenceCodec(),
        code2d=ep.reference.SpecimenCode(),
    )
    with exporting_to_the_console():
        async with client:
            client.start_shipping()
            settling = asyncio.create_task(settle_now_and_then(client))
            app.state.client = client
            yield
            settling.cancel()


async def settle_now_and_then(client: ep.AsyncClient) -> None:
    """Ask for what is uncertain, with the credentials of who is there; it never creates."""
    while True:
        await asyncio.sleep(RECONCILE_EVERY)
        with suppress(ep.StoreError):  # It is counted and logged; the next round tries again.
            await client.reconcile(credentials=list(sessions.values()))


app = FastAPI(lifespan=lifespan)


@app.put("/practitioners/{rpps}/session", status_code=204)
async def open_session(rpps: str, situation: str, request: Request) -> None:
    """The workstation hands over what the card signed; the RPPS is that of the host's account."""
    assertions = ep.ReadyAssertion(await request.body())
    practitioner = ep.Practitioner(
        rpps=ep.Rpps(rpps),
        national_id=assertions.assertion(datetime.now(UTC)).national_id,
        situation=situation,
        assertions=assertions,
    )
    sessions[practitioner.rpps] = practitioner


@app.post("/consultations/{consultation}/prescription")
async def prescribe(
    consultation: str, content: Annotated[dict[str, Any], Body()], request: Request
) -> JSONResponse:
    """Create the prescription of a consultation; asked again, it answers what became of it."""
    client: ep.AsyncClient = request.app.state.client
    # The host's own id makes a second click, or a retry of the front end, harmless.
    prescription = attrs.evolve(ep.prescription_from_json(content), reference=consultation)
    doctor = client.acting_as(authenticated(prescription.prescriber.rpps))
    outcome = await doctor.create(prescription, wait=PATIENCE)
    answer = {"text": outcome.advice.text_fr, "simulation": outcome.simulation}
    match outcome:
        case ep.Registered() as done:
            block = client.document_block(done, legal_mentions="Vos mentions légales")
            answer |= {"outcome": "registered", "number": block.number, "print": block.html()}
            return JSONResponse(answer, 201)
        case ep.NotRegistered(advice=advice, cause=cause, number=number):
            if advice.step is ep.NextStep.PRINT_PLAIN:
                # The patient leaves with paper: both together count once in the pilot.
                await doctor.record_non_digital(
                    families=prescription.families,
                    reason=ep.NonDigitalReason.SERVICE_FAILURE,
                    after=number,
                    test_identity=prescription.patient.ins.oid.fictitious,
                )
            answer |= {"outcome": "not registered", "next": advice.step.value, "why": cause.value}
            return JSONResponse(answer, 200)
        case ep.Uncertain(advice=advice):
            # In the ledger until it is settled; its number is not to be shown before.
            answer |= {"outcome": "uncertain", "next": advice.step.value}
            return JSONResponse(answer, 202)
        case never:
            assert_never(never)


@app.post("/practitioners/{rpps}/paper", status_code=204)
async def give_paper(
    rpps: str, families: list[ep.Family], reason: ep.NonDigitalReason, request: Request
) -> None:
    """What the host prints without asking the service: imaging, or at the patient's request."""
    client: ep.AsyncClient = request.app.state.client
    doctor = client.acting_as(authenticated(ep.Rpps(rpps)))
    await doctor.record_non_digital(families=families, reason=reason)


def authenticated(rpps: ep.Rpps) -> ep.Practitioner:
    """The practitioner's open session."""
    if rpps not in sessions:
        raise HTTPException(401, "Votre carte ou votre session n'est pas disponible.")
    return sessions[rpps]


@app.exception_handler(ep.EPrescriptionError)
async def refuse(_: Request, error: Exception) -> JSONResponse:
    """What a call raises, it raises before anything is sent; the patient is served on paper."""
    status = {
        ep.InvalidInput: 422,  # not a prescription; findings are paths, never values
        ep.ReferenceConflict: 409,  # this consultation already has a prescription, another one
        ep.CredentialUnavailable: 401,
        ep.StoreError: 503,  # the ledger cannot be written
    }
    code = next((code for kind, code in status.items() if isinstance(error, kind)), 500)
    return JSONResponse({"outcome": "not sent", "text": str(error)}, code)

"""HTTP in, HTTP out. Who may call (the host's own log-in) is left out."""

import json
from typing import assert_never
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import eprescription_sdk as ep
from prescribing import issuing
from prescribing.models import Document, Session


@require_http_methods(["PUT"])
def open_session(request: HttpRequest, rpps: str) -> HttpResponse:
    """The workstation hands over what the card signed; the RPPS is that of the host's account."""
    session = Session(rpps=rpps, situation=request.GET["situation"], assertion=request.body)
    _ = session.practitioner  # An assertion that cannot be read, or has ended, is refused here.
    session.save()
    return HttpResponse(status=204)


@require_POST
def draft(request: HttpRequest) -> JsonResponse:
    """Keep a document; nothing is sent."""
    try:
        content = json.loads(request.body)
    except ValueError:
        raise ep.InvalidInput("The body is not JSON.") from None
    prescription = ep.prescription_from_json(content)
    # Whoever sends the same reference again sends the same content: the hour belongs to it.
    issued_at = prescription.issued_at or timezone.now()
    document = Document.objects.create(
        rpps=prescription.prescriber.rpps.value,
        issued_at=issued_at,
        content={**ep.prescription_to_json(prescription), "issued_at": issued_at.isoformat()},
    )
    return JsonResponse({"id": document.id}, status=201)


@require_GET
def show(_: HttpRequest, document_id: UUID) -> JsonResponse:
    """Where a document stands: the front end asks while one is uncertain."""
    document = get_object_or_404(Document, pk=document_id)
    return JsonResponse({"state": document.state})


@transaction.non_atomic_requests
@require_POST
def issue(_: HttpRequest, document_id: UUID) -> JsonResponse:
    """Register a document; asked again, it answers what became of it."""
    outcome = issuing.issue(get_object_or_404(Document, pk=document_id))
    answer = {"text": outcome.advice.text_fr, "simulation": outcome.simulation}
    match outcome:
        case ep.Registered() as done:
            block = issuing.client().document_block(done, legal_mentions="Vos mentions légales")
            return JsonResponse({**answer, "number": block.number, "print": block.html()})
        case ep.NotRegistered(advice=advice, cause=cause):
            return JsonResponse({**answer, "next": advice.step.value, "why": cause.value})
        case ep.Uncertain(advice=advice):
            return JsonResponse({**answer, "next": advice.step.value}, status=202)
        case never:
            assert_never(never)


@require_POST
def paper(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The patient is given paper: in place of what was not registered, or from the start."""
    document = get_object_or_404(Document, pk=document_id)
    failed = document.state == Document.State.NOT_REGISTERED and document.number
    issuing.acting(document.rpps).record_non_digital(
        families=document.prescription.families,
        reason=ep.NonDigitalReason(request.GET["reason"]),
        after=ep.PrescriptionNumber(document.number) if failed else None,
        issued_at=document.issued_at,
        test_identity=document.prescription.patient.ins.oid.fictitious,
    )
    document.state = Document.State.PAPER
    document.save(update_fields=["state"])
    return HttpResponse(status=204)

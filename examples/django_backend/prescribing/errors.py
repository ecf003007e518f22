"""What the SDK raises, as JSON. A call raises before anything is sent, so paper can be given."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

import eprescription_sdk as ep

STATUS = {
    ep.InvalidInput: 422,  # not a prescription; findings are paths, never values
    ep.ReferenceConflict: 409,  # this document was issued with other content
    ep.CredentialUnavailable: 401,
    ep.StoreError: 503,  # the ledger cannot be written
}


class AsJson:
    """Middleware: Django calls it with what a view raised, once its transaction is undone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self._get_response(request)

    def process_exception(self, _: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer what is ours; the rest is the host's."""
        if not isinstance(error, ep.EPrescriptionError):
            return None
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
        return JsonResponse({"text": str(error)}, status=status)

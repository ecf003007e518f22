"""The page of the pharmacy's counter, and its routes.

Marked as a simulation from end to end: it is an illustration of ours, not a pharmacy's screen.
Starlette is imported here, so this module is imported only when a sandbox starts.
"""

import asyncio
import json
from html import escape

from attrs import asdict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eprescription_sdk.sandbox.answers import NOTICE_HEADER
from eprescription_sdk.sandbox.bodies import form_fields, read_body
from eprescription_sdk.sandbox.counter import Counter, Scan, stopped
from eprescription_sdk.sandbox.pharmacy import SeenPrescription, registered_on
from eprescription_sdk.sandbox.scan import Obstacle

MOST_BYTES = 16 * 1024 * 1024
"""Of a picture: a telephone's largest."""

_HEADERS = {
    **dict([NOTICE_HEADER]),
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'",
}


class CounterPage:
    """The routes of the counter.

    Args:
        counter: scans.
    """

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        # One picture at a time is unfolded, in a thread: memory and other requests stay free.
        self._busy = asyncio.Lock()
        self.routes = [
            Route("/pharmacie", self._show, methods=["GET"]),
            Route("/pharmacie", self._scan, methods=["POST"]),
        ]

    async def _show(self, _: Request) -> Response:
        return Response(page(), 200, _HEADERS, media_type="text/html")

    async def _scan(self, request: Request) -> Response:
        """A form of the page, or a picture alone; the answer is a page, or JSON if asked for."""
        body = await read_body(request, MOST_BYTES)
        if body is None:
            scan = stopped(Obstacle.TOO_LARGE)
        else:
            scan = await self._scanned(body, request.headers.get("content-type", ""))
        if "application/json" in request.headers.get("accept", ""):
            told = json.dumps(asdict(scan), ensure_ascii=False, default=str)
            return Response(told, 200, _HEADERS, media_type="application/json")
        return Response(page(scan), 200, _HEADERS, media_type="text/html")

    async def _scanned(self, body: bytes, content_type: str) -> Scan:
        fields = form_fields(body, content_type) or {"picture": body}
        picture = fields.get("picture", b"")
        if not picture:
            return self._counter.payload(fields.get("payload", b"").decode(errors="replace"))
        async with self._busy:
            return await asyncio.to_thread(self._counter.picture, picture)


def page(scan: Scan | None = None) -> str:
    """The page: the form, and below it what came of a scan."""
    return _PAGE.format(result=_result(scan) if scan else "")


def _result(scan: Scan) -> str:
    found = scan.prescription
    kind = "found" if found else "nothing"
    told = f'<p role="status" class="{kind}">{escape(scan.text_fr)}</p>'
    return f'<section aria-labelledby="r"><h2 id="r">Résultat</h2>{told}{_seen(found)}</section>'


def _seen(found: SeenPrescription | None) -> str:
    if found is None:
        return ""
    facts = (
        ("Numéro", found.number),
        ("Enregistrée", f"le {registered_on(found)}"),
        ("Prescrite", f"le {found.issued}"),
        ("Nature", found.kind),
        ("Mentions", ", ".join(found.flags)),
        ("Patient", ", né(e) le ".join(filter(None, (found.patient, found.born)))),
        ("Prescripteur", ", ".join(filter(None, (found.prescriber, f"RPPS {found.rpps}")))),
    )
    listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts if value)
    lines = "".join(
        f"<li><strong>{escape(line.label)}</strong><p>{escape(line.words)}</p>"
        f"<p class=details>{escape(' · '.join(line.details))}</p></li>"
        for line in found.lines
    )
    return f'<p class="mark">SPECIMEN</p><dl>{listed}</dl><h3>Prescription</h3><ol>{lines}</ol>'


_PAGE = """\
<!DOCTYPE html>
<html lang="fr"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SIMULATION · Comptoir de la pharmacie</title>
<style>
:root {{ color-scheme: light; font: 1rem/1.5 system-ui, sans-serif; }}
body {{ margin: 0; color: #1b2430; background: #f4f6f8; }}
.banner {{ margin: 0; padding: .6rem 1rem; background: #7a1f1f; color: #fff; font-weight: 600; }}
main {{ max-width: 44rem; margin: 0 auto; padding: 1rem; }}
form, section {{ background: #fff; border: 1px solid #c5ccd5; border-radius: .5rem;
  padding: 1rem; margin: 1rem 0; }}
h1 {{ font-size: 1.5rem; margin: .5rem 0; }} h2 {{ font-size: 1.2rem; margin: 0 0 .5rem; }}
h3 {{ font-size: 1.05rem; margin: 1rem 0 .25rem; }}
label {{ display: block; font-weight: 600; margin-top: .75rem; }}
.hint, .details {{ color: #4a5563; font-size: .92rem; margin: .1rem 0; }}
input {{ font: inherit; max-width: 100%; box-sizing: border-box; }}
input[type=text] {{ width: 100%; padding: .4rem; border: 1px solid #6b7684; border-radius: .3rem; }}
button {{ font: inherit; font-weight: 600; margin-top: 1rem; padding: .5rem 1.2rem; border: 0;
  border-radius: .3rem; background: #14507a; color: #fff; cursor: pointer; }}
:focus-visible {{ outline: 3px solid #d98200; outline-offset: 2px; }}
.found, .nothing {{ border-left: .4rem solid; padding: .5rem .8rem; margin: 0 0 1rem; }}
.found {{ border-color: #1d6b3c; background: #e9f5ee; }}
.nothing {{ border-color: #7a1f1f; background: #fbecec; }}
.mark {{ color: #7a1f1f; font-weight: 700; letter-spacing: .4em; margin: 0; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .5rem 0; }}
dt {{ color: #4a5563; }} dd {{ margin: 0; overflow-wrap: anywhere; }}
li {{ margin: .5rem 0; overflow-wrap: anywhere; }} li p {{ margin: .1rem 0; }}
@media (max-width: 30rem) {{ dl {{ grid-template-columns: 1fr; gap: 0; }}
  dd {{ margin-bottom: .4rem; }} }}
</style></head><body>
<header class="banner">SIMULATION · bac à sable de l'eprescription-sdk, et non de l'Assurance
Maladie</header>
<main><h1>Comptoir de la pharmacie</h1>
<p>Présentez un document imprimé ou affiché par votre logiciel : cette page lit son code SPECIMEN
et montre ce qu'une pharmacie verrait. L'écran est une illustration ; seules les ordonnances de
personnes fictives y ont leur place.</p>
<form method="post" action="#r" enctype="multipart/form-data">
<label for="picture">Image du document</label>
<p class="hint" id="picture-hint">Photo ou capture d'écran, PNG, JPEG ou WebP.</p>
<input type="file" id="picture" name="picture" accept="image/*" aria-describedby="picture-hint">
<label for="payload">ou contenu du code</label>
<p class="hint" id="payload-hint">Ce que tape une douchette : SPECIMEN suivi du numéro.</p>
<input type="text" id="payload" name="payload" autocomplete="off" aria-describedby="payload-hint">
<button>Lire</button></form>
{result}</main></body></html>
"""

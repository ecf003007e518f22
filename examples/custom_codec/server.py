"""The invented deposit service: a small stand-in to try the codec on.

It shares no code with the codec, and holds every request against the same schema. It looks at
bodies only; how envelope and assertion are checked is the sandbox's to show.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import etree

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_NS = {"d": "urn:exemple-invente:depot:1", "s": _SOAP}
_REPORT = (
    "<d:CompteRendu><d:Code>{}</d:Code><d:Libelle>réponse inventée</d:Libelle></d:CompteRendu>"
)
_FAULT = (
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason>"
    '<s:Text xml:lang="fr">refus inventé</s:Text></s:Reason><s:Detail>'
    '<e:Erreur xmlns:e="urn:siram" severite="erreur" code="{}">refus inventé</e:Erreur>'
    "</s:Detail></s:Fault>"
)


class Deposit:
    """What was deposited.

    Args:
        package: the folder with ``depot.xsd``.
    """

    def __init__(self, package: Path) -> None:
        self.schema = etree.XMLSchema(etree.parse(package / "depot.xsd"))
        self.kept: dict[str, tuple[str, etree._Element]] = {}
        self.lose_answers = 0
        """How many answers to deposits get lost, after the deposit was made."""

    def answer(self, request: bytes) -> tuple[bytes | None, int]:
        """The answer and its HTTP status; no answer where it gets lost."""
        body = etree.fromstring(request).find("s:Body", _NS)
        asked = body[0] if body is not None and len(body) else None
        if asked is None or not self.schema.validate(asked):
            return _envelope(_FAULT.format("depot_invalide")), 400
        match etree.QName(asked).localname:
            case "DeposerRequete":
                return self._deposit(asked)
            case "LireRequete":
                return _envelope(self._read(_of(asked, "d:NumeroOrdonnance"))), 200
            case _:
                return _envelope(self._list(asked)), 200

    def _deposit(self, asked: etree._Element) -> tuple[bytes | None, int]:
        number = _of(asked, "d:NumeroOrdonnance")
        if number in self.kept:
            return _envelope(_FAULT.format("depot_existe")), 400
        self.kept[number] = (datetime.now(UTC).isoformat(), asked)
        if self.lose_answers:
            self.lose_answers -= 1
            return None, 0
        at, _ = self.kept[number]
        return _envelope(
            f"<d:DeposerReponse>{_REPORT.format('00')}<d:NumeroOrdonnance>{number}"
            f"</d:NumeroOrdonnance><d:RecueLe>{at}</d:RecueLe></d:DeposerReponse>"
        ), 200

    def _read(self, number: str) -> str:
        if number not in self.kept:
            return f"<d:LireReponse>{_REPORT.format('01')}</d:LireReponse>"
        at, kept = self.kept[number]
        content = etree.Element(f"{{{_NS['d']}}}Contenu", nsmap={"autre": _NS["d"]})
        content.extend(etree.fromstring(etree.tostring(kept)))
        return (
            f"<d:LireReponse>{_REPORT.format('00')}<d:RecueLe>{at}</d:RecueLe>"
            f"{etree.tostring(content, encoding='unicode')}</d:LireReponse>"
        )

    def _list(self, asked: etree._Element) -> str:
        prescriber = _of(asked, "d:Prescripteur")
        found = "".join(
            f"<d:Ordonnance><d:NumeroOrdonnance>{number}</d:NumeroOrdonnance>"
            f"<d:RecueLe>{at}</d:RecueLe>"
            f"<d:TypeDocument>{escape(_of(kept, 'd:TypeDocument'))}</d:TypeDocument>"
            f"<d:Prescripteur>{_of(kept, 'd:Prescripteur/d:Rpps')}</d:Prescripteur></d:Ordonnance>"
            for number, (at, kept) in self.kept.items()
            if prescriber in ("", _of(kept, "d:Prescripteur/d:Rpps"))
        )
        return f"<d:ListerReponse>{_REPORT.format('00')}{found}</d:ListerReponse>"


@contextmanager
def running(deposit: Deposit) -> Iterator[str]:
    """The service on loopback; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            answer, status = deposit.answer(content)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing: a request line is nobody's business."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/service"
        finally:
            server.shutdown()


def _envelope(body: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{_SOAP}" xmlns:d="{_NS["d"]}"><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


def _of(node: etree._Element, path: str) -> str:
    return node.findtext(path, "", _NS)

"""``eprescription sandbox``: the stand-in téléservice, and its pharmacy's eye."""

import json as json_form
import ssl
import threading
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from eprescription_sdk.cli.context import AsJson, console, group, print_json
from eprescription_sdk.errors import InvalidInput, TransportFailure
from eprescription_sdk.files import read
from eprescription_sdk.model.exchange import HttpReply, HttpRequest
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.traces.files import writing
from eprescription_sdk.transport import HttpxTransport
from eprescription_sdk.transport.certificate import read_client_certificate
from eprescription_sdk.transport.tls import tls_context

app = group("The stand-in téléservice: run it, or scan a document with it.")

_PORT = 8760
_AUTHORITY, _ORGANISATION = "authority.pem", "organisation.pem"


@app.default
def sandbox(
    *,
    port: int = _PORT,
    card: Annotated[Path | None, Parameter(help="Folder to write a practice card into.")] = None,
    accepts_duplicates: bool = False,
    mutual_tls: Annotated[
        Path | None,
        Parameter(help="Serve https, and write what a client needs for it into this folder."),
    ] = None,
) -> None:
    """Run the reference sandbox on loopback until Ctrl-C.

    It is the SDK's own, not the Assurance Maladie's.

    Parameters
    ----------
    port
        Port to listen on; 0 for any.
    accepts_duplicates
        Take a second prescription with the same number, as a careless service would.
    """
    out = console()
    with Sandbox(
        port=port, unique_by_number=not accepts_duplicates, mutual_tls=mutual_tls is not None
    ) as server:
        out.print("Reference sandbox, ours and not official. Ctrl-C ends it.", style="bold")
        out.print(f"service    {server.url}")
        out.print(f"collector  {server.collector_url}")
        if card is not None:
            _write_card(server, card)
            out.print(f"card       {card}/card.crt, {card}/card.key")
        if mutual_tls is not None:
            _write_organisation(server, mutual_tls)
            out.print(
                f'settings   tls_certificate = "{mutual_tls}/{_ORGANISATION}"', soft_wrap=True
            )
            out.print(f'           tls_authorities = "{mutual_tls}/{_AUTHORITY}"', soft_wrap=True)
        out.print(f"pharmacy   {server.pharmacy_url}")
        threading.Event().wait()


@app.command
def scan(
    picture: Path,
    /,
    *,
    url: str = f"http://127.0.0.1:{_PORT}/pharmacie",
    mutual_tls: Path | None = None,
    json: AsJson = False,
) -> int:
    """What a pharmacy would see of a document: its SPECIMEN code is read from a picture.

    The exit code is 1 where the pharmacy could dispense nothing.

    Parameters
    ----------
    picture
        Photo or screenshot of the document.
    url
        The pharmacy's page of a running sandbox, as it says when it starts.
    mutual_tls
        The folder that the sandbox was started with, where it was.
    """
    try:
        content = read(picture)
    except OSError as error:
        raise InvalidInput(
            f"The picture cannot be read: {error.strerror}.", path=str(picture)
        ) from None
    seen = _asked(url, content, mutual_tls)
    if json:
        print_json(seen)
    else:
        _show(console(), seen)
    return 0 if seen["prescription"] else 1


def _asked(url: str, picture: bytes, mutual_tls: Path | None) -> dict[str, Any]:
    request = HttpRequest(
        url=url,
        headers={"Content-Type": "application/octet-stream", "Accept": "application/json"},
        content=picture,
        timeout=60,
        connect_timeout=3,
        max_bytes=8 * 1024 * 1024,
    )
    transport = HttpxTransport(_inside(mutual_tls) if mutual_tls is not None else None)
    try:
        return _scan_of(transport.send(request))
    except (TransportFailure, ValueError, KeyError, TypeError):
        raise InvalidInput(
            "No sandbox answers there.",
            path="--url",
            way_out="Start one: eprescription sandbox. It says where its pharmacy is, and with"
            " --mutual-tls it wants the same folder here.",
        ) from None
    finally:
        transport.close()


def _scan_of(reply: HttpReply) -> dict[str, Any]:
    told: dict[str, Any] = json_form.loads(reply.content)
    _ = told["text_fr"], told["prescription"]
    return told


def _show(out: Console, seen: dict[str, Any]) -> None:
    out.print("SIMULATION", style="bold red")
    out.print(escape(seen["text_fr"]))
    found = seen["prescription"]
    if found is None:
        return
    for name, value in (
        ("Numéro", found["number"]),
        ("Nature", found["kind"]),
        ("Mentions", ", ".join(found["flags"])),
        ("Patient", f"{found['patient']}, {found['born']}"),
        ("Prescripteur", f"{found['prescriber']}, RPPS {found['rpps']}"),
    ):
        out.print(f"{name:<13}{escape(value)}", soft_wrap=True)
    for line in found["lines"]:
        out.print(f"- {escape(line['label'])}", style="bold", soft_wrap=True)
        for part in (line["words"], " · ".join(line["details"])):
            out.print(f"  {escape(part)}", soft_wrap=True)


def _write_card(server: Sandbox, folder: Path) -> None:
    certificate, private_key = server.issue_card("CARTE FICTIVE")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "card.crt").write_bytes(certificate)
        _write_secret(folder / "card.key", private_key)


def _write_organisation(server: Sandbox, folder: Path) -> None:
    certificate, private_key = server.issue_organisation("ORGANISATION FICTIVE")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _AUTHORITY).write_bytes(server.authority)
        _write_secret(folder / _ORGANISATION, certificate + private_key)


def _inside(folder: Path) -> ssl.SSLContext:
    """What gets in with the files that a sandbox wrote."""
    certificate = read_client_certificate(folder / _ORGANISATION)
    return tls_context(certificate, authorities=folder / _AUTHORITY)


def _write_secret(file: Path, content: bytes) -> None:
    file.touch(mode=0o600)
    file.write_bytes(content)

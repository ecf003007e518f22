"""``eprescription sandbox``: the stand-in téléservice, until it is interrupted."""

import threading
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from eprescription_sdk.cli.context import console
from eprescription_sdk.sandbox import Sandbox


def sandbox(
    *,
    port: int = 8760,
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
                f'settings   tls_certificate = "{mutual_tls}/organisation.pem"', soft_wrap=True
            )
            out.print(f'           tls_authorities = "{mutual_tls}/authority.pem"', soft_wrap=True)
        threading.Event().wait()


def _write_card(server: Sandbox, folder: Path) -> None:
    certificate, private_key = server.issue_card("CARTE FICTIVE")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "card.crt").write_bytes(certificate)
    _write_secret(folder / "card.key", private_key)


def _write_organisation(server: Sandbox, folder: Path) -> None:
    certificate, private_key = server.issue_organisation("ORGANISATION FICTIVE")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "authority.pem").write_bytes(server.authority)
    _write_secret(folder / "organisation.pem", certificate + private_key)


def _write_secret(file: Path, content: bytes) -> None:
    file.touch(mode=0o600)
    file.write_bytes(content)

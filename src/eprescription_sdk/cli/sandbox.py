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
    with Sandbox(port=port, unique_by_number=not accepts_duplicates) as server:
        out.print("Reference sandbox, ours and not official. Ctrl-C ends it.", style="bold")
        out.print(f"service    {server.url}")
        out.print(f"collector  {server.collector_url}")
        if card is not None:
            _write_card(server, card)
            out.print(f"card       {card}/card.crt, {card}/card.key")
        threading.Event().wait()


def _write_card(server: Sandbox, folder: Path) -> None:
    certificate, private_key = server.issue_card("CARTE FICTIVE")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "card.crt").write_bytes(certificate)
    key = folder / "card.key"
    key.touch(mode=0o600)
    key.write_bytes(private_key)

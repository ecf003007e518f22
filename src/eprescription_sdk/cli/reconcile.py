"""``eprescription ledger reconcile``: settle what is open, for the credentials at hand.

It only ever consults. Whose credentials an entry waits for is printed because a person asks.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from cyclopts import Parameter

from eprescription_sdk import ledger
from eprescription_sdk.cli.context import (
    AsJson,
    SettingsFile,
    console,
    opened,
    print_json,
    progress,
    settings_of,
)
from eprescription_sdk.cli.credentials import CredentialsFile, practitioners
from eprescription_sdk.cli.ports import Code2d, Codec, Minter, ports
from eprescription_sdk.client import Client, Reconciled
from eprescription_sdk.settings import Settings

_WORDS = {
    "registered": "registered",
    "not_registered": "not registered",
    "open": "still open",
    "waiting_for_credentials": "waits",
}
"""How each result of a reconciliation reads."""
_UNSETTLED = ("open", "waiting_for_credentials")


def reconcile(
    *,
    credentials: CredentialsFile = None,
    seconds: Annotated[
        float | None, Parameter(help="For each entry; the profile's deadline by default.")
    ] = None,
    codec: Codec = None,
    minter: Minter = None,
    code2d: Code2d = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> int:
    """Ask the service what became of open prescriptions; it never creates one.

    Without credentials it lists what waits, and for whose. Exit code 1 if something is open
    afterwards.
    """
    configured = settings_of(settings)
    looked: list[Reconciled] = []
    with _shown(looked, quiet=json) as tell:
        if credentials is None:
            simulation = None
            _list(configured, tell)
        else:
            who = practitioners(credentials)
            given = ports(minter=minter, codec=codec, code2d=code2d)
            with Client(configured, **given) as client:
                simulation = client.simulation
                client.reconcile(credentials=who, seconds=seconds, progress=tell)
    counts = Counter(each.result for each in looked)
    if json:
        print_json(
            {
                "simulation": simulation,
                **{result: counts[result] for result in _WORDS},
                "entries": [
                    {
                        "number": each.number.value,
                        "prescriber": each.prescriber.value,
                        "result": each.result,
                    }
                    for each in looked
                ],
            }
        )
    else:
        _conclude(counts, simulation=bool(simulation))
    return int(any(counts[result] for result in _UNSETTLED))


def _list(settings: Settings, tell: Callable[[Reconciled], None]) -> None:
    """What is open, as if nobody were there to settle it."""
    with opened(settings) as store:
        entries = store.read(ledger.open_entries)
    for done, entry in enumerate(entries, start=1):
        tell(
            Reconciled(
                number=entry.number,
                prescriber=entry.rpps,
                result="waiting_for_credentials",
                done=done,
                total=len(entries),
            )
        )


@contextmanager
def _shown(looked: list[Reconciled], *, quiet: bool) -> Iterator[Callable[[Reconciled], None]]:
    """Keeps each entry and shows it: a line, and on a terminal how far it is."""
    out = console(quiet=quiet)
    with progress("asking the service", out) as advance:

        def tell(each: Reconciled) -> None:
            looked.append(each)
            waits = f" for {each.prescriber.value}" if each.result == _UNSETTLED[1] else ""
            out.print(f"{_WORDS[each.result]:<14} {each.number.value}{waits}", soft_wrap=True)
            advance(each.done, each.total)

        yield tell


def _conclude(counts: Counter[str], *, simulation: bool) -> None:
    out = console()
    if simulation:
        out.print("SIMULATION")
    told = [f"{counts[result]} {word}" for result, word in _WORDS.items() if counts[result]]
    out.print(f"{', '.join(told)}." if told else "Nothing is open.")
    if counts["waiting_for_credentials"]:
        out.print("What waits is settled with its practitioner's credentials (--credentials FILE).")

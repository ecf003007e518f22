"""The credentials that a command acts with: a TOML file that says where each one is.

The file holds no secret: a passphrase or a PIN comes from a variable that it names, or is asked
for on the terminal. Each ``[[practitioner]]`` has one source of assertions:

- ``assertion``: file of a ready-made one;
- ``pkcs12``, or ``certificate`` and ``private_key``: files of a key that signs them;
- ``pkcs11``: library of a card that signs them, with ``token`` and ``label`` of its key.
"""

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import attrs
from cyclopts import Parameter

from eprescription_sdk.credentials import Practitioner, ReadyAssertion
from eprescription_sdk.credentials.key_file import Billing, KeyFileAssertion
from eprescription_sdk.credentials.pkcs11 import Pkcs11Assertion
from eprescription_sdk.credentials.signing import Holder
from eprescription_sdk.errors import ConfigurationError, CredentialUnavailable, EPrescriptionError
from eprescription_sdk.files import toml_of
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.ports import AssertionProvider
from eprescription_sdk.transport.tls import read_file

CredentialsFile = Annotated[
    Path | None,
    Parameter(
        name="--credentials",
        help="TOML file that says whose credentials are at hand, and where; docs/ledger-states.md.",
    ),
]

_WHO = ("rpps", "national_id", "situation")
_BILLING = tuple(field.name for field in attrs.fields(Billing))
_SOURCES: dict[str, tuple[str, ...]] = {
    "assertion": (),
    "pkcs12": _BILLING,
    "certificate": ("private_key", *_BILLING),
    "pkcs11": ("token", "label", *_BILLING),
}
"""What names a source, and what it needs besides."""
_OPTIONAL = ("qualifier", "secret")


def practitioners(file: Path) -> tuple[Practitioner, ...]:
    """Everyone whom a credentials file names.

    Raises:
        ConfigurationError: it cannot be read, or an entry is incomplete; with its path.
        CredentialUnavailable: a ready-made assertion cannot be read.
    """
    try:
        document = toml_of(read_file(file, "credentials"))
    except ValueError as error:
        raise ConfigurationError(f"Malformed TOML: {error}.", path=str(file)) from None
    tables = document.get("practitioner")
    if set(document) != {"practitioner"} or not isinstance(tables, list):
        raise ConfigurationError(
            "A credentials file holds [[practitioner]] tables, and nothing else.", path=str(file)
        )
    return tuple(_practitioners(tables, file.parent))


def _practitioners(tables: list[Any], folder: Path) -> Iterator[Practitioner]:
    seen: set[str] = set()
    for position, table in enumerate(tables):
        path = f"practitioner[{position}]"
        _complete(table, path)
        rpps = Rpps(table["rpps"])
        if problem := rpps.problem():
            raise ConfigurationError(problem, path=f"{path}.rpps")
        if rpps.value in seen:
            raise ConfigurationError("This practitioner comes twice.", path=f"{path}.rpps")
        seen.add(rpps.value)
        try:
            source = _source(table, folder)
        except EPrescriptionError as error:
            # Which of them, and in which file.
            error.path = f"{path}, {error.path}" if error.path else path
            raise
        yield Practitioner(
            rpps=rpps,
            national_id=table["national_id"],
            situation=table["situation"],
            assertions=source,
        )


def _complete(table: Any, path: str) -> None:
    if not isinstance(table, dict):
        raise ConfigurationError("This is not a table.", path=path)
    sources = [name for name in _SOURCES if name in table]
    if len(sources) != 1:
        raise ConfigurationError(
            "A practitioner has one source of assertions.",
            path=path,
            way_out=f"Give one of: {', '.join(_SOURCES)}.",
        )
    needed = (*_WHO, *sources, *_SOURCES[sources[0]])
    for name in needed:
        if name not in table:
            raise ConfigurationError("Missing entry.", path=f"{path}.{name}")
    for name, value in table.items():
        if name not in (*needed, *_OPTIONAL):
            raise ConfigurationError("Unknown entry.", path=f"{path}.{name}")
        if not isinstance(value, str) or not value:
            raise ConfigurationError("This value is not a text.", path=f"{path}.{name}")


def _source(table: dict[str, str], folder: Path) -> AssertionProvider:
    if "assertion" in table:
        return ReadyAssertion(read_file(folder / table["assertion"], "assertion"))
    billing = Billing(**{name: table[name] for name in _BILLING})
    national_id, qualifier = table["national_id"], table.get("qualifier", "CPS")
    if "pkcs11" in table:
        return Pkcs11Assertion(
            Path(table["pkcs11"]),
            token=table["token"],
            key=table["label"],
            holder=Holder(national_id=national_id, billing=billing, qualifier=qualifier),
            pin=_pin(table),
        )
    secret = _secret(table["secret"], "Passphrase of the key") if "secret" in table else None
    passphrase = secret.encode() if secret is not None else None
    if "pkcs12" in table:
        return KeyFileAssertion.from_pkcs12(
            read_file(folder / table["pkcs12"], "pkcs12"),
            national_id=national_id,
            billing=billing,
            passphrase=passphrase,
            qualifier=qualifier,
        )
    return KeyFileAssertion(
        certificate=read_file(folder / table["certificate"], "certificate"),
        private_key=read_file(folder / table["private_key"], "private_key"),
        national_id=national_id,
        billing=billing,
        passphrase=passphrase,
        qualifier=qualifier,
    )


def _pin(table: dict[str, str]) -> Callable[[], str] | None:
    """What asks for a card's PIN, once it is needed; None where the reader has a keypad."""
    where = table.get("secret", "ask")
    if where == "keypad":
        return None
    known: list[str] = []

    def pin() -> str:
        if not known:
            known.append(_secret(where, f"PIN of the card {table['token']}"))
        return known[0]

    return pin


def _secret(where: str, what: str) -> str:
    """A secret, from where the file says: ``ask``, or ``env:`` and the name of a variable."""
    if where == "ask":
        if not sys.stdin.isatty():
            raise CredentialUnavailable(
                f"{what}: there is no terminal to ask on.",
                path="secret",
                way_out="Set secret = 'env:NAME', and the variable.",
            )
        return getpass.getpass(f"{what}: ")
    kind, _, name = where.partition(":")
    if kind != "env" or name not in os.environ:
        raise ConfigurationError(
            "The secret is not there.",
            path="secret",
            way_out="Set it to 'ask', or to 'env:NAME' and the variable of that name.",
        )
    return os.environ[name]

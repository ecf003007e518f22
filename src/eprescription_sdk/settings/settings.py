"""Plain data that an integrator sets: from code, from the environment, or from TOML.

What varies with the service (time-outs, fault table, horizons) is in ``service``.
Ports are arguments of the client, never settings.
"""

import os
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import attrs

from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.files import read, toml_of
from eprescription_sdk.settings.service import ServiceProfile, choice, profile_of


class Environment(Enum):
    """What the calls count as, whatever the address they go to."""

    SANDBOX = "sandbox"
    QUALIFICATION = "qualification"
    PRODUCTION = "production"


class UncertainPolicy(Enum):
    """What the host does with a document whose registration is not known yet."""

    HOLD = "hold"
    """Give the patient nothing until the answer is known."""
    PLAIN = "plain"
    """Print plain paper, without number or 2D code; a later registration is a duplicate risk."""


def _optional_path(value: str | Path | None) -> Path | None:
    return Path(value) if value is not None else None


@attrs.frozen
class Dsn:
    """The address of a PostgreSQL database; shown without its user and password.

    Args:
        value: begins with ``postgresql://`` or ``postgres://``.

    Raises:
        ConfigurationError: it does not.
    """

    value: str = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        if not self.value.startswith(SCHEMES):
            raise ConfigurationError("This is not a postgresql:// address.", path="dsn")

    def __str__(self) -> str:
        place = self.value.partition("://")[2].partition("?")[0].rpartition("@")[2]
        return f"postgresql://{place}"


SCHEMES = ("postgresql://", "postgres://")


def _place(where: "str | Path | Dsn") -> "Path | Dsn":
    if isinstance(where, str) and where.startswith(SCHEMES):
        return Dsn(where)
    return where if isinstance(where, Dsn) else Path(where)


def _server(where: "str | Dsn | None") -> Dsn | None:
    if isinstance(where, str):
        try:
            return Dsn(where)
        except ConfigurationError as error:
            raise ConfigurationError(error.message, path="direct_dsn") from None
    return where


@attrs.frozen(kw_only=True)
class Settings:
    """Everything the SDK must be told that is not a port.

    Args:
        environment: what the calls count as; only PRODUCTION counts in the assessment.
        service_url: the téléservice's endpoint.
        software_name: name of the platform, as declared to the CNDA.
        software_version: its version.
        authorisation: the CNDA authorisation number (IDAM).
        instance: UUID of this installation of the software.
        module: identity of the *ordonnance numérique* module the pilot is about.
        finess: FINESS number of the company.
        store: what holds ledger and traces: the path of an SQLite file, or the
            ``postgresql://`` address of a database that machines share.
        key: at least 32 secret bytes; pseudonyms and fingerprints are keyed with it.
        uncertain_policy: required outside SANDBOX; there the default is HOLD.
        collector_url: base address that traces are posted to; without it none is shipped.
        closing_receipt: id of the closing receipt once it exists; overrides any older store.
        direct_dsn: the address of the PostgreSQL server itself, where a pooler stands at
            ``store``: shipping and closing hold a lock that only a session of their own keeps.
        tls_certificate: file of the organisation's certificate for mutual TLS, PEM or PKCS#12.
        tls_private_key: file of its private key, PEM, if it is not in the same file.
        tls_passphrase: of the key or the PKCS#12 file.
        tls_authorities: file of the authorities that may vouch for the service, PEM; by default
            the public ones.
        profile: what is known of the service.

    Raises:
        ConfigurationError: a value that cannot work, with its path.
    """

    environment: Environment
    service_url: str
    software_name: str
    software_version: str
    authorisation: str
    instance: str
    module: str
    finess: str
    store: Path | Dsn = attrs.field(converter=_place)
    key: bytes = attrs.field(repr=False)
    uncertain_policy: UncertainPolicy | None = None
    collector_url: str | None = None
    closing_receipt: str | None = None
    direct_dsn: Dsn | None = attrs.field(default=None, converter=_server)
    tls_certificate: Path | None = attrs.field(default=None, converter=_optional_path)
    tls_private_key: Path | None = attrs.field(default=None, converter=_optional_path)
    tls_passphrase: str | None = attrs.field(default=None, repr=False)
    tls_authorities: Path | None = attrs.field(default=None, converter=_optional_path)
    profile: ServiceProfile = attrs.field(factory=ServiceProfile)

    def __attrs_post_init__(self) -> None:
        if len(self.key) < 32:
            raise ConfigurationError(
                "The key is shorter than 32 bytes.",
                path="key",
                way_out="Make one with: python -c 'import secrets; print(secrets.token_hex(32))'",
            )
        try:
            UUID(self.instance)
        except (ValueError, AttributeError, TypeError):
            raise ConfigurationError("The instance is not a UUID.", path="instance") from None
        for name in ("service_url", "collector_url"):
            _check_address(getattr(self, name), name, self.environment)
        if self.direct_dsn is not None and not isinstance(self.store, Dsn):
            raise ConfigurationError(
                "A direct address goes with a store in PostgreSQL.", path="direct_dsn"
            )
        if self.uncertain_policy is None and self.environment is not Environment.SANDBOX:
            raise ConfigurationError(
                "Outside the sandbox, what happens to an uncertain document must be chosen.",
                path="uncertain_policy",
                way_out="Set it to 'hold' or 'plain'; for what each costs, see"
                " docs/how-to/what-the-prescriber-sees.md.",
            )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "Settings":
        """Settings from plain values, as TOML or an environment gives them.

        ``key`` is hexadecimal; ``profile`` is a table of the fields of ``ServiceProfile``, in
        which ``faults`` maps each code to a table of the fields of ``FaultRule``.

        Raises:
            ConfigurationError: an unknown, missing or malformed value, with its path.
        """
        known = {field.name for field in attrs.fields(cls)}
        for name in values:
            if name not in known:
                raise ConfigurationError("Unknown setting.", path=name)
        required = [field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING]
        missing = [name for name in required if name not in values]
        if missing:
            raise ConfigurationError(
                "Missing setting.",
                path=", ".join(missing),
                way_out="Each is a key of a TOML file (--settings FILE), or a variable such as"
                f" EPRESCRIPTION_{missing[0].upper()}.",
            )
        # What is optional and left empty, as environments do, is not set.
        converted = {
            name: value for name, value in values.items() if value != "" or name in required
        }
        for name, value in converted.items():
            if name != "profile" and not (
                isinstance(value, str) or (name == "store" and isinstance(value, Path))
            ):
                raise ConfigurationError("This value is not a text.", path=name)
            if not value and name in required:
                raise ConfigurationError("Missing setting.", path=name)
        converted["environment"] = choice(Environment, values["environment"], "environment")
        if "uncertain_policy" in converted:
            converted["uncertain_policy"] = choice(
                UncertainPolicy, converted["uncertain_policy"], "uncertain_policy"
            )
        try:
            converted["key"] = bytes.fromhex(values["key"])
        except (TypeError, ValueError):
            raise ConfigurationError("The key is not hexadecimal.", path="key") from None
        if "profile" in converted:
            converted["profile"] = profile_of(converted["profile"])
        return cls(**converted)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Settings from variables named ``EPRESCRIPTION_`` and the field, in capitals.

        Raises:
            ConfigurationError: an unknown, missing or malformed value, with its path.
        """
        source = os.environ if environ is None else environ
        names = {field.name for field in attrs.fields(cls)} - {"profile"}
        values = {
            name: source[f"EPRESCRIPTION_{name.upper()}"]
            for name in names
            if f"EPRESCRIPTION_{name.upper()}" in source
        }
        return cls.from_mapping(values)

    @classmethod
    def from_toml(cls, path: str | Path) -> "Settings":
        """Settings from a TOML file of the same names.

        Raises:
            ConfigurationError: no such file, malformed TOML, or a malformed value.
        """
        try:
            values = toml_of(read(Path(path)))
        except OSError as error:
            raise ConfigurationError(
                f"The settings cannot be read: {error.strerror}.", path=str(path)
            ) from None
        except ValueError as error:
            raise ConfigurationError(f"Malformed TOML: {error}.", path=str(path)) from None
        return cls.from_mapping(values)


def _check_address(address: str | None, path: str, environment: Environment) -> None:
    if address is None:
        return
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  (reading it checks it)
    except (ValueError, AttributeError, TypeError):
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("This is not an http or https address.", path=path)
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme == "http" and environment is not Environment.SANDBOX and not here:
        raise ConfigurationError(
            "Outside the sandbox, http is for this machine alone.",
            path=path,
            way_out="Give an https address: over http, whoever is on the way reads everything.",
        )

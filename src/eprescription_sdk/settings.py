"""Plain data that an integrator sets: from code, from the environment, or from TOML.

What varies with the service (time-outs, fault table, horizons) is a ``ServiceProfile``.
Ports are arguments of the client, never settings.
"""

import math
import os
import tomllib
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import attrs

from eprescription_sdk.errors import ConfigurationError

E = TypeVar("E", bound=Enum)


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


class FaultClass(Enum):
    """What a fault code of the téléservice says about the request that it answers."""

    REFUSED = "refused"
    """Processed and refused: the prescription does not exist."""
    NOT_PROCESSED = "not_processed"
    """Not processed: the same request may be sent again."""
    IN_DOUBT = "in_doubt"
    """Nothing is known: only a consult settles."""


@attrs.frozen(kw_only=True)
class FaultRule:
    """How one fault code is read, and what the prescriber is told.

    Args:
        kind: what the code says about the request.
        text_fr: one French sentence for the prescriber.
        credential: whether the practitioner's credential is what was refused.
    """

    kind: FaultClass
    text_fr: str
    credential: bool = False


REFERENCE_FAULTS: Mapping[str, FaultRule] = {
    "sdkref_invalid": FaultRule(
        kind=FaultClass.REFUSED,
        text_fr="Le service a refusé le contenu de l'ordonnance.",
    ),
    "sdkref_auth": FaultRule(
        kind=FaultClass.REFUSED,
        text_fr="Le service a refusé votre authentification. Vérifiez votre carte.",
        credential=True,
    ),
    "sdkref_unavailable": FaultRule(
        kind=FaultClass.NOT_PROCESSED,
        text_fr="Le service est momentanément indisponible.",
    ),
    "sdkref_exists": FaultRule(
        kind=FaultClass.IN_DOUBT,
        text_fr="Une ordonnance porte déjà ce numéro ; vérification en cours.",
    ),
}
"""The fault codes of the reference service of this SDK: ours, not the Assurance Maladie's."""


def _optional_path(value: str | Path | None) -> Path | None:
    return Path(value) if value is not None else None


def _positive(_: object, attribute: "attrs.Attribute[float]", value: float) -> None:
    if not _is_number(value) or not 0 < value < math.inf:
        raise ConfigurationError(
            "A duration is a positive number of seconds.", path=f"profile.{attribute.name}"
        )


def _count(_: object, attribute: "attrs.Attribute[int]", value: int) -> None:
    if not _is_number(value) or value != int(value) or value < 1:
        raise ConfigurationError(
            "This count is a whole number from 1.", path=f"profile.{attribute.name}"
        )


def _ratio(_: object, attribute: "attrs.Attribute[float]", value: float) -> None:
    if not _is_number(value) or not 0 <= value <= 1:
        raise ConfigurationError("A ratio is between 0 and 1.", path=f"profile.{attribute.name}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _rules(_: object, __: object, value: object) -> None:
    if not isinstance(value, Mapping) or not all(
        isinstance(rule, FaultRule) for rule in value.values()
    ):
        raise ConfigurationError(
            "The fault table maps codes to rules.",
            path="profile.faults",
            way_out='In TOML: [profile.faults.CODE] kind = "refused", text_fr = "...".',
        )


@attrs.frozen(kw_only=True)
class ServiceProfile:
    """What is known of one service: durations in seconds, fault table, guarantees.

    The defaults are ours, to be replaced by what the official specification says.

    Args:
        name: shown by ``doctor``.
        connect_timeout: time to open a connection.
        attempt_timeout: time for one attempt, from the first byte sent to the last received.
        deadline: time for one call, all attempts and consults together.
        in_flight_horizon: how long after the last send a request may still be processed;
            only then does "absent" prove anything.
        unique_by_number: the service refuses a second prescription with the same number.
        backoff_base: the first pause before another attempt; it doubles, with full jitter.
        backoff_cap: the longest pause.
        retry_after_cap: a ``Retry-After`` beyond this is not waited for.
        max_attempts: the most sends of one request in one call.
        retry_ratio: further requests allowed for each call, over time; below that the service
            never sees more than ``1 + retry_ratio`` times the calls made, save for the burst.
        retry_burst: further requests allowed at once.
        breaker_failures: requests unanswered in a row after which the service is left alone.
        breaker_pause: the longest time between two probes of a service that is left alone.
        max_reply_bytes: a larger reply is unreadable.
        faults: how each fault code is read; an unknown code leaves a create in doubt.
    """

    name: str = "reference (ours, not official)"
    connect_timeout: float = attrs.field(default=3.0, validator=_positive)
    attempt_timeout: float = attrs.field(default=10.0, validator=_positive)
    deadline: float = attrs.field(default=25.0, validator=_positive)
    in_flight_horizon: float = attrs.field(default=120.0, validator=_positive)
    unique_by_number: bool = False
    backoff_base: float = attrs.field(default=0.2, validator=_positive)
    backoff_cap: float = attrs.field(default=5.0, validator=_positive)
    retry_after_cap: float = attrs.field(default=10.0, validator=_positive)
    max_attempts: int = attrs.field(default=5, validator=_count)
    retry_ratio: float = attrs.field(default=0.1, validator=_ratio)
    retry_burst: int = attrs.field(default=10, validator=_count)
    breaker_failures: int = attrs.field(default=10, validator=_count)
    breaker_pause: float = attrs.field(default=5.0, validator=_positive)
    max_reply_bytes: int = attrs.field(default=2 * 1024 * 1024, validator=_count)
    faults: Mapping[str, FaultRule] = attrs.field(
        factory=lambda: REFERENCE_FAULTS, validator=_rules
    )

    def __attrs_post_init__(self) -> None:
        if self.deadline < self.attempt_timeout:
            raise ConfigurationError(
                "The deadline is shorter than one attempt.",
                path="profile.deadline",
                way_out="Raise the deadline or lower attempt_timeout.",
            )

    def scaled(self, factor: float) -> "ServiceProfile":
        """The same profile with every duration multiplied, for tests and the demo."""
        durations = (
            "connect_timeout", "attempt_timeout", "deadline", "in_flight_horizon",
            "backoff_base", "backoff_cap", "retry_after_cap", "breaker_pause",
        )  # fmt: skip
        return attrs.evolve(self, **{name: getattr(self, name) * factor for name in durations})


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
            _check_address(getattr(self, name), name)
        if self.direct_dsn is not None and not isinstance(self.store, Dsn):
            raise ConfigurationError(
                "A direct address goes with a store in PostgreSQL.", path="direct_dsn"
            )
        if self.uncertain_policy is None and self.environment is not Environment.SANDBOX:
            raise ConfigurationError(
                "Outside the sandbox, what happens to an uncertain document must be chosen.",
                path="uncertain_policy",
                way_out="Set it to 'hold' or 'plain'; docs/laws.md, law 1, says what each costs.",
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
            raise ConfigurationError("Missing setting.", path=", ".join(missing))
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
        converted["environment"] = _choice(Environment, values["environment"], "environment")
        if "uncertain_policy" in converted:
            converted["uncertain_policy"] = _choice(
                UncertainPolicy, converted["uncertain_policy"], "uncertain_policy"
            )
        try:
            converted["key"] = bytes.fromhex(values["key"])
        except (TypeError, ValueError):
            raise ConfigurationError("The key is not hexadecimal.", path="key") from None
        if "profile" in converted:
            converted["profile"] = _profile(converted["profile"])
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
            values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigurationError(
                f"The settings cannot be read: {error.strerror}.", path=str(path)
            ) from None
        except ValueError as error:
            raise ConfigurationError(f"Malformed TOML: {error}.", path=str(path)) from None
        return cls.from_mapping(values)


def _check_address(address: str | None, path: str) -> None:
    if address is None:
        return
    try:
        parts = urlsplit(address)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
        parts.port  # noqa: B018  (reading it checks it)
    except (ValueError, AttributeError, TypeError):
        known = False
    if not known:
        raise ConfigurationError("This is not an http or https address.", path=path)


def _profile(table: Any) -> ServiceProfile:
    if isinstance(table, ServiceProfile):
        return table
    _known(table, ServiceProfile, "profile")
    values = dict(table)
    if "faults" in values:
        faults = values["faults"]
        if not isinstance(faults, Mapping):
            raise ConfigurationError("The fault table is not a table.", path="profile.faults")
        values["faults"] = {
            code: _rule(rule, f"profile.faults.{code}") for code, rule in faults.items()
        }
    return ServiceProfile(**values)


def _rule(table: Any, path: str) -> FaultRule:
    _known(table, FaultRule, path)
    if "kind" not in table or not isinstance(table.get("text_fr"), str):
        raise ConfigurationError("A rule has a kind and a text_fr.", path=path)
    if not isinstance(table.get("credential", False), bool):
        raise ConfigurationError("This is true or false.", path=f"{path}.credential")
    return FaultRule(**{**table, "kind": _choice(FaultClass, table["kind"], f"{path}.kind")})


def _known(table: Any, kind: Any, path: str) -> None:
    if not isinstance(table, Mapping):
        raise ConfigurationError("This is not a table.", path=path)
    names = {field.name for field in attrs.fields(kind)}
    for name in table:
        if name not in names:
            raise ConfigurationError("Unknown setting.", path=f"{path}.{name}")


def _choice(kind: type[E], value: str, path: str) -> E:
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(str(member.value) for member in kind)
        raise ConfigurationError(f"Choose one of: {choices}.", path=path) from None

"""What is known of one service: durations, fault table, guarantees; and how TOML says it.

Who the integrator is, and where their store lies, is in ``settings``.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

import attrs

from eprescription_sdk.errors import ConfigurationError

E = TypeVar("E", bound=Enum)


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


FLOOR = 0.05
"""The least time that a connection or an attempt is given, in seconds: less than a round trip
on a local network would call every answer lost."""
DAY = 86_400.0
"""The longest duration, in seconds: who means "for ever" waits a day for a lost answer."""


def _seconds(least: float = 0.0) -> Callable[[object, "attrs.Attribute[float]", float], None]:
    def check(_: object, attribute: "attrs.Attribute[float]", value: float) -> None:
        if not _is_number(value) or not least <= value <= DAY or value <= 0:
            raise ConfigurationError(
                "This is not a duration that a call can keep.",
                path=f"profile.{attribute.name}",
                way_out=f"Give seconds, from {least or 'just above 0'} to {DAY:.0f}.",
            )

    return check


def _count(most: int) -> Callable[[object, "attrs.Attribute[int]", int], None]:
    def check(_: object, attribute: "attrs.Attribute[int]", value: int) -> None:
        if not _is_number(value) or not 1 <= value <= most or value != int(value):
            raise ConfigurationError(
                "This is not a count that a call can keep.",
                path=f"profile.{attribute.name}",
                way_out=f"Give a whole number, from 1 to {most}.",
            )

    return check


def _ratio(_: object, attribute: "attrs.Attribute[float]", value: float) -> None:
    if not _is_number(value) or not 0 <= value <= 1:
        raise ConfigurationError(
            "This is not a ratio.",
            path=f"profile.{attribute.name}",
            way_out="Give a number from 0 to 1.",
        )


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


_ORDERED = (
    ("connect_timeout", "attempt_timeout", "Connecting may take longer than the whole attempt."),
    ("attempt_timeout", "deadline", "The deadline is shorter than one attempt."),
    ("attempt_timeout", "in_flight_horizon", "The horizon is shorter than one attempt."),
    ("backoff_base", "backoff_cap", "The longest pause is shorter than the first."),
)
"""What must not be longer than what, and the sentence where it is."""


@attrs.frozen(kw_only=True)
class ServiceProfile:
    """What is known of one service: durations in seconds, fault table, guarantees.

    The defaults are ours, to be replaced by what the official specification says. No duration
    is beyond a day, and none of a connection, an attempt or a call is below ``FLOOR``.

    Args:
        name: shown by ``doctor``.
        connect_timeout: time to open a connection, which is part of an attempt.
        attempt_timeout: time for one attempt, from connecting to the last byte received.
        deadline: time for one call, all attempts and consults together; at least one attempt.
        in_flight_horizon: how long after the last send a request may still be processed;
            only then does "absent" prove anything.
        unique_by_number: the service refuses a second prescription with the same number, so
            that what was lost may be sent again. Say so only if the official specification
            does: where it is not true a prescription can be registered twice, and no answer to
            a create tells. A search that lists a number twice does, and ends the resending.
        backoff_base: the first pause before another attempt; it doubles, with full jitter.
        backoff_cap: the longest pause.
        retry_after_cap: a ``Retry-After`` beyond this is not waited for.
        max_attempts: the most sends of one request in one call.
        retry_ratio: further requests allowed for each call, over time, save those whose answer
            ends the call; so the service never sees more than ``1 + retry_ratio`` times the
            calls made, save for the burst.
        retry_burst: further requests that one client may make at once, probes left out; processes
            that share a service each have their own.
        breaker_failures: requests unanswered in a row after which the service is left alone.
        breaker_pause: the longest time between two probes of a service that is left alone.
        max_reply_bytes: a larger reply is unreadable.
        faults: how each fault code is read; an unknown code leaves a create in doubt.

    Raises:
        ConfigurationError: a value that cannot work, alone or beside another, with its path.
    """

    name: str = "reference (ours, not official)"
    connect_timeout: float = attrs.field(default=3.0, validator=_seconds(FLOOR))
    attempt_timeout: float = attrs.field(default=10.0, validator=_seconds(FLOOR))
    deadline: float = attrs.field(default=25.0, validator=_seconds(FLOOR))
    in_flight_horizon: float = attrs.field(default=120.0, validator=_seconds())
    unique_by_number: bool = False
    backoff_base: float = attrs.field(default=0.2, validator=_seconds())
    backoff_cap: float = attrs.field(default=5.0, validator=_seconds())
    retry_after_cap: float = attrs.field(default=10.0, validator=_seconds())
    max_attempts: int = attrs.field(default=5, validator=_count(100))
    retry_ratio: float = attrs.field(default=0.05, validator=_ratio)
    retry_burst: int = attrs.field(default=10, validator=_count(1_000_000))
    breaker_failures: int = attrs.field(default=10, validator=_count(1_000_000))
    breaker_pause: float = attrs.field(default=5.0, validator=_seconds())
    max_reply_bytes: int = attrs.field(default=2 * 1024 * 1024, validator=_count(256 * 1024 * 1024))
    faults: Mapping[str, FaultRule] = attrs.field(
        factory=lambda: REFERENCE_FAULTS, validator=_rules
    )

    def __attrs_post_init__(self) -> None:
        for shorter, longer, why in _ORDERED:
            if getattr(self, longer) < getattr(self, shorter):
                raise ConfigurationError(
                    why,
                    path=f"profile.{longer}",
                    way_out=f"Raise {longer} or lower {shorter}.",
                )

    def scaled(self, factor: float) -> "ServiceProfile":
        """The same profile with every duration multiplied, for tests and the demo."""
        durations = (
            "connect_timeout", "attempt_timeout", "deadline", "in_flight_horizon",
            "backoff_base", "backoff_cap", "retry_after_cap", "breaker_pause",
        )  # fmt: skip
        return attrs.evolve(self, **{name: getattr(self, name) * factor for name in durations})


def profile_of(table: Any) -> ServiceProfile:
    """The profile that a table of plain values describes.

    Raises:
        ConfigurationError: an unknown or malformed value, with its path.
    """
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
    return FaultRule(**{**table, "kind": choice(FaultClass, table["kind"], f"{path}.kind")})


def _known(table: Any, kind: Any, path: str) -> None:
    if not isinstance(table, Mapping):
        raise ConfigurationError("This is not a table.", path=path)
    names = {field.name for field in attrs.fields(kind)}
    for name in table:
        if name not in names:
            raise ConfigurationError("Unknown setting.", path=f"{path}.{name}")


def choice(kind: type[E], value: str, path: str) -> E:
    """The member that a setting names.

    Raises:
        ConfigurationError: there is none; the message lists them.
    """
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(str(member.value) for member in kind)
        raise ConfigurationError(f"Choose one of: {choices}.", path=path) from None

"""Settings from code, the environment and TOML: each wrong value is named by its path."""

import math
from pathlib import Path
from typing import Any

import attrs
import pytest

import eprescription_sdk as ep
from eprescription_sdk.settings import REFERENCE_FAULTS, Dsn

KEY = "0f" * 32
VALUES: dict[str, Any] = {
    "environment": "production",
    "service_url": "https://service.example/on",
    "software_name": "exemple",
    "software_version": "1.0",
    "authorisation": "SIMULATION-0000",
    "instance": "3f0c6f0e-7a55-4a44-9a5e-0c2e7b8f4f11",
    "module": "exemple-ordonnance",
    "finess": "330781287",
    "store": "/var/lib/exemple/store.db",
    "key": KEY,
    "uncertain_policy": "hold",
}


def test_settings_from_a_mapping() -> None:
    settings = ep.Settings.from_mapping(VALUES)
    assert settings.environment is ep.Environment.PRODUCTION
    assert settings.uncertain_policy is ep.UncertainPolicy.HOLD
    assert settings.store == Path("/var/lib/exemple/store.db")
    assert settings.key == bytes.fromhex(KEY)
    assert settings.profile == ep.ServiceProfile()
    assert settings.collector_url is None


SERVER = "postgresql://role:word@db.example:5432/pilot?sslmode=require&sslpassword=other"


def test_a_store_may_be_on_a_server_and_its_address_is_not_shown() -> None:
    settings = ep.Settings.from_mapping({**VALUES, "store": SERVER, "direct_dsn": SERVER})
    assert isinstance(settings.store, Dsn)
    assert settings.store.value == SERVER
    assert settings.direct_dsn == settings.store
    assert str(settings.store) == "postgresql://db.example:5432/pilot"
    assert not any(word in repr(settings) for word in ("role", "word@", "other"))
    assert ep.Settings.from_mapping({**VALUES, "store": SERVER}).direct_dsn is None


def test_settings_from_the_environment() -> None:
    environ = {f"EPRESCRIPTION_{name.upper()}": value for name, value in VALUES.items()}
    assert ep.Settings.from_env({**environ, "PATH": "/bin"}) == ep.Settings.from_mapping(VALUES)


def test_settings_from_the_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VALUES.items():
        monkeypatch.setenv(f"EPRESCRIPTION_{name.upper()}", value)
    assert ep.Settings.from_env() == ep.Settings.from_mapping(VALUES)


def test_settings_from_toml(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    lines = [f'{name} = "{value}"' for name, value in VALUES.items()]
    profile = """
        [profile]
        deadline = 12
        attempt_timeout = 4.5
        unique_by_number = true
        [profile.faults.insi_102]
        kind = "refused"
        text_fr = "Refusée."
        [profile.faults.desir_550]
        kind = "not_processed"
        text_fr = "Indisponible."
        credential = true
    """
    file.write_text("\n".join(lines) + profile, encoding="utf-8")
    settings = ep.Settings.from_toml(file)
    assert settings.profile.deadline == 12
    assert settings.profile.unique_by_number
    assert settings.profile.faults == {
        "insi_102": ep.FaultRule(kind=ep.FaultClass.REFUSED, text_fr="Refusée."),
        "desir_550": ep.FaultRule(
            kind=ep.FaultClass.NOT_PROCESSED, text_fr="Indisponible.", credential=True
        ),
    }


def test_the_defaults_of_the_fault_table_are_the_reference_ones() -> None:
    assert ep.ServiceProfile().faults is REFERENCE_FAULTS


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"colour": "blue"}, "colour"),
    "environment": ({"environment": "prod"}, "environment"),
    "environment's type": ({"environment": ["production"]}, "environment"),
    "policy": ({"uncertain_policy": "print"}, "uncertain_policy"),
    "policy left empty": ({"uncertain_policy": ""}, "uncertain_policy"),
    "short key": ({"key": "0f" * 31}, "key"),
    "key not hexadecimal": ({"key": "zz" * 32}, "key"),
    "key's type": ({"key": 5}, "key"),
    "instance": ({"instance": "here"}, "instance"),
    "instance's type": ({"instance": 5}, "instance"),
    "store's type": ({"store": 5}, "store"),
    "direct address of a file": ({"direct_dsn": SERVER}, "direct_dsn"),
    "direct address that is none": ({"store": SERVER, "direct_dsn": "db:5432"}, "direct_dsn"),
    "empty name": ({"software_name": ""}, "software_name"),
    "no scheme": ({"service_url": "service.example"}, "service_url"),
    "other scheme": ({"service_url": "ftp://service.example"}, "service_url"),
    "no host": ({"service_url": "https:///on"}, "service_url"),
    "bad port": ({"service_url": "https://service.example:port"}, "service_url"),
    "collector": ({"collector_url": "collector"}, "collector_url"),
    "prescriptions in the clear": (
        {"environment": "production", "service_url": "http://service.example/on"},
        "service_url",
    ),
    "traces in the clear": (
        {"environment": "qualification", "collector_url": "http://collector.example"},
        "collector_url",
    ),
    "profile's type": ({"profile": 5}, "profile"),
    "unknown in profile": ({"profile": {"speed": 1}}, "profile.speed"),
    "deadline's type": ({"profile": {"deadline": "long"}}, "profile.deadline"),
    "deadline true": ({"profile": {"deadline": True}}, "profile.deadline"),
    "no time": ({"profile": {"backoff_base": 0}}, "profile.backoff_base"),
    "negative": ({"profile": {"in_flight_horizon": -1}}, "profile.in_flight_horizon"),
    "not a number": ({"profile": {"deadline": math.nan}}, "profile.deadline"),
    "endless": ({"profile": {"deadline": math.inf}}, "profile.deadline"),
    "deadline below an attempt": ({"profile": {"deadline": 5.0}}, "profile.deadline"),
    "longer than a day": ({"profile": {"in_flight_horizon": 86_401}}, "profile.in_flight_horizon"),
    "beyond any clock": ({"profile": {"backoff_cap": 1e300}}, "profile.backoff_cap"),
    "beyond any float": ({"profile": {"deadline": 10**400}}, "profile.deadline"),
    "a connection in no time": ({"profile": {"connect_timeout": 0.04}}, "profile.connect_timeout"),
    "an attempt in no time": ({"profile": {"attempt_timeout": 0.04}}, "profile.attempt_timeout"),
    "connecting longer than the attempt": (
        {"profile": {"connect_timeout": 11}},
        "profile.attempt_timeout",
    ),
    "horizon below an attempt": (
        {"profile": {"in_flight_horizon": 9.9}},
        "profile.in_flight_horizon",
    ),
    "pauses that end below their beginning": (
        {"profile": {"backoff_base": 6}},
        "profile.backoff_cap",
    ),
    "ratio not a number": ({"profile": {"retry_ratio": math.nan}}, "profile.retry_ratio"),
    "attempts not a number": ({"profile": {"max_attempts": math.nan}}, "profile.max_attempts"),
    "endless attempts": ({"profile": {"max_attempts": math.inf}}, "profile.max_attempts"),
    "a hundred and one attempts": ({"profile": {"max_attempts": 101}}, "profile.max_attempts"),
    "a reply that fills the memory": (
        {"profile": {"max_reply_bytes": 2**40}},
        "profile.max_reply_bytes",
    ),
    "no attempt": ({"profile": {"max_attempts": 0}}, "profile.max_attempts"),
    "attempts' type": ({"profile": {"max_attempts": "3"}}, "profile.max_attempts"),
    "half a byte": ({"profile": {"max_reply_bytes": 0.5}}, "profile.max_reply_bytes"),
    "faults' type": ({"profile": {"faults": []}}, "profile.faults"),
    "rule's type": ({"profile": {"faults": {"x": 5}}}, "profile.faults.x"),
    "rule without text": ({"profile": {"faults": {"x": {"kind": "refused"}}}}, "profile.faults.x"),
    "rule's kind": (
        {"profile": {"faults": {"x": {"kind": "maybe", "text_fr": "x"}}}},
        "profile.faults.x.kind",
    ),
    "rule's credential": (
        {"profile": {"faults": {"x": {"kind": "refused", "text_fr": "x", "credential": 1}}}},
        "profile.faults.x.credential",
    ),
    "unknown in rule": (
        {"profile": {"faults": {"x": {"kind": "refused", "text_fr": "x", "why": "y"}}}},
        "profile.faults.x.why",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_named_by_its_path(name: str) -> None:
    change, path = WRONG[name]
    with pytest.raises(ep.ConfigurationError) as caught:
        ep.Settings.from_mapping({**VALUES, **change})
    assert caught.value.path == path
    assert KEY not in str(caught.value)
    if path.startswith("profile.") and "faults" not in path and name != "unknown in profile":
        assert caught.value.way_out


@pytest.mark.parametrize("name", [n for n in VALUES if n != "uncertain_policy"])
def test_a_missing_value_is_named(name: str) -> None:
    with pytest.raises(ep.ConfigurationError) as caught:
        ep.Settings.from_mapping({k: v for k, v in VALUES.items() if k != name})
    assert caught.value.path == name


def test_only_in_the_sandbox_has_the_policy_a_default() -> None:
    without = {k: v for k, v in VALUES.items() if k != "uncertain_policy"}
    ep.Settings.from_mapping({**without, "environment": "sandbox"})
    for environment in ("qualification", "production"):
        with pytest.raises(ep.ConfigurationError, match="uncertain_policy"):
            ep.Settings.from_mapping({**without, "environment": environment})


def test_a_profile_built_in_code_is_checked_too() -> None:
    with pytest.raises(ep.ConfigurationError, match=r"profile\.faults"):
        ep.ServiceProfile(faults={"x": {"kind": "refused"}})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "cannot be read"), ("a = = 1", "Malformed TOML")]
)
def test_a_file_that_cannot_be_read_is_named(
    content: str | None, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(ep.ConfigurationError, match=sentence) as caught:
        ep.Settings.from_toml(file)
    assert caught.value.path == str(file)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ep.ConfigurationError, match="Malformed TOML"):
        ep.Settings.from_toml(file)


def test_the_key_is_in_no_repr() -> None:
    settings = ep.Settings.from_mapping(VALUES)
    shown = repr(settings) + str(settings)
    assert KEY not in shown
    assert repr(bytes.fromhex(KEY))[2:-1] not in shown


def test_scaling_touches_durations_alone() -> None:
    profile = ep.ServiceProfile()
    half = profile.scaled(0.5)
    assert half.deadline == profile.deadline / 2
    assert half.in_flight_horizon == profile.in_flight_horizon / 2
    same = {
        "name", "unique_by_number", "max_attempts", "max_reply_bytes", "faults",
        "retry_ratio", "retry_burst", "breaker_failures",
    }  # fmt: skip
    for field in attrs.fields(ep.ServiceProfile):
        scaled = getattr(half, field.name) != getattr(profile, field.name)
        assert scaled is (field.name not in same)

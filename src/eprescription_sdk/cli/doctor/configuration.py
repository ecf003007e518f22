"""Settings, ports and the organisation's certificate: what can be said without asking anybody."""

from collections.abc import Iterator, Mapping
from typing import Any

from eprescription_sdk.cli.doctor.finding import Finding, error, failed, ok, warning
from eprescription_sdk.cli.ports import port
from eprescription_sdk.cli.traces import profile_of
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import EPrescriptionError
from eprescription_sdk.model.identifiers import Finess
from eprescription_sdk.settings import Environment, Settings
from eprescription_sdk.transport.tls import client_certificate

SOON = 60
"""Days in which a certificate should be renewed: ordering one takes weeks."""


def configuration(
    settings: Settings, named: Mapping[str, str | None], trace_profile: str
) -> Iterator[Finding]:
    """What the settings and the ports come to.

    Args:
        settings: as given.
        named: ``module:attribute`` of each port that was named.
        trace_profile: name of the format of traces.
    """
    environment, profile = settings.environment, settings.profile
    yield ok("settings", f"environment {environment.value}, service profile {profile.name}")
    if environment is not Environment.SANDBOX and "ours" in profile.name:
        yield warning(
            "settings",
            "The service profile is the reference one of this SDK.",
            "Fill it from the official specification.",
        )
    if environment is not Environment.SANDBOX and profile.unique_by_number:
        yield warning(
            "settings",
            "The profile says that the service refuses a number that it has: what was lost is"
            " sent again.",
            "Check it in the official specification: if it is not so, prescriptions may be"
            " registered twice.",
        )
    if problem := Finess(settings.finess).problem():
        yield error("settings", problem, "Correct finess in the settings.")
    for name, where in named.items():
        yield _port(name, where, environment)
    yield _trace_profile(trace_profile)
    yield from _certificate(settings)


def _port(name: str, where: str | None, environment: Environment) -> Finding:
    topic = f"port {name}"
    if where is None:
        if environment is Environment.SANDBOX:
            return ok(topic, f"port {name}: the stand-in of this SDK (SIMULATION)")
        return warning(
            topic,
            f"The port {name} was not named, so it was not looked at.",
            f"Name the one that the platform passes: --{name} module:attribute",
        )
    try:
        found: Any = port(where, name)
        simulated = bool(found.simulated)
    except EPrescriptionError as raised:
        return failed(topic, raised)
    except AttributeError:
        return error(
            topic,
            f"The port {name} does not say whether it is simulated.",
            "Give it the attribute of its protocol in eprescription_sdk.ports.",
        )
    if simulated and environment is Environment.PRODUCTION:
        return warning(
            topic,
            f"The port {name} is a stand-in: every output says SIMULATION.",
            "Fill it from the official specification.",
        )
    return ok(topic, f"port {name}: {where}" + (" (SIMULATION)" if simulated else ""))


def _trace_profile(name: str) -> Finding:
    try:
        return ok("port trace_profile", f"traces leave in the format {profile_of(name).name}")
    except EPrescriptionError as raised:
        return failed("port trace_profile", raised)


def _certificate(settings: Settings) -> Iterator[Finding]:
    """The organisation's certificate of mutual TLS, and how long it lasts."""
    topic = "certificate"
    try:
        certificate = client_certificate(settings)
    except EPrescriptionError as raised:
        yield failed(topic, raised)
        return
    if certificate is None:
        if settings.service_url.startswith("https:"):
            yield warning(
                topic,
                "No organisation certificate: a service that wants one will refuse every call.",
                "Set tls_certificate.",
            )
        return
    days = certificate.days_left(SystemClock().now())
    ends = f"{certificate.not_after:%Y-%m-%d}"
    if days < 0:
        yield error(topic, f"The organisation certificate expired on {ends}.", _RENEW)
    elif days < SOON:
        yield warning(
            topic, f"The organisation certificate ends on {ends}, in {days} days.", _RENEW
        )
    else:
        yield ok(topic, f"organisation certificate good until {ends}, {days} days")


_RENEW = "Order a new one, and change tls_certificate before the day."

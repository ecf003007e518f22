"""What all calls of one client share: settings, ports, store, recorder, identity."""

import os
import socket
import threading

import attrs

from eprescription_sdk.client.breaker import Breaker
from eprescription_sdk.client.budget import RetryBudget
from eprescription_sdk.clock import Clock
from eprescription_sdk.errors import ConfigurationError
from eprescription_sdk.ledger import DocumentGiven
from eprescription_sdk.model.identifiers import Finess
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.ports import BodyCodec, Code2D, NumberMinter
from eprescription_sdk.reference import FakeMinter, SpecimenCode
from eprescription_sdk.settings import Dsn, Environment, Settings, UncertainPolicy
from eprescription_sdk.storage import Store, open_store
from eprescription_sdk.traces.record import Recorder
from eprescription_sdk.wire.envelope import Software
from eprescription_sdk.wire.reference_body import ReferenceCodec


@attrs.frozen(kw_only=True)
class Core:
    """The unchanging part of a client.

    Args:
        settings: as given.
        minter: mints numbers.
        codec: writes and reads bodies.
        code2d: makes the printed code.
        clock: time and sleep.
        store: ledger and traces.
        recorder: records traces lawfully.
        software: what the envelope says of the platform.
        simulation: whether a stand-in takes part.
        budget: of further requests.
        breaker: leaves a service alone that does not answer.
        doubled: set once the service was seen to hold a number twice.
    """

    settings: Settings
    minter: NumberMinter
    codec: BodyCodec
    code2d: Code2D
    clock: Clock
    store: Store
    recorder: Recorder
    software: Software
    simulation: bool
    budget: RetryBudget
    breaker: Breaker
    doubled: threading.Event = attrs.field(factory=threading.Event)

    @property
    def policy(self) -> UncertainPolicy:
        """What happens to an uncertain document; only the sandbox has a default."""
        return self.settings.uncertain_policy or UncertainPolicy.HOLD

    @property
    def document(self) -> DocumentGiven:
        """What the patient holds while nobody knows, by the host's own choice."""
        plain = self.policy is UncertainPolicy.PLAIN
        return DocumentGiven.PLAIN if plain else DocumentGiven.NOTHING

    @property
    def owner(self) -> str:
        """Names this process in leases; a forked child is another owner."""
        return f"{socket.gethostname()}:{os.getpid()}"

    def keyed(self, kind: str, value: str) -> str:
        """The keyed pseudonym of a value."""
        return pseudonym(self.settings.key, kind, value)


def store_of(settings: Settings) -> Store:
    """The store that the settings name.

    Raises:
        MissingExtra: it is in PostgreSQL, and psycopg is not installed.
    """
    return open_store(
        settings.store.value if isinstance(settings.store, Dsn) else settings.store,
        direct_dsn=settings.direct_dsn.value if settings.direct_dsn else None,
    )


def make_core(
    settings: Settings,
    *,
    minter: NumberMinter | None,
    codec: BodyCodec | None,
    code2d: Code2D | None,
    clock: Clock,
    store: Store,
) -> Core:
    """Put a client's parts together.

    Raises:
        ConfigurationError: outside the sandbox, a port was not given; or the FINESS number
            breaks its rule.
    """
    if problem := Finess(settings.finess).problem():
        raise ConfigurationError(problem, path="finess")
    given = {"minter": minter, "codec": codec, "code2d": code2d}
    missing = [name for name, port in given.items() if port is None]
    if missing and settings.environment is not Environment.SANDBOX:
        raise ConfigurationError(
            "Outside the sandbox every port must be given.",
            path=", ".join(missing),
            way_out="Pass your own, or a stand-in of eprescription_sdk.reference explicitly:"
            " every output then says SIMULATION.",
        )
    minter, codec, code2d = (
        minter or FakeMinter(),
        codec or ReferenceCodec(),
        code2d or SpecimenCode(),
    )
    profile = settings.profile
    return Core(
        settings=settings,
        minter=minter,
        codec=codec,
        code2d=code2d,
        clock=clock,
        store=store,
        recorder=Recorder(settings.key, store.path, settings.closing_receipt),
        software=Software(
            authorisation=settings.authorisation,
            name=settings.software_name,
            version=settings.software_version,
            instance=settings.instance,
        ),
        simulation=settings.environment is Environment.SANDBOX
        or minter.simulated
        or codec.simulated
        or code2d.simulated,
        budget=RetryBudget(ratio=profile.retry_ratio, burst=profile.retry_burst),
        breaker=Breaker(
            failures=profile.breaker_failures,
            pause=profile.breaker_pause,
            patience=profile.attempt_timeout,
        ),
    )

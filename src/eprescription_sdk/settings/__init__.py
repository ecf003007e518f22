"""What an integrator sets as plain data: the installation, and what is known of the service."""

from eprescription_sdk.settings.service import (
    REFERENCE_FAULTS,
    FaultClass,
    FaultRule,
    ServiceProfile,
)
from eprescription_sdk.settings.settings import (
    Dsn,
    Environment,
    Settings,
    UncertainPolicy,
)

__all__ = [
    "REFERENCE_FAULTS",
    "Dsn",
    "Environment",
    "FaultClass",
    "FaultRule",
    "ServiceProfile",
    "Settings",
    "UncertainPolicy",
]

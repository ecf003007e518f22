"""What a platform tests its own integration with: names only.

``sample_prescription`` and ``sandbox_settings`` give the smallest working set-up against a
``Sandbox``; ``assert_registered_once`` says what law 1 promises. All identities are fictitious.
Importing this room needs no extra; the sandbox itself is loaded when it is first used.
"""

from eprescription_sdk.testing.assertions import assert_registered_once
from eprescription_sdk.testing.samples import (
    SAMPLE_FINESS,
    SAMPLE_RPPS,
    SAMPLE_SITUATION,
    sample_prescription,
    sandbox_practitioner,
    sandbox_settings,
)

__all__ = [
    "SAMPLE_FINESS",
    "SAMPLE_RPPS",
    "SAMPLE_SITUATION",
    "assert_registered_once",
    "sample_prescription",
    "sandbox_practitioner",
    "sandbox_settings",
]

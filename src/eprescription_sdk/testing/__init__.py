"""What a platform tests its own integration with: names only.

``sample_prescription`` and ``sandbox_settings`` give the smallest working set-up against a
``Sandbox``; ``script_fault`` plays a bad day by its name; ``FrozenClock`` stands still;
``assert_registered_once`` says what law 1 promises and ``assert_no_patient_data`` what law 4 does,
with the ``Canary`` that ``run_canary`` sends through a platform's own code. All identities are
fictitious. Importing this room needs no extra; the sandbox itself is loaded when it is first used.

pytest has the same as fixtures, without being asked: ``eprescription_sandbox``,
``eprescription_clock``, ``eprescription_client``, ``eprescription_doctor``,
``eprescription_faults``, ``eprescription_canary``. They are in ``pytest_eprescription``, which
imports nothing of this library before a test asks for one.
"""

from eprescription_sdk.testing.assertions import assert_no_patient_data, assert_registered_once
from eprescription_sdk.testing.canary import BAD_DAYS, Canary, Leak, run_canary
from eprescription_sdk.testing.clock import FrozenClock
from eprescription_sdk.testing.faults import FAULTS, script_fault
from eprescription_sdk.testing.samples import (
    SAMPLE_FINESS,
    SAMPLE_RPPS,
    SAMPLE_SITUATION,
    sample_prescription,
    sandbox_practitioner,
    sandbox_settings,
)
from eprescription_sdk.testing.sinks import Sink

__all__ = [
    "BAD_DAYS",
    "FAULTS",
    "SAMPLE_FINESS",
    "SAMPLE_RPPS",
    "SAMPLE_SITUATION",
    "Canary",
    "FrozenClock",
    "Leak",
    "Sink",
    "assert_no_patient_data",
    "assert_registered_once",
    "run_canary",
    "sample_prescription",
    "sandbox_practitioner",
    "sandbox_settings",
    "script_fault",
]

"""Create, lose an answer, consult and search: with a codec of your own.

Run: ``python examples/custom_codec/run.py``
"""

import secrets
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

from codec import PROFILE, DepositCodec
from server import Deposit, running

import eprescription_sdk as ep
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import (
    SAMPLE_FINESS,
    SAMPLE_RPPS,
    sample_prescription,
    sandbox_practitioner,
)

PACKAGE = Path(__file__).parent / "package"


def main() -> None:
    """Play it."""
    deposit = Deposit(PACKAGE)
    # A fictitious card: the sandbox's authority makes one without being started.
    doctor = sandbox_practitioner(Sandbox())
    with running(deposit) as address, TemporaryDirectory() as folder:
        settings = ep.Settings(
            environment=ep.Environment.SANDBOX,
            service_url=address,
            software_name="exemple",
            software_version="1.0",
            authorisation="SIMULATION-0000",
            instance=str(uuid.uuid4()),
            module="exemple-ordonnance",
            finess=SAMPLE_FINESS.value,
            store=Path(folder) / "store.db",
            key=secrets.token_bytes(32),
            profile=PROFILE,
        )
        with ep.Client(settings, codec=DepositCodec(PACKAGE)) as client:
            acting = client.acting_as(doctor)
            first = acting.create(sample_prescription())
            print("déposée :", type(first).__name__)

            deposit.lose_answers = 1
            second = acting.create(sample_prescription())
            operations = " puis ".join(attempt.operation for attempt in second.attempts)
            print(f"réponse perdue : {type(second).__name__} ({operations})")

            if isinstance(second, ep.Registered):
                print("relue :", acting.consult(second.number).prescriber == SAMPLE_RPPS)
            found = list(acting.search(ep.SearchQuery(prescriber=SAMPLE_RPPS)))
            print(f"retrouvées : {len(found)}, au dépôt : {len(deposit.kept)}")


if __name__ == "__main__":
    main()

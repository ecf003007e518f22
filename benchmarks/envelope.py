"""Envelope and cached assertion, against zeep building a structured message as large.

What an attempt costs before it is sent: the practitioner's cached assertion and a new envelope
around a body that is encoded already. zeep builds a message with as many leaf elements from a
WSDL. At least 5 times faster is the budget. Run: ``python -m benchmarks.envelope``.
"""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from benchmarks.bare_zeep import BareZeep, leaves_of
from benchmarks.table import Row, show
from benchmarks.turns import Side, take_turns
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.testing import sample_prescription, sandbox_practitioner
from eprescription_sdk.wire import envelope
from eprescription_sdk.wire.reference_body import ReferenceCodec

ROUNDS, CALLS = 40, 25


def main(rounds: int = ROUNDS, calls: int = CALLS) -> None:
    """Print the ratios."""
    practitioner = sandbox_practitioner(Sandbox())
    codec, number = ReferenceCodec(), PrescriptionNumber("SIM1")
    prescription = sample_prescription()
    software = envelope.Software(
        authorisation="SIMULATION-0000", name="exemple", version="1.0", instance=str(uuid4())
    )
    encoded = envelope.prepare(codec.encode_create(prescription, number))
    practitioner.assertion(datetime.now(UTC))

    def message(body: envelope.Fragment) -> bytes:
        now = datetime.now(UTC)
        cached = practitioner.cached(now)
        assert cached is not None
        return envelope.envelope(
            action="urn:ReferenceOrdonnanceNumerique:1.0.0:creer",
            message_id=f"uuid:{uuid4()}",
            moment=now,
            software=software,
            emitter=cached.national_id,
            assertion=envelope.prepare_assertion(cached.xml),
            body=body,
        )

    def attempt() -> bytes:
        return message(encoded)

    def everything() -> bytes:
        return message(envelope.prepare(codec.encode_create(prescription, number)))

    with TemporaryDirectory() as folder:
        # The whole message counts for both: it is what leaves, whatever was encoded before.
        leaves = leaves_of(attempt())
        zeep = BareZeep(Path(folder), leaves).build
        assert leaves_of(zeep()) >= leaves
        measured = take_turns(
            {"zeep": Side(zeep), "ours": Side(attempt), "encoded too": Side(everything)},
            rounds=rounds,
            calls=calls,
        )
    print(f"a message of {leaves} leaf elements, built and not sent")
    for side in measured.seconds:
        print(f"  {side:<11} {measured.microseconds(side):6.0f} µs")
    what = "bare zeep building as many leaf elements, against envelope and cached assertion"
    times = measured.ratio("zeep", "ours")
    show([Row(what=what, measured=times, budget=5, least=True, shown=".1f")])


if __name__ == "__main__":
    main()

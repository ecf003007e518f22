"""Stands for the practitioner's workstation: signs an assertion with a card, and prints it.

In real life the agent beside the card reader does this, or Pro Santé Connect takes its place;
a back-end only gets the result. Here the card is one that ``eprescription sandbox --card FOLDER``
wrote. Run: ``python examples/workstation.py FOLDER``
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from eprescription_sdk.credentials.key_file import Billing, KeyFileAssertion


def signed(certificate: bytes, private_key: bytes) -> bytes:
    """The signed element, UTF-8."""
    card = KeyFileAssertion(
        certificate=certificate,
        private_key=private_key,
        national_id="899700218896",
        billing=Billing(billing_id="331234567", specialty="01", sector="SA07"),
    )
    return card.assertion(datetime.now(UTC)).xml


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    markup = signed((folder / "card.crt").read_bytes(), (folder / "card.key").read_bytes())
    sys.stdout.buffer.write(markup + b"\n")

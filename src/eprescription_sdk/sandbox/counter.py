"""The pharmacy's counter: what comes of a scan.

An illustration of ours, not a pharmacy's software. The page that shows it is in ``counter_page``.
"""

from collections.abc import Callable

from attrs import field, frozen

from eprescription_sdk.sandbox.pharmacy import SeenPrescription, seen
from eprescription_sdk.sandbox.scan import Obstacle, number_in_payload, number_in_picture
from eprescription_sdk.sandbox.state import Registration

REGISTERED = "Ordonnance numérique enregistrée : voici ce que la pharmacie lit."
UNKNOWN = (
    "Ce numéro n'est pas enregistré au bac à sable : la pharmacie ne peut rien délivrer sur ce"
    " code. Seule une ordonnance enregistrée s'imprime avec un numéro et un code 2D."
)


@frozen(kw_only=True)
class Scan:
    """What came of a scan.

    Args:
        outcome: ``registered``, ``unknown``, or what stood in the way: ``nothing``,
            ``not_a_picture``, ``too_large``, ``no_code``, ``several_codes`` or ``foreign_code``.
        text_fr: the French sentence to show.
        prescription: what the pharmacy sees, if it is registered.
    """

    outcome: str
    text_fr: str
    prescription: SeenPrescription | None = field(default=None, repr=False)


class Counter:
    """Scans documents against what is registered.

    Args:
        find: looks a number up.
    """

    def __init__(self, find: Callable[[str], Registration | None]) -> None:
        self._find = find

    def picture(self, content: bytes) -> Scan:
        """Scan the picture of a document, whatever the file is."""
        return self._scan(number_in_picture(content))

    def payload(self, text: str) -> Scan:
        """The same for what a hand-held scanner types."""
        return self._scan(number_in_payload(text))

    def _scan(self, read: str | Obstacle) -> Scan:
        if isinstance(read, Obstacle):
            return stopped(read)
        kept = self._find(read)
        if kept is None:
            return Scan(outcome="unknown", text_fr=UNKNOWN)
        return Scan(outcome="registered", text_fr=REGISTERED, prescription=seen(kept))


def stopped(obstacle: Obstacle) -> Scan:
    """A scan that found no number."""
    return Scan(outcome=obstacle.name.lower(), text_fr=obstacle.value)

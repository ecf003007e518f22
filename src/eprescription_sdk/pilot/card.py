"""The week of one practitioner, for them alone: digital, paper by cause, one tip.

It is theirs, not their employer's: it compares them with nobody, and no report holds it.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import attrs

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.model.trace import NonDigitalReason
from eprescription_sdk.pilot.facts import DIGITAL, Kind
from eprescription_sdk.pilot.rows import facts_of_store
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.gate import enrolment

_TIPS_FR = {
    NonDigitalReason.PRESCRIBER_CHOICE: "Choisissez l'ordonnance numérique même pour les cas"
    " simples : c'est là qu'elle prend le moins de temps.",
    NonDigitalReason.SERVICE_FAILURE: "Après un échec, laissez au logiciel quelques secondes avant"
    " de passer au papier, et signalez l'heure de l'échec au support.",
    NonDigitalReason.NO_NETWORK: "Vérifiez votre connexion avant la première consultation, et"
    " prévenez le support si les coupures reviennent.",
    NonDigitalReason.PATIENT_REQUEST: "Expliquez au patient qu'il repart avec le même document : le"
    " numéro et le code 2D s'y ajoutent, rien ne lui est retiré.",
    NonDigitalReason.OTHER: "Précisez au support ce qui vous a fait choisir le papier : « autre »"
    " ne permet pas de vous aider.",
}
_NO_TIP_FR = "Rien à changer : tout ce qui pouvait être numérique l'a été."
_NOTHING_FR = "Aucune prescription cette semaine."


@attrs.frozen(kw_only=True)
class Card:
    """What one practitioner did in one week.

    Args:
        monday: first day of the week.
        registered: digital and registered.
        unregistered: sent and not registered, or not known yet.
        paper: documents on paper by cause, the commonest first; those that follow a failed
            digital one included.
        tip_fr: the one thing that would help most.
    """

    monday: date
    registered: int
    unregistered: int
    paper: Mapping[NonDigitalReason, int]
    tip_fr: str


def card(store: Store, rpps: Rpps, *, key: bytes, day: date, now: datetime) -> Card:
    """The week that a day is in.

    Args:
        store: the pilot's.
        rpps: the practitioner, who asks for their own.
        key: the secret of the settings.
        day: any day of the week, Europe/Paris.
        now: what was recorded up to this moment is read, aware.

    Raises:
        InvalidInput: this practitioner is not in the pilot, or not equipped yet.
    """
    known, facts = store.read(lambda tx: (enrolment(tx, rpps), facts_of_store(tx, key, now)))
    own = [one for one in facts.practitioners if known is not None and one.number == known.label]
    if not own:
        raise InvalidInput("This practitioner is not in the pilot yet.", path="rpps")
    monday = day - timedelta(days=day.weekday())
    week = {monday + timedelta(days=offset) for offset in range(7)}
    documents = Counter[int]()
    for (on, kind), count in own[0].documents.items():
        documents[kind] += count if on in week else 0
    reasons = Counter[NonDigitalReason]()
    for (on, reason), count in own[0].reasons.items():
        if on in week:
            reasons[NonDigitalReason(reason)] += count
    digital = sum(count for kind, count in documents.items() if kind & DIGITAL)
    return Card(
        monday=monday,
        registered=documents[Kind.REGISTERED],
        unregistered=digital - documents[Kind.REGISTERED],
        paper=dict(reasons.most_common()),
        tip_fr=_tip(reasons) if digital or reasons else _NOTHING_FR,
    )


def _tip(reasons: Counter[NonDigitalReason]) -> str:
    for reason, _ in reasons.most_common():
        if reason in _TIPS_FR:
            return _TIPS_FR[reason]
    return _NO_TIP_FR

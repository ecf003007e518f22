"""The conditions of the pilot, checked on a dossier: all findings at once, each with its page.

What the dossier says is taken as said; only its own order and completeness are judged. What is
not done yet is a reminder as long as there is time, and an error afterwards. Source: Cnam,
présérie 2025-03, p. 3 to 6.
"""

import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta
from enum import Enum

import attrs

from eprescription_sdk.pilot.dossier import Arrangement, Dossier, Practitioner

MINIMUM = 5
REVISED_MINIMUM = 3
MAXIMUM = 10
CARD_NOTICE = timedelta(days=30)

REFERENCE_CPAM = {
    "05": "Hautes-Alpes", "08": "Ardennes", "33": "Gironde", "38": "Isère",
    "44": "Loire-Atlantique", "49": "Maine-et-Loire", "51": "Marne", "56": "Morbihan",
    "62": "Pas-de-Calais", "64": "Pyrénées-Atlantiques", "67": "Bas-Rhin", "69": "Rhône",
    "71": "Saône-et-Loire", "76": "Seine-Maritime", "78": "Yvelines", "80": "Somme",
    "81": "Tarn", "83": "Var", "94": "Val-de-Marne",
}  # fmt: skip
"""The funds of reference, by department (p. 4)."""


class Level(Enum):
    """How much a finding weighs."""

    ERROR = "error"
    """A condition is broken: the dossier is not applied."""
    WARNING = "warning"
    """A recommendation is not followed, or something looks odd."""
    REMINDER = "reminder"
    """Still to do, and there is time."""


@attrs.frozen(kw_only=True)
class Finding:
    """One thing to know about a dossier. It quotes neither an RPPS nor a name.

    Args:
        level: how much it weighs.
        path: where, such as ``practitioners[2].card_valid_until``.
        text: for the developer, in English.
        text_fr: for the company and the Cnam, in French.
        page: where the condition stands.
    """

    level: Level
    path: str
    text: str
    text_fr: str
    page: str


def check(dossier: Dossier, today: date, *, started: date | None = None) -> tuple[Finding, ...]:
    """All findings on a dossier, errors first.

    Args:
        dossier: as read.
        today: the Europe/Paris day to judge by.
        started: the day the pilot started, once it has.
    """
    findings = (
        *_identity(dossier, today),
        *_numbers(dossier, today),
        *_area(dossier),
        *_arrangements(dossier, today),
        *_modalities(dossier, today),
        *(
            finding
            for index, each in enumerate(dossier.practitioners)
            for finding in _practitioner(each, f"practitioners[{index}]", dossier, today, started)
        ),
    )
    weights = list(Level)
    return tuple(sorted(findings, key=lambda finding: weights.index(finding.level)))


def errors(findings: tuple[Finding, ...]) -> tuple[tuple[str, str], ...]:
    """Paths and sentences of what stops a step."""
    return tuple(
        (finding.path, f"{finding.text} ({finding.page})")
        for finding in findings
        if finding.level is Level.ERROR
    )


def first_go_live(dossier: Dossier) -> date | None:
    """The day of the first installation; None when nobody is to be equipped."""
    return min((each.go_live for each in dossier.practitioners if _equipped(each)), default=None)


def _equipped(practitioner: Practitioner) -> bool:
    """Whether they were, or are to be, equipped: not withdrawn before their installation."""
    left = practitioner.withdrawn_on
    return left is None or left > practitioner.go_live


def _finding(level: Level, path: str, page: int, text: str, text_fr: str) -> Finding:
    source = f"présérie 2025-03, p. {page}"
    return Finding(level=level, path=path, text=text, text_fr=text_fr, page=source)


def _error(path: str, page: int, text: str, text_fr: str) -> Finding:
    return _finding(Level.ERROR, path, page, text, text_fr)


def _warning(path: str, page: int, text: str, text_fr: str) -> Finding:
    return _finding(Level.WARNING, path, page, text, text_fr)


def _due(
    done: date | None,
    by: date | None,
    today: date,
    *,
    path: str,
    page: int,
    what: str,
    what_fr: str,
) -> Iterator[Finding]:
    """Something to be done before a day: an error once that day has come, else a reminder.

    Args:
        done: when it was or will be done.
        by: the last day for it; None leaves it open.
        today: the day to judge by.
        path: where it stands in the dossier.
        page: where the condition stands.
        what: the thing, as the subject of an English sentence.
        what_fr: the same, in French.
    """
    if done is not None and by is not None and done > by:
        yield _error(
            path, page,
            f"{what} comes after {by.isoformat()}, the day by which it is due.",
            f"{what_fr} : à faire au plus tard le {_fr(by)}.",
        )  # fmt: skip
    elif done is None or done > today:
        late = by is not None and today >= by
        yield _finding(
            Level.ERROR if late else Level.REMINDER, path, page,
            f"{what} is missing." if late else f"{what} is still to come.",
            f"{what_fr} : manquant." if late else f"{what_fr} : reste à faire.",
        )  # fmt: skip


def _fr(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _identity(dossier: Dossier, today: date) -> Iterator[Finding]:
    if not dossier.pilot.first_pilot:
        yield _error(
            "pilot.first_pilot", 3,
            "These conditions are for solutions that have never had a pilot on an earlier version.",
            "Ces conditions visent les solutions sans présérie sur une version antérieure.",
        )  # fmt: skip
    if (
        "téléconsultation"
        not in unicodedata.normalize("NFC", dossier.authorisation.kind).casefold()
    ):
        yield _error(
            "authorisation.kind", 4,
            'The solution must be authorised as "Société de Téléconsultation".',
            "La solution doit être autorisée en tant que « Société de Téléconsultation ».",
        )  # fmt: skip
    yield from _due(
        dossier.authorisation.granted_on, first_go_live(dossier), today,
        path="authorisation.granted_on", page=4,
        what="The CNDA authorisation", what_fr="Autorisation du CNDA",
    )  # fmt: skip


def _numbers(dossier: Dossier, today: date) -> Iterator[Finding]:
    equipped = [each for each in dossier.practitioners if _equipped(each)]
    staying = [each for each in equipped if each.withdrawn_on is None or each.withdrawn_on > today]
    minimum = REVISED_MINIMUM if dossier.minimum_revised else MINIMUM
    if len(equipped) < minimum:
        way = "" if dossier.minimum_revised else (
            " Three are enough only by a decision of the Assurance Maladie: give its reference"
            " in minimum_revised."
        )  # fmt: skip
        way_fr = "" if dossier.minimum_revised else (
            " Le minimum de 3 suppose une décision de l'Assurance Maladie : indiquez sa"
            " référence dans minimum_revised."
        )  # fmt: skip
        yield _error(
            "practitioners", 5,
            f"{len(equipped)} practitioners are equipped; at least {minimum} must be.{way}",
            f"{len(equipped)} praticiens équipés pour un minimum de {minimum}.{way_fr}",
        )  # fmt: skip
    elif len(staying) < minimum:
        yield _warning(
            "practitioners", 5,
            f"After withdrawals {len(staying)} practitioners remain, fewer than {minimum}.",
            f"Après retraits, il reste {len(staying)} praticiens pour un minimum de {minimum}.",
        )  # fmt: skip
    if len(equipped) > MAXIMUM and dossier.extension is None:
        yield _finding(
            Level.ERROR if len(staying) > MAXIMUM else Level.WARNING, "practitioners", 5,
            f"{len(equipped)} practitioners are equipped; {MAXIMUM} is the most without an"
            " extension.",
            f"{len(equipped)} praticiens équipés pour un maximum de {MAXIMUM} hors extension.",
        )  # fmt: skip
    yield from _decisions(dossier, today)


def _decisions(dossier: Dossier, today: date) -> Iterator[Finding]:
    for path, decision, page in (
        ("minimum_revised.on", dossier.minimum_revised, 5),
        ("extension.on", dossier.extension, 6),
    ):
        if decision is not None and decision.on > today:
            yield _error(
                path, page,
                "A decision that is still to come decides nothing.",
                "Une décision à venir n'est pas encore une décision.",
            )  # fmt: skip


def _area(dossier: Dossier) -> Iterator[Finding]:
    if not 1 <= len(dossier.area.cpam) <= 3:
        yield _warning(
            "area.cpam", 4,
            "One to three funds are recommended.",
            "Une à trois CPAM sont recommandées.",
        )  # fmt: skip
    for index, code in enumerate(dossier.area.cpam):
        if code not in REFERENCE_CPAM:
            yield _warning(
                f"area.cpam[{index}]", 4,
                "This fund is not among the 19 of reference, which are recommended.",
                "Cette CPAM ne fait pas partie des 19 CPAM référentes, recommandées.",
            )  # fmt: skip


def _arrangements(dossier: Dossier, today: date) -> Iterator[Finding]:
    first = first_go_live(dossier)
    for name, what, what_fr in (
        ("support", "The support", "Support aux praticiens"),
        ("installation", "The arrangement of installation", "Modalités d'installation"),
        ("training", "The arrangement of training", "Modalités de formation"),
        ("kit", "The accompanying kit", "Kit d'accompagnement"),
    ):
        found: Arrangement | None = getattr(dossier, name)
        yield from _due(
            found.established_on if found else None, first, today,
            path=f"{name}.established_on" if found else name, page=4,
            what=what, what_fr=what_fr,
        )  # fmt: skip
        if found is None:
            continue
        if found.shared_on is not None and found.shared_on < found.established_on:
            yield _error(
                f"{name}.shared_on", 4,
                "It is shared before it is established.",
                "Le partage précède l'établissement.",
            )  # fmt: skip
        # The text wants support to be there; what is to be shared are the three others.
        if name == "support" and found.shared_on is None:
            continue
        yield from _due(
            found.shared_on, first, today, path=f"{name}.shared_on", page=4,
            what=f"{what}, shared with the Assurance Maladie,",
            what_fr=f"{what_fr}, partage avec l'Assurance Maladie",
        )  # fmt: skip


def _modalities(dossier: Dossier, today: date) -> Iterator[Finding]:
    first = first_go_live(dossier)
    meeting = dossier.launch_meeting
    for path, done, what, what_fr in (
        ("declaration", dossier.declaration.on if dossier.declaration else None,
         "The declaration of FINESS and RPPS numbers",
         "Communication des numéros FINESS et RPPS au GIE SESAM-Vitale et à la Cnam"),
        ("launch_meeting", meeting.on if meeting else None,
         "The launch meeting", "Réunion de lancement"),
        ("planning", dossier.planning.on if dossier.planning else None,
         "The planning of installations, sent to GIE SESAM-Vitale and the Cnam,",
         "Planning des installations, envoi au GIE SESAM-Vitale et à la Cnam"),
    ):  # fmt: skip
        yield from _due(
            done, first, today, path=path if done is None else f"{path}.on", page=5,
            what=what, what_fr=what_fr,
        )  # fmt: skip
    if meeting is not None:
        present = " ".join(meeting.participants).casefold()
        if "cnam" not in present or ("sesam" not in present and "gie" not in present):
            yield _warning(
                "launch_meeting.participants", 5,
                "The Cnam and GIE SESAM-Vitale are not both among the participants.",
                "La Cnam et le GIE SESAM-Vitale ne figurent pas tous deux parmi les participants.",
            )  # fmt: skip
    if dossier.anomalies is None:
        yield from _due(
            None, first, today, path="anomalies", page=5,
            what="Who answers an anomaly, and within what time,",
            what_fr="Organisation en cas d'anomalie (qui répond, en combien de temps)",
        )  # fmt: skip
    form = dossier.questionnaire
    if form is None or form.sent_on is None or form.sent_on > today:
        yield _finding(
            Level.REMINDER, "questionnaire" if form is None else "questionnaire.sent_on", 6,
            "The questionnaire is still to be sent before the assessment.",
            "Questionnaire de satisfaction : à envoyer avant le bilan.",
        )  # fmt: skip
    versions = {each.software_version for each in dossier.practitioners if _equipped(each)}
    if len(versions) > 1:
        yield _warning(
            "practitioners", 3,
            "The practitioners were checked with different versions of the software.",
            "Les praticiens n'ont pas tous la même version logicielle.",
        )  # fmt: skip


def _practitioner(
    each: Practitioner, path: str, dossier: Dossier, today: date, started: date | None
) -> Iterator[Finding]:
    yield from _withdrawal(each, path)
    if not _equipped(each):
        return
    if not each.salaried:
        yield _error(
            f"{path}.salaried", 4,
            "Only salaried practitioners of the company take part.",
            "Seuls les praticiens salariés de la société participent.",
        )  # fmt: skip
    yield from _card(each, path, today)
    declared = dossier.declaration.on if dossier.declaration else None
    # Once the pilot runs, others may join: they are declared in turn.
    if started is None and declared is not None and each.agreed_on > declared:
        yield _error(
            f"{path}.agreed_on", 5,
            "The agreement in principle comes after the declaration: declare again, and give that"
            " day.",
            "L'accord de principe est postérieur à la communication des numéros : à communiquer de"
            " nouveau, à une date ultérieure.",
        )  # fmt: skip
    for name, done, page, what, what_fr in (
        ("agreed_on", each.agreed_on, 5, "The agreement in principle", "Accord de principe"),
        ("equipment_checked_on", each.equipment_checked_on, 5,
         "The check of the equipment", "Vérification de l'équipement"),
        ("trained_on", each.trained_on, 5, "The training", "Formation"),
    ):  # fmt: skip
        yield from _due(
            done, each.go_live, today, path=f"{path}.{name}", page=page, what=what, what_fr=what_fr
        )
    if started is not None and each.go_live < started:
        yield _error(
            f"{path}.go_live", 5,
            "The installation comes before the start of the pilot.",
            "L'installation précède le démarrage de la présérie.",
        )  # fmt: skip


def _card(each: Practitioner, path: str, today: date) -> Iterator[Finding]:
    path = f"{path}.card_valid_until"
    leaves = each.withdrawn_on
    if each.card_valid_until < each.go_live:
        yield _error(
            path, 4,
            "The card expires before the installation.",
            "La carte CPS expire avant l'installation.",
        )  # fmt: skip
    elif leaves is not None and leaves <= today:
        return
    elif each.card_valid_until < today:
        yield _error(path, 4, "The card has expired.", "La carte CPS est expirée.")
    elif each.card_valid_until - today <= CARD_NOTICE:
        yield _finding(
            Level.REMINDER, path, 4,
            "The card expires within 30 days.",
            "La carte CPS expire dans moins de 30 jours.",
        )  # fmt: skip


def _withdrawal(each: Practitioner, path: str) -> Iterator[Finding]:
    if each.withdrawn_on is not None and each.withdrawn_reason is None:
        yield _error(
            f"{path}.withdrawn_reason", 6,
            "A withdrawal needs its reason: the practitioner stays in the assessment.",
            "Un retrait se motive : le praticien reste dans le bilan.",
        )  # fmt: skip
    if each.withdrawn_on is None and each.withdrawn_reason is not None:
        yield _error(
            f"{path}.withdrawn_on", 6,
            "There is a reason for a withdrawal, but no day.",
            "Le motif de retrait est sans date.",
        )  # fmt: skip

"""The questionnaire of C5: a form of ours, and what comes back of it.

The Cnam asks for a questionnaire and prescribes none; nothing here is official. With three to ten
people a questionnaire is not anonymous, and the form says so.

Source: Cnam, présérie (March 2025), p. 6; how answers count is in ``attested``.
"""

from collections.abc import Sequence
from pathlib import Path

import attrs

from eprescription_sdk.errors import InvalidIdentifier
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.pilot.sheets import SheetRow, read_sheet, refused, sheet
from eprescription_sdk.traces.gate import Enrolment

ITEMS_FR = {
    "satisfaction": "Dans l'ensemble, êtes-vous satisfait de l'ordonnance numérique ?",
    "creer": "Créer une ordonnance numérique est-il simple et rapide ?",
    "consulter": "Retrouver et consulter une ordonnance est-il simple ?",
    "document": "Le document remis au patient vous convient-il ?",
    "incident": "En cas d'échec, savez-vous quoi faire ?",
    "accompagnement": "La formation, le guide et le support vous ont-ils suffi ?",
}
"""Every item that takes a mark from 1 to 5, with its French wording; the first one is asked for."""

REMARKS = "freins"
COLUMNS = ("praticien", *ITEMS_FR, REMARKS)
HEADING_FR = (
    "Questionnaire de satisfaction de la société : il n'est pas officiel. Notes de 1 (pas du tout)"
    " à 5 (tout à fait). Freins : ce qui, selon vous, empêcherait le déploiement à d'autres"
    " praticiens ; un frein par ligne, sans nom de patient ni de confrère ; vide s'il n'y en a pas."
    " Vous êtes peu nombreux à répondre : vos réponses ne sont pas anonymes."
)


@attrs.frozen(kw_only=True)
class Answer:
    """One practitioner's answer.

    Args:
        rpps: who.
        marks: from 1 to 5, by item; ``satisfaction`` is always there.
        blocking_remarks: obstacles to rollout, in their words.
    """

    rpps: Rpps
    marks: dict[str, int]
    # Free text: whoever wrote it may have named somebody.
    blocking_remarks: tuple[str, ...] = attrs.field(repr=False)


def survey_form(labels: Sequence[str]) -> str:
    """The form as a sheet, one row for each practitioner.

    Args:
        labels: such as "PS 1".
    """
    return sheet(COLUMNS, [(label, *[""] * (len(ITEMS_FR) + 1)) for label in labels])


def survey_guide() -> str:
    """What the practitioners are asked, in French."""
    questions = "\n".join(f"{column:<15} {text}" for column, text in ITEMS_FR.items())
    return f"{HEADING_FR}\n\n{questions}\n{REMARKS:<15} Les freins bloquants, un par ligne."


def read_answers(path: Path, enrolled: Sequence[Enrolment]) -> tuple[Answer, ...]:
    """The answers of a sheet that was filled in; who did not answer is left out.

    Args:
        path: CSV or JSON; practitioners by label ("PS 1") or RPPS.
        enrolled: the practitioners of the pilot.

    Raises:
        InvalidInput: an unknown practitioner, one who stands there twice, a mark out of range
            (each with its place).
    """
    rows = read_sheet(path, columns=("praticien", "satisfaction"), optional=COLUMNS[2:])
    known = {name: one.rpps for one in enrolled for name in (f"PS {one.label}", one.rpps.value)}
    answers: dict[Rpps, Answer] = {}
    faults: list[tuple[str, str]] = []
    for row in rows:
        if not any(text for column, text in row.values.items() if column != "praticien"):
            continue
        rpps = known.get(_name(row.values["praticien"]))
        if rpps is None:
            faults.append((row.path("praticien"), "This practitioner is not in the pilot."))
        elif rpps in answers:
            faults.append((row.path("praticien"), "This practitioner stands there twice."))
        else:
            marks = dict(_marks(row, faults))
            remarks = row.values[REMARKS].splitlines()
            answers[rpps] = Answer(
                rpps=rpps,
                marks=marks,
                blocking_remarks=tuple(each.strip() for each in remarks if each.strip()),
            )
    if faults:
        raise refused(path, faults)
    return tuple(answers.values())


def _name(text: str) -> str:
    try:
        return Rpps.parse(text).value
    except InvalidIdentifier:
        return text.upper().replace("PS", "PS ").replace("  ", " ")


def _marks(row: SheetRow, faults: list[tuple[str, str]]) -> list[tuple[str, int]]:
    marks = []
    for item in ITEMS_FR:
        text = row.values[item]
        if text in {"1", "2", "3", "4", "5"}:
            marks.append((item, int(text)))
        elif text or item == "satisfaction":
            faults.append((row.path(item), "The mark goes from 1 to 5."))
    return marks

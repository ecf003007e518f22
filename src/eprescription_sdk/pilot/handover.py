"""What goes to GIE SESAM-Vitale and the Cnam: lists as CSV, and a folder with the dossier.

The identification list and the planning of installations hold RPPS numbers: they are what the
text asks the company to send, and only their owner reads the files. Source: Cnam, présérie
2025-03, p. 5. The export of the traces is another thing: ``export``.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from eprescription_sdk.errors import PilotError
from eprescription_sdk.pilot.checks import Finding, check
from eprescription_sdk.pilot.dossier import Dossier, Practitioner
from eprescription_sdk.pilot.drafting import draft
from eprescription_sdk.pilot.enrolling import applied_dossier, start_day
from eprescription_sdk.pilot.registers import Event, events
from eprescription_sdk.pilot.sheets import sheet
from eprescription_sdk.storage import Store
from eprescription_sdk.traces.files import writing

IDENTIFICATION = "identification-praticiens.csv"
PLANNING = "planning-installations.csv"
DOSSIER = "dossier.toml"
FINDINGS = "verifications.csv"
STEPS = "etapes.csv"
COVER = "bordereau.txt"

_LEVELS_FR = {"error": "erreur", "warning": "recommandation", "reminder": "rappel"}
_STEPS_FR = {
    "start": "démarrage",
    "prolong": "prolongation",
    "assess": "bilan partagé",
    "close_traces": "clôture des traces postes",
    "generalise": "généralisation",
    "abandon": "abandon",
    "withdraw": "retrait d'un praticien",
}


def write_handover(store: Store, folder: Path, *, today: date) -> tuple[Path, ...]:
    """Write the dossier folder of a store; files of an earlier one are replaced.

    Args:
        store: the pilot's; its applied dossier is the truth.
        folder: made if it is not there.
        today: the Europe/Paris day to judge by.

    Returns:
        The files.

    Raises:
        PilotError: no dossier was applied.
        ConfigurationError: the folder cannot be written.
    """
    dossier, started, lines = store.read(
        lambda tx: (applied_dossier(tx), start_day(tx), events(tx, "step"))
    )
    if dossier is None:
        raise PilotError(
            "No dossier is applied.", way_out="eprescription pilot apply DOSSIER --by ..."
        )
    texts = {
        IDENTIFICATION: identification(dossier),
        PLANNING: planning(dossier),
        DOSSIER: draft(dossier.to_document()),
        FINDINGS: _findings(check(dossier, today, started=started)),
        STEPS: _steps(lines),
        COVER: _cover(dossier, today),
    }
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            path = folder / name
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8", newline="")
    return tuple(folder / name for name in texts)


def identification(dossier: Dossier) -> str:
    """The company's FINESS number and the volunteers' RPPS numbers (p. 5)."""
    rows = [
        (dossier.company.finess.value, dossier.company.name, each.rpps.value, _fr(each.agreed_on))
        for each in _volunteers(dossier)
    ]
    return sheet(("n° FINESS", "société", "n° RPPS", "accord de principe"), rows)


def planning(dossier: Dossier) -> str:
    """The planning of installations: RPPS numbers and days (p. 5)."""
    ordered = sorted(_volunteers(dossier), key=lambda each: each.go_live)
    rows = [(each.rpps.value, _fr(each.go_live)) for each in ordered]
    return sheet(("n° RPPS", "date d'installation"), rows)


def _volunteers(dossier: Dossier) -> list[Practitioner]:
    """All but who left before their installation."""
    return [
        each
        for each in dossier.practitioners
        if each.withdrawn_on is None or each.withdrawn_on > each.go_live
    ]


def _findings(findings: Sequence[Finding]) -> str:
    rows = [(_LEVELS_FR[each.level.value], each.path, each.text_fr, each.page) for each in findings]
    return sheet(("niveau", "élément", "constat", "source"), rows)


def _steps(lines: Sequence[Event]) -> str:
    rows = [
        (
            each.note.day.isoformat(),
            _STEPS_FR.get(each.data["step"], each.data["step"]),
            each.note.reference,
            each.note.by,
            ", ".join(each.data.get("corrections", ())) or each.data.get("reason", ""),
        )
        for each in lines
    ]
    return sheet(("jour", "étape", "référence", "par", "précision"), rows)


def _cover(dossier: Dossier, today: date) -> str:
    return f"""\
Présérie « ordonnance numérique » : {dossier.pilot.name}
{dossier.company.name}, n° FINESS {dossier.company.finess.value}
Autorisation CNDA {dossier.authorisation.number} du {_fr(dossier.authorisation.granted_on)}
Établi le {_fr(today)}

À transmettre au GIE SESAM-Vitale et à la Cnam :
  {IDENTIFICATION}    n° FINESS de la société et n° RPPS des praticiens volontaires
  {PLANNING}       n° RPPS et dates d'installation

À garder avec le dossier :
  {DOSSIER}                 ce que la société déclare, tel qu'appliqué
  {FINDINGS}            ce que la vérification en dit, avec la page
  {STEPS}                   les étapes, avec date, référence et auteur

Ces fichiers contiennent des numéros RPPS. Ils n'ont pas de forme officielle : l'Assurance Maladie
peut en demander une autre.
"""


def _fr(day: date) -> str:
    return f"{day:%d/%m/%Y}"

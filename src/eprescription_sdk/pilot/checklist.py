"""The checklist of C4: what must be in place before the software is rolled out.

The Cnam asks that the technical prerequisites be identified and gives no list; this one is ours.
Each item is answered: what rollout needs, or that nothing is needed.

Source: Cnam, présérie (March 2025), p. 6.
"""

from collections.abc import Mapping
from pathlib import Path

from eprescription_sdk.pilot.sheets import read_sheet, refused, sheet

ITEMS_FR = {
    "workstation": "Poste de travail : système, navigateur, versions minimales",
    "credential": "Identification du praticien : carte CPS et lecteur, ou session ; renouvellement",
    "certificate": "Certificat d'organisation : obtention, installation, renouvellement",
    "network": "Réseau : accès au téléservice, filtrage, délais",
    "version": "Version du logiciel : la même pour tous, mode de mise à jour",
    "configuration": "Paramétrage : FINESS, situations d'exercice, droits",
    "document": "Document remis au patient : impression ou envoi, numéro et code 2D",
    "fallback": "Fonctionnement dégradé : ordonnance papier, reprise des envois incertains",
    "support": "Support et formation à l'échelle de tous les utilisateurs",
    "monitoring": "Hébergement et surveillance : sauvegardes, alertes, suivi des échecs",
}
"""Every item, with its French wording."""

COLUMNS = ("element", "libelle", "prerequis")
NOTHING = "aucun"
"""The answer of who needs nothing for an item."""


def checklist_form() -> str:
    """The checklist as a sheet to be filled in."""
    return sheet(COLUMNS, [(item, text, "") for item, text in ITEMS_FR.items()])


def read_checklist(path: Path) -> Mapping[str, str | None]:
    """A checklist that was filled in: for each item what is needed, None for nothing.

    Raises:
        InvalidInput: an item is unknown, twice there, without an answer, or missing (each with
            its place).
    """
    rows = read_sheet(path, columns=("element", "prerequis"), optional=("libelle",))
    answers: dict[str, str | None] = {}
    faults = []
    for row in rows:
        item, needed = row.values["element"], row.values["prerequis"]
        if item not in ITEMS_FR:
            faults.append((row.path("element"), "This item is unknown."))
        elif item in answers:
            faults.append((row.path("element"), "This item stands there twice."))
        else:
            answers[item] = None if needed.casefold() == NOTHING else " ".join(needed.split())
            if not needed:
                what = f'Say what is needed, or "{NOTHING}".'
                faults.append((row.path("prerequis"), what))
    faults += [(item, "This item is missing.") for item in ITEMS_FR if item not in answers]
    if faults:
        raise refused(path, faults)
    return answers

"""The French words of the report: units, reasons, classes of failure, thresholds."""

from eprescription_sdk.model.trace import FaultOrigin
from eprescription_sdk.pilot.questions import Unit
from eprescription_sdk.pilot.results import Criterion

MONTHS_FR = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip

THRESHOLDS_FR = {
    Criterion.C1: "seuil : 50 % pour chaque PS utilisateur",
    Criterion.C2: "seuil : 70 %, tous PS ensemble",
    Criterion.C3: "chaque opération réussie, aucune anomalie bloquante",
    Criterion.C4: "un document l'atteste",
    Criterion.C5: "un questionnaire, sans frein bloquant",
}


def counted_fr(count: int, one: str, several: str) -> str:
    """A number and its noun: in French the plural begins with two."""
    return f"{count} {one if count < 2 else several}"


UNITS_FR = {Unit.DOCUMENT: "document", Unit.ACT: "acte", Unit.CALL: "appel"}

ORIGINS_FR = {
    FaultOrigin.SOFTWARE: "logiciel",
    FaultOrigin.SERVICE: "service",
    FaultOrigin.NETWORK: "réseau",
    FaultOrigin.USER: "utilisateur ou carte",
    None: "non classé",
}
"""Where a failure comes from."""

APART_FR = {
    "test_identity": "identités de test (INS fictif)",
    "reconcile": "appels de réconciliation, sans prescripteur",
    "support": "appels du support",
    "probe": "sondes techniques",
    "sandbox": "environnement bac à sable",
    "qualification": "environnement de qualification",
    "other_situation": "autre situation d'exercice",
    "not_enrolled": "praticien hors présérie",
}

"""The letter that asks the Cnam to settle the open questions, in French.

Nothing here settles one: a ruling that comes back is recorded with ``registers.record_ruling``.
"""

import textwrap
from datetime import date

from eprescription_sdk.pilot.assessment import Assessment
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.pilot.questions import Question, Reading

_EXTRAS_FR = {
    Question.Q3: "Dites-nous l'unité : nous retenons, selon le cas, celle qui donne le chiffre le"
    " moins (a) ou le plus (b) favorable.",
    Question.Q5: "Le texte dit « à compter de la date d'envoi des premières ordonnances numériques"
    " par le PS », ce qui peut aussi viser les premières de la présérie entière.",
}


_BOXES_FR = {
    Question.Q3: "[ ] document   [ ] acte",
    Question.Q5: "[ ] a)   [ ] b)   [ ] première de la présérie",
}

_INTRODUCTION = """\
Le document « Conditions et modalités d'application de la présérie » (mars 2025, p. 4 à 6) laisse
ouvertes les questions qui suivent. Selon la réponse, le bilan que nous calculons peut changer. Nous
vous prions de bien vouloir nous indiquer, pour chacune, la lecture à retenir.
"""


def letter(assessment: Assessment, dossier: Dossier | None, *, today: date) -> str:
    """The letter: each question that no ruling fixes, its two readings, and what hangs on it.

    Args:
        assessment: says which questions are settled, and what the others would change today.
        dossier: names the company and the pilot; blanks to fill in without one.
        today: of the letter.
    """
    still_open = [question for question in Question if question not in assessment.rulings]
    company = dossier.company.name if dossier else "[société]"
    finess = dossier.company.finess.value if dossier else "[n° FINESS]"
    name = dossier.pilot.name if dossier else "[nom de la présérie]"
    simulation = "SIMULATION – à ne pas envoyer\n\n" if assessment.simulation else ""
    head = f"""\
{simulation}{company}
N° FINESS {finess}

À l'attention de la Cnam, équipe « ordonnance numérique »
Copie : GIE SESAM-Vitale

Le {today:%d/%m/%Y}

Objet : {name} – lecture des critères du bilan

Madame, Monsieur,
"""
    if not still_open:
        return (
            f"{head}\nVous avez tranché toutes les questions que nous vous avions soumises ; nous"
            " n'en avons plus.\n"
        )
    parts = [head, _INTRODUCTION]
    parts += [_part(question, assessment) for question in still_open]
    if assessment.rulings:
        parts.append("Déjà tranché par vos soins :")
        parts += [
            f"  {question.value}  {ruling.label_fr} ({ruling.reference}, {ruling.day:%d/%m/%Y})"
            for question, ruling in assessment.rulings.items()
        ]
        parts.append("")
    parts.append(
        "Sans réponse, notre bilan donne les deux lectures de chaque question, sans choisir.\n\n"
        "Nous vous prions d'agréer, Madame, Monsieur, l'expression de nos salutations"
        " distinguées.\n\n[nom, fonction, signature]"
    )
    return "\n".join(parts) + "\n"


def _part(question: Question, assessment: Assessment) -> str:
    lines = [
        f"{question.value}. {question.text_fr}",
        f"    a) {question.answer_fr(Reading.STRICT)} ;",
        f"    b) {question.answer_fr(Reading.LENIENT)}.",
    ]
    if question in _EXTRAS_FR:
        lines.append(
            textwrap.fill(_EXTRAS_FR[question], 98, initial_indent="    ", subsequent_indent="    ")
        )
    changed = sorted(
        {flip.criterion.value for flip in assessment.flips if flip.question is question}
    )
    lines.append(
        f"    À ce jour, la réponse change à elle seule le résultat de {', '.join(changed)}."
        if changed
        else "    À ce jour, la réponse ne change à elle seule aucun résultat."
    )
    boxes = _BOXES_FR.get(question, "[ ] a)   [ ] b)")
    lines.append(f"    Votre réponse :  {boxes}   [ ] autre : …………………………\n")
    return "\n".join(lines)

"""A dossier in the making: its questions, and the commented TOML that the answers make.

What has no answer yet stands in the file as a comment, so that ``check`` says what is missing and
a person sees where it goes. The fields themselves are in ``dossier``.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from types import NoneType
from typing import Any, get_args, get_type_hints

import attrs

from eprescription_sdk.model.identifiers import Finess, Rpps
from eprescription_sdk.model.people import Profession
from eprescription_sdk.pilot import reading
from eprescription_sdk.pilot.dossier import Dossier, Practitioner


@attrs.frozen(kw_only=True)
class Field:
    """One key of the file.

    Args:
        path: such as ``company.finess``; of a practitioner, ``practitioners.rpps``.
        ask_fr: the question, without its question mark.
        example: a value as TOML; it stands in the comment while there is no answer.
        later: whether it may rightly be left open while the pilot is prepared.
        default: the answer that is most often right; empty without one.
    """

    path: str
    ask_fr: str
    example: str
    later: bool = False
    default: str = ""

    @property
    def key(self) -> str:
        """Its last part."""
        return self.path.rpartition(".")[2]

    @property
    def table(self) -> str:
        """The table that it is in."""
        return self.path.rpartition(".")[0]

    @property
    def expected_fr(self) -> str:
        """What is said to an answer that is none."""
        return _EXPECTED_FR.get(_kind(self.path), "Un texte d'une ligne est attendu.")

    def read(self, text: Any) -> Any:
        """An answer as plain data.

        Args:
            text: as typed, or as TOML gives it.

        Raises:
            ValueError: it is not one, in a sentence that does not quote it.
        """
        kind = _kind(self.path)
        value: Any = text
        if isinstance(text, str):
            if kind is bool:
                value = _YES_NO.get(text.strip().casefold(), text)
            elif kind is int and text.strip().isdigit():
                value = int(text)
            elif getattr(kind, "__origin__", None) is tuple:
                value = [part.strip() for part in text.split(",") if part.strip()]
        read = reading.answer(value, kind)
        return list(read) if isinstance(read, tuple) else getattr(read, "value", read)


_YES_NO = {
    "oui": True, "o": True, "true": True, "yes": True,
    "non": False, "n": False, "false": False, "no": False,
}  # fmt: skip

_EXPECTED_FR = {
    bool: "Répondez par oui ou par non.",
    int: "Un nombre entier est attendu, à partir de 1.",
    date: "Un jour est attendu, tel que 2025-03-17.",
    Finess: "Ce n'est pas un n° FINESS : 9 caractères, le dernier étant la clé.",
    Rpps: "Ce n'est pas un n° RPPS : 11 chiffres, le dernier étant la clé.",
    Profession: "Ce n'est pas un code de profession TRE_G15, tel que 10.",
}

_DAY = "2025-02-14"
_HEADINGS = {
    "pilot": "Ce qui est en présérie (p. 3)",
    "company": "La société de téléconsultation (p. 5)",
    "authorisation": "Autorisation du CNDA (p. 4)",
    "area": "1 à 3 CPAM référentes, si possible (p. 4)",
    "support": "Support aux praticiens, mis en place (p. 4)",
    "installation": "Modalités d'installation, à partager avec l'Assurance Maladie (p. 4)",
    "training": "Modalités de formation, à partager de même (p. 4)",
    "kit": "Kit d'accompagnement : mode d'emploi, tutoriels ; à partager (p. 4)",
    "declaration": "N° FINESS et RPPS transmis au GIE SESAM-Vitale et à la Cnam (p. 5)",
    "launch_meeting": "Réunion de lancement (p. 5)",
    "planning": "Planning des installations, transmis aux mêmes (p. 5)",
    "anomalies": "Qui répond en cas d'anomalie, en combien d'heures (p. 5)",
    "questionnaire": "Questionnaire de satisfaction (p. 6)",
    "minimum_revised": "Décision de l'Assurance Maladie : 3 praticiens suffisent (p. 5, note **)",
    "extension": "Extension au-delà de 10 praticiens, après correctifs (p. 6)",
    "practitioners": "Praticien volontaire (p. 4 et 5)",
}


def _arrangement(table: str, what: str) -> tuple[Field, ...]:
    return (
        Field(path=f"{table}.established_on", ask_fr=f"{what} : prêt depuis quel jour",
              example=_DAY, later=True),
        Field(path=f"{table}.shared_on", ask_fr=f"{what} : partagé quel jour", example=_DAY,
              later=True),
        Field(path=f"{table}.reference", ask_fr=f"{what} : référence du document",
              example='"DOC-1"', later=True),
    )  # fmt: skip


def _act(table: str, what: str) -> tuple[Field, ...]:
    return (
        Field(path=f"{table}.on", ask_fr=f"{what} : quel jour", example=_DAY, later=True),
        Field(path=f"{table}.reference", ask_fr=f"{what} : référence", example='"COURRIER-1"',
              later=True),
    )  # fmt: skip


FIELDS = (
    Field(path="pilot.name", ask_fr="Nom de la présérie", example='"Présérie Exemple"'),
    Field(path="pilot.profession",
          ask_fr="Catégorie de praticiens, code TRE_G15 (10 médecin, 50 sage-femme…)",
          example='"10"', default="10"),
    Field(path="pilot.module", ask_fr="Identité du module, comme dans les réglages du SDK",
          example='"exemple-on-1"'),
    Field(path="pilot.first_pilot", ask_fr="Aucune présérie sur une version antérieure (oui/non)",
          example="true", default="oui"),
    Field(path="company.name", ask_fr="Nom de la société", example='"Téléconsultation Exemple"'),
    Field(path="company.finess", ask_fr="N° FINESS de la société", example='"330781287"'),
    Field(path="authorisation.kind", ask_fr="Autorisée en tant que",
          example='"Société de Téléconsultation"', default="Société de Téléconsultation"),
    Field(path="authorisation.number", ask_fr="N° d'autorisation du CNDA",
          example='"AB1234567890"'),
    Field(path="authorisation.granted_on", ask_fr="Jour de l'autorisation", example=_DAY),
    Field(path="authorisation.reference", ask_fr="Référence du courrier du CNDA",
          example='"CNDA-2025-1"'),
    Field(path="area.cpam", ask_fr="CPAM, par numéro de département, séparées par des virgules",
          example='["33"]', later=True),
    *_arrangement("support", "Support"),
    *_arrangement("installation", "Modalités d'installation"),
    *_arrangement("training", "Modalités de formation"),
    *_arrangement("kit", "Kit d'accompagnement"),
    *_act("declaration", "Communication des n° FINESS et RPPS"),
    Field(path="launch_meeting.on", ask_fr="Réunion de lancement : quel jour", example=_DAY,
          later=True),
    Field(path="launch_meeting.participants",
          ask_fr="Réunion de lancement : participants, séparés par des virgules",
          example='["Cnam", "GIE SESAM-Vitale"]', later=True),
    Field(path="launch_meeting.reference", ask_fr="Réunion de lancement : compte rendu",
          example='"CR-1"', later=True),
    *_act("planning", "Planning des installations"),
    Field(path="anomalies.contact", ask_fr="Anomalies : qui répond", example='"Cellule présérie"',
          later=True),
    Field(path="anomalies.within_hours", ask_fr="Anomalies : en combien d'heures", example="4",
          later=True),
    Field(path="questionnaire.reference", ask_fr="Questionnaire : référence du formulaire",
          example='"QUESTIONNAIRE-1"', later=True),
    Field(path="questionnaire.sent_on", ask_fr="Questionnaire : envoyé quel jour", example=_DAY,
          later=True),
    *_act("minimum_revised", "Minimum revu à 3 par l'Assurance Maladie"),
    *_act("extension", "Extension au-delà de 10 praticiens"),
    Field(path="practitioners.rpps", ask_fr="N° RPPS", example='"99700218896"'),
    Field(path="practitioners.situation", ask_fr="Situation d'exercice concernée (identifiant)",
          example='"SIT-1"'),
    Field(path="practitioners.agreed_on", ask_fr="Accord de principe, quel jour", example=_DAY),
    Field(path="practitioners.equipment_checked_on", ask_fr="Équipement vérifié, quel jour",
          example=_DAY),
    Field(path="practitioners.software_version", ask_fr="Version logicielle vérifiée",
          example='"4.2.0"'),
    Field(path="practitioners.salaried", ask_fr="Salarié de la société (oui/non)", example="true",
          default="oui"),
    Field(path="practitioners.card_valid_until", ask_fr="Carte CPS valable jusqu'au",
          example="2030-06-30"),
    Field(path="practitioners.trained_on", ask_fr="Formé, quel jour", example=_DAY, later=True),
    Field(path="practitioners.go_live", ask_fr="Installation, quel jour", example="2025-03-17"),
    Field(path="practitioners.withdrawn_on", ask_fr="Retiré, quel jour", example="2025-04-04",
          later=True),
    Field(path="practitioners.withdrawn_reason", ask_fr="Motif du retrait", example='"départ"',
          later=True),
)  # fmt: skip
"""Every key, in the order of the file."""

BY_PATH = {field.path: field for field in FIELDS}

_OPENING = """\
# Dossier de présérie « ordonnance numérique ».
#
# Ce que la société déclare, chaque élément avec sa date et sa référence. Une ligne précédée de #
# attend sa réponse. Les pages sont celles des « Conditions et modalités d'application de la
# présérie », mars 2025. Ensuite : eprescription pilot check, puis eprescription pilot apply.
"""


def draft(document: Mapping[str, Any]) -> str:
    """The commented TOML of a dossier, as far as it is known.

    Args:
        document: tables of plain data, as ``Dossier.to_document`` gives them; any part of it may
            be missing.
    """
    return "\n".join(_lines(document)) + "\n"


def open_fields(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths that the dossier cannot do without and that have no value yet."""
    missing = [
        field.path
        for field in FIELDS
        if field.table != "practitioners"
        and field.key not in document.get(field.table, {})
        # A table that was begun is to be completed.
        and (not field.later or (field.table in document and _required(field.path)))
    ]
    practitioners = document.get("practitioners", [])
    if not practitioners:
        missing.append("practitioners")
    missing += [
        f"practitioners[{index}].{field.key}"
        for index, each in enumerate(practitioners)
        for field in FIELDS
        if field.table == "practitioners" and field.key not in each and not field.later
    ]
    return tuple(missing)


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield _OPENING
    tables = list(dict.fromkeys(field.table for field in FIELDS))
    for table in tables[:-1]:
        yield from _table(f"[{table}]", table, document.get(table))
    for each in document.get("practitioners") or [None]:
        yield from _table("[[practitioners]]", "practitioners", each)


def _table(header: str, table: str, values: Mapping[str, Any] | None) -> Iterator[str]:
    fields = [field for field in FIELDS if field.table == table]
    begun = bool(values) or not all(field.later for field in fields)
    yield f"# {_HEADINGS[table]}"
    yield header if begun and (values or table != "practitioners") else f"# {header}"
    for field in fields:
        if values and field.key in values:
            yield f"{field.key} = {_toml(values[field.key], field)}"
        else:
            yield f"# {field.key} = {field.example}    # {field.ask_fr}"
    yield ""


def _toml(value: Any, field: Field) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each, field) for each in value) + "]"
    # A day is text in JSON and a day in TOML.
    if isinstance(value, (int, date)) or _kind(field.path) is date:
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _kind(path: str) -> Any:
    """The type of a key's value."""
    table, _, key = path.rpartition(".")
    hints = get_type_hints(Practitioner if table == "practitioners" else _class_of(table))
    return _without_none(hints[key])


def _required(path: str) -> bool:
    table, _, key = path.rpartition(".")
    return attrs.fields_dict(_class_of(table))[key].default is attrs.NOTHING


def _class_of(table: str) -> Any:
    return _without_none(get_type_hints(Dossier)[table])


def _without_none(hint: Any) -> Any:
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    return kinds[0] if NoneType in get_args(hint) else hint

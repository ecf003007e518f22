"""The dossier: what the company declares about its pilot, from TOML.

Here are its fields. How plain data become fields, and faults get their paths, is in
``reading``; whether a dossier satisfies the conditions of the pilot, in ``checks``; what it
changes in the store, in ``lifecycle``.
"""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Self

import attrs

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.files import json_of
from eprescription_sdk.model.identifiers import Finess, Rpps
from eprescription_sdk.model.people import Profession
from eprescription_sdk.pilot import reading


@attrs.frozen(kw_only=True)
class PilotIdentity:
    """What is piloted.

    Args:
        name: of the pilot, as people call it.
        profession: the one category of practitioners it holds for (présérie 2025-03, p. 3).
        module: identity of the *ordonnance numérique* module, as in the settings.
        first_pilot: the company declares that no earlier version has had a pilot (p. 3).
    """

    name: str
    profession: Profession
    module: str
    first_pilot: bool


@attrs.frozen(kw_only=True)
class Company:
    """The teleconsultation company.

    Args:
        name: as declared.
        finess: its FINESS number (p. 5).
    """

    name: str
    finess: Finess


@attrs.frozen(kw_only=True)
class Authorisation:
    """The CNDA's authorisation for the *ordonnance numérique* (p. 4).

    Args:
        kind: what the solution is authorised as; for these conditions "Société de
            Téléconsultation".
        number: authorisation number (IDAM).
        granted_on: its day.
        reference: of the CNDA's letter.
    """

    kind: str
    number: str
    granted_on: date
    reference: str


@attrs.frozen(kw_only=True)
class Area:
    """Where the pilot takes place (p. 4).

    Args:
        cpam: department codes of the funds, such as ``"33"``; the text recommends them ("si
            possible"), and so none is not a fault.
    """

    cpam: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Act:
    """Something done on a day, with the document that shows it.

    Args:
        on: the day.
        reference: of the letter, message or minutes.
    """

    on: date
    reference: str


@attrs.frozen(kw_only=True)
class Arrangement:
    """Something the company establishes and shares with the Assurance Maladie (p. 4).

    Args:
        established_on: the day it was ready.
        shared_on: the day it was shared; None while it was not.
        reference: of the document.
    """

    established_on: date
    shared_on: date | None = None
    reference: str


@attrs.frozen(kw_only=True)
class Meeting:
    """The launch meeting (p. 5).

    Args:
        on: the day.
        participants: organisations, such as ``"Cnam"``.
        reference: of the minutes.
    """

    on: date
    participants: tuple[str, ...]
    reference: str


@attrs.frozen(kw_only=True)
class AnomalyHandling:
    """Who answers when an anomaly is found, and how fast (p. 5).

    Args:
        contact: a team or a role.
        within_hours: the time to a first answer, hours.
    """

    contact: str
    within_hours: int


@attrs.frozen(kw_only=True)
class Questionnaire:
    """The satisfaction questionnaire of criterion C5 (p. 6); its form is the company's own.

    Args:
        reference: of the form.
        sent_on: the day it went to the practitioners; None while it did not.
    """

    reference: str
    sent_on: date | None = None


@attrs.frozen(kw_only=True)
class Practitioner:
    """A volunteer (p. 4 and 5).

    Args:
        rpps: national number.
        situation: id of the practice situation that the pilot is about.
        agreed_on: the day of their agreement in principle.
        equipment_checked_on: the day their equipment was found compatible.
        software_version: the version found compatible.
        salaried: whether the company employs them.
        card_valid_until: last day of their CPS card.
        go_live: the day of their installation, Europe/Paris.
        trained_on: the day of their training; None while it did not take place.
        withdrawn_on: the day they left the pilot.
        withdrawn_reason: why they left.
    """

    rpps: Rpps
    situation: str
    agreed_on: date
    equipment_checked_on: date
    software_version: str
    salaried: bool
    card_valid_until: date
    go_live: date
    trained_on: date | None = None
    withdrawn_on: date | None = None
    withdrawn_reason: str | None = None


@attrs.frozen(kw_only=True)
class Dossier:
    """Everything the company declares about one pilot; what is not done yet is left out.

    Args:
        pilot: what is piloted.
        company: who pilots.
        authorisation: the CNDA's.
        area: the funds concerned.
        practitioners: the volunteers, withdrawn ones included.
        support: help for the practitioners.
        installation: arrangements of installation.
        training: arrangements of training.
        kit: user guide and tutorials.
        declaration: FINESS and RPPS numbers sent to GIE SESAM-Vitale and the Cnam.
        launch_meeting: with the Cnam and GIE SESAM-Vitale.
        planning: the planning of installations sent to them.
        anomalies: who answers, within what time.
        questionnaire: of criterion C5.
        minimum_revised: the Assurance Maladie's decision that three practitioners are enough.
        extension: the pilot was extended beyond ten practitioners, after corrections.
    """

    pilot: PilotIdentity
    company: Company
    authorisation: Authorisation
    area: Area = Area()
    practitioners: tuple[Practitioner, ...]
    support: Arrangement | None = None
    installation: Arrangement | None = None
    training: Arrangement | None = None
    kit: Arrangement | None = None
    declaration: Act | None = None
    launch_meeting: Meeting | None = None
    planning: Act | None = None
    anomalies: AnomalyHandling | None = None
    questionnaire: Questionnaire | None = None
    minimum_revised: Act | None = None
    extension: Act | None = None

    @classmethod
    def from_toml(cls, path: str | Path) -> Self:
        """A dossier from a TOML file; ``examples/pilot.toml`` shows every key.

        Raises:
            InvalidInput: no such file, malformed TOML (with the line), or a key that is
                missing, unknown, malformed or a duplicate (each with its path).
        """
        document = reading.read_toml(Path(path))
        return cls._from_document(document, str(path))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A dossier as ``to_json`` wrote it.

        Raises:
            InvalidInput: a key is missing, unknown or malformed (each with its path).
        """
        try:
            document = json_of(text)
        except ValueError:
            raise InvalidInput("The dossier is not JSON.") from None
        return cls._from_document(document, None)

    @classmethod
    def _from_document(cls, document: Any, source: str | None) -> Self:
        dossier = reading.structure(document, cls, source)
        duplicates = tuple(_duplicates(dossier))
        if duplicates:
            raise reading.refused(duplicates, source)
        return dossier

    def to_document(self) -> dict[str, Any]:
        """The dossier as JSON-ready data; what is absent is left out."""
        return reading.unstructure(self)

    def to_json(self) -> str:
        """The dossier as one JSON text, keys sorted; what is absent is left out."""
        return json.dumps(
            self.to_document(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )


def _duplicates(dossier: Dossier) -> Iterator[tuple[str, str]]:
    lists = (
        ("practitioners[{}].rpps", [each.rpps.value for each in dossier.practitioners]),
        ("area.cpam[{}]", list(dossier.area.cpam)),
    )
    for path, values in lists:
        for index, value in enumerate(values):
            first = values.index(value)
            if first != index:
                yield path.format(index), f"This is the same as {path.format(first)}."

"""What Pro Santé Connect says of a practitioner: their national id and practice situations.

Source: Pro Santé Connect, user info (``SubjectNameID``, ``SubjectRefPro``). Nothing is fetched
here, and no token is exchanged: that Pro Santé Connect opens this téléservice is in preparation
and not confirmed. The ``TokenSource`` port is in ``ports``.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TypeVar

import attrs

from eprescription_sdk.errors import InvalidInput
from eprescription_sdk.model.identifiers import Finess
from eprescription_sdk.model.people import ExerciseMode, PracticeSituation, Profession

_E = TypeVar("_E", bound=Enum)


@attrs.frozen(kw_only=True)
class Activity:
    """One activity of a practitioner, as the national directory has it.

    Args:
        id: of the situation, from profession, mode and structure; opaque.
        profession: None for one that does not prescribe.
        mode: None for one that is neither salaried nor self-employed.
        sector: code of the sector of activity, such as ``SA07``; None if not said.
        finess: of the site, or else of its legal entity; None if neither is said or holds.
        structure: the name of the site, for a person to choose by.
    """

    id: str
    profession: Profession | None
    mode: ExerciseMode | None
    sector: str | None
    finess: Finess | None
    structure: str

    @property
    def situation(self) -> PracticeSituation | None:
        """The practice situation to prescribe in; None where FINESS or mode is missing."""
        if self.finess is None or self.mode is None:
            return None
        return PracticeSituation(id=self.id, finess=self.finess, mode=self.mode)


def national_id(user_info: Mapping[str, object]) -> str:
    """The PS national id of the session, neither built nor parsed.

    Raises:
        InvalidInput: the user info does not say it.
    """
    value = user_info.get("SubjectNameID")
    if not isinstance(value, str) or not value:
        raise InvalidInput("The user info names no practitioner.", path="SubjectNameID")
    return value


def activities(user_info: Mapping[str, object]) -> tuple[Activity, ...]:
    """Every activity of the practitioner; none is ever chosen for them.

    Args:
        user_info: the claims of the user info endpoint, as decoded JSON.

    Raises:
        InvalidInput: a part of it is not what it should be, with its path.
    """
    reference = _mapping(user_info.get("SubjectRefPro", {}), "SubjectRefPro")
    found = []
    for place, practice in _mappings(reference, "exercices", "SubjectRefPro"):
        profession = _text(practice, "codeProfession")
        for _, activity in _mappings(practice, "activities", place):
            mode = _text(activity, "codeModeExercice")
            site = _text(activity, "identifiantTechniqueDeLaStructure") or _text(
                activity, "numeroFinessSite"
            )
            found.append(
                Activity(
                    id=f"{profession}/{mode}/{site}",
                    profession=_known(Profession, profession),
                    mode=_known(ExerciseMode, mode),
                    sector=_text(activity, "codeSecteurDactivite") or None,
                    finess=_finess(activity),
                    structure=_text(activity, "raisonSocialeSite"),
                )
            )
    return tuple(found)


def _finess(activity: Mapping[str, object]) -> Finess | None:
    for name in ("numeroFinessSite", "numeroFinessetablissementJuridique"):
        finess = Finess(_text(activity, name))
        if finess.problem() is None:
            return finess
    return None


def _known(kind: type[_E], value: str) -> _E | None:
    try:
        return kind(value)
    except ValueError:
        return None


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    return value.strip() if isinstance(value, str) else ""


def _mapping(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvalidInput("The user info has another form than expected.", path=path)
    return value


def _mappings(
    values: Mapping[str, object], name: str, path: str
) -> Iterator[tuple[str, Mapping[str, object]]]:
    found = values.get(name, [])
    if not isinstance(found, list):
        raise InvalidInput("The user info has another form than expected.", path=f"{path}.{name}")
    for index, value in enumerate(found):
        place = f"{path}.{name}[{index}]"
        yield place, _mapping(value, place)

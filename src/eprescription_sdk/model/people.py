"""Who prescribes, in which practice situation, and for whom."""

from datetime import date
from enum import Enum

import attrs

from eprescription_sdk.model.identifiers import Finess, Ins, Rpps
from eprescription_sdk.model.typed import typed


class Profession(Enum):
    """Professions that may prescribe (TRE_G15)."""

    DOCTOR = "10"
    DENTIST = "40"
    MIDWIFE = "50"
    NURSE = "60"
    PHYSIOTHERAPIST = "70"
    PODIATRIST = "80"
    SPEECH_THERAPIST = "91"
    ORTHOPTIST = "92"


class ExerciseMode(Enum):
    """How a practitioner works in a situation (Pro Santé Connect)."""

    SALARIED = "S"
    SELF_EMPLOYED = "L"


@attrs.frozen(kw_only=True, field_transformer=typed)
class PracticeSituation:
    """One activity of a practitioner (*situation d'exercice*).

    Args:
        id: the host's or the card's own name for the situation; opaque.
        finess: the establishment.
        mode: salaried or self-employed.
    """

    id: str
    finess: Finess
    mode: ExerciseMode = ExerciseMode.SALARIED


@attrs.frozen(kw_only=True, field_transformer=typed)
class Prescriber:
    """Who prescribes.

    Args:
        rpps: national number.
        family_name: as printed.
        given_name: as printed.
        profession: TRE_G15.
        situation: the practice situation that the prescription is written in.
    """

    rpps: Rpps
    family_name: str = attrs.field(repr=False)
    given_name: str = attrs.field(repr=False)
    profession: Profession
    situation: PracticeSituation


class Sex(Enum):
    """Administrative sex of the INS identity."""

    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True, repr=False, field_transformer=typed)
class Patient:
    """For whom; only ever sent to the téléservice (law 4).

    Args:
        ins: qualified national health identity.
        family_name: birth name.
        given_name: first given name.
        birth_date: day of birth.
        sex: administrative sex.
    """

    ins: Ins
    family_name: str
    given_name: str
    birth_date: date
    sex: Sex

    def __repr__(self) -> str:
        return "Patient(***)"

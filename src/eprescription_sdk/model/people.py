"""Who prescribes, in which practice situation, and for whom."""

from datetime import date
from enum import Enum
from typing import Self

import attrs

from eprescription_sdk.model.identifiers import Finess, Ins, InsOid, Rpps
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

    A practitioner may have several practice situations, and a pilot concerns one of them. None
    is ever chosen for them: a prescription names the one that it is written in.

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

    def acting_in(self, situation: PracticeSituation) -> Self:
        """The same practitioner in another of their practice situations."""
        return attrs.evolve(self, situation=situation)


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


@attrs.frozen(kw_only=True, repr=False)
class AnonymousPatient(Patient):
    """A patient whose care is anonymous by law, such as an abortion (*IVG*).

    How the service takes such a prescription is not public. It is therefore never sent:
    ``problems()`` says ``RX-ANONYMOUS``, and nothing is ever put in the place of the identity.
    """

    ins: Ins = attrs.field(default=Ins("", InsOid.NIR), init=False)
    family_name: str = attrs.field(default="", init=False)
    given_name: str = attrs.field(default="", init=False)
    birth_date: date = attrs.field(default=date.min, init=False)
    sex: Sex = attrs.field(default=Sex.UNKNOWN, init=False)

    def __repr__(self) -> str:
        return "AnonymousPatient()"

"""Identifiers of people, companies and prescriptions, with their keys.

Construction checks types only; ``problem()`` says what rule a value breaks and ``parse()``
refuses a value that breaks one. Personal identifiers hide their value in ``repr``.
"""

import re
from abc import ABC, abstractmethod
from enum import Enum
from typing import Self

import attrs
from stdnum import luhn
from stdnum.fr import nir

from eprescription_sdk.errors import InvalidIdentifier


def _compact(text: str) -> str:
    return re.sub(r"\s", "", text)


_text = attrs.field(validator=attrs.validators.instance_of(str))


@attrs.frozen
class Identifier(ABC):
    """Base of the identifiers: a string that knows its own rule."""

    value: str = _text

    @classmethod
    def parse(cls, text: str) -> Self:
        """An identifier from outside: spaces are dropped, the rule is checked.

        Raises:
            InvalidIdentifier: the value breaks the rule; the message does not quote it.
        """
        identifier = cls(_compact(text))
        problem = identifier.problem()
        if problem:
            raise InvalidIdentifier(problem)
        return identifier

    @abstractmethod
    def problem(self) -> str | None:
        """The rule that the value breaks, in one sentence, or None."""

    def format(self) -> str:
        """The value as a person reads it; only ever for the eyes of who may see it."""
        return self.value

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    def __str__(self) -> str:
        return repr(self)


@attrs.frozen(repr=False)
class Rpps(Identifier):
    """National number of a health professional: 11 digits with a Luhn key."""

    def problem(self) -> str | None:
        """The rule that the value breaks, or None (ANS, RPPS)."""
        if not re.fullmatch(r"\d{11}", self.value, re.ASCII):
            return "An RPPS number has 11 digits."
        if not luhn.is_valid(self.value):
            return "The key of the RPPS number is wrong."
        return None


@attrs.frozen(repr=False)
class Finess(Identifier):
    """National number of an establishment: 9 characters with a Luhn key."""

    def problem(self) -> str | None:
        """The rule that the value breaks, or None (FINESS; 2A and 2B stand for Corsica)."""
        if not re.fullmatch(r"\d[\dAB]\d{7}", self.value, re.ASCII):
            return "A FINESS number has 9 characters: digits, or 2A and 2B at the start."
        # The Corsican numbers we know hold the key with A read as 1 and B as 2.
        digits = self.value.replace("A", "1").replace("B", "2")
        if not luhn.is_valid(digits):
            return "The key of the FINESS number is wrong."
        return None

    def format(self) -> str:
        """Grouped: department, number, key."""
        return f"{self.value[:2]} {self.value[2:8]} {self.value[8:]}"

    def __repr__(self) -> str:
        return f"Finess({self.value!r})"


@attrs.frozen(repr=False)
class PrescriptionNumber(Identifier):
    """The unique number of a prescription: opaque, minted by the client (SEL-SFG-023)."""

    def problem(self) -> str | None:
        """The rule that the value breaks, or None."""
        if not re.fullmatch(r"[0-9A-Z]{1,64}", self.value, re.ASCII):
            return "A prescription number has 1 to 64 digits and capital letters."
        return None


PRESCRIPTION_NUMBER_OID = "1.2.250.1.215.500.1.1"


class InsOid(Enum):
    """The authority behind an INS: which of them are real and which are for tests."""

    NIR = "1.2.250.1.213.1.4.8"
    NIA = "1.2.250.1.213.1.4.9"
    TEST = "1.2.250.1.213.1.4.10"
    DEMO = "1.2.250.1.213.1.4.11"

    @property
    def fictitious(self) -> bool:
        """Whether identities under this authority stand for nobody."""
        return self in (InsOid.TEST, InsOid.DEMO)


@attrs.frozen(repr=False)
class Ins:
    """National health identity of a patient: 13 characters and a key of two digits.

    Args:
        value: 15 characters.
        oid: the authority; test and demonstration identities need not hold the key.
    """

    value: str = _text
    oid: InsOid = attrs.field(default=InsOid.NIR, validator=attrs.validators.instance_of(InsOid))

    @classmethod
    def parse(cls, text: str, oid: InsOid = InsOid.NIR) -> Self:
        """An INS from outside: spaces are dropped, the rule is checked.

        Raises:
            InvalidIdentifier: the value breaks the rule; the message does not quote it.
        """
        ins = cls(_compact(text).upper(), oid)
        problem = ins.problem()
        if problem:
            raise InvalidIdentifier(problem)
        return ins

    def problem(self) -> str | None:
        """The rule that the value breaks, or None (INS; key = 97 − n mod 97)."""
        if not re.fullmatch(r"\d{5}(\d{2}|2A|2B)\d{8}", self.value, re.ASCII):
            return "An INS has 15 characters: digits, or 2A and 2B as the department."
        if not self.oid.fictitious and self.value[-2:] != nir.calc_check_digits(self.value):
            return "The key of the INS is wrong."
        return None

    def format(self) -> str:
        """Grouped as on a *carte Vitale*; only ever for the eyes of who may see it."""
        return str(nir.format(self.value))

    def __repr__(self) -> str:
        return "Ins(***)"

"""The rules of a secured prescription (*ordonnance sécurisée*).

Its quantities and doses are written in full letters (CSP, R.5132-29), and since
2025-03-01 tramadol and codeine need one (ANSM). No list of the products concerned is part of
this SDK. A line is recognised by an ATC code, which is certain, or by words of its label and
codes, which is a guess: a brand that is not listed here is not seen, and the words of a label
may mislead. A guess is therefore never more than a warning.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from eprescription_sdk.model.flags import HeaderFlag
from eprescription_sdk.model.lines import CodeSystem, MedicationLine
from eprescription_sdk.model.problems import Level, Problem

if TYPE_CHECKING:
    from eprescription_sdk.model.prescription import Prescription

SINCE = date(2025, 3, 1)
"""The day from which tramadol and codeine need a secured prescription (ANSM)."""

# ATC (WHO): tramadol and codeine, alone or with others.
_ATC = re.compile("N02AX02|N02AJ1[3-6]|R05DA04|N02AJ0[6-9]|N02AA[57]9")
# The substances, and brands whose name does not say them; never complete.
_WORDS = re.compile(
    r"""\b(?: TRAMADOL | \w*CODEINE
    | BIODALGIC | CONTRAMAL | IXPRIM | MONOALGIC | MONOCRIXO | OROZAMUDOL | SKUDEXUM | TOPALGIC
    | ZALDIAR | ZAMUDOL | ZUMALGIC
    | CODENFAN | CODOLIPRANE | KLIPAL | LINDILANE | PADERYL | PRONTALGINE | TUSSIPAX )\b""",
    re.VERBOSE,
)

_DIGIT = re.compile(r"\d")
# A number of these is a dose, a quantity or a frequency; other numbers may be hours or dates.
_DOSE = re.compile(
    r"\d\s*(?:[,./]\s*\d+\s*)?(?:mg|g|kg|µg|mcg|microg\w*|ml|cl|l|ui|mmol|%|"
    r"cp|cps|cpr|comprim\w*|g[ée]lules?|gouttes?|sachets?|ampoules?|patch\w*|dispositifs?|"
    r"pastilles?|suppositoires?|cuill\w*|dos\w*|unit\w*|bouff\w*|pulv\w*|"
    r"fois|prises?|x|/\s*j\w*|par\s+jour|bo[iî]tes?|flacons?)\b",
    re.IGNORECASE,
)


def secured(prescription: "Prescription") -> Iterator[Problem]:
    """What a prescription breaks of these rules."""
    medicines = [
        (f"lines[{index}]", line, _evidence(line, prescription.issued_at))
        for index, line in enumerate(prescription.lines)
        if isinstance(line, MedicationLine)
    ]
    if HeaderFlag.SECURED not in prescription.flags:
        for path, _, level in medicines:
            if level is not None:
                yield _missing(path, level)
        return
    for path, line, level in medicines:
        if _DIGIT.search(line.text):
            # Of a document's only medicine we know that it is the secured one.
            concerned = level is not None or len(medicines) == 1
            certain = concerned and _DOSE.search(line.text) is not None
            yield _letters(path, Level.ERROR if certain else Level.WARNING)


def _evidence(line: MedicationLine, issued_at: datetime | None) -> Level | None:
    """How sure it is that a medicine needs a secured prescription."""
    if issued_at is not None and issued_at.date() < SINCE:
        return None
    for coding in line.codes:
        if coding.system == CodeSystem.ATC and _ATC.fullmatch(coding.code):
            return Level.ERROR
    for words in (line.label, *(coding.display for coding in line.codes)):
        if words and _WORDS.search(words.upper() if words.isascii() else _plain(words)):
            return Level.WARNING
    return None


def _plain(words: str) -> str:
    """Capitals without accents."""
    split = unicodedata.normalize("NFD", words.upper())
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def _missing(path: str, level: Level) -> Problem:
    return Problem(
        level=level,
        code="RX-SECURED-MISSING",
        path=path,
        text="Tramadol and codeine need a secured prescription since 2025-03-01.",
        text_fr="Depuis le 1er mars 2025, le tramadol et la codéine relèvent d'une ordonnance "
        "sécurisée.",
    )


def _letters(path: str, level: Level) -> Problem:
    return Problem(
        level=level,
        code="RX-SECURED-LETTERS",
        path=f"{path}.text",
        text="A secured prescription gives quantities and doses in full letters.",
        text_fr="Sur une ordonnance sécurisée, les quantités et les doses s'écrivent en toutes "
        "lettres.",
    )

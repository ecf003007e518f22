"""Before the pilot: which volunteers could reach C1, from last month's counts.

A practitioner whose prescriptions lie mostly outside the perimeter cannot reach one half under the
strict reading of Q1, however willing they are. Counts are by practitioner and family; a count is
a document. Source: Cnam, présérie 2025-03, p. 2 (perimeter) and p. 6 (C1).
"""

import unicodedata
from collections import defaultdict
from fractions import Fraction
from math import ceil
from pathlib import Path

import attrs

from eprescription_sdk.model.family import Family
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.pilot.criteria import C1_THRESHOLD
from eprescription_sdk.pilot.sheets import read_sheet, refused

COLUMNS = ("praticien", "famille", "nombre")
EXPECTED_SHARE = Fraction(4, 5)
"""Of the prescriptions in the perimeter, those that are taken to go out digitally and be
registered, unless told otherwise. Ours: nobody publishes a figure."""


@attrs.frozen(kw_only=True)
class Rehearsal:
    """One volunteer.

    Args:
        name: as the sheet says; an RPPS is replaced by its rank.
        inside: documents of last month in the perimeter.
        outside: those outside.
        expected: of those inside, how many are taken to be digital.
    """

    name: str
    inside: int
    outside: int
    expected: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.inside + self.outside

    @property
    def needed(self) -> int:
        """How many digital ones reach one half of all (Q1 strict)."""
        return ceil(self.total * C1_THRESHOLD)

    @property
    def passes(self) -> bool:
        """Whether they would pass under the strict reading of Q1."""
        return self.total > 0 and self.expected >= self.needed

    @property
    def passes_leniently(self) -> bool:
        """Whether they would pass if only the perimeter counted (Q1 lenient)."""
        return self.inside > 0 and self.expected >= self.inside * C1_THRESHOLD

    @property
    def advice_fr(self) -> str:
        """What would have to change."""
        if not self.total:
            return "Aucune prescription le mois dernier : rien à prévoir."
        share = f"{ceil(self.needed * 100 / self.inside)} %" if self.inside else ""
        if self.needed > self.inside:
            return (
                f"Même tout en numérique, {self.inside} sur {self.total} : trop d'imagerie ou de"
                " transports. Choisir un autre volontaire, ou faire trancher Q1 par la Cnam."
            )
        if self.passes:
            return f"Passe avec {share} de ses prescriptions du périmètre en numérique."
        return (
            f"Il en faudrait {self.needed} en numérique, soit {share} de ses prescriptions du"
            f" périmètre ; {self.expected} attendues."
        )


def rehearse(path: Path, *, share: Fraction = EXPECTED_SHARE) -> tuple[Rehearsal, ...]:
    """Every volunteer of a sheet, in its order.

    Args:
        path: CSV or JSON with practitioner, family (``medication`` or "médicaments"…), count.
        share: of the prescriptions in the perimeter, those taken to be digital, 0 to 1.

    Raises:
        InvalidInput: an unknown family or a count that is none (each with its place).
    """
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    names: dict[str, str] = {}
    faults = []
    for row in read_sheet(path, columns=COLUMNS):
        who, family, text = (row.values[column] for column in COLUMNS)
        known = _FAMILIES.get(_folded(family))
        if not who:
            faults.append((row.path("praticien"), "This is missing."))
        if known is None:
            accepted = ", ".join(each.label_fr for each in Family)
            faults.append((row.path("famille"), f"One of these was expected: {accepted}."))
        if not (text.isascii() and text.isdigit()) or len(text) > 7:
            faults.append((row.path("nombre"), "A whole number was expected."))
        elif known is not None:
            counts[who][not known.in_perimeter] += int(text)
            names.setdefault(who, f"praticien n° {len(names) + 1}" if _is_rpps(who) else who)
    if faults:
        raise refused(path, faults)
    return tuple(
        Rehearsal(name=names[who], inside=inside, outside=outside, expected=int(inside * share))
        for who, (inside, outside) in counts.items()
    )


def _is_rpps(text: str) -> bool:
    return len(text) == 11 and text.isdigit() and Rpps(text).problem() is None


def _folded(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in bare if each.isalnum())


_FAMILIES = {
    **{_folded(family.value): family for family in Family},
    **{_folded(family.label_fr): family for family in Family},
    **{
        _folded(word): family
        for family, words in {
            Family.MEDICATION: "médicament", Family.DEVICE: "dispositif médical",
            Family.BIOLOGY: "biologie", Family.NURSING: "infirmier",
            Family.PHYSIOTHERAPY: "kinésithérapie", Family.SPEECH_THERAPY: "orthophonie",
            Family.ORTHOPTICS: "orthoptie", Family.PODIATRY: "pédicurie",
            Family.TRANSPORT: "transport",
        }.items()
        for word in (words,)
    },
}  # fmt: skip

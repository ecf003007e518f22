"""Flags of a prescription and of its lines, and the substitution of a medicine.

Source: codes of the ordonnance numérique's value sets (MED-…, GEN-…, code system
2.16.840.1.113883.5.1070 for substitution).
"""

from enum import Enum

import attrs

from eprescription_sdk.model.typed import typed

FLAG_OID = "1.2.250.1.213.1.1.4.322"
"""The CI-SIS terminology that both kinds of flag belong to."""


class HeaderFlag(Enum):
    """What is true of the whole document."""

    BIZONE = "MED-1096"
    EXCEPTION_MEDICINE = "MED-1097"
    SECURED = "MED-1098"
    LARGE_EQUIPMENT = "MED-1132"
    HOME_EXECUTION = "MED-1094"
    URGENT = "MED-1095"
    MILITARY = "MED-1159"


class LineFlag(Enum):
    """What is true of one line."""

    LONG_TERM_ILLNESS = "MED-574"
    WORK_ACCIDENT = "GEN-180"
    PREVENTION = "GEN-295"
    NOT_REIMBURSABLE = "GEN-181"
    OFF_LABEL = "GEN-179"


class SubstitutionReason(Enum):
    """Why a medicine must not be substituted."""

    NARROW_MARGIN = "MTE"
    CHILD_UNDER_SIX = "EFG"
    CONTRAINDICATION = "CIF"


@attrs.frozen(kw_only=True, field_transformer=typed)
class Substitution:
    """Whether the pharmacist may give another brand.

    Args:
        allowed: ``G`` (generic allowed) when true, ``N`` (refused) when false.
        reason: mandatory when refused.
    """

    allowed: bool
    reason: SubstitutionReason | None = None

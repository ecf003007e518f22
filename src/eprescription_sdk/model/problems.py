"""A rule that a prescription breaks: path, code, and a sentence in two languages."""

from enum import Enum

import attrs


class Level(Enum):
    """An error keeps a prescription from being sent; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@attrs.frozen(kw_only=True)
class Problem:
    """One finding of the validation.

    Args:
        level: error or warning.
        code: stable, listed in the documentation.
        path: where, such as ``lines[2].substitution.reason``.
        text: for the developer, in English.
        text_fr: for the prescriber, in French.
    """

    level: Level
    code: str
    path: str
    text: str
    text_fr: str

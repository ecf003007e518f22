"""The example files that the demo plays: in the wheel, or beside it in a checkout."""

from pathlib import Path

from eprescription_sdk.errors import ConfigurationError

_PLACES = (Path(__file__).parent, Path(__file__).parents[3] / "examples")


def material(name: str) -> Path:
    """A file or folder of the examples.

    Raises:
        ConfigurationError: this installation lacks it.
    """
    for place in _PLACES:
        if (place / name).exists():
            return place / name
    raise ConfigurationError("This installation lacks the demo's material.", path=name)

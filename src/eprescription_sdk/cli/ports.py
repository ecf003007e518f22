"""Ports that a command is given by name: ``module:attribute``, as Python imports it.

A class is called without arguments; anything else is the port itself.
"""

import importlib
from typing import Annotated, Any

from cyclopts import Parameter

from eprescription_sdk.errors import ConfigurationError


def _named(name: str, what: str) -> Parameter:
    return Parameter(
        help=f"{what}: 'module:attribute', a class or an object. Required outside the sandbox.",
        env_var=f"EPRESCRIPTION_{name}",
    )


Minter = Annotated[str | None, _named("MINTER", "What mints prescription numbers")]
Codec = Annotated[str | None, _named("CODEC", "What writes and reads message bodies")]
Code2d = Annotated[str | None, _named("CODE2D", "What the printed 2D code holds")]


def port(name: str, path: str) -> Any:
    """The port that a person named.

    Args:
        name: ``module:attribute``.
        path: what it was named for.

    Raises:
        ConfigurationError: there is no such thing, or it cannot be made.
    """
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
        return found() if isinstance(found, type) else found
    except Exception as error:  # (an import runs foreign code)
        raise ConfigurationError(
            f"This port cannot be loaded: {type(error).__name__}.",
            path=f"{path} = {name}",
            way_out="Name 'module:attribute'; the module must be importable (PYTHONPATH).",
        ) from error


def ports(**names: str | None) -> dict[str, Any]:
    """The ports of a client, by the names of its arguments; what is not named is left out."""
    return {path: port(name, path) for path, name in names.items() if name is not None}

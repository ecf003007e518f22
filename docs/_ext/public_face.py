"""Documents each public name where users import it from, not where it is defined.

Only for the time of a build: ``eprescription_sdk.client.blocking.Client`` is known to users as
``eprescription_sdk.Client``, and signatures should say so.
It also teaches Sphinx how a colon in our docstrings is to be read.
"""

import inspect
from typing import TYPE_CHECKING, Any

from sphinx.ext.napoleon import GoogleDocstring

import eprescription_sdk as ep

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOMS = ("fhir", "pilot", "sandbox", "testing", "traces")
"""The rooms that say in ``__all__`` what of them is public."""


def setup(_: "Sphinx") -> dict[str, Any]:
    """Called by Sphinx before it reads anything."""
    for room in (*(getattr(ep, name) for name in ROOMS), ep):
        for name in room.__all__:
            thing = getattr(room, name)
            ours = getattr(thing, "__module__", "").startswith(ep.__name__)
            if ours and (inspect.isclass(thing) or inspect.isfunction(thing)):
                thing.__module__ = room.__name__
    # A colon in the docstring of an attribute ends no type: it is a colon.
    GoogleDocstring._parse_attribute_docstring = GoogleDocstring._consume_to_end  # noqa: SLF001
    return {"version": ep.__version__, "parallel_read_safe": True}

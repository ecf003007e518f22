"""How `make docs` builds the documentation: every warning is an error, and nothing is fetched."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import eprescription_sdk as ep  # noqa: E402  (its own extensions come first on the path)

project = "eprescription-sdk"
author = "the contributors of eprescription-sdk"
release = version = ep.__version__
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "public_face",
    "from_the_code",
    "diagram",
]
exclude_patterns = ["_build", "_ext"]

# --- Markdown -------------------------------------------------------------------------------------

myst_enable_extensions = ["colon_fence", "deflist"]
myst_fence_as_directive = ["mermaid"]
# A link to a heading is checked as a link to a file is; deeper headings have no anchor.
myst_heading_anchors = 3

# --- Links ----------------------------------------------------------------------------------------

# Whatever the text or a signature names must lead somewhere; but nothing is fetched, so there is
# nothing to link the standard library to.
_STANDARD = (
    "builtins", "collections", "concurrent", "contextlib", "datetime", "decimal", "enum",
    "fractions", "pathlib", "ssl", "types", "typing", "uuid",
)  # fmt: skip
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", rf"({'|'.join(_STANDARD)})(\..*)?"),
    ("py:class", r"[a-z]+|Any|Collection|Decimal|Fraction|Iterator|Mapping|Path|Self|Sequence"),
    # Rooms behind the public face: their classes are handed over, not made, by an integrator.
    ("py:class", r"eprescription_sdk\.(client|ledger|model|pilot|storage|traces|wire|xml)\..*"),
]

# --- API from the docstrings ----------------------------------------------------------------------

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

# --- Pages ----------------------------------------------------------------------------------------

html_theme = "furo"
html_title = f"eprescription-sdk {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
# The pages are read from a folder as well as from a server.
html_theme_options = {"navigation_with_keys": True}

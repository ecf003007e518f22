"""Draws a Mermaid state diagram as an arc diagram, so that no script is fetched to show it.

The states stand in a row; a transition goes over it to the right, and under it back to the left.
Of Mermaid's language it knows what our diagrams use: ``a --> b``, and ``[*] --> a: label``.
"""

import re
from html import escape
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

STEP, WIDTH, HEIGHT = 170, 130, 34
"""From one state to the next, and the size of a state's box, in pixels."""

_TRANSITION = re.compile(r"^\s*(\[\*\]|\w+) --> (\w+)", re.MULTILINE)


class Mermaid(SphinxDirective):
    """A fenced block of the language ``mermaid``."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The picture, with the text for those who cannot see it."""
        return [nodes.raw("", drawn("\n".join(self.content)), format="html")]


def setup(app: "Sphinx") -> dict[str, Any]:
    """Called by Sphinx before it reads anything."""
    app.add_directive("mermaid", Mermaid)
    return {"parallel_read_safe": True}


def drawn(text: str) -> str:
    """The diagram as SVG."""
    found = _TRANSITION.findall(text)
    if not found:
        raise ValueError("There is no transition in this diagram.")
    states = list(dict.fromkeys(state for pair in found for state in pair if state != "[*]"))
    start = {after for before, after in found if before == "[*]"}
    edges = [pair for pair in found if pair[0] != "[*]"]
    place = {state: index * STEP + STEP // 2 for index, state in enumerate(states)}
    reach = [place[after] - place[before] for before, after in edges]
    # An arc is a quarter as high as it is wide.
    middle = max(reach) // 4 + HEIGHT
    height = middle - min(0, *reach) // 4 + HEIGHT
    parts = [_edge(place[before], place[after], middle) for before, after in edges]
    parts += [_state(state, place[state], middle, first=state in start) for state in states]
    told = ", ".join(f"{before} → {after}" for before, after in edges)
    return (
        f'<svg class="diagram" role="img" viewBox="0 0 {len(states) * STEP} {height}"'
        ' xmlns="http://www.w3.org/2000/svg" font-family="monospace" font-size="13">'
        f"<title>{escape(told)}</title>{_ARROW}{''.join(parts)}</svg>"
    )


def _state(name: str, x: int, y: int, *, first: bool) -> str:
    # Whoever starts here has a thicker border.
    border = 3 if first else 1
    return (
        f'<rect x="{x - WIDTH // 2}" y="{y - HEIGHT // 2}" width="{WIDTH}" height="{HEIGHT}" rx="6"'
        f' fill="none" stroke="currentColor" stroke-width="{border}"/>'
        f'<text x="{x}" y="{y + 4}" text-anchor="middle" fill="currentColor">{escape(name)}</text>'
    )


def _edge(before: int, after: int, middle: int) -> str:
    edge = HEIGHT // 2
    if before == after:
        path = f"M{before - 20} {middle - edge} c0 -30 40 -30 40 -3"
    else:
        # Arrows of one state leave and arrive beside each other.
        shift = 30 if after > before else -30
        y = middle - edge if after > before else middle + edge
        height = (after - before) // 3
        path = (
            f"M{before + shift} {y} C{before + shift} {y - height}"
            f" {after - shift} {y - height} {after - shift} {y - (3 if after > before else -3)}"
        )
    return (
        f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="1.2"'
        ' marker-end="url(#arrow)"/>'
    )


_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
    ' orient="auto"><path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>'
)

"""The charts of the report, as SVG to be placed inside a page.

pygal draws; what it adds for a page of its own (script, style, tooltips, comments that name web
sites) is taken away, so that the page asks nothing of anybody and its style sheet decides.
"""

from collections.abc import Sequence
from typing import Any

from lxml import etree

from eprescription_sdk.errors import MissingExtra
from eprescription_sdk.pilot.assessment import TrendDay
from eprescription_sdk.pilot.results import Figure

SERIES_FR = (
    "numériques enregistrées",
    "numériques non enregistrées ou incertaines",
    "papier",
    "déclarées en volume, non tracées",
)
"""The layers of the trend, from the ground up; colours and hatching are the page's."""

LABELS = 10
"""How many days are named under the trend, about."""


def trend_svg(days: Sequence[TrendDay], *, label: str) -> str:
    """What was prescribed day by day, in layers.

    Args:
        days: in order, one at least.
        label: what a screen reader says of the picture.

    Raises:
        MissingExtra: pygal is not installed.
    """
    try:
        from pygal import StackedBar
    except ImportError:
        raise MissingExtra("report") from None
    chart = StackedBar(
        js=[],
        no_prefix=True,
        disable_xml_declaration=True,
        show_legend=False,
        width=960,
        height=280,
        margin=4,
        margin_left=14,
        # The default scale may step by halves; documents come whole.
        formatter=lambda value: f"{value:.0f}" if value == int(value) else "",
        truncate_label=-1,
    )
    every = max(1, -(-len(days) // LABELS))
    chart.x_labels = [
        f"{each.day:%d/%m}" if index % every == 0 else "" for index, each in enumerate(days)
    ]
    chart.add(SERIES_FR[0], [each.registered for each in days])
    chart.add(SERIES_FR[1], [each.digital - each.registered for each in days])
    chart.add(SERIES_FR[2], [each.total - each.digital for each in days])
    chart.add(SERIES_FR[3], [each.missing for each in days])
    return _bare(chart.render_tree(), label)


def _bare(tree: Any, label: str) -> str:
    """The drawing alone, with its name for screen readers."""
    etree.strip_elements(
        tree, "{*}defs", "{*}title", "{*}desc", "{*}script", etree.Comment, with_tail=False
    )
    for group in tree.xpath("//*[contains(@class, 'overlay')]"):
        group.getparent().remove(group)
    for element in tree.iter():
        element.attrib.pop("id", None)
    tree.set("role", "img")
    tree.set("aria-label", label)
    # Inside an HTML page the namespaces go without saying.
    etree.cleanup_namespaces(tree)
    text: str = etree.tostring(tree, encoding="unicode")
    return text.replace(' xmlns="http://www.w3.org/2000/svg"', "")


def rate_svg(figure: Figure, threshold: int) -> str:
    """One rate as a bar with a mark at its threshold; the figure stands beside it in words.

    Args:
        figure: the rate; an empty bar where there is none.
        threshold: per cent.
    """
    filled = figure.numerator * 100 / figure.denominator if figure.denominator else 0
    reached = figure.denominator and figure.numerator * 100 >= threshold * figure.denominator
    state = "reached" if reached else "short"
    return (
        '<svg class="rate" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="12"/>'
        f'<rect class="{state}" width="{filled:.2f}" height="12"/>'
        f'<rect class="mark" x="{threshold - 0.5}" width="1" height="12"/></svg>'
    )

"""The charts of the report, as SVG to be placed inside a page.

pygal draws; what it adds for a page of its own (script, style, tooltips, comments that name web
sites) is taken away, so that the page asks nothing of anybody and its style sheet decides. Each
chart says in words what it shows; the table beside it has the same figures.
"""

import sys
from collections.abc import Sequence
from typing import Any

from lxml import etree

from eprescription_sdk.errors import MissingExtra
from eprescription_sdk.model.trace import FaultOrigin, NonDigitalReason
from eprescription_sdk.pilot.assessment import TrendDay
from eprescription_sdk.pilot.questions import Reading
from eprescription_sdk.pilot.results import Figure, OperationUse

TREND_FR = (
    "numériques enregistrées",
    "numériques non enregistrées ou incertaines",
    "papier",
    "déclarées en volume, non tracées",
)
"""The layers of the trend, from the ground up; colours and hatching are the page's."""

CALLS_FR = (
    "réussis",
    "échecs du logiciel",
    "échecs du service",
    "échecs du réseau",
    "échecs de l'utilisateur ou de sa carte",
    "échecs non classés",
)
"""What became of calls, in the order of the layers."""

_ORIGINS = (
    FaultOrigin.SOFTWARE,
    FaultOrigin.SERVICE,
    FaultOrigin.NETWORK,
    FaultOrigin.USER,
    None,
)

LABELS = 10
"""How many days are named under the trend, about."""


def trend_svg(days: Sequence[TrendDay]) -> str:
    """What was prescribed day by day, in layers.

    Args:
        days: in order, one at least.

    Raises:
        MissingExtra: pygal is not installed.
    """
    chart = _chart("StackedBar", height=280, margin_left=14)
    every = max(1, -(-len(days) // LABELS))
    chart.x_labels = [
        f"{each.day:%d/%m}" if index % every == 0 else "" for index, each in enumerate(days)
    ]
    layers = (
        [each.registered for each in days],
        [each.digital - each.registered for each in days],
        [each.total - each.digital for each in days],
        [each.missing for each in days],
    )
    for name, values in zip(TREND_FR, layers, strict=True):
        chart.add(name, values)
    sums = ", ".join(f"{name} {sum(values)}" for name, values in zip(TREND_FR, layers, strict=True))
    return _bare(
        chart,
        f"Documents prescrits chaque jour du {days[0].day:%d/%m/%Y} au {days[-1].day:%d/%m/%Y}."
        f" En tout : {sums}.",
    )


def rates_svg(
    rows: Sequence[tuple[str, Figure | None, Figure | None]], *, threshold: int, what: str
) -> str:
    """Rates against a threshold: for each row the strict and the lenient one.

    Args:
        rows: name, strict figure, lenient figure; one at least.
        threshold: per cent; a line marks it.
        what: the rates, as the subject of a French sentence.

    Raises:
        MissingExtra: pygal is not installed.
    """
    chart = _chart("HorizontalBar", height=46 + 36 * len(rows), margin_right=30, margin_left=24)
    chart.range = (0, 100)
    chart.y_labels = [
        {"label": f"{value} %", "value": value}
        for value in (0, 25, 50, 75, 100, threshold)
        # Beside the threshold there is no room for another label.
        if value == threshold or abs(value - threshold) > 10
    ]
    chart.y_labels_major = [threshold]
    # pygal draws the first row at the bottom.
    upwards = list(reversed(rows))
    chart.x_labels = [name for name, _, _ in upwards]
    chart.add(Reading.STRICT.label_fr, [_percent(strict) for _, strict, _ in upwards])
    chart.add(Reading.LENIENT.label_fr, [_percent(lenient) for _, _, lenient in upwards])
    each = " ; ".join(
        f"{name} : lecture stricte {_words(strict)}, favorable {_words(lenient)}"
        for name, strict, lenient in rows
    )
    return _bare(chart, f"{what}, seuil de {threshold} %. {each}.", marked=True)


def operations_svg(rows: Sequence[tuple[str, OperationUse]]) -> str:
    """Calls of each operation: those that succeeded, and the failures by class.

    Args:
        rows: name and use of each operation.

    Raises:
        MissingExtra: pygal is not installed.
    """
    chart = _chart("HorizontalStackedBar", height=46 + 34 * len(rows), margin_left=20)
    upwards = list(reversed(rows))
    chart.x_labels = [name for name, _ in upwards]
    chart.add(CALLS_FR[0], [use.succeeded for _, use in upwards])
    for name, origin in zip(CALLS_FR[1:], _ORIGINS, strict=True):
        chart.add(name, [failed(use, origin) for _, use in upwards])
    each = " ; ".join(f"{name} : {use.succeeded} réussis sur {use.calls}" for name, use in rows)
    return _bare(chart, f"Appels de chaque opération. {each}.")


def reasons_svg(rows: Sequence[tuple[NonDigitalReason, int]]) -> str:
    """Paper documents by reason.

    Args:
        rows: reason and how many, one at least.

    Raises:
        MissingExtra: pygal is not installed.
    """
    chart = _chart("HorizontalBar", height=46 + 30 * len(rows), margin_left=24)
    upwards = list(reversed(rows))
    chart.x_labels = [reason.label_fr for reason, _ in upwards]
    chart.add("papier", [count for _, count in upwards])
    each = ", ".join(f"{reason.label_fr} {count}" for reason, count in rows)
    return _bare(chart, f"Documents sur papier, selon la raison : {each}.")


def failed(use: OperationUse, origin: FaultOrigin | None) -> int:
    """How many calls failed for one class of reasons."""
    return sum(each.calls for each in use.failures if each.origin is origin)


def _percent(figure: Figure | None) -> float | None:
    if figure is None or not figure.denominator:
        return None
    return figure.numerator * 100 / figure.denominator


def _words(figure: Figure | None) -> str:
    return figure.percent_fr if figure and figure.denominator else "rien à compter"


def _chart(kind: str, *, height: int, **changes: Any) -> Any:
    known = "pygal" in sys.modules
    try:
        import pygal
    except ImportError:
        raise MissingExtra("report") from None
    if not known:
        # For plug-ins that nobody asked for, pygal sets a finder before every later import of
        # the host, and Python 3.11 warns of it each time.
        sys.meta_path[:] = [each for each in sys.meta_path if type(each).__module__ != "pygal"]
    settings: dict[str, Any] = {
        "js": [],
        "no_prefix": True,
        "disable_xml_declaration": True,
        "show_legend": False,
        "width": 960,
        "height": height,
        "margin": 4,
        # The default scale may step by halves; documents and calls come whole.
        "formatter": lambda value: f"{value:.0f}" if value == int(value) else "",
        "truncate_label": -1,
    }
    return getattr(pygal, kind)(**{**settings, **changes})


def _bare(chart: Any, words: str, *, marked: bool = False) -> str:
    """The drawing alone, with what a screen reader says of it."""
    tree = chart.render_tree()
    etree.strip_elements(
        tree, "{*}defs", "{*}title", "{*}desc", "{*}script", etree.Comment, with_tail=False
    )
    for group in tree.xpath("//*[contains(@class, 'overlay')]"):
        group.getparent().remove(group)
    for element in tree.iter():
        element.attrib.pop("id", None)
    if marked:
        for name in tree.xpath("//*[local-name()='text'][@class='major']"):
            name.set("class", "threshold")
        # The mark of a threshold stands before the bars, not behind them.
        for mark in tree.xpath("//*[@class='major guide line']"):
            mark.set("class", "threshold")
            mark.getparent().getparent().getparent().append(mark)
    tree.set("role", "img")
    tree.set("aria-label", words)
    # Inside an HTML page the namespaces go without saying.
    etree.cleanup_namespaces(tree)
    text: str = etree.tostring(tree, encoding="unicode")
    return text.replace(' xmlns="http://www.w3.org/2000/svg"', "")

"""The report in a real browser: axe-core finds nothing, on a screen and on a telephone."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from eprescription_sdk.pilot import NamedEdition, render_html
from eprescription_sdk.pilot.assessment import Assessment
from tests.pilot.samples import BAD, GOOD, MIXED, NOTE, RPPS, assessment

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="Needs a Chromium to show the report in: apt install chromium, and run again.",
)


def of_size(count: int, met: bool) -> Assessment:
    """A pilot of so many practitioners."""
    whole = assessment(GOOD, GOOD, simulation=True) if met else assessment(MIXED, BAD)

    def some(each: Any) -> Any:
        cells = each.practitioners
        repeated = (cells * 2)[:count] if cells else ()
        return attrs.evolve(
            each,
            practitioners=tuple(
                attrs.evolve(one, label=f"PS {number}") for number, one in enumerate(repeated, 1)
            ),
        )

    sized: Assessment = attrs.evolve(
        some(whole),
        strict=attrs.evolve(whole.strict, criteria=tuple(map(some, whole.strict.criteria))),
        lenient=attrs.evolve(whole.lenient, criteria=tuple(map(some, whole.lenient.criteria))),
    )
    return sized


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield started
        started.close()


def shown(browser: Any, html: str, folder: Path, width: int) -> "Page":
    path = folder / "bilan.html"
    path.write_text(html, encoding="utf-8")
    page: Page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize(
    ("count", "met", "width"),
    [
        (10, False, 1280),
        (6, False, 390),
        (3, True, 390),
        *(
            pytest.param(count, met, width, marks=pytest.mark.soak)
            for count, met, width in (
                (3, False, 1280), (3, True, 1280), (6, True, 1280),
                (10, False, 390), (10, True, 1280),
            )
        ),
    ],
)  # fmt: skip
def test_axe_finds_nothing(browser: Any, tmp_path: Path, count: int, met: bool, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = shown(browser, render_html(of_size(count, met), name="Essai"), tmp_path, width)
    # What is folded is to be read too.
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    page.close()


def test_axe_would_find_something(browser: Any, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    html = render_html(assessment()).replace('<html lang="fr">', "<html>")
    page = shown(browser, html, tmp_path, 1280)
    assert Axe().run(page).violations_count == 1
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_overflows_the_page(browser: Any, tmp_path: Path, width: int) -> None:
    edition = NamedEdition(note=NOTE, rpps={"PS 1": RPPS[0]})
    html = render_html(of_size(10, met=False), name="Essai", edition=edition)
    page = shown(browser, html, tmp_path, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(_RUNS_OVER) == []
    page.close()


_RUNS_OVER = """
    [...document.querySelectorAll('tbody th')]
        .filter(cell => cell.scrollWidth > cell.clientWidth + 1).map(cell => cell.textContent)
"""


_CUT_OFF = """
    [...document.querySelectorAll('.chart svg text')].filter(text => {
        const own = text.getBoundingClientRect();
        const whole = text.closest('svg').getBoundingClientRect();
        return own.left < whole.left - 1 || own.right > whole.right + 1
            || own.top < whole.top - 1 || own.bottom > whole.bottom + 1
    }).map(text => text.textContent)
"""


@pytest.mark.parametrize(("media", "width"), [("screen", 1280), ("screen", 390), ("print", 703)])
def test_no_word_of_a_chart_is_cut_off(
    browser: Any, tmp_path: Path, media: Any, width: int
) -> None:
    page = shown(browser, render_html(of_size(10, met=False)), tmp_path, width)
    page.emulate_media(media=media)
    assert page.evaluate("document.querySelectorAll('.chart svg text').length") > 50
    assert page.evaluate(_CUT_OFF) == []
    page.close()


def test_it_prints_on_a4(browser: Any, tmp_path: Path) -> None:
    page = shown(browser, render_html(of_size(10, met=False)), tmp_path, 1280)
    pdf = page.pdf(prefer_css_page_size=True)
    page.close()
    boxes = set(re.findall(rb"/MediaBox ?\[([\d. ]+)\]", pdf))
    assert boxes
    for box in boxes:
        width, height = map(float, box.split()[2:])
        assert (round(width), round(height)) == (595, 842)

import re
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
import pytest

from eprescription_sdk.pilot import Criterion, Question, Verdict, render_html, write_report
from tests.pilot.pilots import PilotStore, at
from tests.pilot.samples import BAD, GOOD, LABELS, MIXED, OPEN, RPPS, assessment

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """Reads a page, and fails on a tag that is not closed by its own."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.headings: list[int] = []
        self.tables: list[Counter[str]] = []
        self._open: list[str] = []
        self._text: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "table":
            self.tables.append(Counter())
        if "table" in self._open:
            named = tag == "th" and not any(name == "scope" for name, _ in attrs)
            self.tables[-1]["th without scope" if named else tag] += 1
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self._text.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self._text))


def banner(html: str) -> str:
    found = re.search(r'<section class="verdict (\w+)".*?</h2>', html, re.DOTALL)
    assert found is not None
    return f"{found[1]}: {re.sub(r'<[^>]*>', '', found[0].split('<h2')[1].split('>', 1)[1])}"


@pytest.mark.parametrize(("strict", "lenient", "shown"), [
    (GOOD, GOOD, "met: Atteint sous toutes les lectures"),
    (BAD, BAD, "not_met: Non atteint"),
    (OPEN, OPEN, "not_assessable: Pas encore évaluable"),
    (MIXED, GOOD, "depends: Dépend de la lecture retenue"),
    (OPEN, GOOD, "depends: Dépend de la lecture retenue"),
    (BAD, OPEN, "depends: Dépend de la lecture retenue"),
])  # fmt: skip
def test_the_banner_says_the_verdict(
    strict: tuple[Verdict, ...], lenient: tuple[Verdict, ...], shown: str
) -> None:
    html = render_html(assessment(strict, lenient))
    assert banner(html) == shown
    Page(html)


def test_both_readings_stand_side_by_side_with_what_is_missing() -> None:
    text = Page(render_html(assessment(MIXED, GOOD))).text
    assert (
        "Lecture stricte non atteint non atteints\u00a0: C1, C2\u00a0; non évaluable\u00a0: C5"
    ).replace("\u00a0", " ") in text.replace("\u00a0", " ")
    assert "Lecture favorable atteint les cinq critères sont atteints ou attestés" in text


def test_five_cards_with_verdict_figure_and_threshold() -> None:
    html = render_html(assessment(MIXED, GOOD))
    cards = re.findall(r'<li class="card (\w+)">(.*?)</li>', html, re.DOTALL)
    assert [tone for tone, _ in cards] == ["depends", "depends", "met", "attested", "depends"]
    words = [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", card)) for _, card in cards]
    for criterion, card, parts in zip(
        ("C1", "C2", "C3", "C4", "C5"), words, [
            ("3 PS sur 5", "5 PS sur 5", "seuil : 50 %"),
            ("67,7 %", "90,8 %", "143 sur 211 appels", "178 sur 196 documents", "seuil : 70 %"),
            ("3 sur 3", "toutes lectures", "aucune anomalie"),
            ("1 document", "Note technique v2"),
            ("4,5 / 5", "non évaluable", "attesté", "6 réponses sur 6"),
        ], strict=True,
    ):  # fmt: skip
        assert card.strip().startswith(criterion)
        for part in parts:
            assert part in card.replace("\u00a0", " ")


def test_nothing_is_fetched_and_nothing_runs() -> None:
    html = render_html(assessment(simulation=True))
    assert "://" not in html
    page = Page(html)
    assert not {"script", "img", "iframe", "object", "link", "image", "foreignobject"} & set(
        page.tags
    )
    for tag, name, value in page.attributes:
        assert name not in {"src", "srcset", "action", "data", "xlink:href"}, tag
        assert not name.startswith("on")
        if name == "href":
            assert value is not None
            assert value.startswith("#")
    assert not re.search(r"@import|url\((?!#)", html)
    assert "default-src 'none'" in html


def test_icons_and_patterns_exist() -> None:
    html = render_html(assessment(MIXED, GOOD))
    wanted = set(re.findall(r'href="#([\w-]+)"', html)) | set(re.findall(r"url\(#([\w-]+)\)", html))
    assert wanted <= set(re.findall(r'id="([\w-]+)"', html))
    ids = re.findall(r'\bid="([\w-]+)"', html)
    assert len(ids) == len(set(ids))


def test_structure_for_readers_who_do_not_see() -> None:
    html = render_html(assessment(MIXED, GOOD, simulation=True))
    page = Page(html)
    assert ("html", "lang", "fr") in page.attributes
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(
        after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False)
    )
    assert page.tables
    for table in page.tables:
        assert table["caption"] == 1
        assert table["th without scope"] == 0
    # A verdict is never colour alone: every badge has an icon and a word.
    badges = re.findall(r'<span class="badge \w+">(.*?)</span>', html)
    assert len(badges) > 10
    for badge in badges:
        assert re.fullmatch(r"<svg .*?</svg>[\w\u00a0 ]+", badge)
    # Each chart says in words what it shows.
    labels = re.findall(r'<svg class="pygal-chart"[^>]* role="img" aria-label="([^"]+)"', html)
    assert len(labels) == 5
    for label, part in zip(
        labels,
        (
            "PS 2 : lecture stricte 64,5 %, favorable 81,2 %",
            "seuil de 70 %",
            "échec du service 33",
            "consulter : 64 réussis sur 64",
            "du 17/03/2025 au 21/04/2025",
        ),
        strict=True,
    ):
        assert any(part.replace(" ", "") in re.sub(r"\s", "", each) for each in labels), (
            label,
            part,
        )


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_words_contrast_with_their_ground() -> None:
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", render_html(assessment())))
    for name in ("met", "not_met", "depends", "not_assessable", "attested"):
        assert contrast(colours[name], colours[f"{name}-bg"]) >= 4.5
        assert contrast(colours[name], "#ffffff") >= 4.5
    for name in ("ink", "soft", "accent"):
        assert contrast(colours[name], "#ffffff") >= 4.5
        assert contrast(colours[name], colours["ground"]) >= 4.5


@pytest.mark.parametrize("simulation", [True, False])
def test_a_simulation_says_so_everywhere(simulation: bool) -> None:
    html = render_html(assessment(simulation=simulation))
    assert ('<aside class="simulation"' in html) is simulation
    assert ('<div class="watermark"' in html) is simulation
    assert ("<title>SIMULATION" in html) is simulation


def test_it_says_that_it_is_not_official() -> None:
    text = Page(render_html(assessment())).text
    assert "Auto-évaluation, sans valeur officielle." in text
    assert "calculé localement" in text
    assert "Seule l’Assurance Maladie valide" in text


def test_every_part_of_the_assessment_is_shown() -> None:
    a = assessment(MIXED, GOOD)
    text = Page(render_html(a, name="Exemple & Cie")).text.replace("\u00a0", " ")
    assert "Bilan de présérie – Exemple & Cie" in text
    assert "22 avril 2025 à 18 h 00 (heure de Paris)" in text
    for label in LABELS:
        assert label in text
    for part in (
        "48,0 %", "(25/52 documents)", "retiré le 04/04/2025 : départ de la société",
        "ne décide pas du critère", "Il manque 2 ordonnances", "Il manque 5 enregistrements",
        "294 / 312", "identités de test (INS fictif)", "store", "742, dont 698 comptent",
        "151 jours-praticien", "02/04/2025", "Q4 : lecture favorable", "ab" * 32,
        "créer", "consulter", "rechercher", "11 / 12",
    ):  # fmt: skip
        assert part in text, part
    for question in Question:
        assert question.text_fr in text
    for flip in a.flips:
        assert flip.question.answer_fr(flip.bundle.other) in text


def test_without_flips_it_says_that_no_question_decides() -> None:
    assert "Aucune question, tranchée seule autrement" in render_html(assessment(GOOD, GOOD))


def test_an_rpps_that_someone_typed_is_masked_and_text_is_escaped() -> None:
    a = assessment(reason=f'<script>alert("x")</script> {RPPS[0]} parti, dossier 12345678901')
    html = render_html(a, name=f"Présérie {RPPS[1]}")
    assert not [rpps for rpps in RPPS if rpps in html]
    assert "(n° masqué)" in html
    assert "12345678901" in html
    assert "<script" not in html


def empty() -> Any:
    a = assessment(OPEN, OPEN)
    bare = attrs.evolve(
        a.strict,
        criteria=tuple(
            attrs.evolve(each, figure=None, practitioners=(), operations=(), document=None)
            for each in a.strict.criteria
        ),
    )
    return attrs.evolve(
        a, strict=bare, lenient=bare, practitioners=(), trend=(), opens_on=None,
        inputs=attrs.evolve(a.inputs, apart={}, losses={}, heads=(), corrections=()), rulings={},
    )  # fmt: skip


def test_operations_that_nobody_called_make_no_chart(tmp_path: Path) -> None:
    pilot = PilotStore(tmp_path)
    called = "Appels de chaque opération. "
    assert called not in render_html(pilot.assess())
    pilot.uses()
    assert called in render_html(pilot.assess())
    pilot.store.close()


def test_a_pilot_without_anything_yet_has_a_report() -> None:
    text = Page(render_html(empty())).text
    assert "Aucune prescription n’est encore tracée." in text
    assert "Aucune trace n’a été laissée de côté." in text


def trend_of(html: str) -> str:
    return next(
        part.split("</svg>")[0]
        for part in html.split('class="pygal-chart"')
        if "stackedbar-graph" in part and "horizontal" not in part.split("</svg>")[0]
    )


def test_the_trend_has_a_layer_for_each_kind() -> None:
    html = render_html(assessment())
    chart = trend_of(html)
    for layer in range(4):
        assert f"color-{layer}" in chart
    assert ">17/03<" in chart
    assert "pygal.org" not in html
    # 26 working days, and the declared volumes of some days.
    assert chart.count("<rect") > 80


def test_days_without_a_prescription_have_their_place_in_the_trend() -> None:
    a = assessment()
    first, *_, last = a.trend
    gone = attrs.evolve(a, trend=(first, last))
    # The last one stands as far to the right as it does with all days between.
    places = [re.findall(r'<rect x="([\d.]+)"', trend_of(render_html(each)))[-1]
              for each in (a, gone)]  # fmt: skip
    assert places[0] == places[1]


def test_numbers_and_nouns_agree_and_nothing_is_said_twice(tmp_path: Path) -> None:
    pilot = PilotStore(tmp_path, 2)
    for ps in (1, 2):
        pilot.digital(at(3), ps=ps)
        pilot.questionnaire(at(4), ps)
    pilot.digital(at(3))
    pilot.uses()
    pilot.event("attestation", at(4), {"criterion": "C4", "document": "Note v2"})
    found = pilot.assess(at(9))
    pilot.store.close()
    reasons = [found.strict[criterion].reason_fr for criterion in Criterion]
    assert reasons == [
        "2 PS utilisateurs sur 2 à 50 % ou plus",
        "3 enregistrements pour 3 appels « créer »",
        "chaque opération a réussi, aucune anomalie bloquante du logiciel n'est ouverte",
        "document : Note v2",
        "2 questionnaires pour 2 PS utilisateurs",
    ]
    assert found.lenient[Criterion.C2].reason_fr == "3 enregistrements pour 3 documents"
    text = Page(render_html(found)).text.replace("\u00a0", " ")
    assert "Document : Note v2" not in text
    assert "Chaque opération a réussi" in text
    assert "(s)" not in text


@pytest.mark.parametrize("days", [1, 36, 200])
def test_the_trend_names_about_ten_days(days: int) -> None:
    a = assessment()
    one = a.trend[0]
    trend = tuple(attrs.evolve(one, day=one.day + timedelta(days=n)) for n in range(days))
    chart = trend_of(render_html(attrs.evolve(a, trend=trend)))
    named = re.findall(r">\d\d/\d\d<", chart)
    assert min(days, 8) <= len(named) <= 10


def test_it_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "bilan.html"
    path.write_text("older", encoding="utf-8")
    assert write_report(assessment(), path) == path
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [each.name for each in tmp_path.iterdir()] == ["bilan.html"]


@pytest.mark.parametrize("absent", ["jinja2", "pygal"])
def test_a_missing_extra_is_named(absent: str) -> None:
    program = f"""
import sys
sys.modules[{absent!r}] = None
from tests.pilot.samples import assessment
from eprescription_sdk.errors import MissingExtra
from eprescription_sdk.pilot import render_html
try:
    render_html(assessment())
except MissingExtra as error:
    print(error.way_out)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, timeout=60,
        env={"PYTHONPATH": "src:."}, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout.strip() == "Install them with: pip install 'eprescription-sdk[report]'"


def test_its_title_alone_says_that_it_is_not_official() -> None:
    html = render_html(assessment(GOOD, GOOD))
    title = html.partition("<title>")[2].partition("</title>")[0]
    assert title.startswith("Auto-évaluation de présérie, non officielle")

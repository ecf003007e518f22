"""The page of the counter: over HTTP as a browser asks, and in a real browser."""

import http.client
import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import eprescription_sdk as ep
from eprescription_sdk.sandbox import Sandbox
from eprescription_sdk.sandbox.counter import UNKNOWN
from eprescription_sdk.sandbox.counter_page import MOST_BYTES
from eprescription_sdk.testing import (
    sample_prescription,
    sandbox_practitioner,
    sandbox_settings,
)
from tests.sandbox.envelopes import RPPS, create
from tests.sandbox.test_bodies import TYPE, form
from tests.sandbox.test_scan import code, file, page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def ask(
    sandbox: Sandbox, body: bytes | None = None, content_type: str = TYPE, accept: str = "text/html"
) -> tuple[str, http.client.HTTPMessage]:
    parts = urlsplit(sandbox.pharmacy_url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    headers = {"Content-Type": content_type, "Accept": accept}
    connection.request("GET" if body is None else "POST", parts.path, body, headers)
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    assert reply.status == 200
    return text, reply.headers


def test_it_says_what_it_is_and_runs_nothing(sandbox: Sandbox) -> None:
    text, headers = ask(sandbox)
    assert "SIMULATION" in text
    assert "non de l'Assurance" in text
    assert "Résultat" not in text
    assert "<script" not in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert "not the Assurance Maladie" in headers["X-Reference-Sandbox"]


def test_a_picture_or_what_a_scanner_types(sandbox: Sandbox) -> None:
    create(sandbox.url, "SIM1")
    picture = file(page(code("SPECIMEN SIM1")))
    for body in (
        form(("picture", picture), ("payload", b"")),
        form(("picture", b""), ("payload", b"SPECIMEN SIM1")),
    ):
        text, _ = ask(sandbox, body)
        assert "<dd>SIM1</dd>" in text
        assert f"RPPS {RPPS}" in text
        assert 'class="mark">SPECIMEN' in text
    told, _ = ask(sandbox, picture, "image/png", accept="application/json")
    scan = json.loads(told)
    assert scan["outcome"] == "registered"
    assert scan["prescription"]["number"] == "SIM1"


def test_what_stands_in_the_way_is_shown(sandbox: Sandbox) -> None:
    for body, sentence in (
        (form(("picture", file(page(code("SPECIMEN SIM9"))))), UNKNOWN),
        (form(("picture", b"?")), "pas une image lisible"),
        (form(("picture", b""), ("payload", b"<script>x</script>")), "pas celui d'un SPECIMEN"),
        (form(("picture", b""), ("payload", b"")), "Choisissez une image"),
        (form()[:-4], "pas une image lisible"),
        (form(("picture", b"0" * (MOST_BYTES + 1))), "trop grande"),
    ):
        text, _ = ask(sandbox, body)
        assert sentence.replace("'", "&#x27;") in text
        assert "<script" not in text
        assert "SPECIMEN</p>" not in text


def test_a_hostile_document_is_escaped(sandbox: Sandbox) -> None:
    from datetime import UTC, datetime

    from eprescription_sdk.sandbox.counter import Scan
    from eprescription_sdk.sandbox.counter_page import page as rendered
    from eprescription_sdk.sandbox.pharmacy import SeenLine, SeenPrescription

    evil = "<img src=x onerror=alert(1)>"
    scan = Scan(
        outcome="registered",
        text_fr=evil,
        prescription=SeenPrescription(
            number=evil, registered_at=datetime(2026, 3, 2, tzinfo=UTC), issued=evil, kind=evil,
            patient=evil, born=evil, prescriber=evil, rpps=evil, flags=(evil,),
            lines=(SeenLine(label=evil, words=evil, details=(evil,)),),
        ),
    )  # fmt: skip
    assert "<img" not in rendered(scan)
    assert rendered(scan).count("&lt;img") >= 10


@pytest.mark.skipif(
    CHROMIUM is None,
    reason="Needs a Chromium to show the page in: apt install chromium, and run again.",
)
def test_a_person_scans_in_a_browser_what_another_page_shows(tmp_path: Path) -> None:
    """From the client's own block to the pharmacy's page, by a picture of the screen alone."""
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    picture = tmp_path / "document.png"
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(verify_assertions=False))
        client = stack.enter_context(ep.Client(sandbox_settings(sandbox, tmp_path / "store.db")))
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        outcome = client.acting_as(sandbox_practitioner(Sandbox())).create(sample_prescription())
        assert isinstance(outcome, ep.Registered)
        shown = browser.new_page(viewport={"width": 360, "height": 800})
        shown.set_content(client.document_block(outcome).html())
        shown.screenshot(path=picture)
        shown.goto(sandbox.pharmacy_url)
        shown.get_by_label("Image du document").set_input_files(picture)
        shown.get_by_role("button", name="Lire").click()
        shown.get_by_role("heading", name="Résultat").wait_for()
        assert shown.get_by_role("definition").first.inner_text() == outcome.number.value
        assert shown.evaluate("document.documentElement.scrollWidth") <= 360
        found = Axe().run(shown)
        browser.close()
    assert found.violations_count == 0, found.generate_report()

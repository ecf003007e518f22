"""The block that is printed: the code is read back from the picture, as a scanner reads paper."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from eprescription_sdk.client import Client, DocumentBlock
from eprescription_sdk.client.document import document_block
from eprescription_sdk.errors import ConfigurationError, InvalidInput
from eprescription_sdk.model.identifiers import PrescriptionNumber
from eprescription_sdk.model.outcomes import (
    Advice,
    Cause,
    NextStep,
    NotRegistered,
    Registered,
    Uncertain,
)
from eprescription_sdk.reference import FakeMinter
from eprescription_sdk.settings import Environment, Settings
from tests.model import samples

NUMBER = FakeMinter().mint(samples.prescription())
COMMON = {
    "attempts": (),
    "duration": 0.1,
    "advice": Advice(step=NextStep.PRINT_WITH_NUMBER, text_fr="Imprimer."),
    "simulation": True,
}
DONE = Registered(number=NUMBER, registered_at=datetime(2026, 3, 1, tzinfo=UTC), **COMMON)  # type: ignore[arg-type]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    settings = Settings(
        environment=Environment.SANDBOX,
        service_url="http://127.0.0.1:9",
        software_name="essai",
        software_version="1",
        authorisation="AUT-0",
        instance="6a5f8f0e-0000-4000-8000-000000000001",
        module="module",
        finess="330781287",
        store=tmp_path / "pilot.db",
        key=b"a secret for tests, 32 bytes long",
    )
    with Client(settings) as one:
        yield one


@pytest.fixture
def block(client: Client) -> DocumentBlock:
    return client.document_block(DONE)


def decoded(picture: Image.Image) -> str:
    (found,) = zxingcpp.read_barcodes(picture)
    return found.text


def test_the_block_holds_the_number_in_clear_and_says_what_it_is(block: DocumentBlock) -> None:
    assert block.number == NUMBER.value
    assert block.specimen
    assert block.simulation
    assert NUMBER.value not in repr(block)


@pytest.mark.parametrize("number", [NUMBER, PrescriptionNumber("01S2TBPZ2JCNZZYGHZ")])
@pytest.mark.parametrize(("millimetres", "dpi"), [(20, 300), (20, 600), (15, 300), (35, 203)])
def test_the_code_is_read_at_print_size(
    client: Client, number: PrescriptionNumber, millimetres: int, dpi: int
) -> None:
    block = client.document_block(attrs.evolve(DONE, number=number))
    picture = Image.open(io.BytesIO(block.png(millimetres=millimetres, dpi=dpi)))
    assert picture.width == round(millimetres / 25.4 * dpi)
    assert picture.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)
    assert decoded(picture) == f"SPECIMEN {number.value}"


def test_the_code_is_read_from_a_page_that_was_printed_and_scanned_askew(
    block: DocumentBlock,
) -> None:
    page = Image.new("L", (1200, 800), 255)
    page.paste(Image.open(io.BytesIO(block.png())).convert("L"), (400, 200))
    ImageDraw.Draw(page).text((60, 60), "Ordonnance numérique", fill=0)
    scanned = page.rotate(7, fillcolor=255, resample=Image.Resampling.BILINEAR)
    assert decoded(scanned.point(lambda dot: 40 + dot * 170 // 255)) == block.payload


def test_the_vector_picture_is_the_same_code(block: DocumentBlock) -> None:
    svg = block.svg(millimetres=20)
    assert 'width="20mm"' in svg
    box = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    assert box
    picture = Image.new("1", (int(box[1]), int(box[2])), 1)
    for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg):
        picture.putpixel((int(x), int(y)), 0)
    assert decoded(picture.resize((picture.width * 4, picture.height * 4))) == block.payload


def test_specimen_stands_under_the_code_of_a_stand_in_only(block: DocumentBlock) -> None:
    real = attrs.evolve(block, specimen=False)
    assert "SPECIMEN" in block.svg()
    assert "SPECIMEN" not in real.svg()
    with_caption, without = (
        Image.open(io.BytesIO(each.png())).convert("L") for each in (block, real)
    )
    assert with_caption.width == without.width
    below = with_caption.crop((0, without.height, with_caption.width, with_caption.height))
    assert without.height < with_caption.height
    assert below.getextrema() == (0, 255)
    # As many gaps as a word of eight letters has: what stands there is no bar.
    ink = [
        sum(below.getpixel((x, y)) == 0 for y in range(below.height)) for x in range(below.width)
    ]
    gaps = re.findall(r"0+", "".join("0" if not dots else "1" for dots in ink).strip("0"))
    assert len(gaps) == len("SPECIMEN") - 1


def test_the_legal_mentions_are_the_integrators(client: Client) -> None:
    core = client._core  # noqa: SLF001  (what the client hands over)
    block = document_block(core, DONE, legal_mentions="Mentions <légales> & d'usage")
    assert "Mentions &lt;légales&gt; &amp;" in block.html()
    assert block.number in block.html()
    assert "SIMULATION" in block.html()
    assert "<svg" in block.html()
    plain = attrs.evolve(block, simulation=False, specimen=False, legal_mentions="")
    assert "SIMULATION" not in plain.html()
    assert "<small>" not in plain.html()


def test_no_other_outcome_has_anything_to_print(client: Client) -> None:
    for outcome in (
        Uncertain(number=NUMBER, **COMMON),  # type: ignore[arg-type]
        NotRegistered(cause=Cause.REFUSED, number=NUMBER, **COMMON),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidInput) as caught:
            client.document_block(outcome)  # type: ignore[arg-type]
        assert NUMBER.value not in str(caught.value)


def test_another_symbology_is_the_integrators_to_draw(block: DocumentBlock) -> None:
    with pytest.raises(ConfigurationError, match="symbology"):
        attrs.evolve(block, symbology="datamatrix").svg()


def test_too_small_is_said(block: DocumentBlock) -> None:
    with pytest.raises(InvalidInput, match="does not fit"):
        block.png(millimetres=2)


def test_without_the_extra_the_block_still_has_its_number() -> None:
    script = """
import sys
sys.modules["segno"] = None
from eprescription_sdk.client import DocumentBlock
from eprescription_sdk.errors import MissingExtra
block = DocumentBlock(
    number="1", payload="SPECIMEN 1", symbology="qr", specimen=True, simulation=True
)
assert block.number == "1"
try:
    block.svg()
except MissingExtra as error:
    assert "eprescription-sdk[code2d]" in str(error)
else:
    raise SystemExit(1)
"""
    subprocess.run([sys.executable, "-c", script], check=True)

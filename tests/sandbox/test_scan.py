"""Pictures in, numbers out: good ones, bad ones, and those that mean harm."""

import io
import struct
import zlib

import pytest
import segno
from PIL import Image

from eprescription_sdk.sandbox.scan import (
    MOST_PIXELS,
    Obstacle,
    number_in_payload,
    number_in_picture,
)


def code(text: str, scale: int = 4) -> Image.Image:
    """A QR code as a picture."""
    out = io.BytesIO()
    segno.make_qr(text).save(out, kind="png", scale=scale, border=4)
    return Image.open(out).convert("L")


def page(*codes: Image.Image, size: tuple[int, int] = (1200, 900)) -> Image.Image:
    """White paper with codes side by side."""
    paper = Image.new("L", size, 255)
    for place, each in enumerate(codes):
        paper.paste(each, (60 + place * 350, 300))
    return paper


def file(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_the_number_is_read_from_a_page(kind: str) -> None:
    assert number_in_picture(file(page(code("SPECIMEN SIM1")), kind)) == "SIM1"


def test_askew_faint_and_upside_down() -> None:
    image = page(code("SPECIMEN SIM1")).rotate(
        187, fillcolor=255, resample=Image.Resampling.BICUBIC
    )
    assert number_in_picture(file(image.point(lambda dot: 60 + dot // 2))) == "SIM1"


def test_what_is_transparent_is_paper() -> None:
    mark = code("SPECIMEN SIM1")
    ink = Image.new("RGBA", mark.size, (0, 0, 0, 0))
    ink.paste((0, 0, 0, 255), mask=mark.point(lambda dot: 255 - dot))
    assert number_in_picture(file(ink)) == "SIM1"


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_small_code_on_a_large_photo(kind: str) -> None:
    photo = page(code("SPECIMEN SIM1", scale=5), size=(5000, 4000))
    assert number_in_picture(file(photo, kind)) == "SIM1"


def test_the_same_code_twice_is_one_and_others_are_left_aside() -> None:
    one, other = code("SPECIMEN SIM1"), code("https://example.invalid/")
    assert number_in_picture(file(page(one, one, other))) == "SIM1"


@pytest.mark.parametrize(
    ("codes", "obstacle"),
    [
        ((), Obstacle.NO_CODE),
        (("https://example.invalid/",), Obstacle.FOREIGN_CODE),
        (("SPECIMEN",), Obstacle.FOREIGN_CODE),
        (("SPECIMEN sim-1",), Obstacle.FOREIGN_CODE),
        (("SPECIMEN " + "A" * 65,), Obstacle.FOREIGN_CODE),
        (("SPECIMEN SIM1", "SPECIMEN SIM2"), Obstacle.SEVERAL_CODES),
    ],
)
def test_what_stands_in_the_way_is_told(codes: tuple[str, ...], obstacle: Obstacle) -> None:
    assert number_in_picture(file(page(*map(code, codes)))) is obstacle
    if len(codes) == 1:
        assert number_in_payload(codes[0]) is obstacle


def test_what_a_scanner_types() -> None:
    assert number_in_payload(" SPECIMEN SIM1\r\n") == "SIM1"
    assert number_in_payload("  ") is Obstacle.NOTHING
    assert number_in_picture(b"") is Obstacle.NOTHING


def bomb(width: int, height: int) -> bytes:
    """A few bytes of PNG that announce a huge picture."""
    row = zlib.compress(b"\0" * 1000)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", row),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize(
    ("width", "height"), [(8000, MOST_PIXELS // 8000 + 1), (10_000, 10_000), (50_000, 50_000)]
)
def test_a_huge_picture_is_not_unfolded(width: int, height: int) -> None:
    assert number_in_picture(bomb(width, height)) is Obstacle.TOO_LARGE


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7 not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x00" * 1000,
        file(page(code("SPECIMEN SIM1")))[:2000],
        file(page(code("SPECIMEN SIM1")), "JPEG")[:300],
        bomb(100, 100),
        b"GIF89a",
        # Ghostscript is started for these by whoever lets it.
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    ],
)
def test_what_is_no_picture_is_told(content: bytes) -> None:
    assert number_in_picture(content) is Obstacle.NOT_A_PICTURE


def test_a_picture_of_one_dot() -> None:
    assert number_in_picture(file(Image.new("1", (1, 1)))) is Obstacle.NO_CODE


def test_every_obstacle_is_a_french_sentence() -> None:
    assert all(each.value.endswith(".") for each in Obstacle)

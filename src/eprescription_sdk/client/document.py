"""What is printed on the patient's document once the prescription is registered.

The number in clear, the 2D code, and a slot for the legal mentions, which are the integrator's:
their official wording is not public. The code of a stand-in has SPECIMEN printed under it.
"""

import struct
import zlib
from functools import cached_property
from html import escape

import attrs

from eprescription_sdk.client.core import Core
from eprescription_sdk.client.foreign import foreign
from eprescription_sdk.errors import ConfigurationError, InvalidInput, MissingExtra
from eprescription_sdk.model.outcomes import Registered

PRINT_SIZE_MM = 20.0
"""Width of the printed code, its quiet zone included, in millimetres."""

PRINT_DPI = 300
"""Dots an inch of the picture."""

_MM_PER_INCH = 25.4


@attrs.frozen(kw_only=True)
class DocumentBlock:
    """The means of access that the patient receives: number in clear and 2D code.

    Args:
        number: in clear.
        payload: what the 2D code holds.
        symbology: of the 2D code; ``qr`` is drawn here, an integrator draws any other.
        specimen: whether the code is a stand-in's; SPECIMEN then stands under it.
        simulation: print ``SIMULATION`` across the document when true.
        legal_mentions: what the law wants beside the code; the integrator's text.
    """

    number: str = attrs.field(repr=False)
    payload: str = attrs.field(repr=False)
    symbology: str
    specimen: bool
    simulation: bool
    legal_mentions: str = ""

    def svg(self, *, millimetres: float = PRINT_SIZE_MM) -> str:
        """The code as SVG.

        Args:
            millimetres: width, quiet zone included.

        Raises:
            MissingExtra: ``code2d`` is not installed.
            ConfigurationError: a symbology that is not drawn here.
        """
        rows = self._rows
        width, height = len(rows[0]), len(rows)
        dark = "".join(
            f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dot in enumerate(row) if dot
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{millimetres:g}mm"'
            f' height="{millimetres * height / width:g}mm" viewBox="0 0 {width} {height}"'
            f' role="img" shape-rendering="crispEdges">'
            f"<title>{_SPECIMEN if self.specimen else 'Code 2D'}</title>"
            f'<path fill="#fff" d="M0 0h{width}v{height}h-{width}z"/>'
            f'<path fill="#000" d="{dark}"/></svg>'
        )

    def png(self, *, millimetres: float = PRINT_SIZE_MM, dpi: int = PRINT_DPI) -> bytes:
        """The code as PNG, black on white, every module of the same whole number of dots.

        Args:
            millimetres: width, quiet zone included; what whole dots leave over is white.
            dpi: dots an inch.

        Raises:
            MissingExtra: ``code2d`` is not installed.
            ConfigurationError: a symbology that is not drawn here.
            InvalidInput: too small to hold the code.
        """
        rows = self._rows
        width = round(millimetres / _MM_PER_INCH * dpi)
        scale = width // len(rows[0])
        if scale < 1:
            raise InvalidInput(
                "The code does not fit into this size.",
                way_out=f"Give it at least {len(rows[0])} dots.",
            )
        left = (width - scale * len(rows[0])) // 2
        return _png(
            [
                [False] * left + [dot for dot in row for _ in range(scale)]
                for row in rows
                for _ in range(scale)
            ],
            width,
            round(dpi / _MM_PER_INCH * 1000),
        )

    def html(self) -> str:
        """The whole block as an HTML fragment: code, number in clear, legal mentions."""
        parts = [
            self.svg(),
            f"<p>Ordonnance numérique n° <strong>{escape(self.number)}</strong></p>",
        ]
        if self.simulation:
            parts.insert(0, "<p><strong>SIMULATION</strong></p>")
        if self.legal_mentions:
            parts.append(f"<p><small>{escape(self.legal_mentions)}</small></p>")
        return f'<div class="ordonnance-numerique">{"".join(parts)}</div>'

    @cached_property
    def _rows(self) -> list[list[bool]]:
        """The picture, a module a dot: the code with its quiet zone, and what stands under it."""
        if self.symbology != "qr":
            raise ConfigurationError(
                "Only QR codes are drawn here.",
                path="code2d.symbology",
                way_out="Draw the block's payload with a library for its symbology.",
            )
        try:
            import segno
        except ImportError:
            raise MissingExtra("code2d") from None
        code = segno.make_qr(self.payload, error="m", boost_error=False)
        rows = [[bool(dot) for dot in row] for row in code.matrix_iter(border=_QUIET)]
        return rows + _caption(len(rows[0])) if self.specimen else rows


def document_block(core: Core, outcome: Registered, *, legal_mentions: str = "") -> DocumentBlock:
    """The block of a registered prescription; no other outcome has one.

    Args:
        core: of the client.
        outcome: what ``create()`` answered.
        legal_mentions: the integrator's text.

    Raises:
        InvalidInput: another outcome; its number must never be printed.
        ConfigurationError: the port ``code2d`` failed.
    """
    if not isinstance(outcome, Registered):
        raise InvalidInput(
            "Only a registered prescription has a number and a code to print.",
            way_out="Follow the outcome's advice.",
        )
    with foreign("code2d"):
        payload = core.code2d.payload(outcome.number)
    return DocumentBlock(
        number=outcome.number.value,
        payload=payload,
        symbology=core.code2d.symbology,
        specimen=core.code2d.simulated,
        simulation=core.simulation,
        legal_mentions=legal_mentions,
    )


_QUIET = 4
_SPECIMEN = "SPECIMEN"
# Three dots wide and five high, a row a number.
_LETTERS = {
    "S": (0b111, 0b100, 0b111, 0b001, 0b111),
    "P": (0b111, 0b101, 0b111, 0b100, 0b100),
    "E": (0b111, 0b100, 0b110, 0b100, 0b111),
    "C": (0b111, 0b100, 0b100, 0b100, 0b111),
    "I": (0b111, 0b010, 0b010, 0b010, 0b111),
    "M": (0b101, 0b111, 0b111, 0b101, 0b101),
    "N": (0b110, 0b101, 0b101, 0b101, 0b101),
}


def _caption(width: int) -> list[list[bool]]:
    """SPECIMEN, in the middle, in modules of the code: no font is needed."""
    rows = []
    for height in range(5):
        row: list[bool] = []
        for letter in _SPECIMEN:
            bits = _LETTERS[letter][height]
            row += [bool(bits & 0b100), bool(bits & 0b010), bool(bits & 0b001), False]
        before = (width - len(row) + 1) // 2
        rows.append([False] * before + row + [False] * (width - before - len(row)))
    return [*rows, [False] * width, [False] * width]


def _png(rows: list[list[bool]], width: int, dots_per_metre: int) -> bytes:
    """One bit a dot; a row that is too short ends in white (PNG 1.2)."""
    lines = b"".join(b"\x00" + _packed(row, width) for row in rows)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), 1, 0, 0, 0, 0)),
            _chunk(b"pHYs", struct.pack(">IIB", dots_per_metre, dots_per_metre, 1)),
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _packed(row: list[bool], width: int) -> bytes:
    bits = "".join("0" if dot else "1" for dot in row).ljust(-(-width // 8) * 8, "1")
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

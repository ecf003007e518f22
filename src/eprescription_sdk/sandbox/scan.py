"""The picture of a document in, the number of its SPECIMEN code out.

zxing-cpp and pillow are imported when a picture is scanned. Only the code of the SDK's stand-in
is known: the official payload is not public, and what any other code holds is never repeated.
"""

import re
from enum import Enum
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 32_000_000
"""A larger picture is not unfolded: it would fill the memory of a training machine."""
_GLANCE = (2000, 2000)
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
"""What phones and screenshots give; no other decoder is let near a stranger's file."""
_SPECIMEN = re.compile(r"SPECIMEN ([0-9A-Z]{1,64})")


class Obstacle(Enum):
    """Why no number could be read, in the French sentence that is shown."""

    NOTHING = "Choisissez une image, ou tapez le contenu du code."
    NOT_A_PICTURE = (
        "Ce fichier n'est pas une image lisible. Donnez une photo ou une capture (PNG, JPEG, WebP)."
    )
    TOO_LARGE = "Cette image est trop grande. Réduisez-la, ou photographiez le code de plus près."
    NO_CODE = (
        "Aucun code 2D n'est lisible sur cette image."
        " Photographiez le code à plat, net et en entier."
    )
    SEVERAL_CODES = (
        "Cette image porte les codes de plusieurs ordonnances. Présentez-les une par une."
    )
    FOREIGN_CODE = (
        "Ce code n'est pas celui d'un SPECIMEN du bac à sable ; son contenu n'a pas été gardé."
        " Ne présentez jamais ici l'ordonnance d'une vraie personne."
    )


def number_in_picture(picture: bytes) -> str | Obstacle:
    """The number that the one SPECIMEN code in a picture holds.

    Args:
        picture: a file's content, whatever it is.
    """
    if not picture:
        return Obstacle.NOTHING
    found = _codes_in(picture)
    return found if isinstance(found, Obstacle) else _only_specimen(found)


def number_in_payload(payload: str) -> str | Obstacle:
    """The number in what a hand-held scanner types.

    Args:
        payload: the text of a code.
    """
    text = payload.strip()
    return _only_specimen({text}) if text else Obstacle.NOTHING


def _only_specimen(texts: set[str]) -> str | Obstacle:
    if not texts:
        return Obstacle.NO_CODE
    numbers = {match[1] for text in texts if (match := _SPECIMEN.fullmatch(text))}
    if not numbers:
        return Obstacle.FOREIGN_CODE
    return numbers.pop() if len(numbers) == 1 else Obstacle.SEVERAL_CODES


def _codes_in(picture: bytes) -> set[str] | Obstacle:
    from PIL import Image

    try:
        with Image.open(BytesIO(picture), formats=_FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                return Obstacle.TOO_LARGE
            # A JPEG is unfolded at a smaller scale at once; the rest is made smaller below.
            image.draft("L", _GLANCE)
            grey = _on_white(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Obstacle.TOO_LARGE
    except Exception:  # noqa: BLE001  (decoders fail in their own ways)
        return Obstacle.NOT_A_PICTURE
    glance = grey.copy()
    glance.thumbnail(_GLANCE)
    # What is too fine for a glance is looked at again.
    return _codes(glance) or (_codes(grey) if grey.size != glance.size else set())


def _on_white(image: "Image.Image") -> "Image.Image":
    """In grey; what is transparent is paper."""
    from PIL import Image

    if not image.has_transparency_data:
        return image.convert("L")
    layered = image.convert("RGBA")
    paper = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(paper, layered).convert("L")


def _codes(image: "Image.Image") -> set[str]:
    from zxingcpp import BarcodeFormat, BarcodeFormats, read_barcodes

    # Not the bar codes of packs and letters: looking for those takes most of the time.
    kinds = BarcodeFormats((BarcodeFormat.QRCode, BarcodeFormat.DataMatrix, BarcodeFormat.Aztec))
    return {code.text for code in read_barcodes(image, formats=kinds) if code.valid}

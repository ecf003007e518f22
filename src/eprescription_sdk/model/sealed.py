"""The seal of what is kept of a foreign source: it shows that nobody changed it by hand.

What is kept with a line goes out again as it came in. Only ``fhir`` makes such a text, from a
source that it has checked; a text whose seal does not fit is refused before anything is sent.
The seal is no secret and keeps no forger out.
"""

import hashlib

_DIGITS = 16


def seal(text: str) -> str:
    """A text behind its digest."""
    return f"{_digest(text)} {text}"


def unseal(sealed: str) -> str:
    """The text behind a digest.

    Raises:
        ValueError: the seal does not fit.
    """
    digest, _, text = sealed.partition(" ")
    if digest != _digest(text):
        raise ValueError("The seal does not fit.")
    return text


def _digest(text: str) -> str:
    # A lone surrogate has no UTF-8; a text that holds one still has a digest.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]

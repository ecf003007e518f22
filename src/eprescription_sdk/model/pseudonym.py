"""Keyed pseudonyms: what stands for an RPPS, a number or a reference outside its lane."""

import hmac


def pseudonym(key: bytes, kind: str, value: str) -> str:
    """A keyed stand-in for a value, 32 hexadecimal digits.

    Args:
        key: the secret of the settings.
        kind: what the value is, so that equal values of two kinds do not meet.
        value: the value to hide.
    """
    return hmac.digest(key, f"{kind}\x00{value}".encode(), "sha256").hex()[:32]

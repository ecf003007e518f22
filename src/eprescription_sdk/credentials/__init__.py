"""The practitioner's credentials: SAML assertions and their cache.

A back-end gets an assertion ready-made (``ReadyAssertion``) or signs it with a key that it was
given (``KeyFileAssertion``); a ``Practitioner`` holds who acts and keeps the assertion until
shortly before it expires.
"""

from eprescription_sdk.credentials.practitioner import Practitioner
from eprescription_sdk.credentials.ready import ReadyAssertion

__all__ = ["Practitioner", "ReadyAssertion"]

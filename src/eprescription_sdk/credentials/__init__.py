"""The practitioner's credentials: SAML assertions and their cache.

A back-end gets an assertion ready-made (``ReadyAssertion``), signs it with a key that it was given
(``KeyFileAssertion``), or has a card sign it (``Pkcs11Assertion``); a ``Practitioner`` holds who
acts and keeps the assertion until shortly before it expires. What Pro Santé Connect says of a
practitioner is read in ``pro_sante_connect``.
"""

from eprescription_sdk.credentials.practitioner import Practitioner
from eprescription_sdk.credentials.ready import ReadyAssertion

__all__ = ["Practitioner", "ReadyAssertion"]

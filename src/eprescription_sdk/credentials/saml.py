"""Reading what matters of a SAML 2.0 assertion: whom it names and until when it holds."""

from datetime import datetime

from eprescription_sdk import xml
from eprescription_sdk.errors import CredentialUnavailable, InvalidInput
from eprescription_sdk.model.exchange import Assertion

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"


def read_assertion(markup: bytes) -> Assertion:
    """An assertion as it came, with its subject and its end.

    Raises:
        CredentialUnavailable: it cannot be read, or it lacks its subject or its end.
    """
    try:
        # It will stand inside an envelope, so it must be fit for that too.
        xml.embed(markup)
        root = xml.parse(markup)
    except InvalidInput as error:
        raise CredentialUnavailable(f"The assertion cannot be read. {error.message}") from None
    name = _only(root, f"{{{SAML}}}Subject/{{{SAML}}}NameID")
    conditions = _only(root, f"{{{SAML}}}Conditions")
    if xml.local_name(root) != "Assertion" or xml.namespace(root) != SAML or not xml.text(name):
        raise CredentialUnavailable("The document is not a SAML 2.0 assertion with a subject.")
    if next(root.iterdescendants(f"{{{SAML}}}Assertion"), None) is not None:
        # How a signature is wrapped around other content: who verifies may read the inner one.
        raise CredentialUnavailable("The assertion holds another one.")
    try:
        ends = datetime.fromisoformat(
            conditions.get("NotOnOrAfter", "") if conditions is not None else ""
        )
    except ValueError:
        raise CredentialUnavailable("The assertion does not say when it ends.") from None
    if ends.tzinfo is None:
        raise CredentialUnavailable("The end of the assertion has no time zone.")
    return Assertion(xml=markup, not_on_or_after=ends, national_id=xml.text(name))


def _only(root: xml.Node, path: str) -> xml.Node | None:
    """The one element at a path; of two, nobody could say which was meant (and signed)."""
    found = root.findall(path)
    return found[0] if len(found) == 1 else None

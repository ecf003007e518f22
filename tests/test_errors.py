"""The error tree: what its docstring draws is what there is."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import eprescription_sdk
from eprescription_sdk import errors
from eprescription_sdk.errors import EPrescriptionError


def everything() -> None:
    """Import every module that an installation with all extras has."""
    for module in pkgutil.walk_packages(eprescription_sdk.__path__, "eprescription_sdk."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def drawn() -> Iterator[tuple[str, str | None]]:
    """Each name in the docstring's tree, with the one that it hangs on."""
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^    (?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+)", line)
        if match:
            depth = len(match["branch"]) // 4
            del above[depth:]
            yield match["name"], above[-1] if above else None
            above.append(match["name"])


def classes(root: type[EPrescriptionError]) -> Iterator[type[EPrescriptionError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__.startswith("eprescription_sdk"):
            yield from classes(child)


def test_the_tree_in_the_docstring_is_that_of_the_classes() -> None:
    everything()
    found = {kind.__name__: kind.__base__ for kind in classes(EPrescriptionError)}
    tree = dict(drawn())
    assert len(tree) > 15
    assert set(tree) == set(found)
    for name, parent in tree.items():
        base = found[name]
        assert base is not None
        assert base.__name__ == (parent or "Exception"), name


def test_the_whole_tree_is_in_one_file() -> None:
    everything()
    assert {kind.__module__ for kind in classes(EPrescriptionError)} == {errors.__name__}


def test_codes_are_unique_and_stable() -> None:
    everything()
    codes = {kind.__name__: kind.code for kind in classes(EPrescriptionError)}
    assert len(set(codes.values())) == len(codes)
    assert codes == CODES


CODES = {
    "EPrescriptionError": "EP-ERROR",
    "ConfigurationError": "EP-CONFIG",
    "MissingExtra": "EP-CONFIG-EXTRA",
    "InvalidInput": "EP-INPUT",
    "InvalidIdentifier": "EP-INPUT-IDENTIFIER",
    "XmlRefused": "EP-INPUT-XML",
    "StoreError": "EP-STORE",
    "StoreUnavailable": "EP-STORE-UNAVAILABLE",
    "StoreBusy": "EP-STORE-BUSY",
    "StoreUnsafe": "EP-STORE-UNSAFE",
    "StoreCorrupt": "EP-STORE-CORRUPT",
    "StoreTooNew": "EP-STORE-TOO-NEW",
    "CredentialUnavailable": "EP-CREDENTIAL",
    "ReferenceConflict": "EP-REFERENCE",
    "ServiceError": "EP-SERVICE",
    "ServiceUnreachable": "EP-SERVICE-UNREACHABLE",
    "ServiceFault": "EP-SERVICE-FAULT",
    "UnreadableReply": "EP-SERVICE-UNREADABLE",
    "PrescriptionNotFound": "EP-SERVICE-NOT-FOUND",
    "TransportFailure": "EP-TRANSPORT",
    "PilotError": "EP-PILOT",
    "IllegalStep": "EP-PILOT-STEP",
    "ClosingPending": "EP-PILOT-CLOSING",
    "VerificationFailed": "EP-VERIFY",
}
"""Hosts match on these: a change here is a change of the public face."""


def test_an_error_says_what_where_and_what_to_do() -> None:
    error = errors.StoreUnavailable("The disk is full.", path="s.db", way_out="Make room.")
    assert str(error) == "[EP-STORE-UNAVAILABLE] The disk is full. (at s.db) Make room."
    assert str(errors.EPrescriptionError("It broke.")) == (
        "[EP-ERROR] It broke. Look up the code in the documentation."
    )


def test_every_finding_is_in_the_message() -> None:
    error = errors.InvalidInput("Two things:", findings=[("a", "One."), ("b.c", "Two.")])
    assert error.findings == (("a", "One."), ("b.c", "Two."))
    assert "a: One." in str(error)
    assert "b.c: Two." in str(error)


def test_a_missing_extra_says_how_to_install_it() -> None:
    assert "pip install 'eprescription-sdk[sandbox]'" in str(errors.MissingExtra("sandbox"))


def test_what_is_particular_to_an_error_is_on_it() -> None:
    fault = errors.ServiceFault("It said no.", fault_code="x_1", text_fr="Non.")
    assert (fault.fault_code, fault.text_fr) == ("x_1", "Non.")
    pending = errors.ClosingPending("Wait.", holders=["host:1"])
    assert pending.holders == ("host:1",)
    failure = errors.TransportFailure("ReadError", delivery=errors.Delivery.UNKNOWN)
    assert failure.delivery is errors.Delivery.UNKNOWN


def test_one_except_catches_all() -> None:
    with pytest.raises(EPrescriptionError):
        raise errors.IllegalStep("Not now.")

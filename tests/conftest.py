"""Fixtures that every test may ask for."""

import os
from pathlib import Path

import pytest

CONFORMANCE_VARIABLE = "EPRESCRIPTION_CONFORMANCE_DIR"


@pytest.fixture(scope="session")
def conformance_dir() -> Path:
    """The folder of public material to compare with: schemas in `tlsi`, prescriptions in `has`."""
    value = os.environ.get(CONFORMANCE_VARIABLE)
    if not value:
        pytest.skip(
            f"Needs public material that is not part of the project: set {CONFORMANCE_VARIABLE} "
            "to a folder that holds `tlsi` (the schemas of the sibling service) and `has` "
            "(the example prescriptions), and run again."
        )
    folder = Path(value)
    missing = [name for name in ("tlsi", "has") if not (folder / name).is_dir()]
    if missing:
        pytest.fail(
            f"{CONFORMANCE_VARIABLE} names {folder}, which holds no {' and no '.join(missing)}."
        )
    return folder

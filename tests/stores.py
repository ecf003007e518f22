"""Stores on both engines, named by one text, so that other processes can open them too."""

from pathlib import Path

from eprescription_sdk.storage import Store, open_store


def opened(place: str) -> Store:
    """The store at a path or an address."""
    return open_store(place if place.startswith("postgresql:") else Path(place))
